use proptest::prelude::*;

use super::*;

fn terms(language: Language, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    Analyzer::new(language).terms(text, |term, _| {
        out.push(term.to_owned());
        true
    });
    out
}

fn of_text(text: &str) -> String {
    terms(Language::None, text).join(" ")
}

fn of_query(text: &str) -> String {
    let sequence = Analyzer::new(Language::None).query_sequence(text);
    sequence.into_iter().map(|word| word.term).collect::<Vec<_>>().join(" ")
}

/// Whether each term of the query is one of the text.
fn covers(text: &str, query: &str) -> bool {
    let analyzer = Analyzer::new(Language::English);
    let terms = terms(Language::English, text);
    analyzer.query_sequence(query).iter().all(|word| terms.contains(&word.term))
}

/// Whether a term of the query is one of the text.
fn finds(query: &str, text: &str) -> bool {
    let analyzer = Analyzer::new(Language::English);
    let terms = terms(Language::English, text);
    analyzer.query_sequence(query).iter().any(|word| terms.contains(&word.term))
}

#[test]
fn words_are_lowered_stemmed_and_folded() {
    assert_eq!(
        terms(Language::English, "Searches, searching: THE Naïve x_y2"),
        ["search", "search", "the", "naiv", "xy2", "x", "y2"]
    );
    assert_eq!(terms(Language::None, "Searches naïve"), ["searches", "naive"]);
    assert_eq!(terms(Language::French, "aimée"), ["aim"]);
    let hex = "0123456789abcdef".repeat(4);
    assert_eq!(terms(Language::None, &format!("{hex} {}", "x".repeat(161))), [hex]);
}

/// If one of these changes, so has the analysis: raise the version in `marker`.
#[test]
fn the_forms_of_words() {
    for (text, forms) in [
        ("KX-4401/B", "kx4401 kx 4401 b"),
        ("kx4401", "kx4401 kx 4401"),
        ("parseGateReading(raw)", "parsegatereading parse gate reading raw"),
        ("parse_gate_reading", "parsegatereading parse gate reading"),
        ("HTTPServer2", "httpserver2 http server 2"),
        ("x86_64", "x8664 x86 64"),
        ("iPhone mRNA DNAs p53", "iphone mrna dnas p53"),
        ("node.js", "nodejs node js"),
        ("don't dog's U.S.A.", "dont don t dog s usa u s a"),
        ("1.2.3 12.3 2024-01-15", "1.2.3 1 2 3 12.3 12 3 20240115 2024 01 15"),
        ("C++ C# F#, C/C++.", "c++ c c# c f# f c c++ c"),
        ("C++17 a+b i++; a#b", "c++ c 17 a b i++ i a b"),
        ("objective-c++", "objectivec++ objective c++ c"),
        (".NET 8 ASP.NET ...and", ".net net 8 aspnet asp net and"),
        (
            "#tag @types/node $PATH --dry-run -v -dash",
            "#tag tag @types types node $path path --dryrun dryrun dry run -v v dash",
        ),
        ("me@mail.org std::vector AT&T a-", "memailorg me mail org stdvector std vector att at t a"),
        ("wi-fi\u{2011}x 3-", "wifix wi fi x 3"),
        ("検索機能 字 a字b", "検索 検 索機 索 機能 機 能 字 a 字 b"),
        ("학교에서 책", "학교 학 교에 교 에서 에 서 책"),
        ("น้ำมัน", "น้ํามั น้ํา มัน มั น"),
        ("❤️ 👍🏽👩‍💻🇰🇷 1️⃣", "❤ 👍 👩💻 🇰🇷 1"),
    ] {
        assert_eq!(of_text(text), forms, "{text}");
    }
    let hex = "0a1b2c3d4e5f";
    assert_eq!(of_text(hex), hex, "a digest has no parts");
}

#[test]
fn the_forms_that_a_query_asks_for() {
    for (query, forms) in [
        ("C++ C# .NET g++", "c++ c# .net net g++"),
        ("notepad++", "notepad++ notepad"),
        ("kx4401 KX-4401", "kx4401 kx 4401 kx4401 kx 4401"),
        ("4401kx x86 mp3 2fa", "4401kx x86 mp3 2fa"),
        ("parseGateReading", "parsegatereading parse gate reading"),
        ("don't what's O'Brien e-mail", "dont what s o brien email e mail"),
        ("検索機能 字", "検索 索機 機能 字"),
        ("학교 책", "학교 책"),
    ] {
        assert_eq!(of_query(query), forms, "{query}");
    }
}

