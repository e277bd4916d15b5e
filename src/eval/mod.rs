//! How good a ranking is: test collections, metrics, significance tests. Pure, over plain ids.
//!
//! - [`Collection`] reads folders in the layouts of BEIR, TREC and SMART; [`Inventory`] counts what is odd in them.
//! - [`Qrels`] are the judgements, [`Run`] is a ranked output; both also read and write TREC's formats.
//! - [`Passages`] judges stretches of files, whatever cuts them.
//! - [`Metric`] and [`evaluate`] follow trec_eval to the letter, ties and missing queries included.
//! - [`ClickModel`]: simulated users.
//! - [`randomisation_test`] says whether a difference between two runs could be chance, [`holm`] corrects that for several
//!   comparisons, [`Comparison`] is both of it query by query, and [`bootstrap`] says how sure a mean is.

mod clicks;
mod collection;
mod comparison;
mod evaluation;
mod interval;
mod lines;
mod metrics;
mod numbers;
mod passages;
mod qrels;
mod run;
mod significance;
#[cfg(test)]
mod tests;

pub use clicks::ClickModel;
pub use collection::{Collection, Document, Documents, Inventory, Queries, Query};
pub use comparison::{Change, Comparison};
pub use evaluation::{AveragedOver, Evaluation, evaluate};
pub use interval::{Interval, bootstrap, quantile};
pub use metrics::Metric;
pub use passages::{Passages, Shown};
pub use qrels::Qrels;
pub use run::Run;
pub use significance::{Significance, compare, holm, randomisation_test};
