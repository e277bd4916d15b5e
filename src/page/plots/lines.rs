//! Lines.

use plotters::prelude::*;

use super::super::colours::PAPER;
use super::chart::{Axes, Frame, SIZE, Series, around, chart, dashes, number, svg, whole, zoomed};
use crate::error::Result;

/// Lines over steps; where there are few points, dots too.
pub(in crate::page) fn lines(label: &str, axes: Axes<'_>, series: &[Series]) -> Result<String> {
    const FEW: usize = 40;
    let points = || series.iter().flat_map(|one| &one.points);
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let y = around(points().map(|point| point.1));
    svg(label, SIZE, |area| {
        let mut chart = chart(area, Frame::new(axes, 0.0..last, y, &whole))?;
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

/// A height, marked from left to right.
pub(in crate::page) struct Level {
    pub(in crate::page) colour: RGBColor,
    pub(in crate::page) y: f64,
    /// The length of its dashes, which tells levels apart without colour.
    pub(in crate::page) dash: u32,
}

/// A point that stands out.
pub(in crate::page) struct Ring {
    pub(in crate::page) x: f64,
    pub(in crate::page) y: f64,
    pub(in crate::page) colour: RGBColor,
}

/// A curve over 0 to 1 with levels and perhaps a ring. The y axis is zoomed in: it need not begin at 0.
pub(in crate::page) fn curve(
    label: &str,
    axes: Axes<'_>,
    line: &Series,
    levels: &[Level],
    ring: Option<Ring>,
) -> Result<String> {
    let marked = ring.iter().map(|ring| ring.y);
    let heights = line.points.iter().map(|point| point.1).chain(levels.iter().map(|level| level.y));
    let y = zoomed(heights.chain(marked));
    svg(label, SIZE, |area| {
        let mut chart = chart(area, Frame::new(axes, 0.0..1.0, y, &number))?;
        for level in levels {
            let ends = [(0.0, level.y), (1.0, level.y)];
            chart.draw_series(dashes(&ends, level.dash, level.colour))?;
        }
        chart.draw_series(LineSeries::new(line.points.iter().copied(), line.colour.stroke_width(2)))?;
        chart.draw_series(line.points.iter().map(|&point| Circle::new(point, 3, line.colour.filled())))?;
        if let Some(Ring { x, y, colour }) = ring {
            chart.draw_series([Circle::new((x, y), 7, PAPER.filled())])?;
            chart.draw_series([Circle::new((x, y), 7, colour.stroke_width(3))])?;
        }
        Ok(())
    })
}

/// How far a point may be from where it is drawn.
pub(in crate::page) struct Reach {
    pub(in crate::page) x: f64,
    pub(in crate::page) low: f64,
    pub(in crate::page) high: f64,
    pub(in crate::page) colour: RGBColor,
}

/// Lines over counts, with a dot for each point and bars where it is known how far points reach. The y axis is zoomed
/// in: it need not begin at 0.
pub(in crate::page) fn means(
    label: &str,
    axes: Axes<'_>,
    series: &[Series],
    reaches: &[Reach],
) -> Result<String> {
    let points = || series.iter().flat_map(|one| &one.points);
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let bounds = reaches.iter().flat_map(|reach| [reach.low, reach.high]);
    let y = zoomed(points().map(|point| point.1).chain(bounds));
    svg(label, SIZE, |area| {
        let mut chart = chart(area, Frame::new(axes, 0.0..last, y, &whole))?;
        for Reach { x, low, high, colour } in reaches {
            chart.draw_series([PathElement::new(
                vec![(*x, *low), (*x, *high)],
                colour.mix(0.5).stroke_width(1),
            )])?;
        }
        for one in series {
            chart.draw_series(LineSeries::new(one.points.iter().copied(), one.colour.stroke_width(2)))?;
            chart.draw_series(one.points.iter().map(|&point| Circle::new(point, 3, one.colour.filled())))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::colours::GREY;
    use super::*;

    #[test]
    fn a_drawing_says_what_it_shows_and_a_line_of_one_point_is_seen() {
        let series = [Series { colour: GREY, points: vec![(1.0, 0.5)] }];
        let found = lines("a < b", Axes { x: "step", y: "loss" }, &series).unwrap();
        assert!(found.starts_with("<svg role=\"img\" aria-label=\"a &lt; b\" "), "{found}");
        assert!(found.contains("<circle") && found.contains("loss"), "{found}");
    }

    #[test]
    fn each_mean_is_a_dot_and_reaches_as_far_as_it_may() {
        let line = |colour, y: f64| Series { colour, points: vec![(0.0, y), (50.0, y), (100.0, y)] };
        let reach = |x: f64| Reach { x, low: 0.61, high: 0.77, colour: GREY };
        let axes = Axes { x: "needs", y: "score" };
        let drawn =
            |reaches: &[Reach]| means("m", axes, &[line(GREY, 0.7), line(BLACK, 0.65)], reaches).unwrap();
        let (found, plain) = (drawn(&[0.0, 50.0, 100.0].map(reach)), drawn(&[]));
        assert_eq!(found.matches("<circle").count(), 6, "{found}");
        let bars = found.matches("opacity=\"0.5\"").count() - plain.matches("opacity=\"0.5\"").count();
        assert_eq!(bars, 3, "{found}");
        assert!(means("m", axes, &[], &[]).unwrap().starts_with("<svg "));
    }

    #[test]
    fn a_curve_is_zoomed_in_and_has_its_levels_and_its_ring() {
        let line = Series { colour: GREY, points: vec![(0.0, 0.52), (0.5, 0.56), (1.0, 0.54)] };
        let levels = [Level { colour: GREY, y: 0.51, dash: 2 }];
        let axes = Axes { x: "weight", y: "score" };
        let found =
            curve("curve", axes, &line, &levels, Some(Ring { x: 0.5, y: 0.56, colour: BLACK })).unwrap();
        assert_eq!(found.matches("<circle").count(), 3 + 2);
        assert!(found.contains("0.52") && !found.contains("0.1\n"), "{found}");
        let nothing = Series { colour: GREY, points: Vec::new() };
        assert!(curve("curve", axes, &nothing, &[], None).unwrap().starts_with("<svg "));
    }
}
