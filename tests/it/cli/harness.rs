//! Runs the program, and makes what it works on.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::common;

/// Runs the program in `folder` with the tiny model.
pub fn retune(folder: &Path, args: &[&str]) -> Output {
    retune_with(folder, args, &[])
}

/// The same with more in its environment.
pub fn retune_with(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
    command
        .args(args)
        .current_dir(folder)
        .env("RETUNE_MODEL", common::tiny_model())
        .env("RETUNE_CACHE", folder.join("cache"))
        .env_remove("RETUNE_LOG");
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command.envs(env.iter().copied()).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON object that a successful run prints, and nothing else on either stream.
pub fn json(folder: &Path, args: &[&str]) -> Value {
    let output = retune(folder, &[&["--json"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    assert_eq!(stderr(&output), "", "{args:?}");
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Asserts that an object has these fields.
pub fn has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "{field} is not among {:?}", keys(value));
    }
}

/// The line that a failed run leaves on standard error. Nothing stands on standard output.
pub fn refused(folder: &Path, args: &[&str]) -> String {
    let output = retune(folder, args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    assert_eq!(stdout(&output), "", "{args:?}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// A folder with a few documents.
pub fn documents(folder: &Path) {
    for document in common::documents() {
        fs::write(
            folder.join(format!("{}.md", document.id)),
            format!("# {}\n\n{}\n", document.id, document.text),
        )
        .unwrap();
    }
    fs::write(folder.join("picture.png"), b"\x89PNG\0\0\0").unwrap();
    fs::write(folder.join("empty.txt"), b"").unwrap();
}

/// Adds an object of strings as a line of JSON.
pub fn add_line(lines: &mut String, fields: &[(&str, &str)]) {
    let object: serde_json::Map<String, Value> =
        fields.iter().map(|(name, value)| (name.to_string(), (*value).into())).collect();
    lines.push_str(&format!("{}\n", Value::Object(object)));
}

/// The eight documents as a collection, each the answer to its own first words.
pub fn write_collection(folder: &Path) {
    let (mut corpus, mut queries) = (String::new(), String::new());
    let mut qrels = "query-id\tcorpus-id\tscore\n".to_string();
    for document in common::documents() {
        let (id, words) = (format!("q-{}", document.id), document.text.split(' ').take(4));
        add_line(&mut corpus, &[("_id", &document.id), ("title", ""), ("text", &document.text)]);
        add_line(&mut queries, &[("_id", &id), ("text", &words.collect::<Vec<_>>().join(" "))]);
        qrels += &format!("{id}\t{}\t1\n", document.id);
    }
    fs::create_dir_all(folder.join("qrels")).unwrap();
    fs::write(folder.join("corpus.jsonl"), corpus).unwrap();
    fs::write(folder.join("queries.jsonl"), queries).unwrap();
    fs::write(folder.join("qrels/test.tsv"), qrels).unwrap();
}
