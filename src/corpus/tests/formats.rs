//! Files that programs of others made: see `fixtures/formats/texts/README.md`.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::corpus::chunk::{Names, cut};
use crate::corpus::formats::extract;
use crate::corpus::sizer::Sizer;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/texts")
}

fn documents(folder: &Path, max_tokens: usize) -> Vec<ChunkedDocument> {
    let lengths = Lengths { text: max_tokens, ..Lengths::DEFAULT };
    let reader = FileReader::new(&CorpusOptions::default(), lengths, &count_words, None).unwrap();
    let mut documents = Vec::new();
    for scanned in Scan::start(&CorpusOptions::default(), folder, &[], &|_, _| false).unwrap() {
        let Scanned::Changed(file) = scanned else { panic!("{scanned:?}") };
        reader.read(&file, None, &mut |read| {
            documents.push(read.unwrap());
            std::ops::ControlFlow::Continue(())
        });
    }
    documents
}

#[test]
fn one_text_is_read_from_every_format() {
    let documents = documents(&fixtures(), 60);
    let of = |name: &str| documents.iter().find(|document| document.id == name).unwrap();
    for (name, format, title) in [
        ("river.org", Format::Org, "The river station"),
        ("river.tex", Format::Latex, "The river station"),
        ("river.adoc", Format::AsciiDoc, "The river station"),
        ("river.1", Format::Man, "the river station"),
        ("river.rst", Format::Rst, "The river station"),
        ("river.md", Format::Markdown, "The river station"),
    ] {
        let document = of(name);
        assert_eq!(document.format, format);
        let words = "Hold the green button for ten seconds.";
        let chunk = document.chunks.iter().find(|chunk| chunk.text.contains(words)).unwrap();
        assert!(chunk.title.starts_with(&format!("{title} > Reading the gauge")), "{name}: {}", chunk.title);
        let bytes = std::fs::read(fixtures().join(name)).unwrap();
        let there = String::from_utf8_lossy(&bytes[chunk.start as usize..chunk.end as usize]);
        assert!(there.contains("Hold the green button"), "{name}: {there}");
        if name != "river.1" {
            assert_eq!(document.fields["author"], ["Ada Larsen", "Bo Nielsen"], "{name}");
            assert_eq!(document.fields["date"], ["2024-05-31"], "{name}");
        }
    }
    for name in ["river.org", "river.tex", "river.adoc", "river.1"] {
        let text: String = of(name).chunks.iter().map(|chunk| chunk.text.as_str()).collect();
        for left_out in ["\\", ":PROPERTIES:", ".PP", "[[", "T{"] {
            assert!(
                name == "river.tex" || name == "river.org" || !text.contains(left_out),
                "{name}: {left_out}"
            );
        }
    }
}

#[test]
fn rows_data_and_subtitles_say_where_they_stand() {
    let documents = documents(&fixtures(), 60);
    let find = |name: &str, words: &str| {
        let document = documents.iter().find(|document| document.id == name).unwrap();
        document
            .chunks
            .iter()
            .find(|chunk| chunk.text.contains(words))
            .unwrap_or_else(|| panic!("{document:?}"))
    };
    let row =
        find("gauges.csv", "Station: Bridge 25; Keeper: Ada; Height: 3.57; Remark: said \"wet\", then left");
    assert!(row.place.row.is_some_and(|row| row > 12 && row <= 26), "{row:?}");
    assert_eq!(find("gauges-semicolon.csv", "Ort: Köln; Pegel: 3,5").place.row, Some(2));
    for name in ["station.json", "station-min.json"] {
        assert!(find(name, "threshold: 3.5").title.starts_with(name));
    }
    assert!(find("keepers.jsonl", "name: Bo Nielsen; duties: panel").title == "keepers.jsonl");
    for name in ["station.yaml", "station.toml"] {
        assert!(find(name, "threshold").title.starts_with(name));
    }
    for name in ["talk.srt", "talk.vtt"] {
        let chunk = find(name, "reset the panel.\nHold");
        assert_eq!((chunk.place.seconds, chunk.text.contains("-->")), (Some(0), false));
    }
}

