use proptest::prelude::*;

use super::*;
use crate::ids::Digest;

const PLAIN: [Format; 4] = [Format::Text, Format::Markdown, Format::Rst, Format::Code];

/// Checks the properties of the chunks of a plain format.
fn check_plain(source: &str, chunks: &[Chunk], max_tokens: usize, counter: TokenCounter<'_>) {
    let mut covered = 0;
    for (chunk, ordinal) in chunks.iter().zip(0..) {
        let (start, end) = (chunk.start as usize, chunk.end as usize);
        assert_eq!(source.get(start..end), Some(chunk.text.as_str()));
        let between = source[covered..start].trim_start_matches('\u{feff}');
        assert!(between.trim().is_empty(), "lost {between:?}");
        assert!(!chunk.text.trim().is_empty());
        assert!(counter(&chunk.text) <= max_tokens || chunk.text.chars().count() == 1, "{chunk:?}");
        assert_eq!(chunk.digest, Digest::of(format!("{}\n{}", chunk.title, chunk.text).as_bytes()));
        assert_eq!(chunk.ordinal, ordinal);
        covered = end;
    }
    let rest = source[covered..].trim_start_matches('\u{feff}');
    assert!(rest.trim().is_empty(), "lost {rest:?}");
}

fn prose(words: usize) -> String {
    (1..=words).map(|n| format!("word{n}{}", if n % 10 == 0 || n == words { ".\n" } else { " " })).collect()
}

#[test]
fn titles_are_heading_paths() {
    let text = format!(
        "# Guide\n\n{0}\n## Install\n\n### Linux\n\n{0}\n### Windows\n\n{0}\n## Use\n\n{0}",
        prose(40)
    );
    let chunks = chunks_of(&text, Format::Markdown, 75);
    assert_eq!(
        titles(&chunks),
        ["Guide", "Guide > Install > Linux", "Guide > Install > Windows", "Guide > Use"]
    );
    assert!(
        chunks[1].text.starts_with("## Install\n\n### Linux\n\nword1"),
        "a heading goes with what follows"
    );
    let rst = format!(
        "Guide\n=====\n\n{0}\nInstall\n-------\n\nLinux\n~~~~~\n\n{0}\nWindows\n~~~~~~~\n\n{0}\nUse\n---\n\n{0}",
        prose(40)
    );
    assert_eq!(titles(&chunks_of(&rst, Format::Rst, 75)), titles(&chunks));
}

#[test]
fn small_sections_are_joined_under_what_they_share() {
    let text = "# Guide\n\nIntro.\n\n## A\n\nOne.\n\n## B\n\nTwo.\n";
    let chunks = chunks_of(text, Format::Markdown, 100);
    assert_eq!(titles(&chunks), ["Guide"]);
    let text = format!("# One\n\n{}\n# Two\n\n{}", prose(20), prose(20));
    assert_eq!(titles(&chunks_of(&text, Format::Markdown, 100)), ["One", "Two"], "nothing shared");
}

#[test]
fn documents_without_one_top_heading_are_named_otherwise() {
    let several = format!("---\ntitle: Book\n---\n\n# One\n\n{0}\n# Two\n\n{0}", prose(30));
    assert_eq!(titles(&chunks_of(&several, Format::Markdown, 50)), ["Book > One", "Book > Two"]);
    let pep = format!("PEP: 1\nTitle: Purpose\n\nA\n=\n\n{0}\nAim\n===\n\n{0}\nEnd\n===\n\n{0}", prose(30));
    let chunks = chunks_of(&pep, Format::Rst, 60);
    assert_eq!(titles(&chunks), ["Purpose", "Purpose > Aim", "Purpose > End"]);
}

#[test]
fn the_applications_title_comes_first() {
    let chunk =
        |title, text| chunk_text(title, text, Format::Markdown, Lengths::DEFAULT, &count_words).unwrap();
    assert_eq!(titles(&chunk(Some(" My\nbook "), "# A\n\ntext")), ["My book > A"]);
    assert_eq!(titles(&chunk(Some("A"), "# A\n\ntext")), ["A"]);
    assert_eq!(titles(&chunk(Some("B"), "text")), ["B"]);
    assert_eq!(titles(&chunk(None, "text")), [""]);
    assert!(chunk(Some("B"), " \n").is_empty());
}

#[test]
fn titles_keep_to_their_limit() {
    let text = "# One two three\n\n## Four five six\n\n### Seven eight nine\n\n#### Ten eleven\n\nx\n";
    let lengths = Lengths { title: 9, ..Lengths::DEFAULT };
    let chunks = chunk_text(None, text, Format::Markdown, lengths, &count_words).unwrap();
    assert_eq!(titles(&chunks), ["One two three > Ten eleven"]);
    let long = format!("# {}\n\nx\n", prose(30).replace(".\n", " "));
    let chunks = chunk_text(None, &long, Format::Markdown, lengths, &count_words).unwrap();
    assert_eq!(count_words(&chunks[0].title), 9);
}

