//! What a person types finds the same as in an index of this machine.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use retune::{Document, Engine, Language, Mode, Query};

use crate::answers::{compare_with, in_all_modes};
use crate::common::options;
use crate::support::index;

/// Texts whose words have stems, and one language in which they have none.
const TEXTS: &[(&str, &str, &str)] = &[
    ("Locks > Opening", "Open the gate, and the water runs.", "english"),
    ("Locks", "Opening the gates takes time. C++ too, and KX-4401 grease.", "english"),
    ("Gates", "The gate\nis opened. A happy, HAPPIER end of happiness.", "english"),
    ("Résumé", "Un café et une organisation: configure, configuration, config.", "english"),
    ("", "The organ plays; organizations listen to organists.", "english"),
    ("", "The organ is an instrument, organic life is none.", "english"),
    ("Gate notes", "the parseGateReading of version 1.2.3 is not the parse gate reading", "english"),
    ("Schleusentore", "Die Schleusentore werden geöffnet, das Tor der Schleuse steht offen.", "german"),
    ("Organ", "Die Organisation der Organe; Häuser und Haus. The gate is opened.", "german"),
    ("Écluses", "Les portes de l'écluse sont ouvertes, la porte d'écluse est fermée.", "french"),
    ("水門", "水門を開ける方法。検索機能 gate を使う。", "none"),
    ("Gates of none", "Gates are opened, the gate is open, organizations play.", "none"),
    ("", "?! … 🚪 open 🚪 gate", "english"),
    ("gate", "open", "english"),
];

/// Each phrase, prefix and path alone and with others, negated too.
const TYPED: &[&str] = &[
    "\"open the gate\"",
    "\"OPEN, the gate\"",
    "\"opened the gates\"",
    "\"the gate is\"",
    "\"gates\"",
    "\"gate\"",
    "\"c++\"",
    "\"KX-4401 grease\"",
    "\"kx4401\"",
    "\"resume\"",
    "\"the\"",
    "\"nowhere at all\"",
    "\"locks opening\"",
    "\"opening open\"",
    "\"gate open\"",
    "\"gates the gate\"",
    "\"parseGateReading\"",
    "\"parse gate reading\"",
    "\"version 1.2.3\"",
    "\"1.2\"",
    "\"Tor der Schleuse\"",
    "\"Tore der Schleuse\"",
    "\"werden geöffnet\"",
    "\"werden geoffnet\"",
    "\"portes de l'écluse\"",
    "\"porte de l'ecluse\"",
    "\"l'écluse\"",
    "\"水門\"",
    "\"門を開\"",
    "\"水開\"",
    "\"機能 gate\"",
    "\"🚪 gate\"",
    "\"…\" gate",
    "gate -\"open the gate\"",
    "gate -\"gates\"",
    "gate \"is opened\" -\"the gates\"",
    "conf*",
    "CONF*",
    "configura*",
    "happy*",
    "happine*",
    "organiz*",
    "organi*",
    "organ*",
    "caf*",
    "xyz*",
    "op* gat*",
    "open -gat*",
    "open -organiz*",
    "schleusent*",
    "häus*",
    "haus*",
    "hause*",
    "écl*",
    "水門*",
    "ga* \"the gate\" -happ* path:english",
    "gate path:english",
    "gate -path:english",
    "open path:GERMAN path:*8*",
    "gate path:english/?",
    "organ* title:organ -path:french",
    "gate path:[ path:*",
];

fn texts(folder: &std::path::Path, language: Language) -> Engine {
    let engine = Engine::open(folder, options().with_language(language)).unwrap();
    let documents = TEXTS.iter().enumerate().map(|(at, (title, text, language))| {
        let document = Document::new(format!("{language}/{at}"), *text).with_title(*title);
        document.with_language(language.parse().unwrap()).with_field("lang", *language)
    });
    engine.add(documents.collect()).unwrap();
    engine
}

#[test]
fn phrases_prefixes_and_paths_find_the_same_in_several_languages() {
    let Some(index) = index("operators") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = texts(folder.path(), Language::English);
    let mut found = 0;
    for shards in [1, 5] {
        index.migrate(&engine, shards);
        let cluster = index.open();
        for &text in TYPED {
            for query in in_all_modes(Query::parse(text).with_total().with_facets(["lang"])) {
                compare_with(&engine, &cluster, &query);
                found += engine.search(&query).unwrap().hits.len();
            }
        }
    }
    assert!(found > 500, "{found}");
}