#[test]
fn a_word_in_one_form_is_found_in_the_others() {
    for (query, text) in [
        ("gate reading", "function parseGateReading(raw)"),
        ("parse_gate_reading", "parseGateReading"),
        ("kx4401", "gasket KX-4401/B"),
        ("KX-4401", "gasket kx4401"),
        ("KX 4401", "gasket kx4401"),
        ("kx4401", "gasket KX\u{2013}4401"),
        ("KX\u{2013}4401", "gasket KX-4401"),
        ("KX－4401", "gasket kx4401"),
        ("RFC2616", "see RFC 2616"),
        ("RFC 2616", "see RFC2616"),
        ("C＋＋", "C++ 17"),
        ("C++", "使用C＋＋編程"),
        ("c＃", "C#"),
        (".NET", "．ＮＥＴ"),
        ("istanbul", "İstanbul"),
        ("İSTANBUL", "in Istanbul"),
        ("I\u{307}stanbul", "i\u{307}stanbul"),
        ("email", "send an e-mail"),
        ("wifi", "the Wi-Fi is off"),
        ("USA", "the U.S.A. has"),
        ("nodejs", "runs on node.js"),
        ("dont", "don't"),
        ("don't", "dont"),
        ("obrien", "O’Brien"),
        ("homme", "l'homme"),
        ("20240115", "on 2024-01-15"),
        ("학교", "학교에서 만나요"),
        ("検", "検索"),
        ("ไทย", "ภาษาไทย"),
        ("👍", "good 👍🏿"),
    ] {
        assert!(finds(query, text), "{query} in {text}");
    }
    for (query, text) in
        [("C++", "written in C"), ("c#", "key of C"), ("1.23", "12.3"), ("字", "検索"), ("C＋＋", "C")]
    {
        assert!(!finds(query, text), "{query} in {text}");
    }
}

#[test]
fn what_is_not_seen_does_not_divide_a_word() {
    for (odd, plain) in [
        ("infor\u{ad}mation", "information"),
        ("data\u{200b}base", "database"),
        ("می\u{200c}خواهم", "میخواهم"),
        ("\u{200f}שלום\u{200e}", "שלום"),
        ("\u{feff}word\u{2060}s", "words"),
        ("検\u{200b}索", "検索"),
        ("re\u{301}sume\u{301}", "résumé"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("ﾃﾞｰﾀ", "データ"),
        ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}", "한국"),
        ("ﬁle", "file"),
        ("x\u{305}y", "xy"),
    ] {
        for language in [Language::English, Language::None, Language::French] {
            assert_eq!(terms(language, odd), terms(language, plain), "{odd:?}");
        }
    }
    assert_eq!(terms(Language::French, "aime\u{301}e"), ["aim"]);
    assert_eq!(terms(Language::None, "हिन्दी"), ["हिन्दी"], "a sign of vowels divides no word");
}

#[test]
fn neighbours_are_as_far_apart_in_every_form() {
    let positions = |text: &str| {
        let sequence = Analyzer::new(Language::None).query_sequence(text);
        sequence.into_iter().filter(|word| word.is_neighbour).map(|word| word.position).collect::<Vec<_>>()
    };
    assert_eq!(positions("KX-4401 valve"), [0, 1, 2]);
    assert_eq!(positions("kx4401 valve"), [0, 2]);
    assert_eq!(positions("parseGate valve"), [0, 1, 2]);
    assert_eq!(positions("C++ code"), [0, 1]);
    assert_eq!(positions("検索 機"), [0, 2]);
}

proptest! {
    #[test]
    fn ranges_are_in_order_and_on_character_boundaries(
        text in "\\PC{0,60}|[a检B索e\u{301} ก้1\u{200b}.+#'한👍\u{200d}-]{0,30}",
    ) {
        let mut last = 0;
        Analyzer::new(Language::English).terms(&text, |_, range| {
            assert!(text.get(range.clone()).is_some_and(|t| !t.is_empty()));
            assert!(range.start >= last);
            last = range.start;
            true
        });
    }

    #[test]
    fn a_text_has_every_form_that_a_query_of_its_words_asks_for(
        text in "\\PC{0,40}|[a检B索e\u{301} ก้1\u{200b}.+#'한👍\u{200d}@$_&:-]{0,24}",
    ) {
        prop_assert!(covers(&text, &text), "{:?}", text);
    }
}

/// All terms of the handbook's ASCII lines, as version 2 of the index has them.
const HANDBOOK_TERMS: &str = "8e987e1099c4884fdf48167746bc50ac1dabc9da7613f9280ba66f49b8d10c2f";

#[test]
fn the_terms_of_ascii_texts_are_those_of_version_2() {
    let mut found =
        vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/handbook/documents")];
    let mut files = Vec::new();
    while let Some(path) = found.pop() {
        match path.is_dir() {
            true => found.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path())),
            false => files.push(path),
        }
    }
    files.sort();
    let (analyzer, mut all, mut count) = (Analyzer::new(Language::English), String::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for line in text.lines().filter(|line| line.is_ascii()) {
            analyzer.terms(line, |term, range| {
                all.push_str(&format!("{term} {range:?}\n"));
                count += 1;
                true
            });
        }
    }
    assert!(count > 10_000, "{count}");
    assert_eq!(crate::ids::Digest::of(all.as_bytes()).to_string(), HANDBOOK_TERMS);
}
