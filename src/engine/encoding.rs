//! What is encoded next, and whose turn it is.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::search::Hit;

/// Documents that searches have found and that are to be encoded first; of more the oldest are forgotten.
const MOST_WANTED: usize = 1000;

/// The state that those who encode and those who search share.
#[derive(Debug, Default)]
pub(super) struct Encoding {
    /// Held by the one that encodes.
    turn: Mutex<()>,
    /// Documents that searches have found by their words alone, the latest last.
    wanted: Mutex<VecDeque<String>>,
    /// Documents in the order in which people will want them, the first last; others come after them.
    order: Mutex<Vec<String>>,
}

impl Encoding {
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// Sets the order of what has no vector yet.
    pub(super) fn set_order(&self, mut documents: Vec<String>) {
        documents.reverse();
        *lock(&self.order) = documents;
    }

    /// The document whose chunks are encoded next; `None` if nobody has ordered any.
    pub(super) fn next(&self) -> Option<String> {
        lock(&self.wanted).pop_back().or_else(|| lock(&self.order).pop())
    }

    /// Takes up a document again, of which chunks are left.
    pub(super) fn go_on_with(&self, document: String) {
        lock(&self.order).push(document);
    }

    /// Has the documents that were found without a vector encoded before others, the best of them first.
    pub(super) fn want(&self, hits: &[Hit]) {
        let mut wanted = lock(&self.wanted);
        for hit in hits.iter().rev().filter(|hit| hit.dense.is_none()) {
            if wanted.len() == MOST_WANTED {
                wanted.pop_front();
            }
            wanted.push_back(hit.document.clone());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
