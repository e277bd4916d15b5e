//! `retune status FILE`: what became of a file.

use std::path::Path;

use retune::documents::{Date, StoredDocument};
use retune::folders::{FileStatus, Skipped};
use retune::{Coverage, Error, Place as Stands, Reader, Result};
use serde::Serialize;

use super::print::{Line, Output, Text};

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    file: FileStatus,
    /// Its documents with the passages that they were cut into.
    cut: Vec<Cut>,
}

#[derive(Serialize)]
struct Cut {
    document: String,
    passages: Vec<Passage>,
}

#[derive(Serialize)]
struct Passage {
    title: String,
    start: u64,
    end: u64,
    #[serde(skip_serializing_if = "Stands::is_unknown")]
    place: Stands,
    words: usize,
    text: String,
}

pub(super) fn run(engine: &Reader, named: &str, out: &Output) -> Result<()> {
    let id = engine.id_of_file(Path::new(named))?;
    for id in [Some(named.to_string()), id].into_iter().flatten() {
        if let Some(file) = engine.file(&id)? {
            let cut = file.documents.iter().map(|document| cut(engine, document));
            let report = Report { cut: cut.collect::<Result<_>>()?, file };
            return out.print(&report, text);
        }
        if let Some(skipped) = passed_over(engine, &id)? {
            return out.print(&skipped, |skipped| Text::of(format!("{id} is not indexed: {skipped}")));
        }
        if engine.get(&id)?.is_some() {
            let cut = cut(engine, &id)?;
            return out.print(&cut, |cut| {
                let mut text = Text::of(format!("{} was added by an application", cut.document));
                passages(&mut text, cut);
                text
            });
        }
    }
    Err(Error::NotFound {
        what: "file",
        id: format!("{named:?}"),
        remedy: "the last run over the folder has not seen it: it is new, hidden, ignored by a .gitignore, or in no \
                 indexed folder; `retune index` looks again",
    })
}

/// What was skipped of a file without a look into it: itself, or a folder that holds it.
fn passed_over(engine: &Reader, id: &str) -> Result<Option<Skipped>> {
    let all = engine.passed_over()?;
    let holds = |one: &Skipped| {
        id.strip_prefix(one.document.trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    Ok(all.into_iter().find(holds))
}

fn cut(engine: &Reader, document: &str) -> Result<Cut> {
    let passages = engine.get(document)?.map(|StoredDocument { passages, .. }| passages).unwrap_or_default();
    let passages = passages.into_iter().map(|one| Passage {
        words: one.text.split_whitespace().count(),
        title: one.title,
        start: one.start,
        end: one.end,
        place: one.place,
        text: one.text,
    });
    Ok(Cut { document: document.to_string(), passages: passages.collect() })
}

fn text(report: &Report) -> Text {
    let Report { file, cut } = report;
    let Coverage { chunks, encoded, .. } = file.coverage;
    let changed = Date::from_unix_ms(file.modified_ms);
    let mut text = Text::of(format!("{}: {} bytes, changed {changed}", file.id, file.bytes));
    for one in &file.skipped {
        text.line(format!("skipped: {one}"));
    }
    if !cut.is_empty() {
        let vectors = match (encoded == chunks, encoded) {
            (true, _) => "all with vectors".to_string(),
            (false, 0) => "found by words alone until `retune index` has given them vectors".to_string(),
            (false, _) => format!("{encoded} with vectors, the others found by words alone until then"),
        };
        let documents = if cut.len() > 1 { format!("{} documents, ", cut.len()) } else { String::new() };
        let passages = if chunks == 1 { "passage" } else { "passages" };
        text.line(format!("indexed: {documents}{chunks} {passages}, {vectors}"));
    }
    for one in cut {
        if one.document != file.id {
            text.line(one.document.as_str());
        }
        passages(&mut text, one);
    }
    text
}

/// A line for each passage: where it begins, its title, how long it is.
fn passages(text: &mut Text, cut: &Cut) {
    for one in &cut.passages {
        let place =
            if one.place.is_unknown() { format!("byte {}", one.start) } else { one.place.to_string() };
        text.line(Line::from(format!("  {place}: {} ({} words)", one.title, one.words)));
    }
}
