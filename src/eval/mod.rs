//! How good a ranking is: test collections, metrics, significance tests. Pure, over plain ids.
//!
//! - [`Collection`] reads the BEIR layout: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`.
//! - [`Qrels`] are the judgements, [`Run`] is a ranked output; both also read and write TREC's formats.
//! - [`Metric`] and [`evaluate`] follow trec_eval to the letter, ties and missing queries included.
//! - [`ClickModel`]: simulated users.
//! - [`randomisation_test`] says whether a difference between two runs could be chance.

mod clicks;
mod collection;
mod lines;
mod metrics;
mod qrels;
mod run;
mod significance;
#[cfg(test)]
mod tests;

pub use clicks::ClickModel;
pub use collection::{Collection, Document, Documents, Queries, Query};
pub use metrics::{AveragedOver, Evaluation, Metric, evaluate};
pub use qrels::Qrels;
pub use run::Run;
pub use significance::{Significance, compare, randomisation_test};
