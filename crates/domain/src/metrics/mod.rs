//! How well a model does: the numbers that scipy and scikit-learn give for the same data.
//!
//! ```
//! use trireme_domain::metrics::{Classification, spearman};
//!
//! let human = [0.0, 2.5, 2.5, 5.0];
//! let model = [0.1, 0.4, 0.6, 0.9];
//! assert!(spearman(&human, &model) > Some(0.9));
//!
//! let classes = ["negative", "positive"].map(String::from);
//! let expected_and_predicted = [(0, 0), (0, 1), (1, 1), (1, 1)];
//! let scores = Classification::new(expected_and_predicted, &classes);
//! assert_eq!(scores.map(|scores| scores.accuracy), Some(0.75));
//! ```

mod calibration;
mod classification;
mod correlation;
mod interval;
mod percentile;

pub use calibration::{Calibration, calibration_error};
pub use classification::{ClassScores, Classification};
pub use correlation::{pearson, spearman};
pub use interval::{correlation_interval, share_interval};
pub use percentile::percentile;
