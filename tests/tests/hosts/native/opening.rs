//! From a name to a model: what is sent where, and that the machine's threads change nothing.

use std::io::{Read, Write};
use std::net::TcpListener;

use trireme_model::EmbedOptions;
use trireme_server::source::NetSettings;
use trireme_server::{ModelSettings, open};
use trireme_service::{Job, Task, Text};

use super::running::settings;

/// Answers every request with "no such file" and keeps what it was sent.
fn record(listener: &TcpListener, requests: usize) -> String {
    let mut heard = String::new();
    for _ in 0..requests {
        let (mut client, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap() == 1 {
            request.push(byte[0]);
        }
        heard += &String::from_utf8(request).unwrap();
        client
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
    }
    heard
}

#[test]
fn the_hubs_token_goes_to_no_other_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/model", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || record(&listener, 2));
    let cache = tempfile::tempdir().unwrap();
    let net = NetSettings { token: Some("hf_secret".to_owned()), ..NetSettings::default() };
    let settings = ModelSettings {
        http_cache: cache.path().to_owned(),
        gpu_cache: cache.path().join("gpu.json"),
        offline: false,
        net,
        ..settings(Some(base))
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Two answers of "no such file" are all that the server gives; the rest does not matter.
    drop(runtime.block_on(open(&settings)));
    let heard = heard.join().unwrap().to_lowercase();
    assert!(heard.contains("get /model/config.json"), "{heard}");
    assert!(!heard.contains("authorization") && !heard.contains("hf_secret"), "{heard}");
}

#[test]
fn a_pool_of_any_size_gives_the_same_bits() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let texts: Vec<Text> = (1..60)
        .map(|n| Text::from("a quiet harbour with two oars and a net ".repeat(n % 13 + 1)))
        .collect();
    let answer = |threads: usize| {
        let opened = runtime.block_on(open(&ModelSettings { threads, ..settings(None) })).unwrap();
        let task = Task::Embed { options: EmbedOptions::default(), prompt: None };
        let job = Job { texts: texts.clone(), task, ..Job::default() };
        runtime.block_on(opened.served.compute.submit(job)).unwrap()
    };
    let one = answer(1);
    for threads in [2, 3, 7] {
        assert_eq!(answer(threads), one, "{threads} threads");
    }
}
