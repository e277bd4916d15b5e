//! Shared parts of all plots: the SVG element, axes and ticks.

use std::io;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::super::colours::{GREY, INK, PALE, with_variables};
use super::super::markup::escape;
use crate::error::{Error, Result};

/// Width and height of most plots. The page scales them to the width it has.
pub(super) const SIZE: (u32, u32) = (400, 270);
/// The height of the x axis with its texts, and the width of the y axis with numbers.
const X_AXIS: u32 = 46;
const Y_AXIS: u32 = 72;
/// The width of plots with names on the y axis, the width of that axis, and the height of a row.
const NAMED_WIDTH: u32 = 460;
const NAMES: u32 = 142;
const ROW: u32 = 36;
/// The same for plots with equal scales on both axes, and plots next to them.
pub(super) const SQUARE: (u32, u32) = (400, 350);
const TEXT: f64 = 15.0;

/// The titles of the axes, with units.
#[derive(Clone, Copy)]
pub(in crate::page) struct Axes<'a> {
    pub(in crate::page) x: &'a str,
    pub(in crate::page) y: &'a str,
}

/// Points in one colour.
pub(in crate::page) struct Series {
    pub(in crate::page) colour: RGBColor,
    pub(in crate::page) points: Vec<(f64, f64)>,
}

/// Axes with their ranges and the ticks of the x axis.
pub(super) struct Frame<'a> {
    pub(super) axes: Axes<'a>,
    pub(super) x: Range<f64>,
    pub(super) y: Range<f64>,
    /// The text of a tick of the x axis.
    pub(super) tick: &'a dyn Fn(&f64) -> String,
    /// Names of the whole numbers on the y axis, from 0. If empty, the axis has numbers.
    pub(super) names: &'a [&'a str],
}

impl<'a> Frame<'a> {
    /// A frame with numbers on the y axis.
    pub(super) fn new(
        axes: Axes<'a>,
        x: Range<f64>,
        y: Range<f64>,
        tick: &'a dyn Fn(&f64) -> String,
    ) -> Self {
        Frame { axes, x, y, tick, names: &[] }
    }
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
pub(super) type Drawn = std::result::Result<(), DrawingAreaErrorKind<io::Error>>;

/// An SVG element. `label` describes it to readers who can't see it.
pub(super) fn svg(label: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = draw(&area).and_then(|()| area.present());
        drawn.map_err(|error| Error::io("draw", Path::new(label))(io::Error::other(error.to_string())))?;
    }
    let svg = with_variables(&svg);
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escape(label)), 1))
}

/// Draws the axes; the chart draws within them.
pub(super) fn chart<'a, 'b>(
    area: &'a Area<'b>,
    frame: Frame<'_>,
) -> std::result::Result<Chart<'a, 'b>, DrawingAreaErrorKind<io::Error>> {
    let Frame { axes, x, y, tick, names } = frame;
    let (y_width, y_ticks) = if names.is_empty() { (Y_AXIS, 6) } else { (NAMES, names.len() + 1) };
    let y_text = |y: &f64| if names.is_empty() { number(y) } else { name_at(names, *y) };
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .margin_right(16)
        .x_label_area_size(X_AXIS)
        .y_label_area_size(y_width)
        .build_cartesian_2d(x, y)?;
    let text = ("sans-serif", TEXT).into_font().color(&INK);
    chart
        .configure_mesh()
        .x_desc(axes.x)
        .y_desc(axes.y)
        .x_labels(6)
        .y_labels(y_ticks)
        .x_label_formatter(tick)
        .y_label_formatter(&y_text)
        .label_style(text.clone())
        .axis_desc_style(text)
        .axis_style(GREY)
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(chart)
}

/// A plot of named rows over 0 to 1. The names are given from the bottom to the top.
pub(super) fn rows_of(
    label: &str,
    unit: &str,
    names: &[&str],
    draw: impl FnOnce(&mut Chart<'_, '_>) -> Drawn,
) -> Result<String> {
    let rows = names.len().max(1);
    svg(label, (NAMED_WIDTH, X_AXIS + 12 + ROW * rows as u32), |area| {
        let (axes, y) = (Axes { x: unit, y: "" }, -0.5..rows as f64 - 0.5);
        let frame = Frame { names, ..Frame::new(axes, 0.0..1.0, y, &number) };
        draw(&mut chart(area, frame)?)
    })
}

/// The name at a place of an axis; empty between the names.
fn name_at(names: &[&str], place: f64) -> String {
    let name = (place.fract() == 0.0 && place >= 0.0).then(|| names.get(place as usize)).flatten();
    name.map_or_else(String::new, |name| name.to_string())
}

/// A tick with as few digits as it needs.
pub(super) fn number(value: &f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        "0".into()
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.1e}")
    } else {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    }
}

/// A tick of a count; empty between whole numbers.
pub(super) fn whole(value: &f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { String::new() }
}

/// A dashed line. The gaps are as long as the dashes, 4 at most.
pub(super) fn dashes(
    points: &[(f64, f64); 2],
    dash: u32,
    colour: RGBColor,
) -> DashedLineSeries<std::array::IntoIter<(f64, f64), 2>, u32> {
    DashedLineSeries::new(*points, dash, dash.min(4), colour.stroke_width(2))
}

/// The range of some numbers, a little wider. It is never empty, and begins at 0 if nothing is below.
pub(super) fn around(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = ends(numbers);
    if low > high || (low == 0.0 && high == 0.0) {
        return 0.0..1.0;
    }
    let margin = ((high - low) * 0.08).max(high.abs() * 0.02);
    let from = if low >= 0.0 { 0.0 } else { low - margin };
    from..high + margin
}

/// The range of some numbers, a little wider, whether 0 is in it or not.
pub(super) fn zoomed(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = ends(numbers);
    if low > high {
        return 0.0..1.0;
    }
    let margin = ((high - low) * 0.1).max(0.01);
    low - margin..high + margin
}

fn ends(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(n), high.max(n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_the_digits_that_they_need() {
        let found: Vec<String> =
            [0.0, 1e-17, 0.25, -0.5, 3.0, 120.0, 2e-5, 0.0012].iter().map(number).collect();
        assert_eq!(found, ["0", "0", "0.25", "-0.5", "3", "120", "2.0e-5", "0.0012"]);
    }

    #[test]
    fn axes_hold_what_is_drawn_and_are_never_empty() {
        assert_eq!(around([2.0, 4.0].into_iter()).start, 0.0);
        assert!(around([2.0, 4.0].into_iter()).contains(&4.0));
        assert!(around([-0.5, 0.5].into_iter()).contains(&-0.5));
        assert_eq!((around([0.0].into_iter()), around(std::iter::empty())), (0.0..1.0, 0.0..1.0));
        assert!(!around([-0.5].into_iter()).is_empty());
        let near = zoomed([0.52, 0.58].into_iter());
        assert!(near.start > 0.5 && near.contains(&0.58) && near.end < 0.6, "{near:?}");
        assert!(zoomed([0.5, 0.5].into_iter()).contains(&0.5) && zoomed(std::iter::empty()).contains(&0.5));
    }
}
