//! From the feedback log to training rows and held-out queries.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::ledger::{Following, Measured};
use super::options::LearnOptions;
use super::report::EvidenceReport;
use super::suspects::{Asked, differences, without_suspects};
use super::weights::RowWeights;
use crate::error::Result;
use crate::feedback::Replay;
use crate::ids::{ChunkId, Digest};
use crate::lexical::{ChunkRecord, LexicalSnapshot};
use crate::negatives::{
    Adversarial, Confusion, NegativeSource, PassedOver, PositionBias, Proposal, Semantic, SemanticOptions,
    ShownRef, Sought, SuspectLimit, collect_confusables, mix,
};
use crate::search::Snapshot;
use crate::train::{Example, Guide};

/// A judged query with the documents that answer it.
#[derive(Debug, Clone, Default)]
pub(super) struct JudgedQuery {
    pub(super) text: String,
    /// By document id, as qrels have it: 1 for every answer.
    pub(super) relevant: BTreeMap<String, i32>,
}

/// What a round learns from, and what it is judged by.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) examples: Vec<Example>,
    /// The serving encoder's vectors of the texts of `examples`.
    pub(super) guide: Guide,
    /// The queries behind `examples`.
    pub(super) trained: Vec<JudgedQuery>,
    pub(super) held_out: Vec<JudgedQuery>,
    /// The passages that answer each of `trained`, by its text.
    pub(super) answers: BTreeMap<String, Vec<ChunkId>>,
    pub(super) sources: BTreeMap<String, u64>,
    /// Where rows are weighted by it.
    pub(super) position_bias: Option<PositionBias>,
    /// Above it, candidates are suspected to be answers.
    pub(super) suspect_limit: Option<SuspectLimit>,
}

/// Whether the query with this normalised text is held out: stable over rounds, machines and versions.
pub(super) fn is_held_out(normalised: &str, share: f32) -> bool {
    let digest = Digest::of(normalised.as_bytes()).0;
    let bucket = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    f64::from(bucket) < f64::from(share) * (f64::from(u32::MAX) + 1.0)
}

/// Makes training rows and held-out queries of everything in the log that still exists in `snapshot`. `progress` is
/// told (queries done, queries to do) before each and may stop the work by failing.
pub(super) fn collect(
    replay: &Replay,
    snapshot: &Snapshot,
    options: &LearnOptions,
    following: &mut Following,
    progress: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<Collected> {
    let texts = Texts::new(&snapshot.lexical);
    let mut failure = None;
    let (confusions, counts) =
        collect_confusables(replay, &options.confusable, &mut |positive, candidate| {
            texts.same_content(positive, candidate).unwrap_or_else(|error| {
                failure.get_or_insert(error);
                false
            })
        });
    if let Some(error) = failure {
        return Err(error);
    }
    let weights = RowWeights::of(replay, options);
    let mut collected = Collected { position_bias: weights.bias(), ..Collected::default() };
    counts.add_to(&mut collected.sources);
    let total = confusions.len();
    let mut asked = Vec::new();
    for confusion in confusions {
        progress(0, total)?;
        let mut positives = Vec::new();
        for positive in &confusion.positives {
            positives
                .extend(texts.passage(positive, &confusion.query, snapshot)?.map(|chunk| (positive, chunk)));
        }
        if positives.is_empty() {
            collected.count("dropped_positive_is_gone", 1);
            continue;
        }
        let judged = JudgedQuery {
            text: confusion.query.clone(),
            relevant: positives.iter().map(|(positive, _)| (positive.document.clone(), 1)).collect(),
        };
        if is_held_out(&confusion.normalised, options.held_out_share) {
            collected.held_out.push(judged);
            continue;
        }
        let answers: Vec<ChunkRecord> = positives.into_iter().map(|(_, chunk)| chunk).collect();
        if options.trains() {
            asked.push((confusion, answers));
        }
        collected.trained.push(judged);
    }
    let first = total - asked.len();
    collected.suspect_limit =
        suspect_limit(&asked, &texts, options, snapshot, &mut || progress(first, total))?;
    let semantic =
        collected.suspect_limit.map_or(options.semantic, |limit| limit.instead_of_margins(options.semantic));
    let mut sources = sources(snapshot, &semantic, options.train.seed);
    for (done, (confusion, answers)) in asked.into_iter().enumerate() {
        progress(first + done, total)?;
        let query = QueryRows::of(&confusion, answers, &texts, snapshot)?;
        collected.add_rows(query, (&mut sources, &weights, &mut *following), options, snapshot)?;
    }
    Ok(collected)
}

/// The limit above which candidates are suspected to be answers, where it is to come from the corpus.
fn suspect_limit(
    asked: &[(Confusion, Vec<ChunkRecord>)],
    texts: &Texts<'_>,
    options: &LearnOptions,
    snapshot: &Snapshot,
    going_on: &mut dyn FnMut() -> Result<()>,
) -> Result<Option<SuspectLimit>> {
    let Some(quantile) = options.suspect_quantile else { return Ok(None) };
    let mut found = Vec::new();
    for (confusion, answers) in asked {
        going_on()?;
        let query = QueryRows::of(confusion, answers.clone(), texts, snapshot)?;
        let passed_over: Vec<ChunkId> = query.passed_over.iter().map(|(passage, _)| passage.chunk).collect();
        let QueryRows { vector, positives, worst, .. } = &query;
        let asked = Asked { vector, positives, worst: *worst, passed_over: &passed_over };
        found.extend(differences(&asked, snapshot)?);
    }
    Ok(SuspectLimit::of(found, quantile))
}

/// A query of which rows are made.
struct QueryRows<'a> {
    confusion: &'a Confusion,
    /// By the serving encoder.
    vector: Arc<[f32]>,
    /// Nearest first.
    positives: Vec<ChunkRecord>,
    disputed: Vec<ChunkRecord>,
    /// The lowest cosine of a positive.
    worst: f32,
    /// Each with whether a user has said that it does not answer, the strongest evidence first.
    passed_over: Vec<(ChunkRecord, bool)>,
    /// Passages that were left out as copies of an answer.
    duplicates: usize,
}