#[test]
fn a_byte_order_mark_is_cut_off_and_counted() {
    for format in PLAIN {
        let source = "\u{feff}# Title\n\ntext";
        let chunks = chunks_of(source, format, 100);
        assert_eq!((chunks[0].start, chunks[0].end), (3, source.len() as u64), "{format:?}");
        check_plain(source, &chunks, 100, &count_words);
    }
    assert_eq!(chunks_of("\u{feff}# Title\n\ntext", Format::Markdown, 100)[0].title, "Title");
    let html = chunks_of("\u{feff}<p>ab</p>", Format::Html, 100);
    assert_eq!((html[0].start, html[0].end, html[0].text.as_str()), (6, 8, "ab"));
}

#[test]
fn carriage_returns_stay_in_the_text() {
    let source = format!("# A\r\n\r\n{}", prose(100).replace('\n', "\r\n"));
    let chunks = chunks_of(&source, Format::Markdown, 30);
    check_plain(&source, &chunks, 30, &count_words);
    assert!(chunks.iter().all(|chunk| chunk.title == "A"));
    assert!(chunks[0].text.contains("\r\n"));
}

#[test]
fn long_texts_are_cut_into_bounded_chunks_whatever_they_hold() {
    let tokenizer = tiny_tokenizer();
    let counter = |text: &str| tokenizer.encode_fast(text, false).unwrap().len();
    let fill = |part: &str| part.repeat(100_000 / part.len());
    let texts = [
        fill("a"),
        fill("abcdefghij0123456789+/"),
        fill("漢字仮名交じり文。"),
        fill("👩‍👩‍👧‍👦"),
        fill("{[(,)]}"),
        fill(" \t") + "x",
        fill("> "),
        fill("# A\n\nb\n\n"),
        fill("```\n"),
        fill("A\n=\n\nb\n\n"),
        prose(15_000),
    ];
    for text in &texts {
        for format in PLAIN {
            let chunks = chunk_text(None, text, format, Lengths::DEFAULT, &counter).unwrap();
            check_plain(text, &chunks, 256, &counter);
            assert!(chunks.iter().all(|chunk| chunk.text.len() <= 256 * 16), "{:.20} {format:?}", text);
        }
    }
}

#[test]
fn an_edit_changes_only_the_digests_near_it() {
    let sections = |changed: &str| -> String {
        (0..50)
            .map(|n| format!("## S{n}\n\n{}{}\n", prose(150), if n == 20 { changed } else { "" }))
            .collect()
    };
    let digests = |text: &str| -> Vec<Digest> {
        chunks_of(text, Format::Markdown, 100).iter().map(|chunk| chunk.digest).collect()
    };
    let (before, after) = (digests(&sections("")), digests(&sections("One more.")));
    let new = after.iter().filter(|digest| !before.contains(digest)).count();
    assert!(before.len() >= 100 && (1..=2).contains(&new), "{new} of {}", before.len());
}

fn any_plain_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-z]{1,12} ",
        1 => Just("\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => "#{1,6} [A-Z][a-z]{0,5}\n",
        1 => "\n[A-Z][a-z]{2,5}\n[=~-]{3,6}\n",
        1 => Just("- ".to_owned()),
        1 => Just("    ".to_owned()),
        1 => Just("```\n".to_owned()),
        1 => Just("> ".to_owned()),
        1 => Just("| a | b |\n|---|---|\n".to_owned()),
        1 => "\\PC{1,6}",
        1 => "[漢字éà👍🏽\u{301}\u{200d}\u{a0}\u{3000}\u{feff}]{1,8}",
    ];
    // Without a text under its headings it would have no chunk.
    prop::collection::vec(part, 0..120).prop_map(|parts| parts.concat() + "\n\nThe end of it.\n")
}

proptest! {
    #![proptest_config(seeded(300))]

    #[test]
    fn chunks_cover_all_text_in_order(source in any_plain_text(), max_tokens in 8usize..60) {
        for format in PLAIN {
            check_plain(&source, &chunks_of(&source, format, max_tokens), max_tokens, &count_words);
        }
    }

    /// With a counter that gives more tokens for a text than for its words together.
    #[test]
    fn the_limit_holds_for_counters_that_do_not_add_up(source in any_plain_text()) {
        let counter = |text: &str| text.len().div_ceil(3) + text.matches(char::is_whitespace).count() * 2;
        let lengths = Lengths { text: 20, ..Lengths::DEFAULT };
        let chunks = chunk_text(None, &source, Format::Markdown, lengths, &counter).unwrap();
        check_plain(&source, &chunks, 20, &counter);
    }
}

