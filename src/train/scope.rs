//! The scope of hard negatives.

use serde::{Deserialize, Serialize};

/// Which anchors see a row's hard negatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NegativeScope {
    /// Every anchor of the batch, as in sentence-transformers. Right for a corpus so large that a random text is
    /// practically never an answer.
    Batch,
    /// Only the anchor of their own row. The other rows' positives still act as negatives.
    OwnAnchor,
    /// [`Batch`](NegativeScope::Batch) from a million chunks on, and in smaller corpora if the guide suspects at most 2
    /// % of the other rows' hard negatives of being answers. Otherwise [`OwnAnchor`](NegativeScope::OwnAnchor): in a
    /// small corpus about one subject, what one query confuses is too often what the next one looks for.
    #[default]
    Auto,
}

/// A scope, with the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChosenScope {
    pub(crate) scope: NegativeScope,
    pub(crate) reason: String,
}

impl NegativeScope {
    /// Resolves `Auto` for a corpus of `chunks` chunks. `suspected` is the share of the other rows' hard negatives that
    /// may be answers, if known.
    pub(super) fn resolve(self, chunks: usize, suspected: Option<f64>) -> ChosenScope {
        const LARGE: usize = 1_000_000;
        const FEW: f64 = 0.02;
        let percent =
            |share: f64| format!("{:.1} % of other rows' hard negatives may be answers", 100.0 * share);
        let (scope, reason) = match (self, suspected) {
            (NegativeScope::Auto, _) if chunks >= LARGE => {
                (NegativeScope::Batch, format!("the corpus has {chunks} chunks"))
            }
            (NegativeScope::Auto, Some(share)) if share <= FEW => (NegativeScope::Batch, percent(share)),
            (NegativeScope::Auto, Some(share)) => (NegativeScope::OwnAnchor, percent(share)),
            (NegativeScope::Auto, None) => {
                (NegativeScope::OwnAnchor, format!("the corpus has only {chunks} chunks"))
            }
            (chosen, _) => (chosen, "chosen".into()),
        };
        ChosenScope { scope, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_follows_the_size_of_the_corpus_and_what_is_suspected() {
        let auto = |chunks, suspected| NegativeScope::Auto.resolve(chunks, suspected).scope;
        assert_eq!(auto(999_999, None), NegativeScope::OwnAnchor);
        assert_eq!(auto(1_000_000, Some(0.5)), NegativeScope::Batch);
        assert_eq!(auto(1000, Some(0.01)), NegativeScope::Batch);
        assert_eq!(auto(1000, Some(0.1)), NegativeScope::OwnAnchor);
        let measured = NegativeScope::Auto.resolve(1000, Some(0.105));
        assert_eq!(measured.reason, "10.5 % of other rows' hard negatives may be answers");
        assert_eq!(NegativeScope::Batch.resolve(10, Some(1.0)).scope, NegativeScope::Batch);
    }
}
