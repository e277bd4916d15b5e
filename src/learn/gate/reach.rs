//! Checks whether anything could pass the gate: the most that the held-out queries can prove.

use std::collections::HashSet;

use super::alpha::of_attempt;
use super::decide::{MANY, ROUNDING, smallest_p};
use super::score::{QueryScores, ranking_scores};
use crate::error::Result;
use crate::learn::topic::Topic;

/// The gate's knowledge before training.
pub(super) struct Prospect<'a> {
    pub(super) held_out: &'a [Topic],
    /// The scores to beat, per query.
    pub(super) before: &'a [QueryScores],
    /// The cluster of each query.
    pub(super) clusters: &'a [usize],
    /// Rounds that were rejected since the last publication.
    pub(super) attempts: usize,
    /// The part of the attempt's alpha that the test may spend.
    pub(super) share: f64,
}

/// Why no ranking could pass the gate, and what is needed. `None` if one could.
pub(super) fn out_of_reach(prospect: &Prospect<'_>, budget: f64) -> Result<Option<String>> {
    let queries = prospect.held_out.len();
    let mut gaining = HashSet::new();
    let mut ndcg_can_rise = false;
    for ((topic, before), cluster) in prospect.held_out.iter().zip(prospect.before).zip(prospect.clusters) {
        let answers: Vec<&str> = topic.relevant.keys().map(String::as_str).collect();
        let (now, best) = (&before.hybrid, ranking_scores(&answers, topic));
        ndcg_can_rise |= now.ndcg_10 < best.ndcg_10 - ROUNDING;
        if now.gmap_20 < best.gmap_20 - ROUNDING {
            gaining.insert(*cluster);
        }
    }
    if gaining.is_empty() || !ndcg_can_rise {
        return Ok(Some(format!(
            "the answers of all {queries} held-out queries are on top already, so no round can be better: judge \
             queries whose answers the index does not show first"
        )));
    }
    let alpha = prospect.share * of_attempt(budget, prospect.attempts);
    if smallest_p(gaining.len())? <= alpha {
        return Ok(None);
    }
    let mut needed = None;
    for count in gaining.len() + 1..=MANY {
        if smallest_p(count)? <= alpha {
            needed = Some(count);
            break;
        }
    }
    let (able, attempt) = (gaining.len(), prospect.attempts + 1);
    let level = format!("significance level {alpha:.4} (attempt {attempt})");
    Ok(Some(match needed {
        Some(needed) => format!(
            "{able} of {queries} held-out queries can gain, {needed} must for the {level}: search and judge more new \
             queries, of which three in ten are held out; queries that share an answer count as one"
        ),
        None => format!("no number of held-out queries can reach the {level}: allow a higher significance"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: f64 = 0.2;

    /// Queries whose only answer has a given rank, each its own cluster unless specified.
    fn of(ranks: &[usize], clusters: Option<&[usize]>, attempts: usize) -> Option<String> {
        let held_out: Vec<Topic> =
            (0..ranks.len()).map(|query| Topic::new("q", [format!("answer {query}")])).collect();
        let score = |(topic, rank): (&Topic, &usize)| {
            let answer = topic.relevant.keys().next().unwrap().as_str();
            let mut documents = vec!["wrong"; 25];
            documents[rank - 1] = answer;
            let scores = ranking_scores(&documents, topic);
            QueryScores { hybrid: scores, dense: scores }
        };
        let before: Vec<QueryScores> = held_out.iter().zip(ranks).map(score).collect();
        let alone: Vec<usize> = (0..ranks.len()).collect();
        let clusters = clusters.unwrap_or(&alone);
        let prospect = Prospect { held_out: &held_out, before: &before, clusters, attempts, share: 1.0 };
        out_of_reach(&prospect, BUDGET).unwrap()
    }

    #[test]
    fn queries_at_their_ceiling_prove_nothing() {
        let reason = of(&[1; 30], None, 0).unwrap();
        assert!(reason.starts_with("the answers of all 30 held-out queries are on top already"), "{reason}");
        // Four can gain: 1/16 is less than the first attempt's level of 0.1216, and three are not enough.
        assert_eq!(of(&[1, 1, 1, 2, 3, 20, 21], None, 0), None);
        let reason = of(&[1, 1, 1, 2, 3, 20], None, 0).unwrap();
        assert!(
            reason.starts_with(
                "3 of 6 held-out queries can gain, 4 must for the significance level 0.1216 (attempt 1)"
            ),
            "{reason}"
        );
    }

    #[test]
    fn queries_with_a_common_answer_count_once_and_later_attempts_need_more() {
        assert!(of(&[2; 4], Some(&[0, 0, 2, 2]), 0).unwrap().starts_with("2 of 4"));
        assert_eq!(of(&[2; 6], None, 1), None);
        assert!(
            of(&[2; 5], None, 1).unwrap().contains("6 must for the significance level 0.0304 (attempt 2)")
        );
        let reason = of(&[2; 40], None, 99).unwrap();
        assert!(reason.starts_with("no number of held-out queries can reach"), "{reason}");
    }
}
