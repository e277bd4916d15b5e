//! Files of the evaluation that are not as they must be: the error names the line, and nothing is begun.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::harness::{refused, write_collection};

/// Every file below a folder with what is in it.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(contents(&path)),
            false => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    files
}

/// Runs the program with one line of a file replaced. It must fail with the file's name and the line's number, and
/// change nothing.
fn refuses(folder: &Path, file: &str, number: usize, line: &str, args: &[&str]) {
    let path = folder.join(file);
    let good = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = good.lines().collect();
    lines[number - 1] = line;
    fs::write(&path, lines.join("\n")).unwrap();
    let before = contents(folder);
    let said = refused(folder, args);
    assert!(said.contains(&format!("{file}:{number}:")), "{line:?} of {args:?}: {said}");
    assert!(contents(folder) == before, "{line:?} of {args:?} has left something behind");
    fs::write(&path, good).unwrap();
}

/// In every place where judgements are read. `q-kettle` and `q-gate` are in the first two lines below the header.
const WRONG_QRELS: [(usize, &str); 9] = [
    (1, "q-kettle\tkettle\tvery"),
    (1, "q-kettle\tkettle\t1.5"),
    (3, "q-gate\tgate\tvery"),
    (3, "q-gate\tgate\t1.5"),
    (3, "q-gate\tgate\tNaN"),
    (3, "q-gate\tgate\t"),
    (3, "q-gate\tgate\t99999999999"),
    (3, "q-gate\tgate"),
    (3, "q-kettle\tkettle\t2"),
];

