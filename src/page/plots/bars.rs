//! Bars and areas.

use plotters::prelude::*;

use super::super::colours::{AFTER, BEFORE, GAINED, GREY, LOST};
use super::chart::{Axes, Frame, SIZE, SQUARE, chart, dashes, number, rows_of, svg, whole};
use crate::error::Result;
use crate::learn::Distribution;

/// A distribution in its colour.
pub(in crate::page) struct Histogram<'a> {
    pub(in crate::page) of: &'a Distribution,
    pub(in crate::page) colour: RGBColor,
}

/// Histograms over each other, each in percent of its own count. The axes have room for `like` too, distributions
/// that are drawn in plots next to this one.
pub(in crate::page) fn histograms(
    label: &str,
    axes: Axes<'_>,
    shown: &[Histogram<'_>],
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
    // Room on either side keeps a narrow distribution from looking wide.
    let x = (low - 0.1).max(-1.0)..(high + 0.1).min(1.0);
    let top = filled().map(|(of, bin)| share(of, bin)).fold(0.0, f64::max) * 1.08;
    svg(label, SIZE, |area| {
        let mut chart = chart(area, Frame::new(axes, x, 0.0..top.max(1.0), &number))?;
        for &Histogram { of, colour } in shown {
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

/// A value, 0 to 1, before and after.
pub(in crate::page) struct Pair<'a> {
    pub(in crate::page) name: &'a str,
    pub(in crate::page) before: f64,
    pub(in crate::page) after: f64,
}

/// Two bars for each value, before and after, in rows. `unit` is the title of the axis.
pub(in crate::page) fn pairs(label: &str, unit: &str, values: &[Pair<'_>]) -> Result<String> {
    let rows: Vec<&str> = values.iter().rev().map(|pair| pair.name).collect();
    rows_of(label, unit, &rows, |chart| {
        let bar = |from: f64, value: f64, colour: RGBColor| {
            Rectangle::new([(0.0, from), (value, from + 0.32)], colour.filled())
        };
        let bars = values.iter().rev().enumerate().flat_map(|(row, pair)| {
            let row = row as f64;
            [bar(row + 0.02, pair.before, BEFORE), bar(row - 0.34, pair.after, AFTER)]
        });
        chart.draw_series(bars)?;
        Ok(())
    })
}

/// How many values lie between two numbers.
pub(in crate::page) struct Bin {
    pub(in crate::page) from: f64,
    pub(in crate::page) to: f64,
    pub(in crate::page) count: usize,
}

/// A place on the x axis, marked from top to bottom.
pub(in crate::page) struct Mark {
    pub(in crate::page) x: f64,
    pub(in crate::page) colour: RGBColor,
    /// The length of its dashes.
    pub(in crate::page) dash: u32,
}

/// Bins from 0 on in one colour, with marks.
pub(in crate::page) fn counts(
    label: &str,
    axes: Axes<'_>,
    bins: &[Bin],
    colour: RGBColor,
    marks: &[Mark],
) -> Result<String> {
    let top = bins.iter().map(|bin| bin.count).fold(1, usize::max) as f64 * 1.08;
    let end = bins.iter().map(|bin| bin.to).chain(marks.iter().map(|mark| mark.x)).fold(0.0, f64::max);
    let end = if end > 0.0 { end * 1.02 } else { 1.0 };
    svg(label, SIZE, |area| {
        let mut chart = chart(area, Frame::new(axes, 0.0..end, 0.0..top, &number))?;
        for bin in bins.iter().filter(|bin| bin.count > 0) {
            let corners = [(bin.from, 0.0), (bin.to, bin.count as f64)];
            chart.draw_series([
                Rectangle::new(corners, colour.mix(0.35).filled()),
                Rectangle::new(corners, colour.stroke_width(1)),
            ])?;
        }
        for &Mark { x, colour, dash } in marks {
            chart.draw_series(dashes(&[(x, 0.0), (x, top)], dash, colour))?;
        }
        Ok(())
    })
}

/// Gains side by side as areas above and below 0. `gains` are in descending order.
pub(in crate::page) fn gains(label: &str, axes: Axes<'_>, gains: &[f64]) -> Result<String> {
    let count = gains.len().max(1) as f64;
    let high = gains.iter().copied().fold(0.05, f64::max) * 1.08;
    let low = gains.iter().copied().fold(-0.05, f64::min) * 1.08;
    svg(label, SQUARE, |area| {
        let mut chart = chart(area, Frame::new(axes, 0.0..count, low..high, &whole))?;
        for (side, colour) in [(1.0, GAINED), (-1.0, LOST)] {
            let of_side: Vec<(usize, f64)> =
                gains.iter().copied().enumerate().filter(|(_, gain)| gain * side > 0.0).collect();
            let (Some(first), Some(last)) = (of_side.first(), of_side.last()) else { continue };
            let mut outline = vec![(first.0 as f64, 0.0)];
            let step = |&(place, gain): &(usize, f64)| [(place as f64, gain), (place as f64 + 1.0, gain)];
            outline.extend(of_side.iter().flat_map(step));
            outline.push((last.0 as f64 + 1.0, 0.0));
            chart.draw_series([Polygon::new(outline, colour.filled())])?;
        }
        chart.draw_series([PathElement::new(vec![(0.0, 0.0), (count, 0.0)], GREY)])?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXES: Axes<'_> = Axes { x: "queries", y: "gain" };

    #[test]
    fn gains_and_losses_are_areas_and_no_difference_is_none() {
        let areas = |values: &[f64]| gains("g", AXES, values).unwrap().matches("<polygon").count();
        assert_eq!(areas(&[0.5, 0.0, -0.25]), 2);
        assert_eq!(areas(&[0.5]), 1);
        assert_eq!((areas(&[0.0, 0.0]), areas(&[])), (0, 0));
    }

    #[test]
    fn every_pair_has_its_name_and_its_two_bars() {
        let pair = |name| Pair { name, before: 0.4, after: 0.6 };
        let drawn = |values: &[Pair<'_>]| pairs("p", "mean", values).unwrap();
        let (none, two) = (drawn(&[]), drawn(&[pair("first"), pair("second")]));
        assert_eq!(two.matches("<rect").count(), 4 + none.matches("<rect").count());
        let place = |name: &str| {
            let text = two[..two.find(name).unwrap()].rfind("<text").unwrap();
            let y = two[text..].split(" y=\"").nth(1).unwrap().split('"').next().unwrap();
            y.parse::<i32>().unwrap()
        };
        assert!(place("first") + 15 < place("second"), "{two}");
    }

    #[test]
    fn empty_bins_are_not_drawn_and_nothing_has_axes_all_the_same() {
        let bin = |from: f64, count| Bin { from, to: from + 1.0, count };
        let drawn =
            |bins: &[Bin]| counts("b", AXES, bins, RED, &[Mark { x: 1.5, colour: BLUE, dash: 4 }]).unwrap();
        let (two, none) = (drawn(&[bin(0.0, 2), bin(1.0, 0), bin(2.0, 1)]), drawn(&[]));
        // Each with its outline.
        assert_eq!(two.matches("<rect").count(), 4 + none.matches("<rect").count());
    }
}
