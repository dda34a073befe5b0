//! Where a model computes: a GPU, or what does as if, and the processor where there is none.

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
}