impl<'a> QueryRows<'a> {
    fn of(
        confusion: &'a Confusion,
        answers: Vec<ChunkRecord>,
        texts: &Texts<'_>,
        snapshot: &Snapshot,
    ) -> Result<QueryRows<'a>> {
        let vector = snapshot.pinned.generation.encode_query(&confusion.query)?;
        let ids: Vec<ChunkId> = answers.iter().map(|answer| answer.chunk).collect();
        let scores = snapshot.pinned.dense.score(&vector, &ids)?;
        let mut answers: Vec<(ChunkRecord, f32)> =
            answers.into_iter().zip(scores).map(|(answer, score)| (answer, score.unwrap_or(-1.0))).collect();
        answers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.chunk.cmp(&b.0.chunk)));
        let worst = answers.iter().map(|(_, score)| *score).fold(1.0, f32::min);
        let positives: Vec<ChunkRecord> = answers.into_iter().map(|(answer, _)| answer).collect();
        let mut disputed = Vec::new();
        for document in &confusion.disputed {
            disputed.extend(texts.passage(document, &confusion.query, snapshot)?);
        }
        let (passed_over, duplicates) = texts.passed_over(confusion, &positives, snapshot)?;
        Ok(QueryRows { confusion, vector, positives, disputed, worst, passed_over, duplicates })
    }
}

/// The sources that a round mixes, in the order in which they stand in for each other.
fn sources<'a>(
    snapshot: &'a Snapshot,
    options: &'a SemanticOptions,
    seed: u64,
) -> Vec<Box<dyn NegativeSource + 'a>> {
    let (lexical, dense) = (&snapshot.lexical, &snapshot.pinned.dense);
    let random = ChaCha8Rng::seed_from_u64(seed);
    vec![
        Box::new(PassedOver),
        Box::new(Semantic { lexical, dense, options, random }),
        Box::new(Adversarial { lexical, dense }),
    ]
}

