//! The engine against the reference: goldens made by PyTorch, on every lane of this machine.

mod bundle;
mod faults;
mod golden;
mod invariance;
mod load;
mod minilm;
mod tiny;
