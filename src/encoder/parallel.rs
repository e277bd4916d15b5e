//! Work divided among threads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Runs `work` for `0..count` on up to `threads` threads and returns the results in order. `finished` is called on the
/// calling thread with each index, in the order of completion.
pub(super) fn in_parallel<R: Send>(
    count: usize,
    threads: usize,
    finished: &mut dyn FnMut(usize) -> ControlFlow<()>,
    work: impl Fn(usize) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let cancelled = || Error::Cancelled { doing: "encoding" };
    if count <= 1 || threads <= 1 {
        return (0..count)
            .map(|i| {
                let result = work(i)?;
                if finished(i).is_break() { Err(cancelled()) } else { Ok(result) }
            })
            .collect();
    }
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
    let worked = crossbeam_utils::thread::scope(|scope| {
        let (sender, receiver) = crossbeam_channel::unbounded();
        for _ in 0..threads.min(count) {
            let (sender, next, stop, work) = (sender.clone(), &next, &stop, &work);
            scope.spawn(move |_| {
                while !stop.load(Ordering::Relaxed) {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count || sender.send((i, work(i))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (i, result) in receiver {
            let outcome = result.and_then(|result| {
                results[i] = Some(result);
                if finished(i).is_break() { Err(cancelled()) } else { Ok(()) }
            });
            if outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
                return outcome;
            }
        }
        Ok(())
    });
    worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(results.into_iter().flatten().collect())
}
