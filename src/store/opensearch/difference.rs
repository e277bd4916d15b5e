//! What one index has and another has not.

use super::held::Held;
use crate::error::Result;
use crate::ids::ChunkId;

/// What has to happen to an index so that it holds the passages that are wanted. Each list ascends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Passages that it has not.
    pub(crate) new: Vec<ChunkId>,
    /// Passages that it has in another state.
    pub(crate) changed: Vec<ChunkId>,
    /// Passages that are not wanted.
    pub(crate) gone: Vec<ChunkId>,
}

impl Difference {
    /// Between what an index has and what is wanted, both in the order of their ids.
    ///
    /// # Errors
    /// The first error of `has`.
    pub(crate) fn between(has: impl Iterator<Item = Result<Held>>, wanted: &[Held]) -> Result<Difference> {
        let (mut difference, mut wanted) = (Difference::default(), wanted.iter().peekable());
        for held in has {
            let held = held?;
            while let Some(new) = wanted.next_if(|wanted| wanted.chunk < held.chunk) {
                difference.new.push(new.chunk);
            }
            match wanted.next_if(|wanted| wanted.chunk == held.chunk) {
                None => difference.gone.push(held.chunk),
                Some(wanted) if wanted.mark != held.mark => difference.changed.push(held.chunk),
                Some(_) => {}
            }
        }
        difference.new.extend(wanted.map(|wanted| wanted.chunk));
        Ok(difference)
    }

    /// Passages that have to be touched.
    pub(crate) fn len(&self) -> usize {
        self.new.len() + self.changed.len() + self.gone.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::error::Error;

    fn list(passages: &BTreeMap<u64, i64>) -> Vec<Held> {
        passages.iter().map(|(&chunk, &mark)| Held { chunk: ChunkId(chunk), mark }).collect()
    }

    fn passages() -> impl Strategy<Value = BTreeMap<u64, i64>> {
        prop::collection::btree_map(0u64..40, 0i64..3, 0..30)
    }

    proptest! {
        #[test]
        fn making_the_changes_makes_what_is_wanted(has in passages(), wanted in passages()) {
            let found = Difference::between(list(&has).into_iter().map(Ok), &list(&wanted)).unwrap();
            let mut made = has.clone();
            for ChunkId(gone) in &found.gone {
                prop_assert!(made.remove(gone).is_some());
            }
            for ChunkId(changed) in &found.changed {
                prop_assert_ne!(made.insert(*changed, wanted[changed]).unwrap(), wanted[changed]);
            }
            for ChunkId(new) in &found.new {
                prop_assert_eq!(made.insert(*new, wanted[new]), None);
            }
            prop_assert_eq!(&made, &wanted);
            prop_assert_eq!(found.len() == 0, has == wanted);
        }
    }

    #[test]
    fn what_can_not_be_listed_is_an_error() {
        let failed = std::iter::once(Err(Error::Cancelled { doing: "the list" }));
        assert!(Difference::between(failed, &[]).is_err());
    }
}