#[test]
fn headings_without_text_and_placeholders_go_with_what_has_one() {
    let text =
        format!("# Guide\n\n## Reset\n\nTODO\n\n## Gates\n\n{}\n## Rams\n\nTo be written.\n", prose(60));
    let chunks = chunks_of(&text, Format::Markdown, 100);
    assert_eq!(titles(&chunks), ["Guide > Gates"]);
    assert_eq!(chunks[0].text, text.trim());
    for bare in ["# Guide\n\n## Reset\n", "# Guide\n\nTBD\n", "TODO", "Guide\n-----\n"] {
        assert!(chunks_of(bare, Format::Markdown, 100).is_empty(), "{bare}");
    }
}

#[test]
fn tables_of_contents_are_left_out_and_part_what_is_around_them() {
    let list = "- [Reset](#reset)\n- [Gates](gates.md)\n";
    let text = format!("# Guide\n\nIt begins.\n\n## Contents\n\n{list}\n# Reset\n\nHold it.\n");
    let chunks = chunks_of(&text, Format::Markdown, 100);
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(texts, ["# Guide\n\nIt begins.", "# Reset\n\nHold it."]);
    // Links that are described, or lead elsewhere, are text.
    for kept in [
        "- [Reset](#reset): how to hold the button for as long as it takes\n- [Gates](gates.md): and what for\n",
        "- [ripgrep](https://example.org/a)\n- [tantivy](https://example.org/b)\n",
        "# Contents\n\n- two ropes\n- one lamp\n",
    ] {
        assert_eq!(chunks_of(kept, Format::Markdown, 100).len(), 1, "{kept}");
    }
    let html =
        "<p>It begins.</p><ul><li><a href='#r'>Reset</a><li><a href='g.html'>Gates</a></ul><p>It ends.</p>";
    let chunks = chunks_of(html, Format::Html, 100);
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(texts, ["It begins.", "It ends."]);
}

#[test]
fn embedded_pictures_are_left_out() {
    let data = "iVBORw0KGgo".repeat(100);
    let chunks =
        chunks_of(&format!("A lamp.\n\n![x](data:image/png;base64,{data}) burns."), Format::Markdown, 100);
    assert!(chunks.iter().all(|chunk| !chunk.text.contains("iVBOR")), "{chunks:?}");
    assert!(chunks.iter().any(|chunk| chunk.text.contains("burns")));
}

#[test]
fn code_is_cut_along_functions_and_named_by_them() {
    let body = "        let panel = reset(panel, 1);\n".repeat(10);
    let text = format!(
        "// Copyright 2020 A. All rights reserved.\n\nuse panel;\n\nimpl Panel {{\n    /// Opens.\n    fn open() {{\n\
            {body}    \
         }}\n\n    /// Shuts.\n    fn shut() {{\n{body}    }}\n}}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("panel.rs"), &text).unwrap();
    let lengths = Lengths { text: 150, ..Lengths::DEFAULT };
    let reader = FileReader::new(&CorpusOptions::default(), lengths, &count_words, None).unwrap();
    let mut scan = Scan::start(&CorpusOptions::default(), folder.path(), &[], &|_, _| false).unwrap();
    let Some(Scanned::Changed(file)) = scan.next() else { panic!("one file") };
    let mut chunks = Vec::new();
    reader.read(&file, None, &mut |read| {
        chunks = read.unwrap().chunks;
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(titles(&chunks), ["panel.rs > impl Panel > fn open", "panel.rs > impl Panel > fn shut"]);
    assert!(
        chunks[0].text.starts_with("use panel;") && chunks[1].text.starts_with("/// Shuts."),
        "{chunks:?}"
    );
    for chunk in &chunks {
        assert_eq!(text[chunk.start as usize..chunk.end as usize], chunk.text);
    }
}

proptest! {
    #![proptest_config(seeded(256))]
    #[test]
    fn any_text_as_code_is_cut_without_loss(text in r"(fn f|class A|def g|impl B|/\*|//|#|\(|\)|\{|\}|<|>|=|;|:|\n|  \
        |\pc){0,80}") {
        for name in ["a.rs", "a.py", "a.js", "a.ts", "a.tsx", "a.go", "a.c", "a.cpp", "a.java"] {
            let names = crate::corpus::chunk::Names { given: None, fallback: name };
            let sizer = crate::corpus::sizer::Sizer::new(&count_words);
            let lengths = Lengths { text: 20, ..Lengths::DEFAULT };
            if let Ok(chunks) = crate::corpus::chunk::chunk_with(&names, &text, Format::Code, lengths, &sizer) {
                check_plain(&text, &chunks, 20, &count_words);
            }
        }
    }
}
