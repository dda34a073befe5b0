//! Bundles. The hash would stop every mutation at the door, so it is put right first: what is
//! fuzzed is everything behind it, down to a model that answers.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_model::{Checkpoint, Cut, Model, ModelError, Pooling, Want};

fuzz_target!(|data: &[u8]| {
    let file = match Checkpoint::from_bundle(&Bytes::copy_from_slice(data)) {
        Err(ModelError::BundleDigest { expected, got }) => put_right(data, &expected, &got),
        Err(_) => return,
        Ok(_) => Bytes::copy_from_slice(data),
    };
    let Ok(checkpoint) = Checkpoint::from_bundle(&file) else { return };
    let Ok(precision) = checkpoint.precision(None) else { return };
    let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(precision);
    let Ok(model) = Model::new(cpu, &checkpoint) else { return };
    let Ok(text) = model.reader().encode("A quiet harbour.", None, Cut::default()) else { return };
    if let Ok(mut pass) = model.start(&[text], Want::Vectors(Pooling::Mean)) {
        while pass.step().is_ok_and(|progress| !progress.is_complete()) {}
    }
});

/// The bundle with the hash that its data have.
fn put_right(data: &[u8], expected: &str, got: &str) -> Bytes {
    let mut file = data.to_vec();
    let same_length = expected.len() == got.len();
    let at = file.windows(expected.len().max(1)).position(|window| window == expected.as_bytes());
    if let (true, Some(at)) = (same_length, at) {
        file[at..at + got.len()].copy_from_slice(got.as_bytes());
    }
    file.into()
}
