//! `status`.

use std::fmt::Write;

use serde_json::json;

use super::asking::Asking;
use super::text::id;
use super::told::Told;
use crate::access::api::{Covered, IndexingStage, StatusAnswer};
use crate::error::Result;

/// Folders that are named at most.
const FOLDERS: usize = 50;

pub(super) fn status(asking: &Asking<'_>) -> Result<Told> {
    let status = asking.index.ask(|index| index.status())?;
    let folders: Vec<_> = status.folders.iter().take(FOLDERS).collect();
    let json =
        folders.iter().map(|folder| json!({ "name": id(&folder.name), "path": id(&shown(&folder.path)) }));
    let log = status.log.map(|log| json!({ "queries": log.impressions, "judgements": log.judgements }));
    let json = json!({
        "version": status.version,
        "index": id(&status.index),
        "documents": status.documents,
        "passages": status.chunks,
        "passages_with_vectors": status.coverage.covered,
        "generation": status.generation,
        "folders": json.collect::<Vec<_>>(),
        "log": log,
        "learning": status.learning.is_some(),
        "indexing": status.indexing.is_some(),
    });
    Ok(Told { text: as_text(&status), json })
}

fn as_text(status: &StatusAnswer) -> String {
    let mut text = format!("{} documents in {} passages\n", status.documents, status.chunks);
    for folder in status.folders.iter().take(FOLDERS) {
        let ids = match folder.name.is_empty() {
            true => String::new(),
            false => format!(", ids begin with {}://", id(&folder.name)),
        };
        _ = writeln!(text, "folder {}{ids}", id(&shown(&folder.path)));
    }
    let more = status.folders.len().saturating_sub(FOLDERS);
    if more > 0 {
        _ = writeln!(text, "and {more} more folders");
    }
    let Covered { covered, chunks } = status.coverage;
    if covered < chunks {
        _ = writeln!(
            text,
            "{covered} of {chunks} passages can be found by meaning so far, all by their words"
        );
    }
    match status.log {
        Some(log) => {
            _ = writeln!(
                text,
                "{} queries and {} judgements are in the log; generation {} answers",
                log.impressions, log.judgements, status.generation
            );
        }
        None => text.push_str("the index can't be written: nothing is learnt from what you read\n"),
    }
    if let Some(indexing) = &status.indexing {
        let what = match indexing.stage {
            IndexingStage::Encoding => "passages",
            _ => "bytes of its files are read",
        };
        _ = writeln!(text, "it is being indexed: {} of {} {what}", indexing.done, indexing.total);
    }
    if status.learning.is_some() {
        text.push_str("it is learning now\n");
    }
    text
}

fn shown(path: &std::path::Path) -> String {
    path.display().to_string()
}