impl Collected {
    /// What was estimated from the log, for the report.
    pub(super) fn evidence(&self) -> EvidenceReport {
        EvidenceReport {
            position_bias: self.position_bias.map(|bias| bias.exponent),
            position_bias_choices: self.position_bias.map_or(0, |bias| bias.choices),
            suspect_limit: self.suspect_limit.map(|limit| limit.difference),
            suspect_candidates: self.suspect_limit.map_or(0, |limit| limit.candidates),
        }
    }

    fn count(&mut self, what: &str, more: usize) {
        if more > 0 {
            *self.sources.entry(what.into()).or_default() += more as u64;
        }
    }

    /// Takes the serving encoder's vector of a text: the chunk's, if it is one.
    fn guide_by(&mut self, text: &str, chunk: Option<ChunkId>, snapshot: &Snapshot) -> Result<()> {
        if self.guide.has(text) {
            return Ok(());
        }
        let vector = match chunk.and_then(|chunk| snapshot.pinned.dense.vector(chunk)) {
            Some(vector) => vector,
            None => snapshot.pinned.generation.encoder.encode(&[text])?.concat(),
        };
        self.guide.add(text, vector);
        Ok(())
    }

    /// Makes the rows of a query: one for each of its answers, nearest first, all with the same negatives.
    fn add_rows(
        &mut self,
        query: QueryRows<'_>,
        (sources, weights, following): (&mut [Box<dyn NegativeSource + '_>], &RowWeights, &mut Following),
        options: &LearnOptions,
        snapshot: &Snapshot,
    ) -> Result<()> {
        let QueryRows { confusion, vector, positives, disputed, worst, passed_over, duplicates } = query;
        self.answers
            .insert(confusion.query.clone(), positives.iter().map(|positive| positive.chunk).collect());
        self.count("dropped_duplicate_of_positive", duplicates);
        let measured = Measured { normalised: &confusion.normalised, vector: &vector, worst };
        let (passed_over, left_out) = following.follow(&measured, passed_over, snapshot)?;
        let (passed_over, suspects) =
            without_suspects(passed_over, (&vector, worst), self.suspect_limit, snapshot)?;
        self.count("dropped_suspected_answer", suspects);
        let sought = Sought {
            query: &confusion.query,
            vector: &vector,
            positives: &positives,
            disputed: &disputed,
            worst,
            passed_over: &passed_over,
        };
        let (shares, most) = (&options.negative_shares, options.negatives_per_query);
        let negatives = mix(sources, shares, &sought, most, &left_out)?;
        following.take(&negatives);
        self.count("queries", 1);
        for negative in &negatives {
            self.count(negative.kind.name(), 1);
            let Proposal { text, chunk } = &negative.proposal;
            self.guide_by(text, *chunk, snapshot)?;
        }
        self.guide.add(&confusion.query, vector.to_vec());
        let (negatives, kinds): (Vec<String>, Vec<_>) =
            negatives.into_iter().map(|negative| (negative.proposal.text, negative.kind)).unzip();
        // Those that have rows come first.
        let mut answers = Vec::with_capacity(positives.len() + disputed.len());
        for answer in positives.iter().chain(&disputed) {
            let text = answer.encoder_text();
            self.guide_by(&text, Some(answer.chunk), snapshot)?;
            answers.push(text);
        }
        for (row, positive) in positives.iter().take(options.positives_per_query).enumerate() {
            if negatives.is_empty() {
                self.count("pairs_without_negative", 1);
            }
            let mut other_answers = answers.clone();
            self.examples.push(Example {
                anchor: confusion.query.clone(),
                positive: other_answers.remove(row),
                other_answers,
                negatives: negatives.clone(),
                kinds: kinds.clone(),
                weight: weights.weight(confusion, &positive.document),
            });
        }
        Ok(())
    }
}

/// Passages of logged documents, as they are now.
struct Texts<'a> {
    lexical: &'a LexicalSnapshot,
    digests: std::cell::RefCell<HashMap<String, BTreeSet<[u8; 32]>>>,
}

impl<'a> Texts<'a> {
    fn new(lexical: &'a LexicalSnapshot) -> Self {
        Texts { lexical, digests: Default::default() }
    }

