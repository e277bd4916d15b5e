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
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io) when it can't be opened, [`Error::Invalid`](crate::error::Error::Invalid) when its name says
/// that it is a part and its first line is of none: left out, its documents would be missing without a word.
pub(super) fn sniff(path: &Path) -> Result<Option<Kind>> {
    let mut lines = Lines::open(path)?;
    let about = |line: &str| is_around(line) && !begins(line, "doc") && !begins(line, "top");
    let first = lines.find(|line| !matches!(line, Ok((_, line)) if about(line)));
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else {
        return Ok(None);
    };
    match first {
        None => Ok(None),
        Some(Err(error)) if is_telling(&name) => Err(error),
        Some(Err(_)) => Ok(None),
        Some(Ok((number, line))) => match kind(line.trim(), &name) {
            None if is_telling(&name) => Err(lines.wrong(
                number,
                format!("{line:?}"),
                "documents, queries or judgements, as the file's name has it: JSON lines, <DOC>, <top>, .I, or qrels",
            )),
            kind => Ok(kind),
        },
    }
}

/// Whether the name of a file says that it is a part of a collection.
fn is_telling(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    is_of_judgements(name)
        || [".jsonl", ".ndjson", ".sgml", ".trec", ".tsv"].iter().any(|end| name.ends_with(end))
}

fn is_of_judgements(name: &str) -> bool {
    name.contains("qrel") || name == "rel" || name.ends_with(".rel")
}

/// What a file of this name, in small letters, begins with.
fn kind(line: &str, name: &str) -> Option<Kind> {
    let either = |form| Some(if asks(name) { Kind::Queries(form) } else { Kind::Documents(form) });
    match () {
        () if line.starts_with('{') => either(Form::Json),
        () if line.starts_with(".I ") => either(Form::Classic),
        () if begins(line, "top") => Some(Kind::Queries(Form::Sgml)),
        () if begins(line, "doc") => Some(Kind::Documents(Form::Sgml)),
        () if is_judgement(line, name) => Some(Kind::Qrels),
        () => None,
    }
}

/// Whether an element of this name, with attributes or none, begins where the line does.
pub(super) fn begins(line: &str, element: &str) -> bool {
    let rest = line.trim_start().strip_prefix('<').and_then(|rest| rest.split_at_checked(element.len()));
    rest.is_some_and(|(name, rest)| {
        name.eq_ignore_ascii_case(element) && rest.starts_with(|c: char| c == '>' || c.is_whitespace())
    })
}

/// Whether a line may stand around TREC's records: a declaration, a comment, or one tag of what they are wrapped in.
pub(super) fn is_around(line: &str) -> bool {
    let line = line.trim();
    let lone = line.starts_with('<') && line.ends_with('>') && line.matches('<').count() == 1;
    lone || line.starts_with("<?") || line.starts_with("<!")
}

/// Documents and queries may look alike; their files' names tell them apart.
fn asks(name: &str) -> bool {
    ["quer", "qry", "que", "topic"].iter().any(|part| name.contains(part))
}

/// A line of qrels in any form, or BEIR's header. Where the file's name doesn't say so, a sentence that ends with a number is none.
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
