//! Colours of the plots.

use plotters::style::RGBColor;

/// What was, and what it has become. One is light and one dark, so they can be told apart without colour.
pub(super) const BEFORE: RGBColor = RGBColor(150, 170, 190);
pub(super) const AFTER: RGBColor = RGBColor(20, 80, 150);

/// The modes.
pub(super) const LEXICAL: RGBColor = RGBColor(200, 90, 10);
pub(super) const DENSE: RGBColor = RGBColor(90, 160, 120);
pub(super) const HYBRID: RGBColor = AFTER;

/// A query that gained, one that lost and one that did neither.
pub(super) const GAINED: RGBColor = AFTER;
pub(super) const LOST: RGBColor = LEXICAL;
pub(super) const EQUAL: RGBColor = BEFORE;

/// Axes and lines that only help to read a plot.
pub(super) const GREY: RGBColor = RGBColor(110, 110, 110);
pub(super) const PALE: RGBColor = RGBColor(225, 225, 225);

/// The colour in CSS: `#rrggbb`.
pub(super) fn css(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}
