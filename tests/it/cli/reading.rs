//! What of a folder is read, how it is cut, and what the program says of the rest.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::harness::{json, refused, retune, stderr, stdout};
use crate::common;

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn index(folder: &Path, args: &[&str]) -> Value {
    json(folder, &[&["index", "."], args].concat())
}

/// The answer by words alone.
fn search(folder: &Path, words: &str) -> Vec<Value> {
    let answer = json(folder, &["search", "--mode", "lexical", words]);
    answer["hits"].as_array().unwrap().clone()
}

fn found(folder: &Path, words: &str) -> Vec<String> {
    search(folder, words).iter().map(|hit| hit["document"].as_str().unwrap().to_string()).collect()
}

/// The bytes of the file that a hit says its passage comes from.
fn place(folder: &Path, hit: &Value) -> Vec<u8> {
    let bytes = fs::read(folder.join(hit["document"].as_str().unwrap())).unwrap();
    bytes[hit["start"].as_u64().unwrap() as usize..hit["end"].as_u64().unwrap() as usize].to_vec()
}

fn skipped(report: &Value) -> Vec<(String, String)> {
    let skipped = report["skipped"].as_array().unwrap().iter();
    let mut skipped: Vec<_> = skipped
        .map(|one| {
            let text = |value: &Value| value.as_str().unwrap().to_string();
            (text(&one["document"]), text(&one["reason"]["kind"]))
        })
        .collect();
    skipped.sort();
    skipped
}

#[test]
fn text_in_other_encodings_is_read_at_its_place_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(unit).collect()
    };
    let texts = ["Zoë 👍 keeps the winch rota here.\r\n", "The winch rota of Zoë 👍 is kept below.\r\n"];
    write(
        folder.path(),
        &[
            ("le.txt", &utf16(texts[1], u16::to_le_bytes)),
            ("be.md", &utf16(texts[0], u16::to_be_bytes)),
            (
                "c.html",
                b"<html><head><meta charset=\"windows-1252\"><title>Caf\xe9</title></head><body>\
                <p>Cr\xe8me br\xfbl\xe9e \x97 daily</p></body></html>",
            ),
            ("d.py", b"# -*- coding: latin-1 -*-\n# gr\xfc\xdfe\n"),
            ("e.txt", b"sch\xf6n, and nobody says in what"),
            ("f.txt", b"\xf8\x13\xd9\x81\x02\xc7\x1e\xff\x90\x05"),
        ],
    );
    let report = index(folder.path(), &[]);
    assert_eq!(skipped(&report), [("f.txt".into(), "not_utf8".into())]);
    let mut winch = search(folder.path(), "winch");
    winch.sort_by_key(|hit| hit["document"].to_string());
    let units = [u16::from_be_bytes as fn([u8; 2]) -> u16, u16::from_le_bytes];
    for ((hit, unit), text) in winch.iter().zip(units).zip(texts) {
        assert_eq!(hit["passage"], text.trim());
        let units: Vec<u16> = place(folder.path(), hit).chunks(2).map(|two| unit([two[0], two[1]])).collect();
        assert_eq!(String::from_utf16(&units).unwrap(), text.trim(), "{hit}");
    }
    assert_eq!(winch.len(), 2);
    let crème = &search(folder.path(), "crème")[0];
    assert_eq!((&crème["document"], &crème["title"]), (&"c.html".into(), &"Café".into()));
    assert_eq!(place(folder.path(), crème), b"Cr\xe8me br\xfbl\xe9e \x97 daily");
    assert_eq!(found(folder.path(), "grüße"), ["d.py"]);
}

