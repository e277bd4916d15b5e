//! Combines the hard negatives of a query from all sources.

use std::collections::HashSet;

use super::adversarial;
use super::counts::NegativeCounts;
use super::judged::JudgedQuery;
use super::kind::NegativeKind;
use super::proposal::Proposal;
use super::semantic::{self, Margin};
use crate::dense::DenseView;
use crate::error::Result;
use crate::ids::ChunkId;
use crate::lexical::{ChunkRecord, LexicalSnapshot};

/// A hard negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negative {
    pub(crate) text: String,
    pub(crate) kind: NegativeKind,
    /// The chunk with this text; `None` for a synthetic text.
    pub(crate) chunk: Option<ChunkId>,
}

/// The indexes and passages that negatives come from.
#[derive(Clone, Copy)]
pub(crate) struct Indexes<'a> {
    pub(crate) lexical: &'a LexicalSnapshot,
    pub(crate) dense: &'a DenseView,
    pub(crate) margin: Margin,
}

/// The proposals of one source for a query, best first.
struct Source {
    kind: NegativeKind,
    wanted: usize,
    proposals: Vec<Proposal>,
}

/// Returns the hard negatives of a query. No text comes twice, and none is a positive.
pub(crate) fn mix(
    indexes: Indexes<'_>,
    counts: &NegativeCounts,
    query: &JudgedQuery,
) -> Result<Vec<Negative>> {
    let total = counts.total();
    let mut sources = Vec::new();
    if counts.confusable > 0 {
        let others = query.passed_over.iter().map(|one| &one.passage);
        let others = others.filter(|passage| !query.is_answered_by(passage)).take(total);
        let proposals = others.map(Proposal::passage).collect();
        sources.push(Source { kind: NegativeKind::Confusable, wanted: counts.confusable, proposals });
    }
    if counts.semantic > 0 {
        let proposals = semantic::propose(indexes.lexical, indexes.dense, indexes.margin, query, total)?;
        sources.push(Source { kind: NegativeKind::Semantic, wanted: counts.semantic, proposals });
    }
    if counts.adversarial > 0 {
        let proposals = adversarial::propose(indexes.lexical, indexes.dense, query, total)?;
        sources.push(Source { kind: NegativeKind::Adversarial, wanted: counts.adversarial, proposals });
    }
    Ok(choose(sources, total, &query.positives))
}

/// Takes the requested number from each source, then fills up from all of them in order.
fn choose(sources: Vec<Source>, total: usize, positives: &[ChunkRecord]) -> Vec<Negative> {
    let mut used: HashSet<String> = positives.iter().map(ChunkRecord::encoder_text).collect();
    let (mut chosen, mut spare) = (Vec::new(), Vec::new());
    for Source { kind, wanted, proposals } in sources {
        let mut taken = 0;
        for Proposal { text, chunk } in proposals {
            if used.insert(text.clone()) {
                let into = if taken < wanted { &mut chosen } else { &mut spare };
                into.push(Negative { text, kind, chunk });
                taken += 1;
            }
        }
    }
    let missing = total.saturating_sub(chosen.len());
    chosen.extend(spare.into_iter().take(missing));
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::judged::tests::record;
    use super::*;

    fn chosen(confusable: &[&str], semantic: &[&str]) -> Vec<String> {
        let source = |kind, wanted, texts: &[&str]| {
            let proposal = |text: &&str| Proposal { text: text.to_string(), chunk: None };
            Source { kind, wanted, proposals: texts.iter().map(proposal).collect() }
        };
        let sources = vec![
            source(NegativeKind::Confusable, 2, confusable),
            source(NegativeKind::Semantic, 1, semantic),
        ];
        let found = choose(sources, 3, &[record("p", "positive")]);
        found.into_iter().map(|one| format!("{} {}", one.kind.name(), one.text)).collect()
    }

    #[test]
    fn sources_give_what_is_wanted_of_them_and_stand_in_for_each_other() {
        assert_eq!(chosen(&["a", "b", "c"], &["d", "e"]), ["confusable a", "confusable b", "semantic d"]);
        assert_eq!(chosen(&["a"], &["d", "e", "f"]), ["confusable a", "semantic d", "semantic e"]);
        assert_eq!(chosen(&["a", "b", "c"], &[]), ["confusable a", "confusable b", "confusable c"]);
        assert_eq!(chosen(&[], &[]), [""; 0]);
    }

    #[test]
    fn a_text_is_taken_once_and_never_a_positives() {
        let found = chosen(&["positive", "a"], &["a", "d", "e", "f"]);
        assert_eq!(found, ["confusable a", "semantic d", "semantic e"]);
    }
}
