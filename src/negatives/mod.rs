//! Sources of hard negatives: documents that users passed over ([`confusable`]), passages near a query ([`semantic`]),
//! and synthetic texts ([`adversarial`]). [`mix`] combines the three.

mod adversarial;
mod confusable;
mod counts;
mod judged;
mod kind;
mod mix;
mod proposal;
mod semantic;
mod suspects;

pub(crate) use confusable::{
    Confusable, Confusion, Ends, Likeness, NeedEnd, ShownRef, collect_confusables, ends,
};
pub use counts::NegativeCounts;
pub(crate) use judged::{JudgedQuery, PassedOver};
pub use kind::NegativeKind;
pub(crate) use mix::{Indexes, mix};
pub(crate) use semantic::Margin;
pub(crate) use suspects::SuspectLimit;
