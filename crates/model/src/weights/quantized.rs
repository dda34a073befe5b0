//! Weights in eight and in four bits.
//!
//! Each row has a scale. In eight bits a value is `byte × scale`. In four, 32 columns share a step
//! beside: a value is `level × step × scale`, with a level in [-7, 7] and a step in [3, 18]. Level
//! times step is a byte again, exactly: what multiplies bytes multiplies these, and gives the same
//! bits everywhere. The rows of linear layers are rotated first: see [`trireme_backend::bytes`].

use std::borrow::Cow;

use trireme_backend::bytes::{mixed, nearest, quantize, rotate};
use trireme_backend::{ByteRows, Matrix, Precision, Weight};

use super::{Dtype, Tensor, reserve, room};
use crate::ModelError;

/// Columns that share a step.
const GROUP: usize = 32;

/// The largest level; stored levels are larger by eight.
const LEVELS: f32 = 7.0;
const STORED: i8 = 8;

/// The steps; a stored one is its place among them.
const STEPS: std::ops::RangeInclusive<u8> = 3..=18;

/// What a weight is for decides how it may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its rows are words.
    Table,
    /// Every token is multiplied by it.
    PerToken,
    /// Norms, biases, positions, heads: there is little to save, and what is lost in them stays lost.
    Small,
}

/// What turns a quantised tensor's data into numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales {
    /// One for each row.
    pub(crate) rows: Vec<f32>,
    /// In four bits: the places of each row's steps, two in a byte.
    pub(crate) steps: Option<Vec<u8>>,
}

/// A weight as a backend takes it.
#[derive(Debug, Clone)]
pub(crate) enum Values<'a> {
    Singles { rows: usize, data: Cow<'a, [f32]> },
    Bytes { cols: usize, values: Cow<'a, [i8]>, scales: Cow<'a, [f32]> },
}

impl Values<'_> {
    /// The same, borrowed.
    pub fn weight(&self) -> Weight<'_> {
        match self {
            Self::Singles { rows, data } => {
                let cols = data.len().checked_div(*rows).unwrap_or(0);
                Matrix { rows: *rows, cols, data }.into()
            }
            Self::Bytes { cols, values, scales } => ByteRows { cols: *cols, values, scales }.into(),
        }
    }

    /// The rows of several weights in the same numbers, one behind the other.
    pub fn joined(name: &str, weights: &[Self]) -> Result<Values<'static>, ModelError> {
        let (mut count, mut width) = (0, 0);
        let (mut singles, mut bytes, mut all_scales) = (Vec::new(), Vec::new(), Vec::new());
        for weight in weights {
            match weight {
                Self::Singles { rows, data } => {
                    extend(name, &mut singles, data)?;
                    count += rows;
                }
                Self::Bytes { cols, values, scales } => {
                    extend(name, &mut bytes, values)?;
                    extend(name, &mut all_scales, scales)?;
                    width = *cols;
                }
            }
        }
        Ok(match bytes.is_empty() {
            true => Values::Singles { rows: count, data: Cow::Owned(singles) },
            false => {
                let (values, scales) = (Cow::Owned(bytes), Cow::Owned(all_scales));
                Values::Bytes { cols: width, values, scales }
            }
        })
    }
}

fn extend<T: Copy>(name: &str, all: &mut Vec<T>, more: &[T]) -> Result<(), ModelError> {
    reserve(name, all, more.len())?;
    all.extend_from_slice(more);
    Ok(())
}

/// Bytes of a row's steps.
pub(crate) fn step_bytes(cols: usize) -> usize {
    cols.div_ceil(GROUP).div_ceil(2)
}

impl Tensor {
    /// The precision that it is kept in; singles stand for all that is not quantised.
    pub(crate) fn kept(&self) -> Precision {
        match &self.scales {
            None => Precision::F32,
            Some(Scales { steps: None, .. }) => Precision::Int8,
            Some(Scales { steps: Some(_), .. }) => Precision::Int4,
        }
    }

