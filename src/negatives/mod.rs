//! Where hard negatives come from: what users passed over ([`confusable`]), what the indexes find near to a query
//! ([`semantic`]), and what is made ([`adversarial`]).

mod adversarial;
mod confusable;
mod limit;
mod semantic;
mod source;

pub(crate) use adversarial::Adversarial;
pub use confusable::ConfusableOptions;
pub(crate) use confusable::{Confusion, PassedOver, PositionBias, ShownRef, collect_confusables};
pub(crate) use limit::SuspectLimit;
pub(crate) use semantic::Semantic;
pub use semantic::{Sampling, SemanticOptions};
pub(crate) use source::{Negative, NegativeSource, Proposal, Sought, mix};
pub use source::{NegativeKind, NegativeShares};
