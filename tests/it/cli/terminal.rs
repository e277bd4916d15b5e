//! What people see: results laid out for a terminal, and nothing on it that comes from outside.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::harness::{json, retune, retune_with, stderr, stdout};

/// Erases the screen, sets the title, forges a result, turns the text around, in C0 and in C1.
const EVIL: &str = "ev\x1b[2J\x07il\r\n 1. forged.txt\u{9b}31m\u{202e}x";

fn is_harmless(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\n' | '\t') || !c.is_control() && !('\u{2028}'..='\u{202e}').contains(&c))
}

/// Runs the program, as text and as JSON. Neither stream may hold what a terminal would act on.
fn harmless(folder: &Path, args: &[&str]) -> Output {
    let outputs = [&[][..], &["--json"]].map(|json| retune(folder, &[json, args].concat()));
    for output in &outputs {
        let (out, err) = (stdout(output), stderr(output));
        assert!(is_harmless(&out), "{args:?}: {out:?}");
        assert!(is_harmless(&err), "{args:?}: {err:?}");
        let forged = out.lines().chain(err.lines()).filter(|line| line.starts_with(" 1. forged"));
        assert_eq!(forged.count(), 0, "{args:?}: {out}{err}");
    }
    let [text, _] = outputs;
    text
}

#[cfg(unix)]
#[test]
fn nothing_from_outside_acts_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let docs = folder.path().join("docs");
    fs::create_dir(&docs).unwrap();
    fs::write(docs.join("ansi.txt"), format!("{EVIL} about beacons \x1b]0;title\x07")).unwrap();
    fs::write(docs.join("title.md"), format!("# Ti\x1b[2Jtle\u{202e}\n\nbeacons {EVIL} here\n")).unwrap();
    fs::write(docs.join(format!("{EVIL}.txt")), "rules about beacons").unwrap();
    fs::write(docs.join(format!("skipped {EVIL}.txt")), b"not utf-8 \xff").unwrap();
    let evil = format!("{EVIL}.txt");

    let indexed = harmless(folder.path(), &["index", "docs"]);
    assert!(indexed.status.success(), "{}", stderr(&indexed));
    fs::write(docs.join(&evil), "other rules about beacons").unwrap();
    harmless(folder.path(), &["index", "docs"]);
    let found = harmless(folder.path(), &["search", "--dir", "docs", "--mode", "lexical", "beacons"]);
    let text = stdout(&found);
    assert!(text.contains("ev\\u{1b}[2J\\u{7}il\\r\\n 1. forged.txt\\u{9b}31m\\u{202e}x.txt"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with(" 1. ")).count(), 1, "{text}");
    // The same for a terminal: only styles of the program's own are left.
    let coloured = retune_with(
        folder.path(),
        &["search", "--dir", "docs", "--mode", "lexical", "beacons"],
        &[("CLICOLOR_FORCE", "1")],
    );
    let coloured = stdout(&coloured);
    assert!(coloured.contains("\x1b[1m") && !coloured.contains("\x1b[2J"), "{coloured:?}");
    assert!(is_harmless(&without_styles(&coloured)), "{coloured:?}");

    let id = json(folder.path(), &["search", "--dir", "docs", "beacons"])["query_id"].clone();
    let id = id.as_str().unwrap();
    let judged = harmless(folder.path(), &["judge", id, &evil, "--chosen", "--dir", "docs"]);
    assert!(stdout(&judged).contains("ev\\u{1b}[2J"), "{}", stdout(&judged));
    harmless(folder.path(), &["forget", "--dir", "docs", "--document", &evil]);
    harmless(folder.path(), &["status", "--dir", "docs"]);
    harmless(folder.path(), &["rounds", "--dir", "docs"]);
    for args in [
        &["search", "x", "--dir", EVIL][..],
        &["search", "x", "--index", EVIL],
        &["index", EVIL],
        &[EVIL],
        &["search", "x", "--mode", EVIL],
        &["search", "x", "--filter", EVIL],
        &["judge", EVIL, "x", "--chosen"],
        &["eval", "--collection", EVIL],
        &["eval", "--run", EVIL, "--qrels", EVIL],
        &["eval", "--run", "x", "--qrels", "x", "--metrics", EVIL],
    ] {
        let output = harmless(folder.path(), args);
        assert!(!output.status.success(), "{args:?}");
        assert_eq!(stderr(&output).lines().count(), 1, "{args:?}: {}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn neither_do_runs_and_collections() {
    let folder = tempfile::tempdir().unwrap();
    // White space separates the columns of a run.
    let id = "q\x1b[2J\u{9b}\u{202e}";
    let run = format!("run {EVIL}");
    fs::write(folder.path().join(&run), format!("{id} Q0 d 1 1 t\nunjudged Q0 d 1 1 t\n")).unwrap();
    fs::write(folder.path().join("other"), format!("{id} Q0 e 1 1 t\n")).unwrap();
    fs::write(folder.path().join("qrels"), format!("{id} 0 d 1\nmissing 0 d 1\n")).unwrap();
    let scored = harmless(folder.path(), &["eval", "--run", &run, "--qrels", "qrels", "--per-query"]);
    assert!(stdout(&scored).contains("q\\u{1b}[2J\\u{9b}\\u{202e}\t1.000000"), "{}", stdout(&scored));
    let compared = harmless(folder.path(), &["compare", &run, "other", "--qrels", "qrels"]);
    assert!(stdout(&compared).contains("lost most"), "{}", stdout(&compared));
    fs::write(folder.path().join("qrels"), format!("{id} 0 d \x1b[2J\n")).unwrap();
    harmless(folder.path(), &["eval", "--run", &run, "--qrels", "qrels"]);

    let collection = folder.path().join(EVIL);
    super::harness::write_collection(&collection);
    fs::write(collection.join(format!("read me {EVIL}")), "of another kind").unwrap();
    let args = ["eval", "--collection", EVIL, "--per-query", "--embeddings", "none"];
    assert!(harmless(folder.path(), &args).status.success());
}

/// The text without what the program itself may send: sequences of numbers that end in m.
fn without_styles(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (numbers, rest) = part.split_once('m').unwrap();
        assert!(numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{part:?}");
        plain.push_str(rest);
    }
    plain
}

/// A handbook whose sections are underlined, and a folder with its index.
fn handbook(folder: &Path) {
    let filler = "Rain falls on the quiet moor and nobody minds. ".repeat(2);
    let text = format!(
        "=====\nLocks\n=====\n\n{filler}\n\nSluices\n-------\n\n{filler}To open a sluice turn its windlass \
         slowly,\nuntil the water runs calmly below. {filler}{filler}\n"
    );
    fs::write(folder.join("manual.rst"), text).unwrap();
    fs::write(folder.join("eel.md"), "# eel\n\nAn eel ladder needs bristles.\n").unwrap();
    fs::write(
        folder.join("page.html"),
        "<html><body>\n\n<h1>Buoys</h1>\n<p>A buoy &amp; its chain</p></body></html>",
    )
    .unwrap();
    json(folder, &["index", "."]);
}

#[test]
fn a_result_is_a_title_a_place_and_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    handbook(folder.path());
    let search =
        |words: &str| stdout(&retune(folder.path(), &["search", "--mode", "lexical", "-n", "1", words]));
    let text = search("windlass sluice");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("query ") && lines[1].is_empty(), "{text}");
    assert_eq!(lines[2], " 1. Locks > Sluices");
    // The sentence begins on the tenth line of the file.
    assert!(lines[3].starts_with("    manual.rst:10  score ") && lines[3].ends_with(")"), "{text}");
    assert!(
        lines[4].starts_with("    … To open a sluice turn its windlass slowly, until the water"),
        "{text}"
    );
    assert!(lines[6].ends_with(" …") && lines.len() == 7, "{text}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains("---") && !text.contains("==="), "{text}");
    // A title that only names the file is not said twice; a heading is not said again.
    let text = search("bristles");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].starts_with(" 1. eel.md:3  score"), "{text}");
    assert_eq!(lines[3..], ["    An eel ladder needs bristles."]);
    // What was extracted has the line that it begins on.
    assert!(search("chain").contains("page.html:3  score"), "{}", search("chain"));
    // A file that has changed has the lines that it had.
    fs::write(folder.path().join("eel.md"), "Something else.").unwrap();
    assert!(search("bristles").contains(" 1. eel.md:3  score"), "{}", search("bristles"));
}

