//! A generation on trial: it answers beside the serving one, and picks decide whether it is published.
//!
//! Answers are interleaved while the candidate has the same documents as the snapshot that serves; after a change it
//! catches up in the background. Votes are counted from the log by a thread of their own, once their needs are over.
//! What was counted is stored in `trial.json`, so that a trial goes on after a restart.

pub(super) mod answer;
pub(super) mod begin;
mod catch_up;
mod finish;
mod interleaved;
mod look;
pub(super) mod state;
mod stored;
#[cfg(test)]
mod tests;
mod thread;
mod votes;
