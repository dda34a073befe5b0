//! Jobs over a store in memory, a model that answers by rule, and time that passes when it is told
//! to.

mod bench;
mod brought;
mod done;
mod kept;
mod swept;
mod told;