#[test]
fn of_notebooks_the_cells_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let picture = "iVBORw0KGgo".repeat(400);
    let notebook = serde_json::json!({
        "cells": [
            {"cell_type": "markdown", "source": [
                "# Rainfall study\n", "Rain rose near the caf\u{e9} \u{1f600} of\tthe town.\n"
            ]},
            {"cell_type": "markdown", "source": format!("![map](data:image/png;base64,{picture}) of gauges")},
            {"cell_type": "code", "source": "df = load_rain()\nprint(\"sum\")", "outputs": [
                {"output_type": "stream", "text": ["\u{1b}[31mtotal\u{1b}[0m 412 mm\n"]},
                {"output_type": "display_data", "data": {"image/png": picture, "text/plain": ["<Figure>"]}},
                {"output_type": "execute_result", "data": {"text/plain": "Ellipsis", "text/html": "<b>none</b>"}},
                {"output_type": "error", "ename": "KeyError", "evalue": "'gauge'", "traceback": ["x"]},
            ]},
        ],
        "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5,
    });
    // Escaped, as other programs write it.
    let text = notebook.to_string().replace('\u{e9}', "\\u00e9").replace('\u{1f600}', "\\ud83d\\ude00");
    let old = r##"{"worksheets":[{"cells":[{"cell_type":"heading","level":1,"source":["Snow study"]},
        {"cell_type":"code","input":["melt(snow)"],"outputs":[{"output_type":"pyout","text":["thawed"]}]}]}]}"##;
    write(
        folder.path(),
        &[("nb.ipynb", text.as_bytes()), ("old.ipynb", old.as_bytes()), ("broken.ipynb", b"{\"cells\": [")],
    );
    let report = index(folder.path(), &[]);
    assert_eq!(skipped(&report), [("broken.ipynb".into(), "malformed".into())]);
    assert_eq!(report["chunks"], 2);
    let hit = &search(folder.path(), "rainfall")[0];
    assert_eq!((&hit["title"], &hit["place"]), (&"Rainfall study".into(), &serde_json::json!({"cell": 1})));
    assert_eq!(
        hit["passage"],
        "# Rainfall study\nRain rose near the café 😀 of\tthe town.\n\n![map](data:image/png;base64,) of gauges\n\n\
         df = load_rain()\nprint(\"sum\")\n\ntotal 412 mm\n\nEllipsis\n\nKeyError: 'gauge'"
    );
    let stretch = String::from_utf8(place(folder.path(), hit)).unwrap();
    assert!(stretch.starts_with("# Rainfall") && stretch.ends_with("'gauge'"), "{stretch}");
    let snow = &search(folder.path(), "thawed")[0];
    assert_eq!(
        (&snow["title"], &snow["passage"]),
        (&"Snow study".into(), &"Snow study\n\nmelt(snow)\n\nthawed".into())
    );
    assert!(found(folder.path(), "nbformat").is_empty() && found(folder.path(), "Figure").is_empty());
}

#[test]
fn what_programs_made_is_left_out_until_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let long = "var a=1;".repeat(1000);
    write(
        folder.path(),
        &[
            ("notes.md", b"The crane is greased."),
            ("web/node_modules/left/README.md", b"The crane of a package."),
            ("crates/target/doc/a.txt", b"The crane of a build."),
            ("env/pyvenv.cfg", b"home = /usr"),
            ("env/lib/a.txt", b"The crane of an environment."),
            ("py/__pycache__/a.txt", b"The crane of a cache."),
            ("vendor/b.txt", b"The crane of a vendor."),
            ("site/package.json", b"{\"name\": \"site\"}"),
            ("site/dist/c.txt", b"The crane of a site."),
            ("dist/d.txt", b"The crane of a district."),
            ("app.min.js", b"crane()"),
            ("long.js", long.as_bytes()),
            ("Cargo.lock", b"crane"),
        ],
    );
    let report = index(folder.path(), &[]);
    let left_out = skipped(&report);
    assert!(left_out.iter().all(|(_, kind)| kind == "left_out"), "{left_out:?}");
    let names: Vec<&str> = left_out.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "Cargo.lock",
        "app.min.js",
        "crates/target",
        "env",
        "long.js",
        "py/__pycache__",
        "site/dist",
        "vendor",
        "web/node_modules",
    ];
    assert_eq!(names, expected);
    assert_eq!(report["documents"], 3);

    index(folder.path(), &["--include", "build,vendor"]);
    let mut more = found(folder.path(), "crane");
    more.sort();
    let read = ["crates/target/doc/a.txt", "dist/d.txt", "notes.md", "py/__pycache__/a.txt"];
    assert_eq!(more, [&read[..], &["site/dist/c.txt", "vendor/b.txt"]].concat());
    assert_eq!(index(folder.path(), &[])["documents"], 7, "the next run does the same");
    assert_eq!(index(folder.path(), &["--include", "none"])["documents"], 3);
    // Told by its content alone.
    assert_eq!(index(folder.path(), &["--include", "generated"])["documents"], 6);
    assert_eq!(index(folder.path(), &["--include", "none"])["documents"], 3);
    assert_eq!(retune(folder.path(), &["index", ".", "--include", "a/b"]).status.code(), Some(1));
}