#[test]
fn phrases_and_prefixes_find_the_same_without_stems() {
    let Some(index) = index("stemless") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), options().with_language(Language::None)).unwrap();
    let documents = TEXTS.iter().enumerate();
    let documents =
        documents.map(|(at, (title, text, _))| Document::new(at.to_string(), *text).with_title(*title));
    engine.add(documents.collect()).unwrap();
    index.migrate(&engine, 2);
    let cluster = index.open();
    for &text in TYPED {
        let query = Query::parse(text).with_mode(Mode::Lexical).with_total().without_logging();
        compare_with(&engine, &cluster, &query);
    }
}

/// Names of files and folders, joined in all ways.
fn paths() -> Vec<String> {
    let mut all: Vec<String> = [
        "docs/a.md",
        "docs/API/a.md",
        "work/Docs/deep/a.md",
        "docs/a.zip/inner/b.pdf",
        "/docs/rooted.md",
        "./docs/dotted.md",
        ".///docs/odd.md",
        "docs//double.md",
        "docs/./same.md",
        "docs/../up.md",
        "docs/",
        "docs",
        "äöü/ß.md",
        "a b/c d.md",
        "{a,b}.md",
        "[x].md",
        "back\\slash.md",
        "star*.md",
        "http://host/path?x=1#y",
        "mail.mbox/3",
        "~tilde@home/<id>&more",
        "\"quoted\".md",
        "line\nbreak.md",
    ]
    .map(String::from)
    .into();
    all.extend((0..30).map(|at| {
        format!("{}/{}{}.{}", ["a", "B", "ä"][at % 3], ["x", "docs"][at % 2], at, ["md", "rs"][at / 15])
    }));
    all
}

const PATTERNS: &[&str] = &[
    "[*-.]/[!-,]*",
    "*[!-/]*.md",
    "*[!!-~]*",
    "docs",
    "docs/",
    "/docs",
    "/docs/",
    "docs/*",
    "docs/**",
    "**/docs",
    "**/docs/**",
    "/**",
    "**",
    "*",
    "/*",
    "*.md",
    "*.MD",
    "a.md",
    "docs/*.md",
    "docs/**/a.md",
    "a.zip",
    "?",
    "??",
    "/?/docs*",
    "ä",
    "Ä",
    "[ab]",
    "[!ab]/x*",
    "[ä-ö]",
    "{docs,a}/*",
    "{a,b}.md",
    "\\{a,b\\}.md",
    "[[]x].md",
    "back\\\\slash.md",
    "star\\*.md",
    "c\\ d.md",
    "http:",
    "*@*",
    "\\~*",
    "*<id>*",
    "\"quoted\".md",
    "line*",
    "../up.md",
];

#[test]
fn any_pattern_fits_the_same_paths() {
    let Some(index) = index("paths") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), options()).unwrap();
    engine.add(paths().into_iter().map(|path| Document::new(path, "the harbour")).collect()).unwrap();
    index.migrate(&engine, 2);
    let cluster = index.open();
    let made = r"(/|\*\*/)?([aBä]|docs|x|[?*.]|\*\*|/|\[[!^]?[a-dB.-]{1,3}\]|\{a,docs\}|[0-9]|\.md){1,6}/?";
    let (made, mut runner) = (proptest::string::string_regex(made).unwrap(), TestRunner::deterministic());
    let made = (0..150).map(|_| made.new_tree(&mut runner).unwrap().current());
    let (mut some, mut patterns) = (0, 0);
    for pattern in PATTERNS.iter().map(|pattern| pattern.to_string()).chain(made) {
        let query =
            Query::new("harbour").with_path(&pattern).with_mode(Mode::Lexical).with_limit(100).with_copies();
        let own = engine.search(&query.clone().without_logging());
        let far = cluster.search(&query.without_logging());
        match (own, far) {
            (Ok(own), Ok(far)) => {
                let ids = |answer: retune::Answer| {
                    let mut ids: Vec<String> = answer.hits.into_iter().map(|hit| hit.document).collect();
                    ids.sort();
                    ids
                };
                let (own, far) = (ids(own), ids(far));
                assert_eq!(own, far, "{pattern:?}");
                some += usize::from(!own.is_empty() && own.len() < paths().len());
            }
            (Err(own), Err(far)) => assert_eq!(own.to_string(), far.to_string()),
            (own, far) => panic!("{pattern:?}: {own:?} {far:?}"),
        }
        patterns += 1;
    }
    assert!(some * 4 > patterns, "{some} of {patterns} patterns fit some paths");
}