    /// The values in the numbers that a backend of this precision computes in.
    pub(crate) fn values(
        &self,
        name: &str,
        role: Role,
        precision: Precision,
    ) -> Result<Values<'_>, ModelError> {
        let (rows, cols) = self.extents();
        if !precision.in_bytes() || role == Role::Small {
            let data = match &self.scales {
                None => self.to_f32(name)?,
                Some(scales) => Cow::Owned(singles(name, &self.data, scales, cols, role)?),
            };
            return Ok(Values::Singles { rows, data });
        }
        if let Some(scales) = &self.scales {
            let values = bytes(name, &self.data, scales, cols)?;
            return Ok(Values::Bytes { cols, values, scales: Cow::Borrowed(&scales.rows) });
        }
        let (data, scales) = quantized(name, &self.to_f32(name)?, cols, role, precision)?;
        let values = Cow::Owned(bytes(name, &data, &scales, cols)?.into_owned());
        Ok(Values::Bytes { cols, values, scales: Cow::Owned(scales.rows) })
    }

    /// The same tensor, kept in fewer bits where its role allows that.
    pub(crate) fn quantized(
        &self,
        name: &str,
        role: Role,
        precision: Precision,
    ) -> Result<Self, ModelError> {
        if role == Role::Small || self.scales.is_some() {
            return Ok(self.clone());
        }
        let values = self.to_f32(name)?;
        let (data, scales) = quantized(name, &values, self.extents().1, role, precision)?;
        let dtype = if scales.steps.is_some() { Dtype::U8 } else { Dtype::I8 };
        let shape = self.shape.clone();
        Ok(Self { dtype, shape, data: data.into(), scales: Some(scales) })
    }

    fn extents(&self) -> (usize, usize) {
        let rows = self.shape.first().copied().unwrap_or(0);
        (rows, self.shape.iter().skip(1).product())
    }
}

/// Quantises rows of singles. Two levels share a byte, so an odd row keeps eight bits.
fn quantized(
    name: &str,
    values: &[f32],
    cols: usize,
    role: Role,
    precision: Precision,
) -> Result<(Vec<u8>, Scales), ModelError> {
    let cols = cols.max(1);
    let four = precision == Precision::Int4 && cols.is_multiple_of(2);
    let mut rows = room(name, values.len() / cols)?;
    let mut data = room(name, if four { values.len() / 2 } else { values.len() })?;
    let mut steps = four.then(|| room(name, values.len() / cols * step_bytes(cols))).transpose()?;
    let (mut row, mut bytes) = (vec![0.0; cols], vec![0; cols]);
    for plain in values.chunks_exact(cols) {
        row.copy_from_slice(plain);
        // Two rotations make a product larger by as many as were mixed, a power of two.
        let mut larger = 1.0;
        if role == Role::PerToken {
            rotate(&mut row);
            larger = mixed(cols) as f32;
        }
        let scale = match &mut steps {
            None => {
                let scale = quantize(&row, &mut bytes);
                data.extend(bytes.iter().map(|byte| byte.cast_unsigned()));
                scale
            }
            Some(steps) => nibbles(&row, &mut data, steps),
        };
        rows.push(scale / larger);
    }
    Ok((data, Scales { rows, steps }))
}

/// Appends a row's levels and the places of its steps; returns its scale.
fn nibbles(row: &[f32], data: &mut Vec<u8>, steps: &mut Vec<u8>) -> f32 {
    let largest = row.iter().fold(0.0, |top: f32, value| top.max(value.abs()));
    let scale = largest / (LEVELS * f32::from(*STEPS.end()));
    let mut places = Vec::with_capacity(row.len().div_ceil(GROUP));
    for group in row.chunks(GROUP) {
        let step = best_step(group, scale);
        places.push(step - STEPS.start());
        let level =
            |value: &f32| (level(*value, scale * f32::from(step)) as i8 + STORED).cast_unsigned();
        data.extend(group.chunks(2).map(|pair| {
            let [low, high] = [pair.first(), pair.last()].map(|value| value.map_or(0, level));
            low | high << 4
        }));
    }
    steps.extend(places.chunks(2).map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4)));
    scale
}

