//! What a source of hard negatives is, and how several are mixed.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;

/// Where hard negatives come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativeKind {
    /// What users passed over, or said does not answer them.
    Confusable,
    /// What the indexes find near to the query.
    Semantic,
    /// The positive with its key terms exchanged for those of another passage.
    Adversarial,
}

impl NegativeKind {
    /// `confusable`, `semantic` or `adversarial`.
    pub fn name(self) -> &'static str {
        match self {
            NegativeKind::Confusable => "confusable",
            NegativeKind::Semantic => "semantic",
            NegativeKind::Adversarial => "adversarial",
        }
    }
}

/// A judged query for which negatives are sought.
pub(crate) struct Sought<'a> {
    pub(crate) query: &'a str,
    /// By the serving encoder.
    pub(crate) vector: &'a [f32],
    /// The passages that answer it, and their documents; at least one.
    pub(crate) positives: &'a [ChunkRecord],
    /// Passages of documents that somebody calls an answer, and most do not.
    pub(crate) disputed: &'a [ChunkRecord],
    /// The lowest cosine of a positive.
    pub(crate) worst: f32,
    /// The passages that were passed over, the strongest evidence first.
    pub(crate) passed_over: &'a [ChunkRecord],
}

impl Sought<'_> {
    /// Whether a passage is a part of a document that may answer, or a copy of a passage that may.
    pub(super) fn answers(&self, candidate: &ChunkRecord) -> bool {
        self.positives.iter().chain(self.disputed).any(|positive| {
            candidate.document == positive.document
                || (!candidate.body.is_empty() && candidate.body == positive.body)
                || candidate.encoder_text() == positive.encoder_text()
        })
    }
}

/// A text that a source proposes, and the chunk whose text it is, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) text: String,
    pub(crate) chunk: Option<ChunkId>,
}

impl Proposal {
    /// A passage as it is.
    pub(super) fn passage(record: &ChunkRecord) -> Proposal {
        Proposal { text: record.encoder_text(), chunk: Some(record.chunk) }
    }
}

/// A hard negative with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Negative {
    pub(crate) proposal: Proposal,
    pub(crate) kind: NegativeKind,
}

/// A source of hard negatives.
pub(crate) trait NegativeSource {
    /// Which source it is.
    fn kind(&self) -> NegativeKind;

    /// Up to `most` texts for a query: a row with room for fewer takes the first. Fewer, or none, where there are no more.
    fn propose(&mut self, sought: &Sought<'_>, most: usize) -> Result<Vec<Proposal>>;
}

/// How a row's hard negatives are divided among the sources. What one can't give, the others give, in the order of this
/// list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NegativeShares {
    /// Of confusables. Default 2.
    pub confusable: f32,
    /// Of semantic negatives. Default 1.
    pub semantic: f32,
    /// Of adversarial negatives. Default 0: they are not used.
    pub adversarial: f32,
}

impl Default for NegativeShares {
    fn default() -> Self {
        NegativeShares { confusable: 2.0, semantic: 1.0, adversarial: 0.0 }
    }
}

impl NegativeShares {
    /// One source alone.
    pub fn only(kind: NegativeKind) -> NegativeShares {
        let share = |of| if of == kind { 1.0 } else { 0.0 };
        NegativeShares {
            confusable: share(NegativeKind::Confusable),
            semantic: share(NegativeKind::Semantic),
            adversarial: share(NegativeKind::Adversarial),
        }
    }

    /// Sets the three shares; only their ratios matter, and 0 turns a source off.
    pub fn with(mut self, confusable: f32, semantic: f32, adversarial: f32) -> Self {
        (self.confusable, self.semantic, self.adversarial) = (confusable, semantic, adversarial);
        self
    }

