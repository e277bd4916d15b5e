//! `examples/desk.rs` runs from the first ticket to a learnt round.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn the_support_desk_works() {
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    };
    // `cargo test --test it` doesn't build it.
    let built =
        cargo(&["build", "--quiet", "--example", "desk", "--message-format", "json"]).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    let mut programs = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "desk").then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    let program = programs.next_back().expect("cargo tells where it put the program");

    let output = Command::new(program).env_remove("RETUNE_MODEL").output().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    for line in [
        "added 24 tickets, encoded 24 passages",
        "changed 1, encoded 0, left 23 alone",
        "removed 1 ticket by its id and 2 that were old",
        "5 urgent tickets since 2024",
        "printers: T-001 Printer prints blank pages · T-002",
        "T-001 is assigned to maria",
        "\"prodct\"",
        "tags: hardware",
        "the counter has clicked four times",
        "29 documents, 45 queries, 44 clicks",
        "learnt while ",
    ] {
        assert!(said.contains(line), "no {line:?} in:\n{said}\n{complained}");
    }
}
