//! Reports as pages: a round of learning, an evaluation on a collection, a comparison of runs, in plots and tables.
//!
//! One file that asks for nothing else: the drawings are SVG within it, no script, no font, nothing from the network. Made to be read
//! on a phone, on a screen and on paper.

mod comparison;
mod evaluation;
mod judged;
mod markup;
mod negatives;
mod plots;
mod queries;
mod round;
mod speed;
mod trained;
mod weights;

use std::path::Path;

use plotters::style::RGBColor;

pub use comparison::ComparisonReport;
pub use evaluation::EvaluationReport;

use crate::error::Result;
use crate::storage::write_atomic;
use markup::escape;
use parts::Parts;

const STYLE: &str = include_str!("style.css");

/// What was, what has become of it. Told apart without colour too: one is light, one dark.
const BEFORE: RGBColor = RGBColor(150, 170, 190);
const AFTER: RGBColor = RGBColor(20, 80, 150);

/// What there is a page of: a [`RoundReport`](crate::RoundReport), an [`EvaluationReport`], a [`ComparisonReport`].
pub trait Page: Parts {}

impl<T: Parts> Page for T {}

mod parts {
    use crate::error::Result;

    /// What is between the frame of a page, which is the same of all. Only this room has such parts.
    pub trait Parts {
        /// Plain text.
        fn title(&self) -> String;
        /// Well-formed HTML.
        fn content(&self) -> Result<String>;
    }
}

/// Writes the page of a report to `path`, whole or not at all; a file that is there is replaced.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if it can't be written.
pub fn write(report: &impl Page, path: &Path) -> Result<()> {
    write_atomic(path, html(report)?.as_bytes())
}

/// The page of a report, in HTML that is well-formed XML too.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if a plot can't be drawn.
pub fn html(report: &impl Page) -> Result<String> {
    let (title, content) = (escape(&report.title()), report.content()?);
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{content}</body>\n</html>\n"
    ))
}
