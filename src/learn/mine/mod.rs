//! Turns judged queries into training rows: each gets its hard negatives. Titles get rows too.

mod subjects;
mod suspects;
mod titles;

use std::collections::HashSet;

use super::counts::Counts;
use super::options::LearnOptions;
use super::progress::Tracker;
use super::report::SuspectReport;
use super::stage::LearnStage;
use crate::error::Result;
use crate::ids::ChunkId;
use crate::negatives::{Indexes, JudgedQuery, Margin, NegativeKind, mix};
use crate::search::Snapshot;
use crate::train::{Guide, TrainingRow};
use subjects::Subjects;

/// Maximum rows per query: one for each answer, nearest first.
const ROWS_PER_QUERY: usize = 2;

/// The training data of the encoder.
#[derive(Default)]
pub(super) struct TrainingSet {
    pub(super) rows: Vec<TrainingRow>,
    /// The serving encoder's vectors of the rows' texts.
    pub(super) guide: Guide,
    /// The limit above which candidates are suspected answers. `None` if the fixed margin was used.
    pub(super) suspects: Option<SuspectReport>,
    /// The answers of one subject, over all rows.
    subjects: Subjects,
}

/// Makes the rows of all queries, in their order, and those of titles, none of which was
/// `asked`: the queries that judge and those that have rows, normalised.
pub(super) fn mine(
    queries: &[JudgedQuery],
    asked: &HashSet<String>,
    snapshot: &Snapshot,
    options: &LearnOptions,
    counts: &mut Counts,
    tracker: &mut Tracker<'_>,
) -> Result<TrainingSet> {
    let limit = match options.suspect_quantile {
        Some(quantile) => suspects::limit(queries, quantile, snapshot, tracker)?,
        None => None,
    };
    let indexes = Indexes {
        lexical: &snapshot.lexical,
        dense: &snapshot.pinned.dense,
        margin: limit.map_or_else(Margin::default, |limit| limit.margin()),
    };
    let mut set = TrainingSet { suspects: limit.map(Into::into), ..TrainingSet::default() };
    for (done, query) in queries.iter().enumerate() {
        tracker.report(LearnStage::Collect, done, queries.len())?;
        match limit {
            Some(limit) => {
                let kept = suspects::without_suspects(query, limit, snapshot)?;
                counts.add(
                    "dropped_suspected_answer",
                    (query.passed_over.len() - kept.passed_over.len()) as u64,
                );
                set.add_rows(&kept, indexes, options, counts, snapshot)?;
            }
            None => set.add_rows(query, indexes, options, counts, snapshot)?,
        }
    }
    set.add_titles(asked, counts, snapshot)?;
    set.subjects.tell(&mut set.rows);
    Ok(set)
}

impl TrainingSet {
    /// Makes the rows of a query: one for each of its answers, nearest first, all with the same negatives.
    fn add_rows(
        &mut self,
        query: &JudgedQuery,
        indexes: Indexes<'_>,
        options: &LearnOptions,
        counts: &mut Counts,
        snapshot: &Snapshot,
    ) -> Result<()> {
        let (mut negatives, mut kinds): (Vec<String>, Vec<NegativeKind>) = Default::default();
        for negative in mix(indexes, &options.negatives, query)? {
            counts.add(negative.kind.name(), 1);
            self.guide_by(&negative.text, negative.chunk, snapshot)?;
            negatives.push(negative.text);
            kinds.push(negative.kind);
        }
        counts.add("queries", 1);
        self.guide.add(&query.text, query.vector.to_vec());
        // Passages that have rows come first.
        let mut answers = Vec::with_capacity(query.positives.len() + query.disputed.len());
        for answer in query.positives.iter().chain(&query.disputed) {
            let text = answer.encoder_text();
            self.guide_by(&text, Some(answer.chunk), snapshot)?;
            if query.subjects.contains(&answer.title) {
                self.subjects.add(answer);
            }
            answers.push(text);
        }
        for row in 0..query.positives.len().min(ROWS_PER_QUERY) {
            counts.add("pairs_without_negative", u64::from(negatives.is_empty()));
            let mut other_answers = answers.clone();
            self.rows.push(TrainingRow {
                anchor: query.text.clone(),
                positive: other_answers.remove(row),
                other_answers,
                negatives: negatives.clone(),
                kinds: kinds.clone(),
                weight: query.weight,
            });
        }
        Ok(())
    }

    /// Makes the rows of titles, without hard negatives.
    fn add_titles(
        &mut self,
        asked: &HashSet<String>,
        counts: &mut Counts,
        snapshot: &Snapshot,
    ) -> Result<()> {
        // They count as much as the other rows do.
        let all: f32 = self.rows.iter().map(|row| row.weight).sum();
        let weight = all / self.rows.len().max(1) as f32;
        for passage in titles::titled(&snapshot.lexical, asked, titles::beside(self.rows.len()))? {
            counts.add("titles", 1);
            if self.subjects.has(&passage.title) {
                self.subjects.add(&passage);
            }
            let (text, title) = (passage.encoder_text(), passage.title);
            self.guide_by(&text, Some(passage.chunk), snapshot)?;
            self.guide.add(&title, snapshot.pinned.generation.encode_query(&title)?.to_vec());
            self.rows.push(TrainingRow {
                anchor: title,
                positive: text,
                other_answers: Vec::new(),
                negatives: Vec::new(),
                kinds: Vec::new(),
                weight,
            });
        }
        Ok(())
    }

    /// Uses the serving encoder's vector of a text. For a chunk, that is the stored one.
    fn guide_by(&mut self, text: &str, chunk: Option<ChunkId>, snapshot: &Snapshot) -> Result<()> {
        if self.guide.has(text) {
            return Ok(());
        }
        let vector = match chunk.and_then(|chunk| snapshot.pinned.dense.vector(chunk)) {
            Some(vector) => vector,
            None => snapshot.pinned.generation.encoder()?.encode(&[text])?.concat(),
        };
        self.guide.add(text, vector);
        Ok(())
    }
}
