//! Rows of titles, beside those of queries: what the encoder must not unlearn.
//!
//! Trained on queries alone, it unlearns texts that nobody asked about, and the more queries, the more it does: titles
//! no longer find their documents, which the gate's guard does not let pass. So some rows ask with a title for its
//! document (rehearsal: Robins, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal", 1995).

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::error::Result;
use crate::feedback::normalise_query;
use crate::ids::Digest;
use crate::lexical::{ChunkRecord, LexicalSnapshot};

/// Of a hundred rows, so many are titles, where the index has enough.
const SHARE: usize = 15;

/// The number of titles beside so many rows of queries.
pub(super) fn beside(rows: usize) -> usize {
    rows * SHARE / (100 - SHARE)
}

/// So many documents are looked at for each title.
const LOOKED_AT: usize = 20;

/// The first passages of `wanted` documents, or of fewer, each with a title of its own that is none of `asked`,
/// normalised queries. Documents are chosen by their hashes, from the other end than the guard's: a larger round has a
/// smaller one's.
pub(super) fn titled(
    lexical: &LexicalSnapshot,
    asked: &HashSet<String>,
    wanted: usize,
) -> Result<Vec<ChunkRecord>> {
    if wanted == 0 {
        return Ok(Vec::new());
    }
    let documents = lexical.documents()?.into_keys();
    let mut documents: Vec<(Digest, String)> =
        documents.map(|document| (Digest::of(document.as_bytes()), document)).collect();
    documents.sort_unstable_by_key(|(digest, _)| Reverse(digest.0));
    let (mut seen, mut titled) = (HashSet::new(), Vec::new());
    for (_, document) in documents.into_iter().take(wanted * LOOKED_AT) {
        if titled.len() == wanted {
            break;
        }
        let Some(first) = lexical.chunks_of(&document)?.into_iter().next() else { continue };
        let says_something = first.has_telling_title() && !first.body.is_empty();
        let query = normalise_query(&first.title);
        if says_something && !asked.contains(&query) && seen.insert(query) {
            titled.push(first);
        }
    }
    Ok(titled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::{Language, LexicalIndex};

    #[test]
    fn each_title_is_taken_once_and_none_that_was_asked() {
        let folder = tempfile::tempdir().unwrap();
        let index = LexicalIndex::create(&folder.path().join("lexical"), Language::English).unwrap();
        let mut writer = index.writer().unwrap();
        for number in 1..=20 {
            writer.add(&ChunkRecord::sample(number, &format!("Title {}", number % 10), "Its text.")).unwrap();
        }
        writer.add(&ChunkRecord::sample(21, "One", "A text whose title is one word.")).unwrap();
        writer.add(&ChunkRecord::sample(22, "A title without a text", "")).unwrap();
        writer.commit("").unwrap();
        writer.close().unwrap();
        let snapshot = index.snapshot().unwrap();
        let titles = |asked: &[&str], wanted| {
            let asked = asked.iter().map(|text| normalise_query(text)).collect();
            let passages = titled(&snapshot, &asked, wanted).unwrap();
            passages.into_iter().map(|passage| passage.title).collect::<Vec<_>>()
        };
        let all = titles(&[], 100);
        let expected: HashSet<String> = (0..10).map(|number| format!("Title {number}")).collect();
        assert_eq!((all.len(), all.iter().cloned().collect::<HashSet<_>>()), (10, expected));
        assert_eq!(titles(&[], 4), all[..4], "a larger round has the titles of a smaller one");
        let others: Vec<String> = all.iter().filter(|title| *title != "Title 3").cloned().collect();
        assert_eq!(titles(&["title  3"], 100), others);
        assert_eq!(titles(&[], 0), [""; 0]);
    }

    #[test]
    fn fifteen_rows_in_a_hundred_are_titles() {
        assert_eq!([0, 5, 6, 85, 1130].map(beside), [0, 0, 1, 15, 199]);
    }
}