#[test]
fn colours_go_where_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    handbook(folder.path());
    let is_coloured = |env: &[(&str, &str)]| {
        let output = retune_with(folder.path(), &["search", "--mode", "lexical", "bristles"], env);
        let text = stdout(&output);
        assert!(without_styles(&text).contains("An eel ladder needs bristles."), "{text:?}");
        text.contains("\x1b")
    };
    assert!(!is_coloured(&[]), "the output is no terminal");
    assert!(is_coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!is_coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!is_coloured(&[("CLICOLOR", "1")]));
}

#[test]
fn help_is_readable_in_any_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let help = |args: &[&str], columns: &str| {
        let output = retune_with(folder.path(), &[args, &["--help"]].concat(), &[("COLUMNS", columns)]);
        assert!(output.status.success(), "{args:?}");
        stdout(&output)
    };
    let verbs = help(&[], "80");
    let verbs =
        verbs.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs: Vec<String> = verbs
        .filter(|line| line.starts_with("  ") && !line.starts_with("    "))
        .map(|line| line.split_whitespace().next().unwrap().into())
        .collect();
    assert!(verbs.len() >= 16 && verbs.contains(&"completions".to_string()), "{verbs:?}");
    let mut all: Vec<Vec<&str>> = verbs.iter().map(|verb| vec![verb.as_str()]).collect();
    all.extend([vec![], vec!["model", "fetch"]]);
    for args in all.iter().filter(|args| **args != ["help"]) {
        for (columns, most) in [("80", 80), ("300", 100)] {
            let text = help(args, columns);
            let long = text.lines().find(|line| line.chars().count() > most);
            assert_eq!(long, None, "{args:?} in {columns} columns");
        }
    }
    let eval = help(&["eval"], "80");
    for section in ["on a test collection:", "Score a run, of whatever system:", "by judged passages:"] {
        assert!(eval.contains(section), "{eval}");
    }
}

#[test]
fn shells_and_man_find_what_they_need() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&retune(folder.path(), &["completions", shell]));
        assert!(script.contains("retune") && script.contains("rollback"), "{shell}: {script}");
    }
    let page = stdout(&retune(folder.path(), &["man"]));
    assert!(page.contains(".TH retune 1"), "{page}");
    assert!(retune(folder.path(), &["man", "pages/man1"]).status.success());
    for page in ["retune.1", "retune-search.1", "retune-model-fetch.1"] {
        assert!(folder.path().join("pages/man1").join(page).is_file(), "{page}");
    }
}
