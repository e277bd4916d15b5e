//! How wide the terminal is.

use terminal_size::{Width, terminal_size};

/// Where no terminal says how wide it is.
const DEFAULT: usize = 80;
/// Longer lines are hard to read.
const MOST: usize = 100;
/// Shorter ones are too.
const LEAST: usize = 40;

/// The columns that results are laid out for: those of the terminal, `COLUMNS`, or 80; 40 to 100.
pub(super) fn columns() -> usize {
    let stated = || std::env::var("COLUMNS").ok()?.parse().ok();
    let found = terminal_size().map(|(Width(columns), _)| columns.into()).or_else(stated);
    found.unwrap_or(DEFAULT).clamp(LEAST, MOST)
}
