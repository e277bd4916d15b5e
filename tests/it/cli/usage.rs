//! Wrong usage, and what is missing.

use std::fs;
use std::process::Command;

use super::harness::{documents, json, refused, retune, stderr, stdout};

#[test]
fn errors_are_one_line_with_what_to_do_and_have_their_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    for (args, code, word) in [
        (&["search", "x"][..], 1, "retune index DIR"),
        (&["index", "no such folder"], 1, "no such folder"),
        (&["judge", "not an id", "x", "--chosen"], 2, "16 hexadecimal digits"),
        (&["judge", "0123456789abcdef", "x"], 2, "--chosen"),
        (&["judge", "last", "1", "--opened", "--withdrawn"], 2, "cannot be used with"),
        (&["forget"], 2, "--query"),
        (&["frobnicate"], 2, "frobnicate"),
        (&["eval", "--collection", "."], 1, "corpus.jsonl"),
        (&["index", ".", "--max-tokens", "1"], 2, "--max-tokens"),
        (&["index", ".", "--dir", "."], 2, "--dir"),
        (&["learn", "--learning-rate", "nan"], 2, "above 0"),
        (&["learn", "--gradient-negatives", "1.5"], 2, "at most 1"),
        (&["bench", "--seconds", "0"], 2, "above 0"),
        (&["eval", "--collection", ".", "--limit", "0"], 2, "--limit"),
    ] {
        let output = retune(folder.path(), args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    let said = refused(folder.path(), &["judge", "0123456789abcdef", "kettle.md", "--chosen"]);
    assert!(said.contains("0123456789abcdef"), "{said}");
}

#[test]
fn fetching_does_not_take_a_damaged_model_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let cached = folder.path().join("models/all-mpnet-base-v2");
    fs::create_dir_all(cached.join("1_Pooling")).unwrap();
    for file in [
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        fs::write(cached.join(file), "junk").unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(["model", "fetch"])
        .env_remove("RETUNE_MODEL")
        .env("RETUNE_CACHE", folder.path())
        .env("HF_HOME", folder.path().join("none"))
        .env_remove("HF_HUB_CACHE")
        .env("HF_HUB_OFFLINE", "1")
        .env("PATH", "") // without pip no source is left
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("--model DIR"), "{}", stderr(&output));
}
