//! Evaluation: test collections, metrics, significance tests. Works on plain ids, without an index.
//!
//! - [`Collection`] reads folders in the layouts of BEIR, TREC and SMART. [`Inventory`] counts defects in them.
//! - [`Qrels`] are judgements and [`Run`] is a ranked output. Both read and write TREC's formats.
//! - A [`Split`] of a collection has its judged queries with their judgements.
//! - [`score_run`] and [`compare_runs`] score and compare runs in files.
//! - [`Passages`] are judged places in files (byte ranges, pages, quotes), independent of how the files are cut into
//!   chunks.
//! - [`Metric`] and [`evaluate`] give the same values as trec_eval, including ties and missing queries.
//! - [`ClickModel`] simulates users.
//! - [`randomisation_test`] tests whether a difference between two runs is significant. [`holm`] corrects p-values for
//!   multiple comparisons. [`Comparison`] does both and lists every query. [`bootstrap`] gives confidence intervals.

mod clicks;
mod collection;
mod comparison;
mod evaluation;
mod interval;
mod judged_place;
mod lines;
mod metric_names;
mod metrics;
mod numbers;
mod passages;
mod qrels;
mod run;
mod run_files;
mod significance;
mod split;
#[cfg(test)]
mod tests;

pub use clicks::ClickModel;
pub use collection::{Collection, Document, Documents, Inventory, Queries, Query};
pub use comparison::{Change, Comparison};
pub use evaluation::{AveragedOver, Evaluation, Figures, evaluate};
pub use interval::{Interval, SEED, bootstrap, quantile};
pub(crate) use interval::{interval_of, resamples};
pub use judged_place::Shown;
pub(crate) use lines::Lines;
pub use metrics::Metric;
pub use passages::Passages;
pub use qrels::Qrels;
pub use run::Run;
pub use run_files::{RunComparisons, RunScores, ScoreOptions, compare_runs, score_run};
pub use significance::{Significance, compare, holm, randomisation_test};
pub use split::Split;
