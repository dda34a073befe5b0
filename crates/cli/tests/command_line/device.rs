//! Where a model computes: a GPU, or what does as if, and the processor where there is none.

use super::training::{labelled, training};
use super::*;

/// Where Vulkan's loader looks for drivers, and finds none.
const NO_DRIVERS: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

#[test]
fn a_gpu_answers_as_the_processor_does_and_info_says_that_it_is_used() {
    let model = tiny("bert-embed");
    let on = |device: &'static str| {
        let asked = ["embed", "the cat", "a dog sat on the mat", "--model", &model, "--device"];
        vectors(&json(&[&asked[..], &[device]].concat()))
    };
    let off = |(got, expected): (&f64, &f64)| (got - expected).abs();
    for (got, expected) in on("wgpu").iter().zip(&on("cpu")) {
        let most = got.iter().zip(expected).map(off).fold(0.0, f64::max);
        assert!(most < 1e-5, "the largest difference is {most}");
    }
    let info = json(&["info", "--model", &model, "--device", "wgpu", "--json"]);
    assert_eq!(info["device"], "gpu", "{info}");
}

/// A process that ended while its model's thread gave the device back ended in the driver, one time in
/// fifteen.
#[test]
fn a_process_that_used_a_gpu_ends_well_every_time() {
    let model = tiny("bert-embed");
    for attempt in 0..30 {
        let done = run(&["info", "--model", &model, "--device", "wgpu", "--json"]);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "attempt {attempt}: {}: {said}", done.status);
    }
}

#[test]
fn without_a_gpu_the_processor_answers_and_says_why() {
    let mut asked = trireme(&["embed", "two oars", "--device", "wgpu"]);
    let done = asked.envs(NO_DRIVERS.map(|name| (name, "/nowhere.json"))).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("the processor answers: there is no GPU"), "{said}");
    assert_eq!(done.stdout, run(&["embed", "two oars"]).stdout);
}

#[test]
fn halves_are_a_gpus_and_the_processor_says_so() {
    let model = tiny("bert-embed");
    let asked = ["embed", "the cat", "--model", &model, "--precision"];
    let halves = vectors(&json(&[&asked[..], &["f16", "--device", "wgpu"]].concat()));
    let singles = vectors(&json(&[&asked[..], &["f32"]].concat()));
    let off = halves[0].iter().zip(&singles[0]).map(|(got, expected)| (got - expected).abs());
    let most = off.fold(0.0, f64::max);
    assert!((1e-9..5e-3).contains(&most), "the largest difference is {most}");

    let alone = trireme(&[&asked[..], &["f16"]].concat()).output().unwrap();
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(!alone.status.success() && said.contains("f16 can't be had"), "{said}");

    let mut none = trireme(&[&asked[..], &["f16", "--device", "wgpu"]].concat());
    let none = none.envs(NO_DRIVERS.map(|name| (name, "/nowhere.json"))).output().unwrap();
    assert_eq!(none.stdout, run(&[&asked[..], &["f32"]].concat()).stdout, "in singles instead");
}

#[test]
fn what_trains_and_what_answers_is_not_confused() {
    let model = tiny("bert-embed");
    let folder = tempfile::tempdir().unwrap();
    let data = labelled(&folder);
    let run = folder.path().join("run");
    let train = training(&model, text(&data), text(&run));
    let (code, error) = fault(&["embed", "two oars", "--device", "cuda"]);
    assert!(code == 2 && error.contains("answers on `cpu` or `wgpu`"), "{code}: {error}");
    // A machine with CUDA, and a program built for it, train; the others say what it takes.
    let cuda = [&train[..], &["--device", "cuda"]].concat();
    if !trireme(&cuda).output().unwrap().status.success() {
        let (code, error) = fault(&cuda);
        assert!(code == 2 && error.contains("--features cuda"), "{code}: {error}");
        assert!(!run.exists(), "a folder was taken by a training that did not begin");
    }
}

#[test]
fn a_server_answers_on_a_gpu() {
    let model = tiny("bert-classify");
    let command = trireme(&["serve", "--port", "0", "--device", "wgpu", "--model", &model]);
    let (_server, url) = serving(&command);
    let predict = |text: &str| -> Value {
        let body = serde_json::json!({ "text": text }).to_string();
        let sent = ureq::post(format!("{url}/predict")).content_type("application/json");
        let answer = sent.send(body).unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&answer).unwrap()
    };
    let said = json(&["classify", "the cat", "--model", &model, "--json"]);
    let answer = predict("the cat");
    assert_eq!(answer["label"], said["label"], "{answer}, {said}");
    let metrics = ureq::get(format!("{url}/metrics")).call().unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    let taken = metrics.lines().find(|line| line.starts_with("trireme_gpu_bytes{"));
    let bytes = taken.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    // The weights alone are more.
    assert!(bytes.is_some_and(|bytes| bytes > 50_000), "{taken:?}");
}
