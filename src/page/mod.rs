//! Reports as HTML pages with plots and tables: a round of learning, an evaluation, a comparison of runs, a
//! simulation.
//!
//! A page is one file that loads nothing: plots are inline SVG, and there are no scripts and no fonts. Pages suit
//! phones, light and dark screens, and paper.

mod colours;
mod comparison;
mod evaluation;
mod markup;
mod parts;
mod plots;
mod round;
mod simulation;

use std::path::Path;

pub use comparison::ComparisonReport;
pub use evaluation::EvaluationReport;

use crate::error::Result;
use crate::storage::write_atomic;
use colours::variables;
use markup::escape;
use parts::Parts;

const STYLE: &str = include_str!("style.css");

/// A report that can be drawn: a [`RoundReport`](crate::RoundReport), an [`EvaluationReport`], a [`ComparisonReport`]
/// or a [`SimulationReport`](crate::measure::SimulationReport).
pub trait Page: Parts {}

impl<T: Parts> Page for T {}

/// Writes the page of a report to `path`. The file appears whole or not at all, and replaces one that is there.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if it can't be written.
pub fn write(report: &impl Page, path: &Path) -> Result<()> {
    write_atomic(path, html(report)?.as_bytes())
}

/// The page of a report: HTML that is well-formed XML too.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if a plot can't be drawn.
pub fn html(report: &impl Page) -> Result<String> {
    let (title, content, variables) = (escape(&report.title()), report.content()?, variables());
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{title}</title>\n\
         <style>\n{variables}{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{content}</body>\n</html>\n"
    ))
}
