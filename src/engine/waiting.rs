//! A bound on the documents that were read and wait to be taken.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of documents that wait, but for those of the file that is being taken.
const MOST_BYTES: usize = 64 << 20;

/// What waits of the files that are being read. They are numbered in the order in which they are taken.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    /// The file that is being taken. It never waits for room, or nothing would go on.
    front: usize,
    /// Nobody takes anything any more.
    closed: bool,
}

/// Closes it when it is dropped, so that no thread waits for ever.
pub(super) struct Taking<'w>(&'w Waiting);

impl Waiting {
    /// Waits until there is room for a document of a file.
    pub(super) fn add(&self, file: usize, bytes: usize) {
        let full = |state: &mut State| {
            !state.closed && state.front != file && state.bytes > 0 && state.bytes + bytes > MOST_BYTES
        };
        let waited = self.changed.wait_while(self.state(), full);
        waited.unwrap_or_else(PoisonError::into_inner).bytes += bytes;
    }

    pub(super) fn taking(&self) -> Taking<'_> {
        Taking(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taking<'_> {
    /// From now on this file is taken.
    pub(super) fn begin(&self, file: usize) {
        self.0.state().front = file;
        self.0.changed.notify_all();
    }

    /// A document was taken.
    pub(super) fn took(&self, bytes: usize) {
        let mut state = self.0.state();
        state.bytes = state.bytes.saturating_sub(bytes);
        drop(state);
        self.0.changed.notify_all();
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;
    use crossbeam_utils::thread::scope;

    use super::*;

    #[test]
    fn documents_wait_for_room_unless_their_file_is_taken() {
        let waiting = Waiting::default();
        let taking = waiting.taking();
        waiting.add(0, MOST_BYTES);
        waiting.add(0, MOST_BYTES);
        scope(|scope| {
            let (added, done) = unbounded();
            let waiting = &waiting;
            scope.spawn(move |_| {
                for file in 1..4 {
                    waiting.add(file, MOST_BYTES);
                    added.send(file).unwrap();
                }
            });
            taking.took(MOST_BYTES);
            assert!(done.try_recv().is_err(), "there is no room yet");
            taking.took(MOST_BYTES);
            assert_eq!(done.recv(), Ok(1));
            assert!(done.try_recv().is_err());
            taking.begin(2);
            assert_eq!(done.recv(), Ok(2));
            drop(taking);
            assert_eq!(done.recv(), Ok(3), "nobody waits once it is closed");
        })
        .unwrap();
    }
}
