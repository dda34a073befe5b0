//! Safetensors files: every tensor that is handed out has the bytes that its shape says.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use trireme_model::weights::safetensors;

fuzz_target!(|data: &[u8]| {
    let file = Bytes::copy_from_slice(data);
    let Ok(contents) = safetensors::read("fuzz", &file) else { return };
    for (name, tensor) in contents.tensors {
        let elements: usize = tensor.shape.iter().product();
        assert_eq!(elements * tensor.dtype.size(), tensor.data.len(), "{name}");
        drop(tensor.to_f32(&name));
    }
});
