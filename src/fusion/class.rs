//! Kinds of queries that may want different weights of the two sides.

use serde::{Deserialize, Serialize};

/// Queries of at most so many distinct terms, without stop words, are short.
const SHORT: usize = 4;
/// A term is rare that stands in at most one chunk in so many, or in [`FEW`].
const RARE: u64 = 1000;
/// In a small corpus a term of two chunks is rare too.
const FEW: u64 = 2;

/// What kind a query is of. A rare term is what the lexical side finds best; of a long query it finds a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct QueryClass {
    pub(crate) long: bool,
    pub(crate) rare: bool,
}

impl QueryClass {
    pub(crate) const ALL: [QueryClass; 4] = [
        QueryClass { long: false, rare: false },
        QueryClass { long: false, rare: true },
        QueryClass { long: true, rare: false },
        QueryClass { long: true, rare: true },
    ];

    /// Of a query by the number of chunks that each of its distinct terms stands in, of so many in all. A term that
    /// stands in none says nothing to either side, and is not rare.
    pub(crate) fn of(frequencies: &[u64], chunks: u64) -> QueryClass {
        let most = (chunks / RARE).max(FEW);
        QueryClass {
            long: frequencies.len() > SHORT,
            rare: frequencies.iter().any(|frequency| (1..=most).contains(frequency)),
        }
    }
}

/// The share of the dense side for each kind of query, `0..=1`. Short are queries of at most four distinct terms,
/// stop words not counted; rare is a term that stands in at most one chunk of a thousand, or in one or two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassWeights {
    /// Of short queries without a rare term.
    pub short: f32,
    /// Of short queries with one.
    pub short_rare: f32,
    /// Of long queries without a rare term.
    pub long: f32,
    /// Of long queries with one.
    pub long_rare: f32,
}

impl ClassWeights {
    /// The weights that a function gives to the kinds.
    pub(crate) fn by(mut weight: impl FnMut(QueryClass) -> f32) -> ClassWeights {
        let [short, short_rare, long, long_rare] = QueryClass::ALL.map(&mut weight);
        ClassWeights { short, short_rare, long, long_rare }
    }

    pub(crate) fn of(&self, class: QueryClass) -> f32 {
        match (class.long, class.rare) {
            (false, false) => self.short,
            (false, true) => self.short_rare,
            (true, false) => self.long,
            (true, true) => self.long_rare,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_classed_by_the_number_and_the_rarity_of_its_terms() {
        let of = |frequencies: &[u64], chunks| {
            let class = QueryClass::of(frequencies, chunks);
            (class.long, class.rare)
        };
        assert_eq!(of(&[50, 60, 70, 80], 10_000), (false, false));
        assert_eq!(of(&[50, 60, 70, 80, 90], 10_000), (true, false));
        assert_eq!(of(&[50, 10], 10_000), (false, true));
        assert_eq!(of(&[50, 11], 10_000), (false, false));
        // The whole of a small corpus would be rare, or nothing.
        assert_eq!((of(&[2], 30), of(&[3], 30)), ((false, true), (false, false)));
        // Unknown words are in no chunk.
        assert_eq!(of(&[0, 0, 0, 0, 0], 10_000), (true, false));
        assert_eq!(of(&[], 0), (false, false));
    }

    #[test]
    fn every_class_has_a_weight_of_its_own() {
        let weight = |class: QueryClass| f32::from(u8::from(class.long) * 2 + u8::from(class.rare)) / 4.0;
        let weights = ClassWeights::by(weight);
        assert!(QueryClass::ALL.iter().all(|class| weights.of(*class) == weight(*class)), "{weights:?}");
    }
}
