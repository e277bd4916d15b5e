//! The collection's counts, and the evaluation settings.

use super::super::markup::{section, table};
use super::report::EvaluationReport;

/// The inventory, if there is one, and the setup.
pub(super) fn collection(report: &EvaluationReport) -> String {
    let holds = report.inventory.as_ref().map_or_else(String::new, |inventory| {
        let held = [("documents", inventory.documents), ("judged queries", inventory.queries)];
        let counts = held.into_iter().chain(inventory.odd());
        let counts: Vec<_> = counts.map(|(what, count)| vec![what.to_string(), count.to_string()]).collect();
        table("What it holds, and what is odd about it", &["what", "number"], &counts)
    });
    let setup: Vec<Vec<String>> =
        report.setup.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    let content = holds + &table("How it was measured", &["what", "value"], &setup);
    section("collection", "Collection", &content)
}