#[test]
fn encodings_are_recognised() {
    let folder = fixtures().join("encodings");
    let documents = documents(&folder, 60);
    assert_eq!(documents.len(), 14);
    for (name, words) in [
        ("WINDOWS-1252", "Größere Schäden"),
        ("UTF-16LE", "Größere Schäden"),
        ("UTF-16", "Größere Schäden"),
        ("UTF-32", "Größere Schäden"),
        ("KOI8-R", "говорит смотритель"),
        ("WINDOWS-1251", "говорит смотритель"),
        ("UTF-16BE", "говорит смотритель"),
        ("SHIFT-JIS", "番人は言います"),
        ("EUC-JP", "番人は言います"),
        ("ISO-2022-JP", "番人は言います"),
        ("GB18030", "必须立即报告"),
        ("BIG5", "必"),
        ("EUC-KR", "관리인이 말합니다"),
        ("WINDOWS-1253", "πρέπει να αναφέρονται"),
    ] {
        let document = documents.iter().find(|document| document.id == format!("{name}.txt")).unwrap();
        let chunk = document.chunks.first().unwrap();
        assert!(chunk.text.contains(words), "{name}: {}", chunk.text);
        let bytes = std::fs::read(folder.join(&document.id)).unwrap();
        let mark = [("UTF-16", 2), ("UTF-32", 4)]
            .iter()
            .find(|(marked, _)| *marked == name)
            .map_or(0, |(_, mark)| *mark);
        assert_eq!(chunk.start, mark, "{name}");
        assert!(
            chunk.end <= bytes.len() as u64 && document.chunks.last().unwrap().end > bytes.len() as u64 - 8,
            "{name}"
        );
    }
}

const NAMES: [(&str, Format); 16] = [
    ("a.org", Format::Org),
    ("a.tex", Format::Latex),
    ("a.adoc", Format::AsciiDoc),
    ("a.1", Format::Man),
    ("a.srt", Format::Subtitles),
    ("a.csv", Format::Table),
    ("a.tsv", Format::Table),
    ("a.json", Format::Data),
    ("a.jsonl", Format::Data),
    ("a.yaml", Format::Data),
    ("a.toml", Format::Data),
    ("a.ipynb", Format::Notebook),
    ("a.html", Format::Html),
    ("a.md", Format::Markdown),
    ("a.rst", Format::Rst),
    ("a.py", Format::Code),
];

/// Every chunk stands within the file, on character boundaries, behind the one before.
fn check(text: &str) {
    for (name, format) in NAMES {
        let Ok(extracted) = extract(name, text, format) else { continue };
        let names = Names { given: None, fallback: name };
        let lengths = Lengths { text: 12, ..Lengths::DEFAULT };
        let Ok(chunks) = cut(&names, extracted, format, lengths, &Sizer::new(&count_words)) else { continue };
        let mut last = 0;
        for chunk in chunks {
            let (start, end) = (chunk.start as usize, chunk.end as usize);
            assert!(text.get(start..end).is_some() && last <= start, "{name}: {chunk:?} of {text:?}");
            last = start;
        }
    }
}

proptest! {
    #![proptest_config(seeded(512))]
    #[test]
    fn no_text_is_too_odd_for_any_reader(
        text in r#"(\\section|\\begin|\{|\}|\[|\]|\$|%|\\|=|==|\* \
            |#\+|:|\.SH|\.TH|\.|"|,|;|\t|---|\+\+\+|-->|00:01|<|>|- |é|漢|\n|\r\n| |a|1|\pc){0,60}"#
    ) {
        check(&text);
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go(cut in 0.0..1.0_f64, file in 0..12_usize, other in 0..12_usize) {
        let files = std::fs::read_dir(fixtures()).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
        files.sort();
        let read = |index: usize| {
            let bytes = std::fs::read(&files[index % files.len()]).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let part = |text: String, from_end: bool| {
            let at = text.floor_char_boundary((text.len() as f64 * cut) as usize);
            if from_end { text[at..].to_owned() } else { text[..at].to_owned() }
        };
        check(&format!("{}{}", part(read(file), false), part(read(other), true)));
    }
}
