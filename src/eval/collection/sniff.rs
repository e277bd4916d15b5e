//! Detects the type of a collection's file from its first lines.

use std::path::{Path, PathBuf};

use super::super::lines::Lines;
use crate::error::Result;

/// The format of documents or queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON object per line.
    Json,
    /// TREC's `<DOC>` or `<top>`.
    Sgml,
    /// SMART's `.I`, `.T`, `.W`.
    Classic,
}

/// The content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Documents(Form),
    Queries(Form),
    Qrels,
}

/// Detects the content of a file. `None` if it is not part of a collection: a README, a file that is not text.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io) if the file can't be opened. [`Error::Invalid`](crate::error::Error::Invalid)
/// if its name says that it is part of the collection but its first line does not match: skipping the file would
/// silently lose its documents.
pub(super) fn sniff(path: &Path) -> Result<Option<Kind>> {
    let mut lines = Lines::open(path)?;
    let about = |line: &str| is_around(line) && !begins(line, "doc") && !begins(line, "top");
    let first = lines.find(|line| !matches!(line, Ok((_, line)) if about(line)));
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else {
        return Ok(None);
    };
    match first {
        None => Ok(None),
        Some(Err(error)) if is_named_as_part(&name) => Err(error),
        Some(Err(_)) => Ok(None),
        Some(Ok((number, line))) => match kind(line.trim(), &name) {
            None if is_named_as_part(&name) => Err(lines.wrong(
                number,
                format!("{line:?}"),
                "documents, queries or judgements, as the file's name says: JSON lines, <DOC>, <top>, .I or qrels",
            )),
            kind => Ok(kind),
        },
    }
}

/// Whether the name of a file says that it is part of a collection.
fn is_named_as_part(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    is_of_judgements(name)
        || [".jsonl", ".ndjson", ".sgml", ".trec", ".tsv"].iter().any(|end| name.ends_with(end))
}

fn is_of_judgements(name: &str) -> bool {
    name.contains("qrel") || name == "rel" || name.ends_with(".rel")
}

/// Detects the content of a file, given its first line and its name in lower case.
fn kind(line: &str, name: &str) -> Option<Kind> {
    let either = |form| Some(if is_of_queries(name) { Kind::Queries(form) } else { Kind::Documents(form) });
    match () {
        () if line.starts_with('{') => either(Form::Json),
        () if line.starts_with(".I ") => either(Form::Classic),
        () if begins(line, "top") => Some(Kind::Queries(Form::Sgml)),
        () if begins(line, "doc") => Some(Kind::Documents(Form::Sgml)),
        () if is_judgement(line, name) => Some(Kind::Qrels),
        () => None,
    }
}

/// Whether the line starts with an element of this name.
pub(super) fn begins(line: &str, element: &str) -> bool {
    let rest = line.trim_start().strip_prefix('<').and_then(|rest| rest.split_at_checked(element.len()));
    rest.is_some_and(|(name, rest)| {
        name.eq_ignore_ascii_case(element) && rest.starts_with(|c: char| c == '>' || c.is_whitespace())
    })
}

/// Whether a line may come between TREC's records: a declaration, a comment, or a single tag of an outer element.
pub(super) fn is_around(line: &str) -> bool {
    let line = line.trim();
    let lone = line.starts_with('<') && line.ends_with('>') && line.matches('<').count() == 1;
    lone || line.starts_with("<?") || line.starts_with("<!")
}

/// Whether the name of a file says that it has queries. Documents and queries may have the same format.
fn is_of_queries(name: &str) -> bool {
    ["quer", "qry", "que", "topic"].iter().any(|part| name.contains(part))
}

/// Whether a line is a judgement in any format, or BEIR's header. Unless the file is named as qrels, a sentence that
/// ends with a number does not count.
fn is_judgement(line: &str, name: &str) -> bool {
    if line.starts_with("query-id") {
        return true;
    }
    let number = |field: &str| field.parse::<f32>().is_ok();
    let named = is_of_judgements(name);
    match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        [query, document, last] => {
            number(last) && (named || line.contains('\t') || number(query) && number(document))
        }
        [_, iteration, _, last] => number(last) && (named || number(iteration) || iteration == "Q0"),
        _ => false,
    }
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

/// The files directly in a folder, sorted, without hidden ones.
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
