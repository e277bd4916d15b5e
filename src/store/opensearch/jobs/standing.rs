//! How far a job is, and which of its slices to take next.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::slice::SliceState;
use crate::store::opensearch::beating::LONGEST;
use crate::store::opensearch::versioned::Version;

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Passages that have their vectors.
    pub(crate) passages: u64,
    /// Slices that are done, of so many.
    pub(crate) done: usize,
    pub(crate) slices: usize,
    /// Others that work at one.
    pub(crate) others: usize,
}

impl Standing {
    /// Of slices as they are; `own` is this process.
    pub(crate) fn of(states: &[SliceState], own: &str) -> Standing {
        let others =
            states.iter().filter(|state| !state.is_done()).filter_map(|state| state.holder.as_deref());
        Standing {
            passages: states.iter().map(SliceState::passages).sum(),
            done: states.iter().filter(|state| state.is_done()).count(),
            slices: states.len(),
            others: others.filter(|holder| *holder != own).collect::<BTreeSet<_>>().len(),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done == self.slices
    }
}

/// What a process has seen of slices that others work at.
#[derive(Debug, Default)]
pub(crate) struct SliceWatch {
    seen: HashMap<usize, (Version, Instant)>,
}

impl SliceWatch {
    /// The slice to take: one that nobody works at, in an order of this process's own, or else one whose holder has not
    /// written for as long as others wait. `order` is any number.
    pub(crate) fn choose(&mut self, states: &[SliceState], now: Instant, order: usize) -> Option<usize> {
        let mut dead = None;
        for (number, state) in states.iter().enumerate() {
            let held = state.version.filter(|_| state.holder.is_some() && !state.is_done());
            let Some(version) = held else {
                self.seen.remove(&number);
                continue;
            };
            match self.seen.get(&number) {
                Some((seen, since)) if *seen == version => {
                    if now.duration_since(*since) >= LONGEST {
                        dead.get_or_insert(number);
                    }
                }
                _ => drop(self.seen.insert(number, (version, now))),
            }
        }
        let is_free = |number: &usize| states[*number].holder.is_none() && !states[*number].is_done();
        let from = order % states.len().max(1);
        (from..states.len()).chain(0..from).find(is_free).or(dead)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn free() -> SliceState {
        SliceState::default()
    }

    fn held(by: &str, version: u64) -> SliceState {
        SliceState::sample(Some(by), version, 5, false)
    }

    fn done() -> SliceState {
        SliceState::sample(Some("a"), 9, 10, true)
    }

    #[test]
    fn free_slices_come_first_each_process_in_its_own_order() {
        let now = Instant::now();
        let states = [free(), done(), held("a", 1), free(), SliceState::sample(None, 4, 5, false)];
        let first = |order| SliceWatch::default().choose(&states, now, order);
        assert_eq!([0, 1, 2, 3, 4, 5].map(first), [0, 3, 3, 3, 4, 0].map(Some));
        assert_eq!(SliceWatch::default().choose(&[], now, 7), None);
        assert_eq!(SliceWatch::default().choose(&[done(), done()], now, 7), None);
    }

    #[test]
    fn a_slice_is_taken_over_once_it_has_not_changed_for_as_long_as_others_wait() {
        let (mut watch, begun) = (SliceWatch::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(watch.choose(&[done(), held("a", 1)], begun, 0), None);
        assert_eq!(watch.choose(&[done(), held("a", 1)], after(11), 0), None);
        // Alive after all: the time begins anew.
        assert_eq!(watch.choose(&[done(), held("a", 2)], after(12), 0), None);
        assert_eq!(watch.choose(&[done(), held("a", 2)], after(23), 0), None);
        assert_eq!(watch.choose(&[done(), held("a", 2)], after(24), 0), Some(1));
        // In other hands.
        assert_eq!(watch.choose(&[done(), held("b", 3)], after(25), 0), None);
        assert_eq!(watch.choose(&[done(), done()], after(60), 0), None);
    }

    #[test]
    fn how_far_a_job_is() {
        let states = [done(), held("a", 1), held("own", 1), held("a", 2), free()];
        let standing = Standing::of(&states, "own");
        assert_eq!(standing, Standing { passages: 25, done: 1, slices: 5, others: 1 });
        assert!(!standing.is_done() && Standing::of(&[done()], "own").is_done());
    }
}
