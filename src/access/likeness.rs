//! Documents that are like one.

use super::api::SimilarRequest;
use super::asking::{MOST, check_limit};
use super::missing::{no_document, no_passage};
use crate::engine::StoredDocument;
use crate::error::Result;
use crate::search::{Answer, Coverage, Mode, Query};

/// Characters of a document that stand for what it is about.
const ENOUGH: usize = 1000;

/// Documents that are like one of an index with this coverage, which `get` and `search` ask.
pub(super) fn similar(
    request: &SimilarRequest,
    coverage: Coverage,
    get: impl Fn(&str) -> Result<Option<StoredDocument>>,
    search: impl Fn(&Query) -> Result<Answer>,
) -> Result<Answer> {
    check_limit(request.limit, MOST)?;
    let document = get(&request.document)?.ok_or_else(|| no_document(&request.document))?;
    let text = about(&document, request)?;
    let query = Query::new(text).with_mode(likeness(coverage)).with_limit(request.limit + 1);
    let mut answer = search(&query.without_logging().without_highlights())?;
    answer.hits.retain(|hit| hit.document != document.id);
    answer.hits.truncate(request.limit);
    answer.hits.iter_mut().zip(1..).for_each(|(hit, rank)| hit.rank = rank);
    Ok(answer)
}

/// By what documents are compared. Words of a long text find everything, so they have a say only where there are
/// documents that nothing else finds.
fn likeness(Coverage { encoded, chunks }: Coverage) -> Mode {
    match encoded {
        0 => Mode::Lexical,
        _ if encoded < chunks => Mode::Hybrid,
        _ => Mode::Dense,
    }
}

/// The text that stands for a document, or the passage that was named.
fn about(document: &StoredDocument, request: &SimilarRequest) -> Result<String> {
    if let Some(chunk) = request.passage {
        let found = document.passages.iter().find(|passage| passage.chunk == chunk);
        return found.map(|passage| passage.text.clone()).ok_or_else(|| no_passage(&document.id));
    }
    let mut text = document.title.clone();
    for passage in &document.passages {
        if text.len() >= ENOUGH {
            break;
        }
        text.push('\n');
        text.push_str(&passage.text);
    }
    Ok(text.chars().take(ENOUGH).collect())
}
