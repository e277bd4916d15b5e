//! What was asked of indexes on a cluster, and said of the answers: the two indices of OpenSearch's User Behavior
//! Insights, which all indexes share. The name of an index is the `application` of its records.
//!
//! Others may have made these indices, with another mapping: the plugin of that name, in any of its versions, or the
//! cluster itself, from what came first. So a condition only narrows what is read, and whoever reads looks at each
//! record again.

mod bulk;
mod count;
mod indices;
mod latest;
mod lookup;
mod narrowed;
mod records;
mod scan;

pub(crate) use bulk::{Batch, Sent};
pub(crate) use indices::Ubi;
pub(crate) use narrowed::Narrowed;
pub(crate) use records::Records;
pub(crate) use scan::Record;