/// The step whose levels are nearest to a group's values.
fn best_step(group: &[f32], scale: f32) -> u8 {
    let error = |step: u8| {
        let unit = scale * f32::from(step);
        group.iter().map(|value| (value - level(*value, unit) * unit).powi(2)).sum::<f32>()
    };
    STEPS
        .map(|step| (error(step), step))
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or(*STEPS.start(), |b| b.1)
}

/// The level that is nearest to a value; zero where the unit has lost its digits.
fn level(value: f32, unit: f32) -> f32 {
    if unit < f32::MIN_POSITIVE { 0.0 } else { nearest((value / unit).clamp(-LEVELS, LEVELS)) }
}

/// The bytes of quantised data.
fn bytes<'a>(
    name: &str,
    data: &'a [u8],
    scales: &Scales,
    cols: usize,
) -> Result<Cow<'a, [i8]>, ModelError> {
    let Some(steps) = &scales.steps else { return Ok(Cow::Borrowed(bytemuck::cast_slice(data))) };
    let mut values = room(name, data.len() * 2)?;
    let rows = data.chunks_exact(cols / 2).zip(steps.chunks_exact(step_bytes(cols)));
    for (levels, steps) in rows {
        for (group, pairs) in levels.chunks(GROUP / 2).enumerate() {
            let place = steps[group / 2] >> (4 * (group % 2)) & 15;
            let step = (STEPS.start() + place).cast_signed();
            for pair in pairs {
                let levels = [pair & 15, pair >> 4].map(|level| level.cast_signed() - STORED);
                values.extend(levels.map(|level| level * step));
            }
        }
    }
    Ok(Cow::Owned(values))
}

/// The values of quantised data.
fn singles(
    name: &str,
    data: &[u8],
    scales: &Scales,
    cols: usize,
    role: Role,
) -> Result<Vec<f32>, ModelError> {
    let bytes = bytes(name, data, scales, cols)?;
    let mut values = room(name, bytes.len())?;
    for (row, scale) in bytes.chunks_exact(cols.max(1)).zip(&scales.rows) {
        let first = values.len();
        values.extend(row.iter().map(|&byte| f32::from(byte) * scale));
        if role == Role::PerToken {
            rotate(&mut values[first..]);
        }
    }
    Ok(values)
}

