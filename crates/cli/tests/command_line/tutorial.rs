//! The tutorial is followed, command by command.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use trireme_tests::repo_root;

use super::serving;

/// The commands of the tutorial's one block.
fn commands() -> Vec<String> {
    let text = std::fs::read_to_string(repo_root().join("docs/tutorial/README.md")).unwrap();
    let (_, block) = text.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    block.lines().map(str::to_owned).collect()
}

/// What a line says, run where the repository's root is meant to be.
fn trireme(line: &str, folder: &Path) -> Command {
    let words = line.strip_prefix("trireme ").unwrap_or_else(|| panic!("{line}")).split(' ');
    let mut command = Command::new(env!("CARGO_BIN_EXE_trireme"));
    command.args(words).current_dir(folder);
    for name in ["TRIREME_MODEL", "TRIREME_LANE", "PORT"] {
        command.env_remove(name);
    }
    command
}

fn out(line: &str, folder: &Path) -> String {
    let done = trireme(line, folder).output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{line}: {error}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn five_commands_lead_from_a_table_to_a_served_model() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tutorial = folder.join("docs/tutorial");
    std::fs::create_dir_all(&tutorial).unwrap();
    let table = repo_root().join("docs/tutorial/messages.csv");
    std::fs::copy(table, tutorial.join("messages.csv")).unwrap();

    let commands = commands();
    let [train, eval, quantize, serve, curl] = &commands[..] else { panic!("{commands:?}") };
    let trained = out(train, folder);
    assert!(trained.contains("calibration error") && trained.contains("delivery"), "{trained}");
    let measured = out(eval, folder);
    let accuracy = measured.lines().find_map(|line| line.strip_prefix("accuracy  ")).unwrap();
    assert!(accuracy.parse::<f64>().unwrap() > 0.7, "{measured}");
    assert!(out(quantize, folder).contains("messages.trireme: "));

    let (_server, address) = serving(&trireme(&format!("{serve} --port 0"), folder));
    let asked = curl.split('\'').nth(1).unwrap();
    assert!(curl.ends_with("http://127.0.0.1:8080/predict"), "{curl}");
    let answer = ureq::post(format!("{address}/predict")).send(asked).unwrap();
    let answer: Value = serde_json::from_reader(answer.into_body().into_reader()).unwrap();
    assert_eq!((&answer["label"], &answer["precision"]), (&"delivery".into(), &"int8".into()));
}
