//! What the fuzz targets in `fuzz/` call: one function for each room that parses bytes which others wrote.
//!
//! Whatever the bytes, a function returns: nothing panics, loops, or takes memory out of proportion. Where a name
//! decides how bytes are read, it is their first line.

use std::path::Path;
use std::str::FromStr as _;

use crate::corpus::{Config, CorpusOptions, FileReader, Lengths};
use crate::exchange::read_lines;
use crate::extract::InProcess;
use crate::feedback::read_frames;
use crate::lexical::Filter;
use crate::search::Query;

/// A file of text: its encoding, its format, its chunks.
pub fn corpus(bytes: &[u8]) {
    let (name, content) = named(bytes);
    let count = |text: &str| text.split_whitespace().count();
    if let Ok(reader) = FileReader::new(&CorpusOptions::default(), Lengths::DEFAULT, &count, None) {
        let _ = reader.read_bytes(&name, content.to_vec());
    }
}

/// A file that is not text, and what lies in it.
pub fn extract(bytes: &[u8]) {
    let (name, content) = named(bytes);
    let _ = InProcess.read_bytes(&name, content, &mut |_| {});
}

/// The `retune.toml` of a folder.
pub fn config(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    if std::fs::write(folder.path().join(crate::corpus::CONFIG), bytes).is_ok() {
        let _ = Config::read_untrusted(folder.path());
    }
}

/// A segment of the feedback log, and one record of it.
pub fn log(bytes: &[u8]) {
    read_frames(bytes);
}

/// Queries and clicks of another engine.
pub fn exchange(bytes: &[u8]) {
    read_lines(&String::from_utf8_lossy(bytes));
}

/// What a person types: a query, a filter.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Query::parse(text.as_ref()).words();
    let _ = Filter::from_str(&text);
}

/// The name in the first line, without folders, and the bytes behind it.
fn named(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let name = String::from_utf8_lossy(&bytes[..end]);
    let name = Path::new(name.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    (name, bytes.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of a folder, each behind its name.
    fn seeds(folder: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let named = |path: std::path::PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            [name.as_bytes(), b"\n", &std::fs::read(&path).unwrap()].concat()
        };
        files.filter(|path| path.is_file()).map(named).collect()
    }

    #[test]
    fn every_target_takes_whole_cut_and_foreign_files() {
        let mut all = seeds("fixtures/formats/texts");
        all.extend(seeds("fixtures/formats"));
        assert!(all.len() > 30);
        for seed in &all {
            for part in [&seed[..], &seed[..seed.len() / 2], &seed[seed.len() / 3..]] {
                for target in [corpus, extract, config, log, exchange, query] {
                    target(part);
                }
            }
        }
    }

    #[test]
    fn names_are_the_first_line_and_lead_nowhere() {
        assert_eq!(named(b"a/../b.md\n# T"), ("b.md".into(), &b"# T"[..]));
        assert_eq!(named(b"x"), ("x".into(), &b""[..]));
        assert_eq!(named(b"..\nx"), (String::new(), &b"x"[..]));
    }
}
