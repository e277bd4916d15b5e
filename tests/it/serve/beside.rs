//! The program's verbs beside a running service.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::site::{Program, until, write_documents};
use crate::cli::harness::{json, refused, retune, stderr, stdout};
use crate::dry_run::files;

/// A folder whose index a service holds.
fn served() -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    write_documents(folder.path());
    json(folder.path(), &["index", "."]);
    let program = Program::serve(folder.path(), &[]);
    (folder, program)
}

/// What a run prints on both streams, without what differs between any two runs.
fn said(folder: &Path, args: &[&str]) -> String {
    let output = retune(folder, args);
    let text = format!("{:?}\n{}{}", output.status.code(), stdout(&output), stderr(&output));
    let steady = text.lines().filter(|line| !line.contains("query ") && !line.contains(" on disk"));
    let mut lines: Vec<String> = steady.map(str::to_string).collect();
    for line in &mut lines {
        for unit in [" ms", " s"] {
            while let Some(end) = line.find(unit) {
                let start =
                    line[..end].rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
                line.replace_range(start..end + unit.len(), "TIME");
            }
        }
    }
    lines.join("\n")
}

#[test]
fn verbs_print_the_same_with_and_without_a_service() {
    let folder = tempfile::tempdir().unwrap();
    write_documents(folder.path());
    json(folder.path(), &["index", "."]);
    let verbs: [&[&str]; 12] = [
        &["search", "kettle", "vinegar"],
        &["search", "lamp river", "--mode", "lexical", "-n", "3"],
        &["search", "river", "--facets", "extension", "--filter", "extension=md"],
        &["search", "river", "--filter", "nothing=md"],
        &["get", "lamp.md"],
        &["files"],
        &["files", "--skipped"],
        &["rounds"],
        &["status", "lamp.md"],
        &["judge", "0123456789abcdef", "lamp.md", "--chosen"],
        &["rollback"],
        &["forget", "--document", "none.md"],
    ];
    let alone: Vec<String> = verbs.iter().map(|args| said(folder.path(), args)).collect();
    let program = Program::serve(folder.path(), &[]);
    for (args, alone) in verbs.iter().zip(&alone) {
        assert_eq!(&said(folder.path(), args), alone, "{args:?}");
    }
    drop(program);
}

fn without_times(mut answer: Value) -> Value {
    for field in ["query_id", "took_ms", "words_seconds", "seconds"] {
        answer.as_object_mut().unwrap().remove(field);
    }
    answer
}

#[test]
fn an_answer_in_json_is_the_same_to_the_last_digit() {
    let folder = tempfile::tempdir().unwrap();
    write_documents(folder.path());
    json(folder.path(), &["index", "."]);
    let ask = || without_times(json(folder.path(), &["search", "the green lamp", "--facets", "extension"]));
    let alone = ask();
    let program = Program::serve(folder.path(), &[]);
    assert_eq!(ask(), alone);
    let index = without_times(json(folder.path(), &["index"]));
    drop(program);
    assert_eq!(without_times(json(folder.path(), &["index"])), index);
}

#[test]
fn what_needs_the_writer_goes_through_the_service() {
    let (folder, _program) = served();
    let folder = folder.path();
    fs::write(folder.join("new.md"), "# New\n\nThe walrus sings.\n").unwrap();
    let report = json(folder, &["index"]);
    assert_eq!(report["documents"], 9);
    let found = json(folder, &["search", "walrus", "--mode", "lexical"]);
    assert_eq!(found["hits"][0]["document"], "new.md");
    json(folder, &["judge", "last", "1", "--chosen"]);
    let status = json(folder, &["status"]);
    assert_eq!((&status["feedback"]["judgements"], &status["documents"]), (&1.into(), &9.into()));
    let round = json(folder, &["learn"]);
    assert_eq!(round["gate"]["decision"], "skipped");
    assert_eq!(json(folder, &["rounds"])["rounds"].as_array().unwrap().len(), 1);
    assert!(refused(folder, &["rollback"]).contains("earlier generation"));
    assert_eq!(json(folder, &["forget", "--query", "WALRUS"])["records"], 2);
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("otter.md"), "The otter swims.\n").unwrap();
    let name = other.path().to_str().unwrap();
    let said = stderr(&retune(folder, &["index", name, "--index", ".retune"]));
    assert_eq!(said, "");
    let found = json(folder, &["search", "otter", "--mode", "lexical"]);
    assert!(found["hits"][0]["document"].as_str().unwrap().ends_with("://otter.md"), "{found}");
    assert_eq!(json(folder, &["index", "--forget", name])["removed"], 1);
}

