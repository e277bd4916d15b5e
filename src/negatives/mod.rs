//! Where hard negatives come from.
//!
//! So far from the log alone: what users passed over, or said does not answer them.

mod confusable;

pub(crate) use confusable::{Confusion, ShownRef, collect_confusables};
