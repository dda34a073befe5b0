//! Weights and tables in this backend's memory.

use trireme_backend::shapes::Shape;
use trireme_kernels as kernels;

/// A weight with its bias, packed for the precision that multiplies it.
#[derive(Debug, Clone)]
pub enum Linear {
    /// Singles.
    Singles(kernels::Packed),
    /// Halves of singles.
    Halves(kernels::Packed16),
    /// Bytes.
    Bytes(kernels::Packed8),
}

impl Linear {
    pub(crate) fn inputs(&self) -> usize {
        match self {
            Self::Singles(weight) => weight.inputs(),
            Self::Halves(weight) => weight.inputs(),
            Self::Bytes(weight) => weight.inputs(),
        }
    }

    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Singles(weight) => weight.outputs(),
            Self::Halves(weight) => weight.outputs(),
            Self::Bytes(weight) => weight.outputs(),
        }
    }
}

/// A row-major table.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) rows: Rows,
    pub(crate) width: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Rows {
    Singles(Vec<f32>),
    Bytes { values: Vec<i8>, scales: Vec<f32> },
}

impl Table {
    pub(crate) fn shape(&self) -> Shape {
        let rows = match &self.rows {
            Rows::Singles(values) => values.len() / self.width,
            Rows::Bytes { scales, .. } => scales.len(),
        };
        Shape { rows, cols: self.width }
    }

    /// Adds a row that is there.
    pub(crate) fn add(&self, row: usize, out: &mut [f32]) {
        let row_values = row * self.width..(row + 1) * self.width;
        match &self.rows {
            Rows::Singles(values) => kernels::add_row(out, &values[row_values]),
            Rows::Bytes { values, scales } => {
                kernels::add_bytes(out, &values[row_values], scales[row]);
            }
        }
    }
}