    /// # Errors
    /// [`Error::Invalid`] for a share that is no number or negative.
    pub fn validate(&self) -> Result<()> {
        let shares = [self.confusable, self.semantic, self.adversarial];
        match shares.into_iter().find(|share| !(share.is_finite() && *share >= 0.0)) {
            Some(share) => Err(Error::invalid("a source's share of the negatives", share, "0 or more")),
            None => Ok(()),
        }
    }

    pub(crate) fn of(&self, kind: NegativeKind) -> f32 {
        match kind {
            NegativeKind::Confusable => self.confusable,
            NegativeKind::Semantic => self.semantic,
            NegativeKind::Adversarial => self.adversarial,
        }
    }

    /// How many of `total` negatives each of some sources is asked for: its share, rounded so that the sum is right, the
    /// largest remainder first.
    fn quotas(&self, kinds: &[NegativeKind], total: usize) -> Vec<usize> {
        let sum: f32 = kinds.iter().map(|&kind| self.of(kind)).sum();
        if sum <= 0.0 {
            return vec![0; kinds.len()];
        }
        let exact: Vec<f32> = kinds.iter().map(|&kind| total as f32 * self.of(kind) / sum).collect();
        let mut quotas: Vec<usize> = exact.iter().map(|exact| *exact as usize).collect();
        let mut order: Vec<usize> = (0..kinds.len()).collect();
        order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()).then(a.cmp(&b)));
        let missing = total - quotas.iter().sum::<usize>();
        order.into_iter().take(missing).for_each(|place| quotas[place] += 1);
        quotas
    }
}

