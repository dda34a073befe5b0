//! What nobody may read in a log, a count, a fault or an option: keys, tokens, texts.

use trireme_domain::access::hash;

use super::keys::{Secret, key_file};
use super::server::serve;
use super::web::Web;
use super::*;

/// A word of a text that was sent.
const WORD: &str = "zanzibar";

/// Path and body of requests that are refused, each with the word in it.
const REFUSED: &[(&str, &str)] = &[
    ("/predict", r#"{"text": "WORD""#),
    ("/predict", r#"{"text": "WORD" "pair"}"#),
    ("/predict", r#""WORD""#),
    ("/predict", r#"{"text": "WORD", "unknown": 1}"#),
    ("/predict", r#"{"text": ["WORD"]}"#),
    ("/predict", r#"{"text": {"WORD": 1}}"#),
    ("/predict", r#"{"text": "WORD", "max_length": 1}"#),
    ("/predict", r#"{"text": "WORD", "max_length": "WORD"}"#),
    ("/predict", r#"{"text": "WORD is forbidden"}"#),
    ("/predict", r#"{"text": "WORD", "model": "none"}"#),
    ("/predict_batch", r#"{"texts": "WORD \" and more"}"#),
    ("/batch_predict", r#""WORD""#),
    ("/batch_predict", r#"["WORD", 3]"#),
    ("/encode", r#"{"texts": "WORD"}"#),
    ("/encode", r#"{"text": "WORD", "sentence": "WORD"}"#),
    ("/embed", r#"{"inputs": {"WORD": "WORD"}}"#),
    ("/embed", r#"{"inputs": ["WORD", 3]}"#),
    ("/predict", r#"{"inputs": [["WORD", "WORD", "WORD"]]}"#),
    ("/similarity", r#"{"inputs": {"source_sentence": "WORD", "sentences": "WORD"}}"#),
    ("/rerank", r#"{"query": "WORD", "texts": "WORD"}"#),
    ("/rerank", r#"{"query": "WORD", "documents": ["WORD", 3]}"#),
    ("/v1/rerank", r#"{"query": "WORD", "documents": "WORD"}"#),
    ("/tokenize", r#"{"inputs": ["WORD", null]}"#),
    ("/decode", r#"{"ids": "WORD"}"#),
    ("/v1/embeddings", r#"{"input": ["WORD", 3]}"#),
    ("/v1/embeddings", r#"{"input": "WORD is forbidden"}"#),
    ("/pipeline/text-classification", r#"{"inputs": "WORD", "parameters": {"top_k": "WORD"}}"#),
    ("/models/default", r#"{"inputs": "WORD", "parameters": "WORD"}"#),
    ("/invocations", r#"{"instances": [["WORD"]]}"#),
    ("/invocations", r#"{"dataframe_split": {"columns": ["a", "b"], "data": [["WORD", "WORD"]]}}"#),
    ("/v2/models/default/infer", r#"{"inputs": "WORD"}"#),
    (
        "/v2/models/default/infer",
        r#"{"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": ["WORD"]}]}"#,
    ),
    ("/", r#"{"inputs": 3, "query": "WORD"}"#),
    ("/nowhere?text=WORD", r#"{"text": "WORD"}"#),
];

/// And of those that are answered.
const ANSWERED: &[(&str, &str)] = &[
    ("/predict", r#"{"text": "WORD"}"#),
    ("/sentiment", r#"{"text": "WORD"}"#),
    ("/batch-sentiment", r#"{"texts": ["WORD", ""]}"#),
    ("/encode", r#"{"texts": ["WORD"]}"#),
    ("/v1/embeddings", r#"{"input": "WORD"}"#),
    ("/tokenize", r#"{"inputs": "WORD"}"#),
];

#[test]
fn no_secret_and_no_text_is_in_anything_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, watch) = (Secret::new("shop", "infer"), Secret::new("watch", "metrics"));
    let wrong = Secret::new("wrong", "infer");
    let keys = key_file(&folder, &[&shop, &watch]);
    let rules = file(&folder, "rules.toml", b"[[deny]]\nname = 'words'\nregex = 'forbidden'\n");
    let planted = [
        WORD.to_owned(),
        shop.secret.clone(),
        watch.secret.clone(),
        wrong.secret.clone(),
        hash(&shop.secret),
        "hf_planted".to_owned(),
    ];
    for format in ["human", "json"] {
        let server = Server::start(&[
            "--log",
            "trace",
            "--log-format",
            format,
            "--token",
            "hf_planted",
            "--keys",
            text(&keys),
            "--config",
            text(&rules),
        ]);
        let mut kept = Vec::new();
        for (path, body) in REFUSED {
            for key in [&shop, &watch, &wrong] {
                let reply = server.ask("POST", path, &[key.bearer()], &body.replace("WORD", WORD));
                assert!((400..500).contains(&reply.status), "{path} {body}: {reply:?}");
                kept.push((format!("the fault of {path} {body}"), reply.body));
            }
        }
        for (path, body) in ANSWERED {
            let reply = server.ask("POST", path, &[shop.bearer()], &body.replace("WORD", WORD));
            assert_eq!(reply.status, 200, "{path} {body}: {}", reply.body);
        }
        kept.push((
            "metrics".to_owned(),
            server.ask("GET", "/metrics", &[watch.bearer()], "").body,
        ));
        server.terminate();
        let (_, said) = server.ended();
        let requests = said.matches("/predict").count();
        assert!(requests >= 20 && said.contains("shop"), "the log tells of requests: {said}");
        let lines = said.lines().filter(|line| line.starts_with('{'));
        let objects = lines.filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
        assert_eq!(objects > 20, format == "json", "{objects} lines are objects");
        kept.push((format!("the {format} log"), said));
        for (place, text) in kept {
            for secret in &planted {
                assert!(!text.contains(secret.as_str()), "{secret} is in {place}: {text}");
            }
        }
    }
}

#[test]
fn a_token_goes_to_the_hub_and_into_no_log() {
    let cache = tempfile::tempdir().unwrap();
    for format in ["human", "json"] {
        let web = Web::refusing();
        let done = serve(&[
            "--log",
            "trace",
            "--log-format",
            format,
            "--token",
            "hf_planted",
            "--model",
            "owner/name",
            "--endpoint",
            &web.base(),
            "--cache",
            text(cache.path()),
        ])
        .output()
        .unwrap();
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("source_refused"), "{said}");
        let heads = web.heads().join("\n").to_lowercase();
        assert!(heads.contains("authorization: bearer hf_planted"), "the hub got it: {heads}");
        assert!(!said.contains("hf_planted"), "{said}");
    }
}

#[test]
fn an_address_with_a_secret_is_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let planted = [
        "https://me:planted@host.example/model",
        "https://host.example/model?signature=planted",
        "https://host.example/model#planted",
        "https://planted@host.example",
        "s3://me:planted@host.example/model",
    ];
    let cache = text(folder.path());
    for address in planted {
        let with = format!("other={address}");
        let line = format!("model = \"{address}\"\nwith = [\"{with}\"]\n");
        let sound = file(&folder, "sound.toml", line.as_bytes());
        let broken = file(&folder, "broken.toml", line.replace("model =", "modle =").as_bytes());
        let listed = file(&folder, "listed.toml", format!("with = \"{with}\"").as_bytes());
        let in_variables = |args: &[&str]| {
            let mut command = trireme(args);
            command.env("TRIREME_MODEL", address).env("TRIREME_WITH", &with);
            command
        };
        let commands = [
            trireme(&["config", "show", "--config", text(&sound)]),
            trireme(&["config", "show", "--model", address, "--with", &with]),
            in_variables(&["config", "show"]),
            trireme(&["config", "check", "--config", text(&broken)]),
            trireme(&["config", "check", "--config", text(&listed)]),
            trireme(&["config", "check", "--with", address]),
            in_variables(&["--help"]),
            in_variables(&["serve", "--help"]),
            serve(&["--model", address, "--cache", cache, "--offline", "--log", "trace"]),
            serve(&["--with", &with, "--cache", cache, "--offline", "--log", "trace"]),
        ];
        for mut command in commands {
            let done = command.output().unwrap();
            let said = [done.stdout, done.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!said.is_empty(), "{command:?}");
            assert!(!said.contains("planted"), "{command:?}: {said}");
        }
    }
}
