//! Times many queries.

use std::fmt;
use std::time::{Duration, Instant};

/// Repetitions per query, unless that takes too long.
const REPETITIONS: usize = 5;
/// No further query is timed after this duration, except for [`LEAST`] of them.
const LONGEST: Duration = Duration::from_secs(20);
const LEAST: usize = 20;

/// Milliseconds: the median over queries, and the 95th percentile.
#[derive(Clone, Copy)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
}

impl Percentiles {
    /// Times `count` queries, each several times, with `ask`, which returns milliseconds.
    pub(crate) fn of(count: usize, mut ask: impl FnMut(usize) -> f64) -> Percentiles {
        let [all] = Percentiles::of_parts(count, |query| [ask(query)]);
        all
    }

    /// The same for several figures of each query.
    pub(crate) fn of_parts<const N: usize>(
        count: usize,
        mut ask: impl FnMut(usize) -> [f64; N],
    ) -> [Percentiles; N] {
        let (started, mut asked) = (Instant::now(), 0);
        let mut fastest = vec![[f64::INFINITY; N]; count];
        for repetition in 0..=REPETITIONS {
            for (query, fastest) in fastest.iter_mut().enumerate() {
                if started.elapsed() > LONGEST && asked >= LEAST {
                    break;
                }
                let parts = ask(query);
                // The first run warms the caches; it only counts if there is no other.
                if repetition == 1 {
                    *fastest = [f64::INFINITY; N];
                }
                fastest.iter_mut().zip(parts).for_each(|(fastest, part)| *fastest = fastest.min(part));
                asked += 1;
            }
        }
        std::array::from_fn(|part| {
            let asked = fastest.iter().map(|parts| parts[part]).filter(|time| time.is_finite());
            let mut of_queries: Vec<f64> = asked.collect();
            of_queries.sort_by(f64::total_cmp);
            let at = |share: f64| of_queries[(of_queries.len().saturating_sub(1) as f64 * share) as usize];
            Percentiles { p50: at(0.5), p95: at(0.95) }
        })
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} / {:.2}", self.p50, self.p95)
    }
}

/// Returns the result of `work`, and its time in milliseconds.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed().as_secs_f64() * 1e3)
}
