//! Drawings in SVG. Their text is set in the reader's own sans-serif, so no font is loaded.

mod bars;
mod chart;
mod lines;
mod points;

pub(super) use bars::{Bin, Histogram, Mark, Pair, counts, gains, histograms, pairs};
pub(super) use chart::{Axes, Series};
pub(super) use lines::{Level, Reach, Ring, curve, lines, means};
pub(super) use points::{Estimate, Estimates, clouds, estimates};