#[test]
fn a_dry_run_goes_through_the_service_and_says_the_same() {
    let (folder, program) = served();
    let folder = folder.path();
    // Fewer than those after which the service learns by itself.
    for document in ["kettle.md", "lamp.md", "fog.md"] {
        for number in 0..6 {
            let asked = json(folder, &["search", &format!("the green {document} {number}")]);
            json(folder, &["judge", asked["query_id"].as_str().unwrap(), document, "--chosen"]);
        }
    }
    let learn = ["learn", "--significance", "none", "--batch-size", "4", "--dry-run"];
    let without_times = |mut report: Value| {
        let fields = report.as_object_mut().unwrap();
        ["started_ms", "seconds"].iter().for_each(|field| drop(fields.remove(*field)));
        report
    };
    let files = || {
        let mut files = files(&folder.join(".retune"));
        // The service looks at the folder when it likes.
        files.remove(&folder.join(".retune/files.json"));
        files
    };
    let before = files();
    let served = without_times(json(folder, &learn));
    assert_eq!(files(), before);
    assert_eq!(served["dry_run"], true);
    assert!(served["evidence"]["queries"].as_u64() > Some(0), "{served}");
    assert_eq!(json(folder, &["rounds"])["rounds"].as_array().unwrap().len(), 0);
    drop(program);
    assert_eq!(without_times(json(folder, &learn)), served);
}

#[test]
fn another_model_or_precision_is_not_asked_of_the_service() {
    let (folder, program) = served();
    let precise = ["search", "kettle", "--precision", "f32"];
    // Killed and stopped where it is: whoever asks it would wait.
    program.signal("STOP");
    json(folder.path(), &precise);
    program.signal("CONT");
}

#[test]
fn folders_that_are_named_are_indexed_and_kept_in_step() {
    let folder = tempfile::tempdir().unwrap();
    write_documents(folder.path());
    let _program = Program::serve(folder.path(), &["."]);
    let found = |word: &str| {
        json(folder.path(), &["search", word, "--mode", "lexical"])["hits"][0]["document"].clone()
    };
    until("the first words", || found("kettle") == "kettle.md");
    fs::write(folder.path().join("new.md"), "# New\n\nThe walrus sings.\n").unwrap();
    until("the new file", || found("walrus") == "new.md");
}

#[test]
fn watching_beside_a_service_tells_what_it_finds() {
    let (folder, mut program) = served();
    let mut watching = Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(["--json", "watch"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    // The watch is told of it as soon as it listens; until then the file changes again and again.
    let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
    let new = folder.path().join("new.md");
    let writer = std::thread::spawn(move || {
        for number in 0.. {
            fs::write(&new, format!("# New\n\nThe walrus sings {number} songs.\n")).unwrap();
            if stopped.recv_timeout(Duration::from_secs(4))
                != Err(crossbeam_channel::RecvTimeoutError::Timeout)
            {
                return;
            }
        }
    });
    let report: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(report["read"], 1);
    drop(stop);
    writer.join().unwrap();
    program.signal("TERM");
    assert_eq!(program.ended(), Some(0));
    assert!(!watching.wait().unwrap().success(), "what it asked has ended");
}
