//! What a file of a collection is, told by its first lines.

use std::path::{Path, PathBuf};

use super::super::lines::Lines;
use crate::error::Result;

/// How documents or queries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON object a line.
    Json,
    /// TREC's `<DOC>` or `<top>`.
    Sgml,
    /// SMART's `.I`, `.T`, `.W`.
    Classic,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Documents(Form),
    Queries(Form),
    Qrels,
}

/// `None` for what is no part of a collection: a README, a file that is not text.
pub(super) fn sniff(path: &Path) -> Result<Option<Kind>> {
    // What can't be read as text is none of ours; that a file can't be opened must be said.
    let Some(Ok((_, line))) = Lines::open(path)?.next() else { return Ok(None) };
    let line = line.trim();
    let lower = line.to_ascii_lowercase();
    let asks = asks(path);
    let either = |form| Some(if asks { Kind::Queries(form) } else { Kind::Documents(form) });
    Ok(match () {
        () if line.starts_with('{') => either(Form::Json),
        () if line.starts_with(".I ") => either(Form::Classic),
        () if lower.starts_with("<top>") => Some(Kind::Queries(Form::Sgml)),
        () if lower.starts_with("<doc>") => Some(Kind::Documents(Form::Sgml)),
        () if is_judgement(line) => Some(Kind::Qrels),
        () => None,
    })
}

/// Documents and queries may look alike; their files' names tell them apart.
fn asks(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["quer", "qry", "que", "topic"].iter().any(|part| name.contains(part))
}

/// A line of qrels in any form, or BEIR's header.
fn is_judgement(line: &str) -> bool {
    if line.starts_with("query-id") {
        return true;
    }
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    (3..=4).contains(&fields.len()) && fields.last().is_some_and(|last| last.parse::<f32>().is_ok())
}

/// The name of a split: `qrels/test.tsv` and `qrels.test.txt` are `test`, `cranqrel` is itself.
pub(super) fn split_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = name.rsplit_once('.').filter(|(_, end)| ENDINGS.contains(end)).map_or(name, |(stem, _)| stem);
    let rest = stem.strip_prefix("qrels").map(|rest| rest.trim_start_matches(['.', '-', '_']));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(stem).to_string()
}

const ENDINGS: [&str; 5] = ["tsv", "txt", "text", "qrels", "qrel"];

/// The files right in a folder, sorted; hidden ones are left out.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || crate::error::Error::io("list", folder);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(list())? {
        let path = entry.map_err(list())?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
