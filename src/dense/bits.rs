//! A bit set.

/// A set of numbers below a limit, with one bit each.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// An empty set of numbers below `limit`.
    pub(super) fn below(limit: usize) -> Bits {
        Bits(vec![0; limit.div_ceil(64)])
    }

    /// Adds a number. Returns whether it is new. Numbers beyond the limit are not added and count as not new.
    #[inline]
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let Some(word) = self.0.get_mut(number / 64) else { return false };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Removes a number.
    pub(super) fn remove(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    #[inline]
    pub(super) fn contains(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    /// The numbers in it, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            (0..64).filter(move |bit| word & 1 << bit != 0).map(move |bit| 64 * at + bit)
        })
    }

    /// The size of the set.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_set(
            inserted in prop::collection::vec(0usize..300, 0..60),
            removed in prop::collection::vec(0usize..300, 0..30),
        ) {
            let (mut bits, mut model) = (Bits::below(200), BTreeSet::new());
            for number in inserted {
                prop_assert_eq!(bits.insert(number), number < 256 && model.insert(number));
            }
            for number in removed {
                bits.remove(number);
                model.remove(&number);
            }
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(bits.len(), model.len());
            prop_assert!((0..400).all(|number| bits.contains(number) == model.contains(&number)));
        }
    }
}
