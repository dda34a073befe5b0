//! Weights and tables in the GPU's memory.

use half::f16;
use trireme_backend::shapes::{self, Shape};
use trireme_backend::{BackendError, ByteRows, Matrix, Weight};

use crate::pool::{Named, Pool};
use crate::tile::Operand;

/// Inputs of the widest layer whose sums of bytes fit into 32 bits.
const WIDEST: usize = i32::MAX as usize / (127 * 63);

/// A weight with its bias: operand by operand, four outputs side by side.
pub struct Linear {
    pub(crate) operand: Operand,
    /// A row for each output.
    pub(crate) shape: Shape,
    pub(crate) weight: Named,
    /// The biases, and behind them the scales where there are any, each filled up to fours.
    pub(crate) columns: Named,
}

/// The gain, bias and epsilon of a layer norm.
pub struct Norm {
    pub(crate) width: usize,
    pub(crate) eps: f32,
    /// The gain, and behind it the bias, each filled up to fours.
    pub(crate) values: Named,
}

/// A row-major table, in as many buffers as a shader needs to see all of it.
pub struct Table {
    pub(crate) shape: Shape,
    pub(crate) in_bytes: bool,
    pub(crate) parts: Vec<Part>,
}

/// Some rows of a table.
pub(crate) struct Part {
    pub first: u32,
    pub rows: u32,
    pub words: Named,
}

impl Linear {
    /// A weight; in `halves`, where it comes in singles and is to be multiplied so.
    pub(crate) fn new(
        pool: &Pool,
        weight: Weight<'_>,
        bias: Option<&[f32]>,
        halves: bool,
    ) -> Result<Self, BackendError> {
        const OP: &str = "upload_linear";
        let Shape { rows: outputs, cols: inputs } = shapes::weight(OP, weight)?;
        shapes::bias(OP, outputs, bias)?;
        let fours = outputs.next_multiple_of(4);
        let bias = bias.unwrap_or(&[]).iter().map(|value| value.to_bits());
        let mut columns: Vec<u32> = bias.collect();
        columns.resize(fours, 0);
        let (operand, words) = match weight {
            Weight::Singles(Matrix { data, .. }) if halves => {
                let half = |step: &[f32]| f16::from_f32(step[0]).to_bits();
                (Operand::Halves, paired(&turned(data, inputs, fours, half, 1)))
            }
            Weight::Singles(Matrix { data, .. }) => {
                let word = |step: &[f32]| step[0].to_bits();
                (Operand::Singles, turned(data, inputs, fours, word, 1))
            }
            Weight::Bytes(_) if inputs > WIDEST => {
                let expected = format!("{WIDEST} inputs at most in bytes");
                return Err(BackendError::shape(OP, expected, inputs));
            }
            Weight::Bytes(ByteRows { values, scales, .. }) => {
                columns.extend(scales.iter().map(|scale| scale.to_bits()));
                columns.resize(2 * fours, 0);
                (Operand::Bytes, turned(values, inputs, fours, packed, 4))
            }
        };
        let (weight, columns) = (pool.filled(OP, &words)?, pool.filled(OP, &columns)?);
        let shape = Shape { rows: outputs, cols: inputs };
        Ok(Self { operand, shape, weight, columns })
    }

    /// Operands of a row.
    pub(crate) fn steps(&self) -> usize {
        self.shape.cols.div_ceil(self.operand.columns() as usize)
    }
}

/// A weight's operands, each of so many values of a row: the first of every row, then the second of
/// every row. Rows are filled up with zeros to `outputs`.
fn turned<T, O: Copy + Default>(
    values: &[T],
    inputs: usize,
    outputs: usize,
    operand: impl Fn(&[T]) -> O,
    columns: usize,
) -> Vec<O> {
    let steps = inputs.div_ceil(columns);
    let mut operands = vec![O::default(); steps * outputs];
    for (output, row) in values.chunks_exact(inputs).enumerate() {
        for (step, values) in row.chunks(columns).enumerate() {
            operands[step * outputs + output] = operand(values);
        }
    }
    operands
}

/// Halves two by two as one word, the first lowest.
fn paired(halves: &[u16]) -> Vec<u32> {
    let (pairs, _) = halves.as_chunks();
    pairs.iter().map(|&[low, high]| u32::from(low) | u32::from(high) << 16).collect()
}

/// Up to four bytes as one word, the first lowest.
fn packed(bytes: &[i8]) -> u32 {
    let place = |(at, byte): (usize, &i8)| u32::from(byte.cast_unsigned()) << (8 * at);
    bytes.iter().enumerate().map(place).sum()
}

