//! Sums up what the log says of the queries to train on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::feedback::Verdict;
use crate::learn::evidence::{AnswerCounts, ConfusedPair, LogEvidence};
use crate::negatives::{Confusable, Confusion, JudgedQuery};

/// How many pairs a report names.
const NAMED: usize = 10;

/// The sum over the queries so far.
#[derive(Default)]
pub(super) struct EvidenceSum {
    queries: usize,
    answers: AnswerCounts,
    pairs: BTreeMap<Documents, Pair>,
}

/// An answer, and what was passed over where it is right.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Documents {
    answer: String,
    passed_over: String,
}

struct Pair {
    sum: Confusable,
    queries: usize,
    query: String,
    /// The evidence of `query`.
    strongest: f32,
}

impl EvidenceSum {
    /// Adds a query, as far as its documents are still there.
    pub(super) fn add(&mut self, confusion: &Confusion, query: &JudgedQuery) {
        self.queries += 1;
        let kept: BTreeSet<&str> =
            query.passed_over.iter().map(|one| one.passage.document.as_str()).collect();
        for answer in &query.positives {
            match confusion.strongest.get(&answer.document) {
                Some(Verdict::Chosen) => self.answers.chosen += 1,
                Some(Verdict::Relevant) => self.answers.relevant += 1,
                Some(Verdict::Opened) => self.answers.opened += 1,
                None => self.answers.in_other_words += 1,
                _ => {}
            }
            for one in confusion.confusables.iter().filter(|one| kept.contains(one.document.as_str())) {
                self.add_pair(&answer.document, one, &query.text);
            }
        }
    }

    fn add_pair(&mut self, answer: &str, one: &Confusable, query: &str) {
        let documents = Documents { answer: answer.into(), passed_over: one.document.clone() };
        let strongest = one.evidence();
        match self.pairs.get_mut(&documents) {
            Some(pair) => {
                pair.sum.add(one);
                pair.queries += 1;
                if strongest > pair.strongest {
                    (pair.query, pair.strongest) = (query.into(), strongest);
                }
            }
            None => {
                let pair = Pair { sum: one.clone(), queries: 1, query: query.into(), strongest };
                self.pairs.insert(documents, pair);
            }
        }
    }

    pub(super) fn finish(self) -> LogEvidence {
        let mut pairs: Vec<(Documents, Pair)> = self.pairs.into_iter().collect();
        pairs.sort_by(|(_, a), (_, b)| {
            let more = |pair: &Pair| Reverse((pair.sum.times_passed_over, pair.queries));
            b.sum.evidence().total_cmp(&a.sum.evidence()).then_with(|| more(a).cmp(&more(b)))
        });
        let named =
            pairs.into_iter().take(NAMED).map(|(Documents { answer, passed_over }, pair)| ConfusedPair {
                document: passed_over,
                answer,
                passed_over: pair.sum.times_passed_over,
                shown: pair.sum.times_shown,
                judged_not_relevant: pair.sum.judged_not_relevant,
                queries: pair.queries,
                query: pair.query,
            });
        LogEvidence { queries: self.queries, answers: self.answers, confusables: named.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusable(document: &str, times_passed_over: u32, judged_not_relevant: bool) -> Confusable {
        Confusable {
            document: document.into(),
            chunk: None,
            times_passed_over,
            times_shown: 6,
            best_rank: (times_passed_over > 0).then_some(1),
            last_seen_ms: 0,
            judged_not_relevant,
        }
    }

    #[test]
    fn pairs_add_up_over_queries_and_the_strongest_come_first() {
        let mut sum = EvidenceSum::default();
        sum.add_pair("b", &confusable("a", 1, false), "weak");
        sum.add_pair("b", &confusable("a", 5, false), "strong");
        sum.add_pair("b", &confusable("a", 2, false), "middle");
        sum.add_pair("b", &confusable("c", 6, false), "often");
        sum.add_pair("d", &confusable("a", 0, true), "wrong");
        let found = sum.finish().confusables;
        let named: Vec<_> = found
            .iter()
            .map(|pair| [&pair.document, &pair.answer, &pair.query].map(String::as_str))
            .collect();
        assert_eq!(named, [["a", "d", "wrong"], ["c", "b", "often"], ["a", "b", "strong"]]);
        let added = &found[2];
        assert_eq!((added.passed_over, added.shown, added.queries), (8, 18, 3));
        assert!(found[0].judged_not_relevant && !added.judged_not_relevant);
    }

    #[test]
    fn only_the_first_are_named() {
        let mut sum = EvidenceSum::default();
        (0..30).for_each(|n| sum.add_pair(&format!("answer {n}"), &confusable("a", n % 6, false), "q"));
        let found = sum.finish().confusables;
        assert_eq!(found.len(), NAMED);
        assert!(found.iter().all(|pair| pair.passed_over >= 4), "{found:?}");
    }
}
