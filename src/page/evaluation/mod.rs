//! The page of an evaluation: the scores of each mode, query by query, by fusion weight, and the speed.

mod collection;
mod means;
mod queries;
mod report;
mod speed;
mod weights;

use super::markup::paragraph;
use super::parts::Parts;
use crate::error::Result;
pub use report::EvaluationReport;

impl Parts for EvaluationReport {
    fn title(&self) -> String {
        format!("Evaluation on {}, {}", self.collection, self.split)
    }

    fn content(&self) -> Result<String> {
        let metric = self.metric();
        let means = self
            .modes()
            .map(|mode| format!("{} {:.4}", mode.name, mode.evaluation.mean(metric).unwrap_or(0.0)));
        let mut content = paragraph(
            "Search by words is BM25 (lexical). Search by meaning compares vectors (dense). Users get both together \
             (hybrid).",
        );
        content.push_str(&paragraph(&format!(
            "{metric} over {} queries: {} ({}).",
            self.hybrid.len(),
            means.join(", "),
            self.fusion
        )));
        content.push_str(&means::means(self)?);
        content.push_str(&queries::queries(self)?);
        content.push_str(&weights::weights(self)?);
        content.push_str(&speed::speed(self)?);
        content.push_str(&collection::collection(self));
        Ok(content)
    }
}
