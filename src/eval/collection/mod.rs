//! Test collections on disk: documents, queries and judgements in the field's common formats.

mod classic;
mod folder;
mod inventory;
mod record;
#[cfg(feature = "formats")]
mod sgml;
mod sniff;
#[cfg(test)]
mod tests;

pub use folder::{Collection, Documents, Queries};
pub use inventory::Inventory;
pub use record::{Document, Query};
