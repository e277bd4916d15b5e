//! What several verbs print: text, JSON, progress bars. Everything goes through [`Output`], [`complain`] and
//! [`LogLine`], which escape what comes from outside.

mod answer;
mod bars;
mod counted;
mod dry_run;
mod excerpt;
mod figures;
mod folded;
mod imported;
mod links;
#[cfg(feature = "opensearch")]
mod migrated;
mod output;
mod plot;
mod round;
mod simulation;
mod text;
mod trial;
mod width;

pub(super) use answer::{answer_text, facets_text};
pub(super) use bars::{Bars, counting_bar, spinner};
pub(super) use counted::{counted, records};
pub(super) use figures::{cell, change, interval, mode_lines, mode_table, query_lines, run_table};
pub(super) use folded::folded;
pub(super) use imported::import_text;
pub(super) use links::{Links, When};
#[cfg(feature = "opensearch")]
pub(super) use migrated::{migrated_text, restored_text};
pub(super) use output::{LogLine, Output, complain, raw, without_log};
#[cfg(feature = "opensearch")]
pub(super) use round::local_round_text;
pub(super) use round::round_text;
pub(super) use simulation::simulation_text;
pub(super) use text::{Line, Text};
pub(super) use trial::trial_text;
