//! Counts for a round's report.

use std::collections::BTreeMap;

/// Counts by name. A count of 0 is absent.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(super) fn add(&mut self, what: &str, more: u64) {
        if more > 0 {
            *self.0.entry(what.into()).or_default() += more;
        }
    }

    pub(super) fn into_table(self) -> BTreeMap<String, u64> {
        self.0
    }
}
