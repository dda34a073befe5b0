//! Bodies of requests, and the rules that they meet next.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trireme_domain::Limits;
use trireme_domain::wire::{EncodeRequest, PredictRequest};
use trireme_service::parse;

fuzz_target!(|body: &[u8]| {
    let limits = Limits { texts: 4, text_bytes: 64, ..Limits::default() };
    if let Ok(request) = parse::<PredictRequest>(body)
        && limits.check([request.text.as_str()].into_iter().chain(request.pair.as_deref())).is_ok()
    {
        for text in [Some(request.text), request.pair].into_iter().flatten() {
            assert!(!text.trim().is_empty() && text.len() <= limits.text_bytes);
        }
    }
    if let Ok(request) = parse::<EncodeRequest>(body) {
        let texts = request.texts.unwrap_or_default();
        if limits.check(texts.iter().map(String::as_str)).is_ok() {
            assert!((1..=limits.texts).contains(&texts.len()));
            assert!(texts.iter().all(|text| !text.trim().is_empty()));
        }
    }
});
