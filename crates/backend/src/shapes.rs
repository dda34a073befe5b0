//! What fits together: the rules that every backend holds its arguments to.

use std::fmt;

use crate::{BackendError, ByteRows, Layout, Matrix, Weight};

/// Rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Row count.
    pub rows: usize,
    /// Column count.
    pub cols: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.rows, self.cols)
    }
}

/// The shape of a weight that has as many values as it says.
///
/// ```
/// use trireme_backend::{Matrix, shapes};
///
/// let weight = Matrix { rows: 2, cols: 3, data: &[0.0; 6] };
/// assert_eq!(shapes::weight("upload_linear", weight.into())?.to_string(), "2 × 3");
/// # Ok::<(), trireme_backend::BackendError>(())
/// ```
///
/// # Errors
/// [`BackendError::Shape`], as of every rule here.
pub fn weight(op: &'static str, weight: Weight<'_>) -> Result<Shape, BackendError> {
    let (rows, cols, values) = match weight {
        Weight::Singles(Matrix { rows, cols, data }) => (rows, cols, data.len()),
        Weight::Bytes(ByteRows { cols, values, scales }) => (scales.len(), cols, values.len()),
    };
    let shape = Shape { rows, cols };
    let fits = cols > 0 && rows.checked_mul(cols) == Some(values);
    rule(op, fits, format_args!("{shape} values"), values)?;
    Ok(shape)
}

/// A bias has a value for each output.
///
/// # Errors
/// [`BackendError::Shape`].
pub fn bias(op: &'static str, outputs: usize, bias: Option<&[f32]>) -> Result<(), BackendError> {
    let given = bias.map_or(outputs, <[f32]>::len);
    rule(op, given == outputs, format_args!("a bias of {outputs}"), given)
}

/// A layer norm has as many biases as gains, and some.
///
/// # Errors
/// [`BackendError::Shape`].
pub fn gains(op: &'static str, gain: &[f32], bias: &[f32]) -> Result<(), BackendError> {
    let fits = !gain.is_empty() && gain.len() == bias.len();
    rule(op, fits, format_args!("a bias of {}", gain.len()), bias.len())
}

/// The shape of a sum of look-ups, each a table's shape and its ids: tables are of one width, ids of
/// one number, and each names a row.
///
/// # Errors
/// [`BackendError::Shape`], or [`BackendError::IdOutOfRange`].
pub fn looked_up<'a>(
    lookups: impl IntoIterator<Item = (Shape, &'a [u32])>,
) -> Result<Shape, BackendError> {
    const OP: &str = "embed";
    let mut sum = None;
    for (Shape { rows, cols }, ids) in lookups {
        let one = Shape { rows: ids.len(), cols };
        let expected = *sum.get_or_insert(one);
        rule(OP, one == expected, expected, one)?;
        if let Some(&id) = ids.iter().find(|&&id| id as usize >= rows) {
            return Err(BackendError::IdOutOfRange { op: OP, id, rows });
        }
    }
    sum.ok_or_else(|| BackendError::shape(OP, "at least one look-up", 0))
}

/// A norm, where there is one, is as wide as the rows.
///
/// # Errors
/// [`BackendError::Shape`].
pub fn norm(op: &'static str, width: usize, norm: Option<usize>) -> Result<(), BackendError> {
    let expected = norm.unwrap_or(width);
    rule(op, expected == width, expected, width)
}

/// A linear layer takes rows as wide as its inputs, and a residual of the output's shape. `layer` has
/// a row for each output.
///
/// # Errors
/// [`BackendError::Shape`].
pub fn linear(x: Shape, layer: Shape, residual: Option<Shape>) -> Result<Shape, BackendError> {
    const OP: &str = "linear";
    rule(OP, x.cols == layer.cols, format_args!("rows of {}", layer.cols), x.cols)?;
    let out = Shape { rows: x.rows, cols: layer.rows };
    let residual = residual.unwrap_or(out);
    rule(OP, residual == out, format_args!("a residual of {out}"), residual)?;
    Ok(out)
}

/// The width of a head, of queries, keys and values that lie side by side.
///
/// # Errors
/// [`BackendError::Shape`].
pub fn head_width(qkv: Shape, layout: &Layout, heads: usize) -> Result<usize, BackendError> {
    let fits = heads > 0 && qkv.cols > 0 && qkv.cols.is_multiple_of(3 * heads);
    rule("attention", fits, format_args!("three parts of {heads} equal heads"), qkv.cols)?;
    rows("attention", qkv, layout)?;
    Ok(qkv.cols / 3 / heads)
}