#[test]
fn a_collection_with_a_wrong_line_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    fs::copy(folder.path().join("qrels/test.tsv"), folder.path().join("qrels/train.tsv")).unwrap();
    let kept = ["--index", "new", "--embeddings", "vectors"];
    let eval = [&["eval", "--collection", ".", "--run-out", "out.trec"], &kept[..]].concat();
    let simulate = [&["simulate", "--collection", "."], &kept[..]].concat();
    let overlong = format!(r#"{{"_id": "{}", "text": "of a long id"}}"#, "x".repeat(5_000));
    let broken = [
        ("corpus.jsonl", 5, r#"{"_id": "", "text": "of no id"}"#),
        ("corpus.jsonl", 8, &overlong),
        ("queries.jsonl", 3, r#"{"_id": " ", "text": "of no id"}"#),
        ("corpus.jsonl", 5, r#"{"_id": "lamp", "text": "cut"#),
        ("corpus.jsonl", 8, r#"{"title": "", "text": "no id"}"#),
        ("queries.jsonl", 3, r#"{"_id": "q-ledger"}"#),
        ("queries.jsonl", 8, "not JSON at all"),
    ];
    let qrels = WRONG_QRELS.map(|(number, line)| ("qrels/test.tsv", number, line));
    for (file, number, line) in broken.into_iter().chain(qrels) {
        refuses(folder.path(), file, number, line, &eval);
    }
    // What is read after the first split, and after the collection.
    refuses(folder.path(), "qrels/train.tsv", 3, "q-gate\tgate\tvery", &simulate);
    refuses(folder.path(), "corpus.jsonl", 8, "{", &simulate);
    let guarded = [&simulate[..], &["--guard", "guard"]].concat();
    write_collection(&folder.path().join("guard"));
    refuses(folder.path(), "guard/corpus.jsonl", 8, "{", &guarded);
    refuses(folder.path(), "guard/qrels/test.tsv", 9, "q-fog\tfog\tvery", &guarded);
}

#[test]
fn a_collection_without_documents_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    fs::write(folder.path().join("corpus.jsonl"), "\n").unwrap();
    let before = contents(folder.path());
    let said =
        refused(folder.path(), &["eval", "--collection", ".", "--index", "new", "--run-out", "out.trec"]);
    assert!(said.contains("no document"), "{said}");
    assert!(contents(folder.path()) == before);
}

#[test]
fn a_run_cannot_be_written_where_there_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let before = contents(folder.path());
    let said = refused(
        folder.path(),
        &["eval", "--collection", ".", "--index", "new", "--run-out", "none/out.trec"],
    );
    assert!(said.contains("none/out.lexical.trec"), "{said}");
    assert!(contents(folder.path()) == before, "nothing was encoded for it");
    // Nor of ids that would be two columns of it.
    for (file, line) in [
        ("corpus.jsonl", r#"{"_id": "two words", "text": "of an id"}"#),
        ("queries.jsonl", r#"{"_id": "q gate", "text": "an id in two words"}"#),
    ] {
        let path = folder.path().join(file);
        let good = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{good}{line}\n")).unwrap();
        fs::write(folder.path().join("qrels/spaced.tsv"), "q-gate\tgate\t1\nq gate\tgate\t1\n").unwrap();
        let before = contents(folder.path());
        let eval =
            ["eval", "--collection", ".", "--index", "new", "--split", "spaced", "--run-out", "out.trec"];
        let said = refused(folder.path(), &eval);
        assert!(said.contains("two words") || said.contains("q gate"), "{said}");
        assert!(contents(folder.path()) == before, "{file}");
        fs::write(&path, good).unwrap();
    }
}

#[test]
fn runs_and_judgements_with_a_wrong_line_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let run = "q-kettle Q0 kettle 1 2.5 t\nq-gate Q0 gate 1 1.5 t\nq-gate Q0 lamp 2 0.5 t\n";
    fs::write(folder.path().join("good.trec"), run).unwrap();
    fs::write(folder.path().join("run.trec"), run).unwrap();
    fs::write(folder.path().join("qrels.trec"), "q-kettle 0 kettle 1\nq-gate 0 gate 1\n").unwrap();
    let eval = ["eval", "--run", "run.trec", "--qrels", "qrels/test.tsv"];
    let first = ["compare", "run.trec", "good.trec", "--qrels", "qrels/test.tsv"];
    let second = ["compare", "good.trec", "run.trec", "--qrels", "qrels/test.tsv"];
    for (number, line) in [
        (2, "q-gate Q0 gate 1 NaN t"),
        (1, "q-kettle Q0 kettle 1 nan t"),
        (1, "q-kettle Q0 kettle 1 inf t"),
        (3, "q-gate Q0 lamp 2 1e39 t"),
        (3, "q-gate Q0 lamp 2 low t"),
        (3, "q-gate Q0 gate 2 0.5 t"),
        (2, "q-gate Q0 gate 1 1.5"),
    ] {
        for args in [&eval[..], &first, &second] {
            refuses(folder.path(), "run.trec", number, line, args);
        }
    }
    for (number, line) in WRONG_QRELS {
        refuses(folder.path(), "qrels/test.tsv", number, line, &eval);
        refuses(folder.path(), "qrels/test.tsv", number, line, &first);
    }
    for (number, line) in [(1, "q-kettle 0 kettle high"), (2, "q-gate 0 gate 0.5"), (2, "q-gate 0 gate")] {
        refuses(
            folder.path(),
            "qrels.trec",
            number,
            line,
            &["eval", "--run", "run.trec", "--qrels", "qrels.trec"],
        );
    }
    fs::write(folder.path().join("others.trec"), "nobody Q0 d 1 1 t\n").unwrap();
    let said = refused(folder.path(), &["eval", "--run", "others.trec", "--qrels", "qrels/test.tsv"]);
    assert!(said.contains("none of them judged"), "{said}");
}

#[test]
fn what_is_written_never_takes_the_place_of_anything_but_a_file() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    fs::create_dir(folder.path().join("out.dense.trec")).unwrap();
    let eval = ["eval", "--collection", ".", "--index", "new", "--embeddings", "none"];
    let refuses = |args: &[&str], what: &str| {
        let before = contents(folder.path());
        let said = refused(folder.path(), &[&eval[..], args].concat());
        assert!(said.contains(what), "{said}");
        assert!(contents(folder.path()) == before, "{args:?}");
    };
    refuses(&["--run-out", "out.trec"], "out.dense.trec");
    refuses(&["--run-out", "new.trec", "--report", "new.hybrid.trec"], "new.hybrid.trec");
    refuses(&["--report", "no-folder/page.html"], "no-folder/page.html");
    #[cfg(unix)]
    {
        fs::write(folder.path().join("target"), "mine").unwrap();
        std::os::unix::fs::symlink("target", folder.path().join("link.html")).unwrap();
        refuses(&["--report", "link.html"], "link.html");
        assert_eq!(fs::read_to_string(folder.path().join("target")).unwrap(), "mine");
    }
}

#[test]
fn judgements_that_hold_none_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    fs::write(folder.path().join("run"), "q-kettle Q0 kettle 1 1 t\n").unwrap();
    fs::write(folder.path().join("nothing"), "").unwrap();
    for args in [
        &["eval", "--run", "run", "--qrels", "nothing"][..],
        &["compare", "run", "run", "--qrels", "nothing"],
    ] {
        assert!(refused(folder.path(), args).contains("none in nothing"), "{args:?}");
    }
    fs::write(folder.path().join("corpus.jsonl"), "").unwrap();
    assert!(refused(folder.path(), &["eval", "--collection", "."]).contains("no document in ."));
}