    /// Whether two documents hold the same chunks: the second would be a false negative.
    fn same_content(&self, a: &str, b: &str) -> Result<bool> {
        let (a, b) = (self.content(a)?, self.content(b)?);
        Ok(!a.is_empty() && a == b)
    }

    fn content(&self, document: &str) -> Result<BTreeSet<[u8; 32]>> {
        if let Some(found) = self.digests.borrow().get(document) {
            return Ok(found.clone());
        }
        let chunks = self.lexical.chunks_of(document)?;
        let content: BTreeSet<[u8; 32]> =
            chunks.iter().map(|chunk| Digest::of(chunk.body.as_bytes()).0).collect();
        self.digests.borrow_mut().insert(document.to_string(), content.clone());
        Ok(content)
    }

    /// The passage that stands for a document: the chunk that was shown if it still exists, else the one nearest to the
    /// query. `None` when the document is gone.
    fn passage(&self, shown: &ShownRef, query: &str, snapshot: &Snapshot) -> Result<Option<ChunkRecord>> {
        if let Some(record) =
            shown.chunk.map(|id| self.shown_chunk(id, &shown.document)).transpose()?.flatten()
        {
            return Ok(Some(record));
        }
        let mut chunks = self.lexical.chunks_of(&shown.document)?;
        if chunks.len() <= 1 {
            return Ok(chunks.pop());
        }
        let vector = snapshot.pinned.generation.encode_query(query)?;
        let ids: Vec<ChunkId> = chunks.iter().map(|chunk| chunk.chunk).collect();
        let scores = snapshot.pinned.dense.score(&vector, &ids)?;
        let best = chunks.into_iter().zip(scores).max_by(|a, b| {
            let score = |one: &Option<f32>| one.unwrap_or(f32::NEG_INFINITY);
            // The earlier chunk wins a tie.
            score(&a.1).total_cmp(&score(&b.1)).then(b.0.ordinal.cmp(&a.0.ordinal))
        });
        Ok(best.map(|(chunk, _)| chunk))
    }

    fn shown_chunk(&self, id: ChunkId, document: &str) -> Result<Option<ChunkRecord>> {
        let record = self.lexical.get(id)?;
        Ok(record.filter(|record| record.document == document))
    }

    /// The passages that were confused with an answer, the strongest first, each with whether it was called not
    /// relevant, and how many were left out for being an answer's own: its body under another title would be trained away from the query that it answers.
    fn passed_over(
        &self,
        confusion: &Confusion,
        positives: &[ChunkRecord],
        snapshot: &Snapshot,
    ) -> Result<(Vec<(ChunkRecord, bool)>, usize)> {
        let (mut passages, mut duplicates) = (Vec::<(ChunkRecord, bool)>::new(), 0);
        for confusable in &confusion.confusables {
            let shown = ShownRef { document: confusable.document.clone(), chunk: confusable.chunk };
            let Some(chunk) = self.passage(&shown, &confusion.query, snapshot)? else { continue };
            let same = |other: &ChunkRecord| chunk.encoder_text() == other.encoder_text();
            let copied = |other: &ChunkRecord| !chunk.body.is_empty() && chunk.body == other.body;
            if positives.iter().any(|positive| same(positive) || copied(positive)) {
                duplicates += 1;
            } else if !passages.iter().any(|(passage, _)| same(passage)) {
                passages.push((chunk, confusable.judged_not_relevant));
            }
        }
        Ok((passages, duplicates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_held_out_share_is_met_and_never_moves() {
        let held_out = |share| (0..10_000).filter(|i| is_held_out(&format!("query {i}"), share)).count();
        assert!((1_850..2_150).contains(&held_out(0.2)), "{}", held_out(0.2));
        // Fixed by the hash, not by this build: a change would leak trained queries into the gate.
        let known: Vec<bool> = (0..8).map(|i| is_held_out(&format!("query {i}"), 0.5)).collect();
        assert_eq!(known, [false, true, false, true, true, false, true, false]);
    }

    proptest! {
        #[test]
        fn a_larger_share_only_adds(text in ".{0,40}", a in 0.0f32..1.0, b in 0.0f32..1.0) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(!is_held_out(&text, low) || is_held_out(&text, high));
        }
    }
}
