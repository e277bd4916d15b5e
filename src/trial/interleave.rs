//! Two ranked lists as one, by team draft.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::feedback::Standing;

/// Whose a shown hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The serving generation's.
    Serving,
    /// The candidate's.
    Candidate,
    /// Both had it next.
    Both,
}

/// A hit of an interleaved list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<D> {
    /// The document.
    pub document: D,
    /// Who placed it.
    pub owner: Owner,
    /// What a pick of it needs to be a vote: [`Trial::record`](super::Trial::record).
    pub standing: Standing,
}

/// The first `limit` hits of both lists together, by team draft: in each round a coin says who goes first, and each
/// side places its best document that is not there yet (Radlinski, Kurup and Joachims, "How Does Clickthrough Data
/// Reflect Retrieval Quality?", CIKM 2008). What both have next, with equally many placed, needs no coin.
///
/// Each document is there once. The first `m` of either list are among the first `2 m`. Equal lists stay as they are.
/// Equal lists and seeds give the same result; the seed should differ by query and say nothing of the lists, such as a
/// query's random id. Swapping the lists swaps the owners' chances and changes nothing else. Of each list the first
/// `limit` documents count.
pub fn interleave<D: Clone + Eq + Hash>(
    serving: &[D],
    candidate: &[D],
    limit: usize,
    seed: u64,
) -> Vec<Placed<D>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    draft(&Ranked::of(serving), &Ranked::of(candidate), limit, || random.random())
}

/// A list without its repetitions.
struct Ranked<'a, D> {
    documents: Vec<&'a D>,
    ranks: HashMap<&'a D, usize>,
}

impl<'a, D: Eq + Hash> Ranked<'a, D> {
    fn of(list: &'a [D]) -> Self {
        let (mut documents, mut ranks) = (Vec::with_capacity(list.len()), HashMap::new());
        for document in list {
            ranks.entry(document).or_insert_with(|| {
                documents.push(document);
                documents.len()
            });
        }
        Ranked { documents, ranks }
    }

    /// From 1 to one more than `depth`.
    fn rank(&self, document: &D, depth: usize) -> u32 {
        let rank = self.ranks.get(document).map_or(usize::MAX, |&rank| rank).min(depth + 1);
        u32::try_from(rank).unwrap_or(u32::MAX)
    }

    /// The first from `at` on that is not placed yet.
    fn next(&self, at: &mut usize, placed: &HashSet<&D>) -> Option<&'a D> {
        while self.documents.get(*at).is_some_and(|document| placed.contains(document)) {
            *at += 1;
        }
        self.documents.get(*at).copied()
    }
}

