//! Evaluates an engine on a test collection, and its learning with simulated users.
//!
//! - [`TestSet`] is a collection with one of its splits, read and checked. [`TestSet::evaluate`] indexes its documents
//!   and evaluates all three modes on its queries.
//! - `TestSet::evaluate_cluster` evaluates an index that was migrated to a cluster.
//! - [`JudgedFolder`] does the same for an index of files, with judged passages.
//! - [`Simulation`] simulates users who search and pick, lets the engine learn, and evaluates after each round.
//! - [`MtebResults`] are a run's scores in MTEB's format.
//! - [`score_modes`] and [`replay`] are the building blocks, for callers that need another loop.
//!
//! Long operations report their [`Progress`], and end with [`Error::Cancelled`](crate::Error::Cancelled) when the
//! caller breaks.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//!
//! use retune::measure::{EvaluationOptions, TestSet};
//! use retune::{Chunking, Engine, Options};
//!
//! # fn main() -> retune::Result<()> {
//! let set = TestSet::read("scifact".as_ref(), None, None)?;
//! let engine = Engine::open("index", Options::default().with_chunking(Chunking::Whole))?;
//! let report = set.evaluate(&engine, &EvaluationOptions::default(), &mut |_| ControlFlow::Continue(()))?;
//! println!("hybrid nDCG@10 {:.4}", report.scores.modes.hybrid["ndcg@10"]);
//! engine.close()
//! # }
//! ```

mod by_mode;
#[cfg(feature = "opensearch")]
mod cluster;
mod documents;
mod evaluation;
mod folder;
mod guard;
mod mteb;
mod progress;
mod ranking;
mod scores;
mod searches;
mod simulation;
mod simulation_report;
mod test_set;
mod timing;
mod users;
mod weights;

pub use by_mode::ByMode;
#[cfg(feature = "opensearch")]
pub use cluster::ClusterReport;
pub use documents::Added;
pub use evaluation::{CollectionReport, EvaluationOptions};
pub use folder::{FolderReport, JudgedFolder};
pub use mteb::MtebResults;
pub use progress::Progress;
pub use scores::{ModeScores, score_modes};
pub use searches::Searches;
pub use simulation::{Simulation, SimulationOptions};
pub use simulation_report::{SimulatedRound, SimulatedSeconds, SimulationEvent, SimulationReport};
pub use test_set::TestSet;
pub use timing::{Percentiles, time_searches};
pub use users::{Users, replay};
pub use weights::WeightMean;
