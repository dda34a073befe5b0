//! The differentiable backend: the port's operations over candle, which remembers them and walks
//! back along them.
//!
//! Products are candle's. What stands between two products is one operation each, forward and
//! backward (`ops`, `attention`): candle would make half a dozen tensors of it, and does so on a GPU
//! (`parts`).
//!
//! ```
//! use trireme_backend::{Backend, Epilogue, Lookup, Matrix, Per};
//! use trireme_candle::Candle;
//!
//! let candle = Candle::new(|_| true);
//! let table = Matrix { rows: 2, cols: 2, data: &[1.0, 2.0, 3.0, 4.0] };
//! let weight = Matrix { rows: 1, cols: 2, data: &[1.0, 1.0] };
//! let table = candle.upload_table(&[], table.into())?;
//! let weight = candle.upload_linear(&["layer".to_owned()], weight.into(), None, Per::Token)?;
//! let x = candle.embed(&[Lookup { table: &table, ids: &[0, 1] }], None)?;
//! let y = candle.linear(&x, &weight, Epilogue::PLAIN)?;
//! assert_eq!(y.tensor.flatten_all()?.to_vec1::<f32>()?, [3.0, 7.0]);
//! let gradients = y.tensor.sum_all()?.backward()?;
//! let of_weight = gradients.get(&weight.weight).map(|g| g.flatten_all()?.to_vec1::<f32>());
//! assert_eq!(of_weight.transpose()?, Some(vec![4.0, 6.0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attention;
mod backend;
mod noise;
mod ops;
mod parts;
mod place;

pub use backend::{Acts, Candle, Linear, Norm, Parameter, Table};
pub use candle_core as core;
pub use noise::{Dropout, Noise};
pub use ops::values;
pub use place::Place;
