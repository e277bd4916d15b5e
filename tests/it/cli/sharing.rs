//! The program beside others that use the same index, and judging by `last`, rank and the beginning of an id.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use retune::encoder::{EncoderPrecision, Precisions};
use serde_json::Value;

use super::harness::{documents, has, json, refused, retune, stderr, stdout};
use crate::common;

fn indexed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    folder
}

fn writing(folder: &Path) -> retune::Engine {
    retune::Engine::open(folder.join(".retune"), common::options()).unwrap()
}

fn at_once(folder: &Path, runs: &[Vec<String>]) -> Vec<Value> {
    crossbeam_utils::thread::scope(|scope| {
        let run = |args: &Vec<String>| json(folder, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let threads: Vec<_> = runs.iter().map(|args| scope.spawn(move |_| run(args))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
    .unwrap()
}

#[test]
fn six_searches_and_then_six_judgements_at_once_all_count_beside_a_writer() {
    let folder = indexed();
    let writer = writing(folder.path());
    let searches: Vec<_> = (0..6).map(|_| vec!["search".to_string(), "kettle".into()]).collect();
    let answers = at_once(folder.path(), &searches);
    let judge = |answer: &Value| {
        let id = answer["query_id"].as_str().unwrap();
        ["judge", id, "kettle.md", "--chosen"].map(String::from).to_vec()
    };
    at_once(folder.path(), &answers.iter().map(judge).collect::<Vec<_>>());
    let status = json(folder.path(), &["status"]);
    let feedback = &status["feedback"];
    assert_eq!((&feedback["impressions"], &feedback["judgements"]), (&6.into(), &6.into()));
    assert_eq!((&feedback["dropped"], &feedback["damaged_bytes"]), (&0.into(), &0.into()));
    assert_eq!(json(folder.path(), &["forget", "--query", "KETTLE"])["records"], 12);
    writer.close().unwrap();
    assert_eq!(json(folder.path(), &["status"])["feedback"]["judgements"], 0);
}

#[test]
fn writers_wait_for_each_other_and_name_the_one_that_they_waited_for() {
    let folder = indexed();
    let writer = writing(folder.path());
    let said = refused(folder.path(), &["index", ".", "--wait", "0"]);
    assert!(said.contains(&format!("process {}", std::process::id())) && said.contains("--wait"), "{said}");
    refused(folder.path(), &["rollback", "--wait", "0"]);
    let mut waiting = Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(["index", ".", "--wait", "300"])
        .current_dir(folder.path())
        .env("RETUNE_MODEL", common::tiny_model())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(waiting.try_wait().unwrap().is_none(), "it did not wait");
    writer.close().unwrap();
    assert!(waiting.wait().unwrap().success());
}

#[test]
fn an_answer_is_judged_by_last_by_rank_and_by_the_beginning_of_its_id() {
    let folder = indexed();
    let said = refused(folder.path(), &["judge", "last", "1", "--chosen"]);
    assert!(said.contains("search first"), "{said}");
    let first = json(folder.path(), &["search", "green lamp"]);
    let last = json(folder.path(), &["search", "fog horn"]);
    let judged = json(folder.path(), &["judge", "last", "2", "--not-relevant"]);
    has(&judged, &["query_id", "query", "document", "verdict"]);
    assert_eq!(judged["query_id"], last["query_id"]);
    assert_eq!(judged["document"], last["hits"][1]["document"]);
    let judged = json(folder.path(), &["judge", "last", "kettle.md", "--relevant"]);
    assert_eq!((&judged["document"], &judged["query"]), (&"kettle.md".into(), &"fog horn".into()));

    let (first, last) = (first["query_id"].as_str().unwrap(), last["query_id"].as_str().unwrap());
    let shared = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    let judged = json(folder.path(), &["judge", &first[..=shared], "1", "--chosen"]);
    assert_eq!(judged["query_id"], first);
    if shared > 0 {
        let said = refused(folder.path(), &["judge", &first[..shared], "1", "--chosen"]);
        assert!(said.contains(first) && said.contains(last), "{said}");
    }
    let other = if first.starts_with('0') { "1" } else { "0" };
    let unknown = format!("{other}{}", &first[1..]);
    for (query, document, word) in [
        (unknown.as_str(), "1", "no query"),
        ("last", "99", "document"),
        ("last", "0", "document"),
        ("last", "nowhere.md", "document"),
    ] {
        let said = refused(folder.path(), &["judge", query, document, "--chosen"]);
        assert!(said.contains(word), "{query} {document}: {said}");
    }
    assert_eq!(json(folder.path(), &["status"])["feedback"]["judgements"], 3);
    assert_eq!(json(folder.path(), &["forget", "--query-id", &first[..=shared]])["records"], 2);
}

#[test]
fn what_was_opened_is_noted_and_taken_back() {
    let folder = indexed();
    json(folder.path(), &["search", "fog horn"]);
    let said =
        |document, verdict| json(folder.path(), &["judge", "last", document, verdict])["verdict"].clone();
    let count = || json(folder.path(), &["status"])["feedback"]["judgements"].clone();
    assert_eq!(said("1", "--opened"), "opened");
    assert_eq!(said("2", "--opened"), "opened");
    assert_eq!(count(), 2);
    assert_eq!(said("2", "--withdrawn"), "withdrawn");
    assert_eq!(count(), 1);
}

/// What a user who may not write to a folder may run. The super-user may write to every folder, and becomes another.
fn as_reader(folder: &Path, args: &[&str]) -> std::process::Output {
    let program = folder.join("program");
    if !program.exists() {
        fs::hard_link(env!("CARGO_BIN_EXE_retune"), &program)
            .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_retune"), &program).map(drop))
            .unwrap();
    }
    let mut command = Command::new(program);
    command.args(args).current_dir(folder.join("docs")).env("RETUNE_MODEL", folder.join("model"));
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::uid(&fs::metadata(folder.join("docs")).unwrap()) == 0 {
        std::os::unix::process::CommandExt::gid(
            std::os::unix::process::CommandExt::uid(&mut command, 65534),
            65534,
        );
    }
    command.output().unwrap()
}

fn everything_in(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![folder.to_path_buf()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => paths.extend(everything_in(&path)),
            false => paths.push(path),
        }
    }
    paths
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_not_be_written_is_searched_unlogged_and_said_so_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let docs = folder.path().join("docs");
    fs::create_dir(&docs).unwrap();
    documents(&docs);
    common::copy(&common::tiny_model(), &folder.path().join("model"));
    json(&docs, &["index", ".", "--model", folder.path().join("model").to_str().unwrap()]);
    json(&docs, &["search", "kettle"]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let with_mode = |path: &Path, folders: u32, files: u32| {
        let mode = if path.is_dir() { folders } else { files };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let everything = everything_in(&docs);
    everything.iter().rev().for_each(|path| with_mode(path, 0o555, 0o444));

    let output = as_reader(folder.path(), &["search", "descaled", "kettle"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("kettle.md"));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.starts_with("retune: the index ") && said.contains("searches are not logged"), "{said}");
    for verb in ["status", "rounds"] {
        let output = as_reader(folder.path(), &[verb]);
        assert!(output.status.success() && stderr(&output).is_empty(), "{}", stderr(&output));
    }
    let output = as_reader(folder.path(), &["judge", "last", "1", "--chosen"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("can't be written"), "{}", stderr(&output));
    let after = everything_in(&docs);
    everything.iter().for_each(|path| with_mode(path, 0o755, 0o644));
    assert_eq!(everything, after, "nothing was left there");
    assert_eq!(json(&docs, &["status"])["feedback"]["impressions"], 1);
}

#[test]
fn what_needs_no_model_loads_none() {
    let folder = indexed();
    json(folder.path(), &["search", "kettle"]);
    // Its first generation finds its model where it was when the index was made.
    let gone = folder.path().join("gone");
    for args in [
        ["judge", "last", "1", "--chosen"].as_slice(),
        &["status"],
        &["rounds"],
        &["search", "--mode", "lexical", "kettle"],
        &["forget", "--query", "kettle"],
    ] {
        let output = retune(folder.path(), &[args, &["--model", gone.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "");
    }
    let said = refused(folder.path(), &["search", "kettle", "--model", gone.to_str().unwrap()]);
    assert!(said.contains("gone"), "{said}");
    for precision in [EncoderPrecision::F32, EncoderPrecision::Bf16, EncoderPrecision::Int8] {
        let options = common::options().with_precisions(Precisions::of(precision));
        let loaded = retune::Reader::open(folder.path().join(".retune"), options).unwrap();
        let expected = serde_json::to_string(&loaded.status().unwrap().generation).unwrap();
        let told = json(folder.path(), &["status", "--precision", &precision.to_string()]);
        assert_eq!(told["generation"], serde_json::from_str::<Value>(&expected).unwrap());
    }
}