#[test]
fn the_size_limit_is_set_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let large = "The barge is heavy.\n".repeat(200);
    write(folder.path(), &[("a.txt", b"light"), ("b.txt", large.as_bytes())]);
    let report = index(folder.path(), &["--max-file-size", "2K"]);
    assert_eq!(skipped(&report), [("b.txt".into(), "too_large".into())]);
    assert_eq!(index(folder.path(), &[])["documents"], 1);
    assert_eq!(index(folder.path(), &["--max-file-size", "1MiB"])["documents"], 2);
    assert_eq!(index(folder.path(), &[])["documents"], 2);
    let wrong = retune(folder.path(), &["index", ".", "--max-file-size", "much"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("500K"), "{}", stderr(&wrong));
}

#[test]
fn skips_are_told_by_reason_and_once() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..5 {
        write(folder.path(), &[(&format!("{number}.bin"), b"\0"), (&format!("{number}.mobi"), b"BOOK")]);
    }
    write(folder.path(), &[("a.txt", b"The lamp burns.")]);
    let told = |args: &[&str]| stdout(&retune(folder.path(), &[&["index", "."], args].concat()));
    let first = told(&[]);
    assert!(first.contains("10 skipped"), "{first}");
    assert!(first.contains("\nskipped 5 (not text): 0.bin, 1.bin, 2.bin and 2 more\n"), "{first}");
    assert!(
        first.contains("convert them to text, Markdown or HTML): 0.mobi, 1.mobi, 2.mobi and 2 more"),
        "{first}"
    );
    write(folder.path(), &[("5.bin", b"\0")]);
    let second = told(&[]);
    assert!(second.contains("\nskipped 1 (not text): 5.bin\n10 skipped as before"), "{second}");
    assert!(told(&[]).ends_with("\n11 skipped as before; --skipped lists them\n"));
    let all = told(&["--skipped"]);
    assert_eq!(all.lines().filter(|line| line.starts_with("skipped ")).count(), 11, "{all}");
    assert!(all.contains("skipped 4.bin is not text"), "{all}");
}

