//! Bodies of requests, and the rules that they meet next.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trireme_domain::Limits;
use trireme_domain::wire::{EncodeRequest, PredictRequest};
use trireme_service::parse;

fuzz_target!(|body: &[u8]| {
    let limits = Limits { texts: 4, text_bytes: 64, ..Limits::default() };
    if let Ok(request) = parse::<PredictRequest>(body)
        && limits.check([request.text.as_str()]).is_ok()
    {
        assert!(!request.text.trim().is_empty() && request.text.len() <= 64);
    }
    if let Ok(request) = parse::<EncodeRequest>(body) {
        drop(limits.check(request.texts.iter().flatten().map(String::as_str)));
    }
});