impl Table {
    const OP: &str = "upload_table";

    pub(crate) fn new(pool: &Pool, table: Weight<'_>) -> Result<Self, BackendError> {
        let words = match table {
            Weight::Singles(Matrix { cols, .. }) => cols,
            Weight::Bytes(ByteRows { cols, .. }) => cols.div_ceil(4) + 1,
        };
        let at_once = ((pool.largest() / 4) as usize).checked_div(words).unwrap_or(1);
        if at_once == 0 {
            return Err(BackendError::OutOfMemory { op: Self::OP, bytes: 4 * words });
        }
        Self::in_parts(pool, table, at_once)
    }

    /// A table in parts of so many rows.
    fn in_parts(pool: &Pool, table: Weight<'_>, at_once: usize) -> Result<Self, BackendError> {
        let shape = shapes::weight(Self::OP, table)?;
        let (rows, in_bytes) = (shape.rows, matches!(table, Weight::Bytes(_)));
        let part = |first: usize| {
            let rows = first..(first + at_once).min(rows);
            let words = pool.filled(Self::OP, &row_words(table, rows.clone()))?;
            Ok(Part { first: first as u32, rows: rows.len() as u32, words })
        };
        let parts = (0..rows).step_by(at_once).map(part).collect::<Result<_, _>>()?;
        Ok(Self { shape, in_bytes, parts })
    }
}

fn row_words(table: Weight<'_>, rows: std::ops::Range<usize>) -> Vec<u32> {
    match table {
        Weight::Singles(Matrix { cols, data, .. }) => {
            data[rows.start * cols..rows.end * cols].iter().map(|value| value.to_bits()).collect()
        }
        Weight::Bytes(ByteRows { cols, values, scales }) => rows
            .flat_map(|row| {
                let bytes = values[row * cols..(row + 1) * cols].chunks(4).map(packed);
                bytes.chain([scales[row].to_bits()])
            })
            .collect(),
    }
}

impl Norm {
    pub(crate) fn new(
        pool: &Pool,
        gain: &[f32],
        bias: &[f32],
        eps: f32,
    ) -> Result<Self, BackendError> {
        const OP: &str = "upload_norm";
        shapes::gains(OP, gain, bias)?;
        let fours = gain.len().next_multiple_of(4);
        let mut values = vec![0; 2 * fours];
        for (values, given) in values.chunks_exact_mut(fours.max(1)).zip([gain, bias]) {
            values.iter_mut().zip(given).for_each(|(to, from)| *to = from.to_bits());
        }
        Ok(Self { width: gain.len(), eps, values: pool.filled(OP, &values)? })
    }
}

#[cfg(test)]
mod tests {
    use trireme_backend::{Backend, Lookup};

    use super::*;
    use crate::Gpu;

    #[test]
    fn a_table_in_parts_is_the_whole() {
        let gpu = pollster::block_on(Gpu::open()).unwrap();
        let values: Vec<f32> = (0..15u8).map(f32::from).collect();
        let bytes: Vec<i8> = (0..15).collect();
        let scales = [2.0; 5];
        let singles = Matrix { rows: 5, cols: 3, data: &values };
        let bytes = ByteRows { cols: 3, values: &bytes, scales: &scales };
        // Six parts in two runs, and ten in four.
        for at_once in [2, 1] {
            let [ones, twos] = [Weight::from(singles), Weight::from(bytes)]
                .map(|table| Table::in_parts(gpu.pool_of_buffers(), table, at_once).unwrap());
            assert_eq!(ones.parts.len(), 5usize.div_ceil(at_once));
            let lookups = [
                Lookup { table: &ones, ids: &[4, 0, 3, 1] },
                Lookup { table: &twos, ids: &[2, 4, 0, 1] },
            ];
            let sum = gpu.embed(&lookups, None).unwrap();
            let got = pollster::block_on(gpu.read(&sum)).unwrap();
            let expected = [24.0, 27.0, 30.0, 24.0, 27.0, 30.0, 9.0, 12.0, 15.0, 9.0, 12.0, 15.0];
            assert_eq!(got, expected, "{at_once} rows a part");
        }
    }

    #[test]
    fn a_weight_is_turned_operand_by_operand() {
        let got = turned(&[1u32, 2, 3, 4, 5, 6], 3, 4, |step| step[0], 1);
        assert_eq!(got, [1, 4, 0, 0, 2, 5, 0, 0, 3, 6, 0, 0]);
    }

    #[test]
    fn bytes_are_packed_the_first_lowest() {
        assert_eq!(packed(&[1, -1, 2]), 0x0002_ff01);
    }
}
