//! `pytorch_model.bin`: a pickle and a zip archive, both of which may lie about everything.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trireme_model::weights::torch;

fuzz_target!(|data: &[u8]| {
    let file = Bytes::copy_from_slice(data);
    for (name, tensor) in torch::read(&file).into_iter().flatten() {
        let elements: usize = tensor.shape.iter().product();
        assert_eq!(elements * tensor.dtype.size(), tensor.data.len(), "{name}");
        drop(tensor.to_f32(&name));
    }
});