/// Up to `total` negatives for a query, no text twice, none of a positive and none that is `left_out`.
pub(crate) fn mix(
    sources: &mut [Box<dyn NegativeSource + '_>],
    shares: &NegativeShares,
    sought: &Sought<'_>,
    total: usize,
    left_out: &HashSet<String>,
) -> Result<Vec<Negative>> {
    let mut used: HashSet<String> = sought.positives.iter().map(ChunkRecord::encoder_text).collect();
    used.extend(left_out.iter().cloned());
    let kinds: Vec<NegativeKind> = sources.iter().map(|source| source.kind()).collect();
    let quotas = shares.quotas(&kinds, total);
    let (mut chosen, mut spare) = (Vec::new(), Vec::new());
    for ((source, quota), kind) in sources.iter_mut().zip(quotas).zip(kinds) {
        if shares.of(kind) == 0.0 {
            continue;
        }
        let mut taken = 0;
        for proposal in source.propose(sought, total + left_out.len())? {
            if used.insert(proposal.text.clone()) {
                let into = if taken < quota { &mut chosen } else { &mut spare };
                into.push(Negative { proposal, kind });
                taken += 1;
            }
        }
    }
    let missing = total.saturating_sub(chosen.len());
    chosen.extend(spare.into_iter().take(missing));
    Ok(chosen)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ids::Digest;

    pub(in crate::negatives) fn record(document: &str, body: &str) -> ChunkRecord {
        ChunkRecord {
            chunk: ChunkId(1),
            document: document.into(),
            ordinal: 0,
            title: String::new(),
            body: body.into(),
            start: 0,
            end: body.len() as u64,
            chunk_digest: Digest::of(body.as_bytes()),
            document_digest: Digest::of(body.as_bytes()),
            metadata: Default::default(),
        }
    }

    struct Fixed(NegativeKind, Vec<&'static str>);

    impl NegativeSource for Fixed {
        fn kind(&self) -> NegativeKind {
            self.0
        }

        fn propose(&mut self, _: &Sought<'_>, most: usize) -> Result<Vec<Proposal>> {
            let proposal = |text: &&str| Proposal { text: text.to_string(), chunk: None };
            Ok(self.1.iter().take(most).map(proposal).collect())
        }
    }

    fn sought<'a>(positives: &'a [ChunkRecord], disputed: &'a [ChunkRecord]) -> Sought<'a> {
        Sought { query: "q", vector: &[], positives, disputed, worst: 1.0, passed_over: &[] }
    }

    fn mixed(confusable: &[&'static str], semantic: &[&'static str], shares: NegativeShares) -> Vec<String> {
        mixed_without(&[], confusable, semantic, shares)
    }

    fn mixed_without(
        left_out: &[&str],
        confusable: &[&'static str],
        semantic: &[&'static str],
        shares: NegativeShares,
    ) -> Vec<String> {
        let left_out = left_out.iter().map(|text| text.to_string()).collect();
        let mut sources: Vec<Box<dyn NegativeSource>> = vec![
            Box::new(Fixed(NegativeKind::Confusable, confusable.to_vec())),
            Box::new(Fixed(NegativeKind::Semantic, semantic.to_vec())),
        ];
        let positives = [record("p", "positive")];
        let found = mix(&mut sources, &shares, &sought(&positives, &[]), 3, &left_out).unwrap();
        found.into_iter().map(|one| format!("{} {}", one.kind.name(), one.proposal.text)).collect()
    }

    #[test]
    fn sources_give_their_shares_and_stand_in_for_each_other() {
        let shares = NegativeShares::default();
        assert_eq!(
            mixed(&["a", "b", "c"], &["d", "e"], shares),
            ["confusable a", "confusable b", "semantic d"]
        );
        assert_eq!(mixed(&["a"], &["d", "e", "f"], shares), ["confusable a", "semantic d", "semantic e"]);
        assert_eq!(mixed(&["a", "b", "c"], &[], shares), ["confusable a", "confusable b", "confusable c"]);
        assert_eq!(mixed(&[], &[], shares), [""; 0]);
    }

    #[test]
    fn the_rest_of_a_document_that_answers_is_an_answer_and_so_is_a_copy_of_its_passage() {
        let (positives, disputed) =
            ([record("p", "positive"), record("empty", "")], [record("d", "disputed")]);
        let sought = sought(&positives, &disputed);
        assert!(sought.answers(&record("p", "another chapter")));
        assert!(sought.answers(&record("d", "its second page")));
        assert!(sought.answers(&ChunkRecord { title: "T".into(), ..record("other", "positive") }));
        assert!(!sought.answers(&record("other", "negative")));
        // Passages without a body are not each other's copies: their titles say what they are.
        assert!(!sought.answers(&ChunkRecord { title: "T".into(), ..record("other", "") }));
    }

    #[test]
    fn a_text_is_taken_once_and_never_a_positives() {
        let found = mixed(&["positive", "a"], &["a", "d", "e", "f"], NegativeShares::default());
        assert_eq!(found, ["confusable a", "semantic d", "semantic e"]);
    }

    #[test]
    fn what_is_left_out_costs_no_place() {
        let shares = NegativeShares::default();
        let found = mixed_without(&["a", "d"], &["a", "b", "c"], &["d", "e"], shares);
        assert_eq!(found, ["confusable b", "confusable c", "semantic e"]);
        let found = mixed_without(&["d", "e"], &[], &["d", "e", "f", "g", "h"], shares);
        assert_eq!(found, ["semantic f", "semantic g", "semantic h"]);
    }

    #[test]
    fn a_source_with_no_share_is_not_asked() {
        let only = NegativeShares::only(NegativeKind::Semantic);
        assert_eq!(mixed(&["a", "b"], &["d"], only), ["semantic d"]);
        assert!(NegativeShares::default().with(-1.0, 0.0, 0.0).validate().is_err());
    }

    #[test]
    fn quotas_add_up() {
        let kinds = [NegativeKind::Confusable, NegativeKind::Semantic, NegativeKind::Adversarial];
        for total in 0..10 {
            let quotas = NegativeShares::default().with(1.0, 1.0, 1.0).quotas(&kinds, total);
            assert_eq!(quotas.iter().sum::<usize>(), total);
            assert!(quotas.iter().max().unwrap() - quotas.iter().min().unwrap() <= 1);
        }
    }
}
