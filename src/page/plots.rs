//! Drawings in SVG. The text in them is the reader's own sans-serif: no font is looked for here.

use std::io;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::markup::escape;
use crate::Distribution;
use crate::error::{Error, Result};

/// In the units of a drawing, which are scaled to the width that there is.
const SIZE: (u32, u32) = (400, 270);
/// Of one with names under its bars.
const WIDE: (u32, u32) = (520, 280);
const TEXT: f64 = 15.0;
const GREY: RGBColor = RGBColor(110, 110, 110);
const PALE: RGBColor = RGBColor(225, 225, 225);

/// A series of numbers with its colour.
pub(super) struct Series {
    pub(super) colour: RGBColor,
    pub(super) points: Vec<(f64, f64)>,
}

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

/// The range of some numbers, a little wider, and never empty.
fn around(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) =
        numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(n), high.max(n)));
    if low > high || (low == 0.0 && high == 0.0) {
        return 0.0..1.0;
    }
    let margin = ((high - low) * 0.08).max(high.abs() * 0.02);
    // What never falls below 0 is drawn from 0.
    let from = if low >= 0.0 { 0.0 } else { low - margin };
    from..high + margin
}

/// Lines over steps; points too, where there are few.
pub(super) fn lines(label: &str, axes: Axes<'_>, series: &[Series]) -> Result<String> {
    const FEW: usize = 40;
    let points = || series.iter().flat_map(|one| &one.points);
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let y = around(points().map(|point| point.1));
    svg(label, SIZE, |area| {
        let steps = |x: &f64| if x.fract() == 0.0 { format!("{x}") } else { String::new() };
        let mut chart = chart(area, axes, (0.0..last, y), (6, &steps))?;
        for one in series {
            chart.draw_series(LineSeries::new(one.points.iter().copied(), one.colour.stroke_width(2)))?;
            if one.points.len() <= FEW {
                let dots = one.points.iter().map(|&point| Circle::new(point, 3, one.colour.filled()));
                chart.draw_series(dots)?;
            }
        }
        Ok(())
    })
}

/// Histograms over each other, in shares of each. `like` are distributions that are drawn beside these and have the same
/// axes.
pub(super) fn histograms(
    label: &str,
    axes: Axes<'_>,
    shown: &[(&Distribution, RGBColor)],
    like: &[&Distribution],
) -> Result<String> {
    let share = |of: &Distribution, bin: usize| 100.0 * f64::from(of.histogram[bin]) / of.count.max(1) as f64;
    let bound = |of: &Distribution, bin: usize| 2.0 * bin as f64 / of.histogram.len() as f64 - 1.0;
    let filled = || {
        let bins = like.iter().flat_map(|of| (0..of.histogram.len()).map(move |bin| (*of, bin)));
        bins.filter(|(of, bin)| of.histogram[*bin] > 0)
    };
    let low = filled().map(|(of, bin)| bound(of, bin)).fold(1.0, f64::min);
    let high = filled().map(|(of, bin)| bound(of, bin + 1)).fold(-1.0, f64::max);
    // A few bins on either side, so that a narrow distribution does not look wide.
    let x = (low - 0.1).max(-1.0)..(high + 0.1).min(1.0);
    let top = filled().map(|(of, bin)| share(of, bin)).fold(0.0, f64::max) * 1.08;
    svg(label, SIZE, |area| {
        let mut chart = chart(area, axes, (x, 0.0..top.max(1.0)), (6, &number))?;
        for &(of, colour) in shown {
            let bins = (0..of.histogram.len()).filter(|&bin| of.histogram[bin] > 0);
            let bar = |bin: usize| [(bound(of, bin), 0.0), (bound(of, bin + 1), share(of, bin))];
            let bars = bins.clone().map(|bin| Rectangle::new(bar(bin), colour.mix(0.35).filled()));
            chart.draw_series(bars)?;
            let outlines = bins.map(|bin| Rectangle::new(bar(bin), colour.stroke_width(1)));
            chart.draw_series(outlines)?;
        }
        Ok(())
    })
}

/// Bars in pairs from 0 to 1: of each name what it was and what it has become.
pub(super) fn pairs(
    label: &str,
    axes: Axes<'_>,
    values: &[(&str, f64, f64)],
    (before, after): (RGBColor, RGBColor),
) -> Result<String> {
    let last = values.len() as f64 - 0.5;
    let name = |x: &f64| {
        let named = (x.fract() == 0.0 && *x >= 0.0).then(|| values.get(*x as usize)).flatten();
        named.map_or_else(String::new, |(name, ..)| name.to_string())
    };
    svg(label, WIDE, |area| {
        let mut chart = chart(area, axes, (-0.5..last, 0.0..1.0), (values.len() + 1, &name))?;
        let bar = |from: f64, value: f64, colour: RGBColor| {
            Rectangle::new([(from, 0.0), (from + 0.32, value)], colour.filled())
        };
        let bars = values.iter().enumerate().flat_map(|(place, &(_, old, new))| {
            [bar(place as f64 - 0.34, old, before), bar(place as f64 + 0.02, new, after)]
        });
        chart.draw_series(bars)?;
        Ok(())
    })
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
    }

    #[test]
    fn a_drawing_says_what_it_shows_and_a_line_of_one_point_is_seen() {
        let series = [Series { colour: GREY, points: vec![(1.0, 0.5)] }];
        let found = lines("a < b", Axes { x: "step", y: "loss" }, &series).unwrap();
        assert!(found.starts_with("<svg role=\"img\" aria-label=\"a &lt; b\" "), "{found}");
        assert!(found.contains("<circle") && found.contains("loss"), "{found}");
    }
}
