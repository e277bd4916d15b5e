//! The settings that operations run with, and the division of work among threads.

use rayon::prelude::*;

use super::kernel::Kernel;

/// The kernel to use, and the number of threads.
#[derive(Debug, Clone, Copy)]
pub(in crate::encoder) struct Run {
    pub(in crate::encoder) kernel: Kernel,
    pub(in crate::encoder) threads: usize,
}

/// Runs `work` on every item and returns the results in order.
pub(in crate::encoder) fn map<T: Send, R: Send>(
    threads: usize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    if threads > 1 && items.len() > 1 {
        items.into_par_iter().map(work).collect()
    } else {
        items.into_iter().map(work).collect()
    }
}

/// Runs `work` for `0..count`.
pub(super) fn each(threads: usize, count: usize, work: impl Fn(usize) + Sync + Send) {
    if threads > 1 && count > 1 {
        (0..count).into_par_iter().for_each(work);
    } else {
        (0..count).for_each(work);
    }
}

/// Runs `work` for `0..count` and returns the results in order.
pub(super) fn map_each<R: Send>(
    threads: usize,
    count: usize,
    work: impl Fn(usize) -> R + Sync + Send,
) -> Vec<R> {
    map(threads, (0..count).collect(), work)
}
