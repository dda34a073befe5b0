//! Requests of the Open Inference Protocol: a line that says where the JSON ends, or an empty one,
//! and then the body. What is read fits in what came, and is the same when it is sent as bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trireme_http::oip::packed;
use trireme_http::oip::read::{Request, read};
use trireme_service::Text;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (header, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let header = (!header.is_empty()).then_some(header);
    let Ok(request) = read(body, header) else { return };

    let bytes = |text: &Text| text.first.len() + text.second.as_ref().map_or(0, String::len);
    assert!(request.texts.iter().map(bytes).sum::<usize>() <= body.len());
    for (at, wanted) in request.outputs.iter().enumerate() {
        assert!(request.outputs[..at].iter().all(|other| other.output != wanted.output));
    }
    assert_eq!(again(&request.texts), request.texts);
});

/// The same texts, after they were sent as raw bytes.
fn again(texts: &[Text]) -> Vec<Text> {
    let firsts: Vec<_> = texts.iter().map(|text| text.first.as_str()).collect();
    let seconds: Vec<_> = texts.iter().filter_map(|text| text.second.as_deref()).collect();
    let second = (!seconds.is_empty()).then(|| ("pair", packed(&seconds)));
    let tensors: Vec<_> = [("text", packed(&firsts))].into_iter().chain(second).collect();
    let inputs: Vec<_> = tensors.iter().map(|(name, raw)| input(name, texts.len(), raw)).collect();
    let mut body = format!(r#"{{"inputs":[{}]}}"#, inputs.join(",")).into_bytes();
    let header = body.len().to_string();
    body.extend(tensors.iter().flat_map(|(_, raw)| raw));
    let Request { texts, .. } = read(&body, Some(header.as_bytes())).expect("it was sent rightly");
    texts
}

fn input(name: &str, count: usize, raw: &[u8]) -> String {
    let size = raw.len();
    format!(
        r#"{{"name":"{name}","shape":[{count}],"datatype":"BYTES",
            "parameters":{{"binary_data_size":{size}}}}}"#
    )
}
