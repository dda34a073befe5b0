//! The server, as it is started and ended.

use super::*;

#[test]
fn the_server_starts_alone_and_ends_when_it_is_asked_to() {
    let mut child =
        trireme(&["--threads", "1"]).env("PORT", "0").stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    assert!(line.starts_with("trireme answers at http://127.0.0.1:"), "{line}");
    let kill = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "a server that is asked to end ends well");
}

#[test]
fn answers_that_are_remembered_are_not_the_folder_of_downloads() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_str().unwrap();
    let shown = trireme(&["config", "show", "--cache", cache, "--remember", "8"]).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && text.lines().any(|line| line == "remember = 8"), "{text}");
}
