//! Whether the machine and the engine are idle enough to learn.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Time between two looks at the processors.
const LOOK: Duration = Duration::from_secs(1);

/// What must be so for a round of the policy to begin and to go on. While it waits no other round can run.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct IdleOptions {
    /// Other processes use at most this share of all processors, over the last second: 0 to 1. What this process uses
    /// itself does not count. Read from `/proc`, so that it has an effect on Linux alone. `None`: whatever they use.
    /// Default 0.5.
    pub others_busy: Option<f64>,
    /// Nobody has searched in this engine for so long. `None`: searches don't matter. Default 10 seconds.
    pub no_search_for: Option<Duration>,
}

impl Default for IdleOptions {
    fn default() -> Self {
        IdleOptions { others_busy: Some(0.5), no_search_for: Some(Duration::from_secs(10)) }
    }
}

impl IdleOptions {
    /// Sets [`others_busy`](IdleOptions::others_busy).
    pub fn with_others_busy(mut self, share: Option<f64>) -> Self {
        self.others_busy = share;
        self
    }

    /// Sets [`no_search_for`](IdleOptions::no_search_for).
    pub fn with_no_search_for(mut self, time: Option<Duration>) -> Self {
        self.no_search_for = time;
        self
    }

    pub(super) fn validate(&self) -> Result<()> {
        match self.others_busy {
            Some(share) if !(0.0..=1.0).contains(&share) => {
                Err(Error::invalid("the share of the processors that others may use", share, "0 to 1"))
            }
            _ => Ok(()),
        }
    }
}

/// When an engine was last asked.
#[derive(Debug)]
pub(super) struct LastSearch {
    opened: Instant,
    /// Milliseconds after that, and one; 0 before the first search.
    at: AtomicU64,
}

impl LastSearch {
    pub(super) fn new() -> LastSearch {
        LastSearch { opened: Instant::now(), at: AtomicU64::new(0) }
    }

    pub(super) fn now(&self) {
        self.at.store(self.opened.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// How long ago; `None` if nobody has searched.
    pub(super) fn ago(&self) -> Option<Duration> {
        let at = self.at.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.opened.elapsed().saturating_sub(Duration::from_millis(at)))
    }
}

/// Time of all processors since the machine started, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticks {
    all: u64,
    /// Used, by whomever.
    busy: u64,
    /// Used by this process.
    own: u64,
}

/// Tells from time to time whether it is idle enough.
pub(super) struct IdleWatch<P = fn() -> Option<Ticks>> {
    options: IdleOptions,
    probe: P,
    last: Option<(Instant, Ticks)>,
    /// By the last two looks; not known before.
    idle: Option<bool>,
}

impl IdleWatch {
    pub(super) fn new(options: IdleOptions) -> IdleWatch {
        IdleWatch::with_probe(options, read_ticks)
    }
}

impl<P: FnMut() -> Option<Ticks>> IdleWatch<P> {
    fn with_probe(options: IdleOptions, probe: P) -> Self {
        IdleWatch { options, probe, last: None, idle: None }
    }

    /// Whether a round may run `now`, if the last search was so long ago.
    pub(super) fn is_idle(&mut self, now: Instant, searched_ago: Option<Duration>) -> bool {
        let quiet = match (self.options.no_search_for, searched_ago) {
            (Some(needed), Some(ago)) => ago >= needed,
            _ => true,
        };
        let idle = self.options.others_busy.is_none_or(|most| self.others_leave_room(now, most));
        quiet && idle
    }

    fn others_leave_room(&mut self, now: Instant, most: f64) -> bool {
        if self.last.is_none_or(|(at, _)| now.saturating_duration_since(at) >= LOOK) {
            // Where there is nothing to read the option has no effect.
            let Some(ticks) = (self.probe)() else { return true };
            if let Some((_, before)) = self.last {
                let passed = |of: fn(&Ticks) -> u64| of(&ticks).saturating_sub(of(&before)) as f64;
                let others = (passed(|ticks| ticks.busy) - passed(|ticks| ticks.own)).max(0.0);
                self.idle = Some(others <= most * passed(|ticks| ticks.all));
            }
            self.last = Some((now, ticks));
        }
        self.idle.unwrap_or(false)
    }
}

fn read_ticks() -> Option<Ticks> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let own = std::fs::read_to_string("/proc/self/stat").ok()?;
    parse_ticks(&stat, &own)
}

/// From the texts of `/proc/stat` and `/proc/self/stat`: see proc(5).
fn parse_ticks(stat: &str, own: &str) -> Option<Ticks> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in the first two already.
    let numbers = numbers.get(..8)?;
    let all: u64 = numbers.iter().sum();
    // The name of the process may hold anything, brackets and spaces too.
    let fields: Vec<&str> = own.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Ticks { all, busy: all - numbers[3] - numbers[4], own: ticks(11)? + ticks(12)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_use_counts_and_the_rounds_own_work_does_not() {
        let start = Instant::now();
        let looks = [
            Some(Ticks { all: 1000, busy: 500, own: 100 }),
            // All busy, all of it this process.
            Some(Ticks { all: 1200, busy: 700, own: 300 }),
            // 60 of 100 by others.
            Some(Ticks { all: 1300, busy: 800, own: 340 }),
            Some(Ticks { all: 1400, busy: 850, own: 340 }),
            None,
        ];
        let mut looks = looks.into_iter();
        let options = IdleOptions::default().with_no_search_for(None);
        let mut watch = IdleWatch::with_probe(options, || looks.next().unwrap());
        let mut at = |seconds: f64| watch.is_idle(start + Duration::from_secs_f64(seconds), None);
        assert!(!at(0.0) && !at(0.5), "nothing is known yet");
        assert!(at(1.0) && at(1.9), "no look is taken within a second");
        assert!(!at(2.0) && !at(2.5));
        assert!(at(3.5), "exactly half is allowed");
        assert!(at(5.0), "there is nothing to read");
    }

    #[test]
    fn a_search_makes_it_wait() {
        let options = IdleOptions::default().with_others_busy(None);
        let mut watch = IdleWatch::with_probe(options, || unreachable!("others don't matter"));
        let mut after = |ago: Option<u64>| watch.is_idle(Instant::now(), ago.map(Duration::from_secs));
        assert!(after(None) && after(Some(10)) && !after(Some(9)));
        let last = LastSearch::new();
        assert_eq!(last.ago(), None);
        last.now();
        assert!(last.ago().is_some());
    }

    #[test]
    fn the_texts_of_proc_are_understood() {
        let stat = "cpu  100 20 30 4000 50 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        let own = "1234 (a) name) 2) S 1 1 1 0 -1 4194560 1 0 0 0 77 11 0 0 20 0 1 0 9 9 9";
        let expected = Ticks { all: 4221, busy: 171, own: 88 };
        assert_eq!(parse_ticks(stat, own), Some(expected));
        for (stat, own) in
            [("", own), ("cpu  1 2 3\n", own), ("intr 1\n", own), (stat, "1234 (a) S"), (stat, "")]
        {
            assert_eq!(parse_ticks(stat, own), None);
        }
        assert_eq!(read_ticks().is_some(), cfg!(target_os = "linux"));
    }
}