/// What is wrong with the sizes or the numbers of a quantised tensor that was read.
pub(crate) fn fault(tensor: &Tensor, scales: &Scales) -> Option<String> {
    if tensor.shape.len() != 2 {
        return Some(format!("{} extents where rows and columns are needed", tensor.shape.len()));
    }
    let (rows, cols) = tensor.extents();
    if scales.rows.len() != rows {
        return Some(format!("{} scales for {rows} rows", scales.rows.len()));
    }
    if let Some(scale) = scales.rows.iter().find(|scale| !scale.is_finite()) {
        return Some(format!("a scale is {scale}"));
    }
    let steps = scales.steps.as_ref()?;
    if steps.len() != rows.saturating_mul(step_bytes(cols)) {
        return Some(format!("{} bytes of steps for {rows} × {cols} levels", steps.len()));
    }
    let below = tensor.data.iter().any(|pair| pair & 15 == 0 || pair >> 4 == 0);
    below.then(|| "a level is below the smallest".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tensor(values: &[f32], cols: usize) -> Tensor {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Tensor::plain(Dtype::F32, vec![values.len() / cols, cols], data.into())
    }

    fn read(tensor: &Tensor, role: Role, precision: Precision) -> Vec<f32> {
        match tensor.values("t", role, precision).unwrap() {
            Values::Singles { data, .. } => data.into_owned(),
            Values::Bytes { cols, values, scales } => {
                let rows = values.chunks(cols).zip(scales.iter());
                rows.flat_map(|(row, scale)| row.iter().map(move |&b| f32::from(b) * scale))
                    .collect()
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_near_what_it_was(
            cols in 1usize..100,
            seed in prop::collection::vec(-1f32..1.0, 400),
        ) {
            let values = &seed[..seed.len() / cols * cols];
            let plain = tensor(values, cols);
            for role in [Role::Table, Role::PerToken] {
                for (precision, share) in [(Precision::Int8, 127.0), (Precision::Int4, 7.0)] {
                    let kept = plain.quantized("t", role, precision).unwrap();
                    prop_assert_eq!(kept.scales.as_ref().and_then(|s| fault(&kept, s)), None);
                    let rows = read(&kept, role, Precision::F32);
                    for (got, row) in rows.chunks(cols).zip(values.chunks(cols)) {
                        // A rotation spreads each error over the block, and keeps their length.
                        let length = |row: &mut dyn Iterator<Item = f32>| {
                            f64::from(row.map(|v| v * v).sum::<f32>()).sqrt()
                        };
                        let off = length(&mut got.iter().zip(row).map(|(a, b)| a - b));
                        let mut mixed = row.to_vec();
                        if role == Role::PerToken {
                            rotate(&mut mixed);
                        }
                        let top = mixed.iter().fold(0.0f32, |top, v| top.max(v.abs()));
                        let grown = length(&mut mixed.iter().copied()) / length(&mut row.iter().copied());
                        let most = 0.501 * f64::from(top / share) * (cols as f64).sqrt() / grown;
                        prop_assert!(off <= most + 1e-5, "{precision:?} {role:?}: {off} > {most}");
                    }
                }
            }
        }

        #[test]
        fn kept_or_quantised_as_it_is_loaded_the_bytes_are_the_same(
            cols in 1usize..100,
            seed in prop::collection::vec(-1f32..1.0, 400),
        ) {
            let plain = tensor(&seed[..seed.len() / cols * cols], cols);
            for role in [Role::Table, Role::PerToken, Role::Small] {
                for precision in [Precision::Int8, Precision::Int4] {
                    let kept = plain.quantized("t", role, precision).unwrap();
                    prop_assert_eq!(read(&kept, role, precision), read(&plain, role, precision));
                }
            }
        }
    }

    #[test]
    fn four_bits_take_half_the_room() {
        let plain = tensor(&[0.5; 4 * 64], 64);
        let size = |precision| plain.quantized("t", Role::PerToken, precision).unwrap().data.len();
        assert_eq!((size(Precision::Int8), size(Precision::Int4)), (256, 128));
    }

    #[test]
    fn levels_that_no_bundle_of_ours_has_are_refused() {
        let plain = tensor(&[0.5; 2 * 64], 64);
        let good = plain.quantized("t", Role::Table, Precision::Int4).unwrap();
        let scales = good.scales.clone().unwrap();
        let rows = |rows| Scales { rows, steps: scales.steps.clone() };
        let low = Tensor { data: vec![0; 64].into(), ..good.clone() };
        let flat = Tensor { shape: vec![128], ..good.clone() };
        for (tensor, scales, expected) in [
            (&flat, scales.clone(), "1 extents"),
            (&good, rows(vec![1.0]), "1 scales for 2 rows"),
            (&good, rows(vec![1.0, f32::NAN]), "a scale is NaN"),
            (&good, Scales { steps: Some(vec![0]), ..scales.clone() }, "1 bytes of steps"),
            (&low, scales.clone(), "below the smallest"),
        ] {
            let got = fault(tensor, &scales).unwrap();
            assert!(got.contains(expected), "expected {expected:?}, got {got:?}");
        }
        assert_eq!(fault(&good, &scales), None);
    }
}
