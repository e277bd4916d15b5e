//! The threads that a round computes on: a pool of its own, so that searches keep theirs.

use std::ops::ControlFlow;
use std::path::Path;

use crossbeam_channel::bounded;

use crate::error::{Error, Result};
use crate::learn::Progress;

const THREADS: &str = "retune-round";

/// All processors but one, at least one.
pub(super) fn all_but_one() -> usize {
    std::thread::available_parallelism().map_or(1, |all| all.get()).saturating_sub(1).max(1)
}

/// Does `work` on so many threads; in the `background`, they give way to every other thread of the machine, where the
/// system has a simple way to say so (Linux). `progress` is called on the calling thread, and `work` waits for its
/// answer meanwhile. A panic of either is the caller's.
///
/// # Errors
/// That of `work`; [`Error::Io`] if the threads can't be started.
pub(super) fn on_threads<T: Send>(
    threads: usize,
    background: bool,
    progress: &mut Progress<'_>,
    work: impl FnOnce(&mut Progress<'_>) -> Result<T> + Send,
) -> Result<T> {
    let pool = pool(THREADS, threads, background)?;
    let (tell, told) = bounded(0);
    let (answer, answered) = bounded(0);
    let mut result = Err(Error::Cancelled { doing: "learning" });
    pool.in_place_scope(|scope| {
        // Moved, as `told` and `answer` are: if one side panics, the other must not wait for it.
        let place = &mut result;
        scope.spawn(move |_| {
            *place = work(&mut |progress| match tell.send(progress) {
                Ok(()) => answered.recv().unwrap_or(ControlFlow::Break(())),
                Err(_) => ControlFlow::Break(()),
            });
        });
        let answer = answer;
        for how_far in told {
            // A side that is gone has panicked, which ends the scope.
            let _ = answer.send(progress(how_far));
        }
    });
    result
}

/// So many threads of a name; in the `background`, they give way to every other thread.
///
/// # Errors
/// [`Error::Io`] if they can't be started.
pub(super) fn pool(name: &'static str, threads: usize, background: bool) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(move |number| format!("{name}-{number}"))
        .start_handler(move |_| {
            if background {
                give_way()
            }
        })
        .build()
        .map_err(|error| Error::io("start the threads", Path::new(name))(std::io::Error::other(error)))
}

/// Lets every other thread go first.
#[cfg(target_os = "linux")]
fn give_way() {
    // Of this thread alone: that is Linux's reading of it; elsewhere it would be the whole process.
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!(%error, "the round's threads keep their priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{LearnProgress, LearnStage};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn how_far(done: usize) -> LearnProgress {
        LearnProgress::of(LearnStage::Train, done, 3)
    }

    #[test]
    fn work_has_so_many_threads_and_is_told_on_the_callers() {
        let caller = std::thread::current().id();
        for threads in [1, 3] {
            let mut told = Vec::new();
            let mut progress = |progress: LearnProgress| {
                assert_eq!(std::thread::current().id(), caller);
                told.push(progress.done);
                if progress.done == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let found = on_threads(threads, true, &mut progress, |progress| {
                assert_ne!(std::thread::current().id(), caller);
                let going_on = (1..=2).map(|done| progress(how_far(done)).is_continue()).collect::<Vec<_>>();
                Ok((rayon::current_num_threads(), going_on))
            });
            assert_eq!(found.unwrap(), (threads, vec![true, false]));
            assert_eq!(told, [1, 2]);
        }
    }

    #[test]
    fn a_panic_on_either_side_is_the_callers_and_leaves_nobody_waiting() {
        let told = catch_unwind(AssertUnwindSafe(|| {
            on_threads(1, false, &mut |_| panic!("told"), |progress| Ok(progress(how_far(1)).is_break()))
        }));
        assert_eq!(told.unwrap_err().downcast_ref(), Some(&"told"));
        let worked = catch_unwind(AssertUnwindSafe(|| {
            on_threads::<()>(1, false, &mut |_| ControlFlow::Continue(()), |_| panic!("worked"))
        }));
        assert_eq!(worked.unwrap_err().downcast_ref(), Some(&"worked"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_background_threads_give_way() {
        let nice = |background| {
            on_threads(1, background, &mut |_| ControlFlow::Continue(()), |_| {
                Ok(rustix::process::getpriority_process(None).unwrap())
            })
        };
        let own = rustix::process::getpriority_process(None).unwrap();
        assert_eq!((nice(false).unwrap(), nice(true).unwrap()), (own, 19));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), own);
    }
}