/// `coin` says whether the candidate goes first in a round.
fn draft<D: Clone + Eq + Hash>(
    serving: &Ranked<'_, D>,
    candidate: &Ranked<'_, D>,
    limit: usize,
    mut coin: impl FnMut() -> bool,
) -> Vec<Placed<D>> {
    let depth = serving.documents.len().min(candidate.documents.len()).min(limit);
    let (mut hits, mut placed) = (Vec::new(), HashSet::new());
    let (mut of_serving, mut of_candidate) = (0, 0);
    // The candidate's placed documents less the serving generation's, of the current round.
    let mut ahead = 0;
    while hits.len() < limit {
        let next = (serving.next(&mut of_serving, &placed), candidate.next(&mut of_candidate, &placed));
        let (document, owner) = match next {
            (None, None) => break,
            (Some(document), None) => (document, Owner::Serving),
            (None, Some(document)) => (document, Owner::Candidate),
            (Some(one), Some(other)) if one == other && ahead == 0 => (one, Owner::Both),
            (Some(one), Some(other)) => match ahead < 0 || (ahead == 0 && coin()) {
                true => (other, Owner::Candidate),
                false => (one, Owner::Serving),
            },
        };
        ahead += match owner {
            Owner::Serving => -1,
            Owner::Candidate => 1,
            Owner::Both => 0,
        };
        placed.insert(document);
        let standing = Standing {
            place: u32::try_from(hits.len() + 1).unwrap_or(u32::MAX),
            serving: serving.rank(document, depth),
            candidate: candidate.rank(document, depth),
        };
        hits.push(Placed { document: document.clone(), owner, standing });
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn documents(hits: &[Placed<u8>]) -> Vec<u8> {
        hits.iter().map(|hit| hit.document).collect()
    }

    fn swapped(hits: Vec<Placed<u8>>) -> Vec<Placed<u8>> {
        let swap = |Placed { document, owner, standing }| Placed {
            document,
            owner: match owner {
                Owner::Serving => Owner::Candidate,
                Owner::Candidate => Owner::Serving,
                Owner::Both => Owner::Both,
            },
            standing: Standing { serving: standing.candidate, candidate: standing.serving, ..standing },
        };
        hits.into_iter().map(swap).collect()
    }

    #[test]
    fn a_worked_example() {
        let (serving, candidate) = ([1, 2, 3, 4], [1, 3, 5]);
        let hits = draft(&Ranked::of(&serving), &Ranked::of(&candidate), 10, || true);
        let told: Vec<_> = hits
            .iter()
            .map(|Placed { document, owner, standing }| {
                (*document, *owner, standing.place, standing.serving, standing.candidate)
            })
            .collect();
        let expected = [
            (1, Owner::Both, 1, 1, 1),
            (3, Owner::Candidate, 2, 3, 2),
            (2, Owner::Serving, 3, 2, 4),
            (5, Owner::Candidate, 4, 4, 3),
            (4, Owner::Serving, 5, 4, 4),
        ];
        assert_eq!(told, expected);
        // Of two hits on a page, ranks below the second are the same.
        let hits = draft(&Ranked::of(&serving), &Ranked::of(&candidate), 2, || true);
        assert_eq!(hits[1].standing, Standing { place: 2, serving: 3, candidate: 2 });
        let hits = draft(&Ranked::of(&[1u8, 2, 3]), &Ranked::of(&[3u8, 2, 1]), 1, || true);
        assert_eq!(hits[0].standing, Standing { place: 1, serving: 2, candidate: 1 });
    }

    #[test]
    fn the_coin_is_fair_and_depends_on_the_seed_alone() {
        let (serving, candidate) = ([1, 2], [3, 4]);
        let first = |seed| interleave(&serving, &candidate, 1, seed)[0].document;
        let of_serving = (0..2000).filter(|&seed| first(seed) == 1).count();
        assert!((900..1100).contains(&of_serving), "{of_serving}");
        assert!((0..20).all(|seed| first(seed) == first(seed)));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_repeated_or_late(
            serving in proptest::collection::vec(0u8..20, 0..12),
            candidate in proptest::collection::vec(0u8..20, 0..12),
            limit in 0usize..25,
            seed: u64,
        ) {
            let hits = interleave(&serving, &candidate, limit, seed);
            let shown = documents(&hits);
            let distinct: HashSet<u8> = shown.iter().copied().collect();
            prop_assert_eq!(distinct.len(), shown.len());
            let all: HashSet<u8> = serving.iter().chain(&candidate).copied().collect();
            prop_assert_eq!(shown.len(), all.len().min(limit));
            for list in [&serving, &candidate] {
                for (rank, &document) in Ranked::of(list).documents.iter().enumerate() {
                    let place = shown.iter().position(|shown| shown == document);
                    prop_assert!(place.unwrap_or(limit) < 2 * (rank + 1) || 2 * (rank + 1) > limit);
                }
            }
            // A shorter list of hits is the beginning of a longer one.
            let longer = documents(&interleave(&serving, &candidate, limit + 5, seed));
            prop_assert_eq!(&shown[..], &longer[..shown.len()]);
        }

        #[test]
        fn equal_lists_stay_as_they_are(list in proptest::collection::vec(any::<u8>(), 0..12), seed: u64) {
            let hits = interleave(&list, &list, 12, seed);
            let distinct: Vec<u8> = Ranked::of(&list).documents.into_iter().copied().collect();
            prop_assert_eq!(documents(&hits), distinct);
            prop_assert!(hits.iter().all(|hit| hit.owner == Owner::Both));
            prop_assert!(hits.iter().all(|hit| hit.standing.serving == hit.standing.candidate));
        }

        #[test]
        fn swapped_lists_with_the_opposite_coins_swap_the_owners(
            serving in proptest::collection::vec(0u8..20, 0..12),
            candidate in proptest::collection::vec(0u8..20, 0..12),
            coins in proptest::collection::vec(any::<bool>(), 24),
        ) {
            let draft = |one: &[u8], other: &[u8], flip: bool| {
                let mut coins = coins.iter();
                draft(&Ranked::of(one), &Ranked::of(other), 10, || coins.next().is_some_and(|coin| *coin != flip))
            };
            prop_assert_eq!(draft(&serving, &candidate, false), swapped(draft(&candidate, &serving, true)));
        }
    }
}