/// Biases by distance have a column for each head and a row for each distance that a text has.
///
/// # Errors
/// [`BackendError::Shape`].
pub fn biases(
    table: Shape,
    layout: &Layout,
    heads: usize,
    reach: usize,
) -> Result<(), BackendError> {
    let longest = layout.longest();
    let fits = table == Shape { rows: 2 * reach + 1, cols: heads } && longest <= reach + 1;
    let expected = format_args!("biases for {heads} heads and {longest} tokens");
    rule("attention", fits, expected, format_args!("{table}, reach {reach}"))
}

/// Activations have the layout's rows.
///
/// # Errors
/// [`BackendError::Shape`].
pub fn rows(op: &'static str, x: Shape, layout: &Layout) -> Result<(), BackendError> {
    let tokens = layout.tokens();
    rule(op, x.rows == tokens, format_args!("{tokens} rows"), x.rows)
}

fn rule(
    op: &'static str,
    fits: bool,
    expected: impl fmt::Display,
    got: impl fmt::Display,
) -> Result<(), BackendError> {
    if fits { Ok(()) } else { Err(BackendError::shape(op, expected, got)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(rows: usize, cols: usize) -> Shape {
        Shape { rows, cols }
    }

    /// Each rule with arguments that fit, and with one thing changed.
    #[test]
    fn what_does_not_fit_is_refused() {
        let layout = Layout::from_lengths([2, 3]).unwrap();
        let values = |data| Weight::from(Matrix { rows: 2, cols: 2, data });
        let cases = [
            (
                "values",
                weight("w", values(&[0.0; 4])).is_ok(),
                weight("w", values(&[0.0; 3])).is_ok(),
            ),
            ("bias", bias("b", 2, Some(&[0.0; 2])).is_ok(), bias("b", 2, Some(&[0.0])).is_ok()),
            ("gains", gains("g", &[1.0], &[0.0]).is_ok(), gains("g", &[1.0], &[]).is_ok()),
            ("no gain", gains("g", &[1.0], &[0.0]).is_ok(), gains("g", &[], &[]).is_ok()),
            ("norm", norm("n", 3, Some(3)).is_ok(), norm("n", 3, Some(4)).is_ok()),
            (
                "inputs",
                linear(of(5, 3), of(2, 3), None).is_ok(),
                linear(of(5, 4), of(2, 3), None).is_ok(),
            ),
            (
                "residual",
                linear(of(5, 3), of(2, 3), Some(of(5, 2))).is_ok(),
                linear(of(5, 3), of(2, 3), Some(of(5, 3))).is_ok(),
            ),
            (
                "heads",
                head_width(of(5, 12), &layout, 2).is_ok(),
                head_width(of(5, 12), &layout, 3).is_ok(),
            ),
            (
                "no head",
                head_width(of(5, 12), &layout, 2).is_ok(),
                head_width(of(5, 12), &layout, 0).is_ok(),
            ),
            (
                "tokens",
                head_width(of(5, 12), &layout, 2).is_ok(),
                head_width(of(4, 12), &layout, 2).is_ok(),
            ),
            (
                "biases",
                biases(of(5, 2), &layout, 2, 2).is_ok(),
                biases(of(5, 1), &layout, 2, 2).is_ok(),
            ),
            (
                "reach",
                biases(of(5, 2), &layout, 2, 2).is_ok(),
                biases(of(3, 2), &layout, 2, 1).is_ok(),
            ),
            ("rows", rows("p", of(5, 1), &layout).is_ok(), rows("p", of(6, 1), &layout).is_ok()),
        ];
        for (case, fits, changed) in cases {
            assert_eq!((fits, changed), (true, false), "{case}: with what fits, and changed");
        }
    }

    #[test]
    fn look_ups_are_of_one_width_and_number_and_name_rows() {
        let one: &[u32] = &[1, 0];
        assert_eq!(looked_up([(of(2, 3), one), (of(9, 3), &[8, 8])]), Ok(of(2, 3)));
        assert_eq!(
            looked_up([]).err(),
            Some(BackendError::shape("embed", "at least one look-up", 0))
        );
        let wider = looked_up([(of(2, 3), one), (of(2, 4), one)]);
        assert_eq!(wider.err(), Some(BackendError::shape("embed", "2 × 3", "2 × 4")));
        let longer = looked_up([(of(2, 3), one), (of(2, 3), &[0, 0, 0])]);
        assert_eq!(longer.err(), Some(BackendError::shape("embed", "2 × 3", "3 × 3")));
        let outside = looked_up([(of(1, 3), one)]);
        assert_eq!(outside.err(), Some(BackendError::IdOutOfRange { op: "embed", id: 1, rows: 1 }));
    }
}
