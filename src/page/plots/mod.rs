//! Drawings in SVG. The text in them is the reader's own sans-serif: no font is looked for here.

mod bars;
mod lines;
mod points;

use std::io;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::markup::escape;
use crate::error::{Error, Result};

pub(super) use bars::{Bin, counts, gains, histograms, pairs};
pub(super) use lines::{Level, Series, curve, lines};
pub(super) use points::{Estimate, clouds, estimates};

/// In the units of a drawing, which are scaled to the width that there is.
const SIZE: (u32, u32) = (400, 270);
/// Of one with names under its bars.
const WIDE: (u32, u32) = (520, 280);
/// Of one whose axes mean the same, and of what stands beside it.
const SQUARE: (u32, u32) = (400, 350);
const TEXT: f64 = 15.0;
const GREY: RGBColor = RGBColor(110, 110, 110);
const PALE: RGBColor = RGBColor(225, 225, 225);

/// What the axes mean, with their units.
#[derive(Clone, Copy)]
pub(super) struct Axes<'a> {
    pub(super) x: &'a str,
    pub(super) y: &'a str,
}

pub(super) fn hexadecimal(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = std::result::Result<(), DrawingAreaErrorKind<io::Error>>;

/// An SVG element; `label` says what it shows to those who don't see it.
fn svg(label: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = draw(&area).and_then(|()| area.present());
        drawn.map_err(|error| Error::io("draw", Path::new(label))(io::Error::other(error.to_string())))?;
    }
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escape(label)), 1))
}

/// Axes with their ticks and meanings.
fn chart<'a, 'b>(
    area: &'a Area<'b>,
    axes: Axes<'_>,
    (x, y): (Range<f64>, Range<f64>),
    (x_labels, name): (usize, &dyn Fn(&f64) -> String),
) -> std::result::Result<Chart<'a, 'b>, DrawingAreaErrorKind<io::Error>> {
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .margin_right(16)
        .x_label_area_size(46)
        .y_label_area_size(72)
        .build_cartesian_2d(x, y)?;
    let text = ("sans-serif", TEXT).into_font();
    chart
        .configure_mesh()
        .x_desc(axes.x)
        .y_desc(axes.y)
        .x_labels(x_labels)
        .y_labels(6)
        .x_label_formatter(name)
        .y_label_formatter(&number)
        .label_style(text.clone())
        .axis_desc_style(text)
        .axis_style(GREY)
        .bold_line_style(PALE)
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(chart)
}

/// A tick: as few digits as it needs.
fn number(value: &f64) -> String {
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

/// A tick of what is counted: none between two numbers.
fn whole(value: &f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { String::new() }
}

/// A broken line; the gaps are as long as the dashes, but never wide.
fn dashes(
    points: &[(f64, f64); 2],
    dash: u32,
    colour: RGBColor,
) -> DashedLineSeries<std::array::IntoIter<(f64, f64), 2>, u32> {
    DashedLineSeries::new(*points, dash, dash.min(4), colour.stroke_width(2))
}

/// The range of some numbers, a little wider, and never empty.
fn around(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = ends(numbers);
    if low > high || (low == 0.0 && high == 0.0) {
        return 0.0..1.0;
    }
    let margin = ((high - low) * 0.08).max(high.abs() * 0.02);
    // What never falls below 0 is drawn from 0.
    let from = if low >= 0.0 { 0.0 } else { low - margin };
    from..high + margin
}

/// The range of some numbers, a little wider, wherever 0 is.
fn zoomed(numbers: impl Iterator<Item = f64>) -> Range<f64> {
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
