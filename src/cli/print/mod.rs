//! What several verbs print: text, JSON, progress bars.

mod bars;
mod output;
mod round;
mod scores;

pub(super) use bars::{Bars, counting_bar, spinner};
pub(super) use output::Output;
pub(super) use round::round_text;
pub(super) use scores::{head, mode_lines, mode_table, query_lines, row};