#[test]
fn no_passage_is_longer_than_what_the_encoder_reads() {
    let folder = tempfile::tempdir().unwrap();
    let prose = "The keeper noted the water level in the morning and in the evening. ".repeat(100);
    write(folder.path(), &[("a.md", format!("# Water\n\n{prose}").as_bytes())]);
    let said = refused(folder.path(), &["index", ".", "--max-tokens", "1024"]);
    assert!(said.contains("1024") && said.contains("at most 374"), "{said}");
    assert_eq!(index(folder.path(), &["--max-tokens", "374"])["documents"], 1);

    // A model whose folder says that it reads less.
    let model = folder.path().join("model");
    common::copy(&common::tiny_model(), &model);
    let config = model.join("sentence_bert_config.json");
    fs::write(&config, r#"{"max_seq_length": 42, "do_lower_case": false}"#).unwrap();
    let model = model.to_str().unwrap();
    let short = ["--index", "short", "--model", model];
    let said = refused(folder.path(), &[&["index", ".", "--max-tokens", "64"], &short[..]].concat());
    assert!(said.contains("reads 40 tokens"), "{said}");
    index(folder.path(), &short);
    let status = json(folder.path(), &[&["status"], &short[..]].concat());
    assert_eq!(status["max_tokens"], 30);
    let encoder = retune::Encoder::load(Path::new(model)).unwrap();
    let answer = json(folder.path(), &[&["search", "water", "--limit", "100"], &short[..]].concat());
    let hit = &answer["hits"][0];
    let text = format!("{} {}", hit["title"].as_str().unwrap(), hit["passage"].as_str().unwrap());
    assert!(encoder.count_tokens(&text) <= 40, "{text}");

    // An index keeps its length, and the model reads less than when it was made.
    fs::write(&config, r#"{"max_seq_length": 22, "do_lower_case": false}"#).unwrap();
    write(folder.path(), &[("b.md", prose.as_bytes())]);
    let again = retune(folder.path(), &[&["--json", "index", "."], &short[..]].concat());
    assert!(stderr(&again).contains("reads fewer"), "{}", stderr(&again));
    let status = retune(folder.path(), &[&["--json", "status"], &short[..]].concat());
    assert_eq!(serde_json::from_str::<Value>(&stdout(&status)).unwrap()["max_tokens"], 15);
}

#[test]
fn copies_of_a_passage_take_one_place_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for number in 10..35 {
        let text = "To reset the panel, hold the green button for ten seconds until the lamp blinks.";
        write(folder.path(), &[(&format!("copy{number}/faq{number}.txt"), text.as_bytes())]);
    }
    write(
        folder.path(),
        &[("panel.txt", b"After a reset of the panel, enter the gate levels again from the sheet.")],
    );
    index(folder.path(), &[]);
    for mode in ["hybrid", "lexical", "dense"] {
        let answer = json(folder.path(), &["search", "--mode", mode, "reset the panel"]);
        let hits = answer["hits"].as_array().unwrap();
        assert_eq!(hits.len(), 2, "{mode}");
        let copied = hits.iter().find(|hit| hit["document"] != "panel.txt").unwrap();
        assert_eq!(copied["also_in"].as_array().unwrap().len(), 24, "{mode}");
    }
    let text = stdout(&retune(folder.path(), &["search", "reset the panel"]));
    assert!(text.contains("and 21 more"), "{text}");
}

#[test]
fn a_folder_takes_no_more_places_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..6 {
        let text = format!("# Pump {number}\n\nPump {number} is primed by hand before it starts.\n");
        write(folder.path(), &[(&format!("pumps/{number}.md"), text.as_bytes())]);
    }
    write(
        folder.path(),
        &[("winch.md", b"The pump beside the winch needs a fuse; nothing is said of hands.")],
    );
    index(folder.path(), &[]);
    for (most, documents) in [("1", 2), ("3", 4), ("9", 7)] {
        let answer = json(folder.path(), &["search", "--per-folder", most, "pump primed by hand"]);
        assert_eq!(answer["hits"].as_array().unwrap().len(), documents, "{most}");
    }
    let pages = ["0", "2"].map(|offset| {
        let args = ["search", "--per-folder", "3", "-n", "2", "--offset", offset, "pump primed by hand"];
        let answer = json(folder.path(), &args);
        answer["hits"].as_array().unwrap().iter().map(|hit| hit["document"].to_string()).collect::<Vec<_>>()
    });
    assert!(pages.iter().all(|page| page.len() == 2), "{pages:?}");
    assert!(pages[0].iter().all(|one| !pages[1].contains(one)), "{pages:?}");
}

#[test]
fn headings_placeholders_and_tables_of_contents_never_stand_above_the_passage() {
    let folder = tempfile::tempdir().unwrap();
    let passage = b"# Panel\n\nTo bring it back, hold the green button down for ten seconds. The reset of the panel is \
                    then written into the log.\n\n## Reset of the panel by remote\n";
    write(
        folder.path(),
        &[
            ("panel.md", passage),
            ("bare.md", b"# Reset of the panel\n"),
            ("todo.md", b"# Reset of the panel\n\nTODO: write it down\n"),
            ("tbd.txt", b"Reset of the panel\n==================\n\nTo be written.\n"),
            (
                "SUMMARY.md",
                b"# Summary\n\n- [Reset of the panel](panel.md)\n- [Gates](gates.md)\n  - [Rams](rams.md)\n",
            ),
            (
                "toc.html",
                b"<h1>Contents</h1><ul><li><a href='p.html'>Reset of the panel</a></li>\
                <li><a href='#g'>1. Gates</a></li></ul>",
            ),
            ("index.rst", b"Manual\n======\n\n.. toctree::\n\n   Reset of the panel <panel>\n   gates\n"),
            (
                "book.txt",
                b"Reset of the panel ....... 3\nGates .................... 7\nRams .................. 12\n",
            ),
        ],
    );
    let report = index(folder.path(), &[]);
    let names = ["SUMMARY.md", "bare.md", "book.txt", "index.rst", "tbd.txt", "toc.html", "todo.md"];
    assert_eq!(skipped(&report), names.map(|name| (name.to_string(), "no_passage".to_string())));
    let hits = search(folder.path(), "reset of the panel");
    assert_eq!((hits.len(), &hits[0]["document"]), (1, &"panel.md".into()));
    assert_eq!(report["chunks"], 1, "the last heading belongs to the passage before it");
}
