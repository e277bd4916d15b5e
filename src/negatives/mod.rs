//! Where hard negatives come from: what users passed over ([`confusable`]), what the indexes find near a query
//! ([`semantic`]), and what is made ([`adversarial`]). [`mix`] puts the three together.

mod adversarial;
mod confusable;
mod counts;
mod judged;
mod kind;
mod mix;
mod proposal;
mod semantic;
mod suspects;

pub(crate) use confusable::{Confusion, ShownRef, collect_confusables};
pub use counts::NegativeCounts;
pub(crate) use judged::{JudgedQuery, PassedOver};
pub use kind::NegativeKind;
pub(crate) use mix::{Indexes, mix};
pub(crate) use semantic::Margin;
pub(crate) use suspects::SuspectLimit;
