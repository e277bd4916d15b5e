//! Lines.

use plotters::prelude::*;

use super::{Axes, SIZE, around, chart, dashes, number, svg, whole, zoomed};
use crate::error::Result;

/// A series of numbers with its colour.
pub(in crate::page) struct Series {
    pub(in crate::page) colour: RGBColor,
    pub(in crate::page) points: Vec<(f64, f64)>,
}

/// Lines over steps; points too, where there are few.
pub(in crate::page) fn lines(label: &str, axes: Axes<'_>, series: &[Series]) -> Result<String> {
    const FEW: usize = 40;
    let points = || series.iter().flat_map(|one| &one.points);
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let y = around(points().map(|point| point.1));
    svg(label, SIZE, |area| {
        let mut chart = chart(area, axes, (0.0..last, y), (6, &whole))?;
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

/// A height that is marked through the whole drawing.
pub(in crate::page) struct Level {
    pub(in crate::page) colour: RGBColor,
    pub(in crate::page) y: f64,
    /// How long its dashes are; so that levels are told apart without colour.
    pub(in crate::page) dash: u32,
}

/// A curve over 0 to 1 between levels, with a point that stands out. Its heights are drawn as near as they allow, not from 0.
pub(in crate::page) fn curve(
    label: &str,
    axes: Axes<'_>,
    line: &Series,
    levels: &[Level],
    mark: Option<((f64, f64), RGBColor)>,
) -> Result<String> {
    let marked = mark.iter().map(|((_, y), _)| *y);
    let heights = line.points.iter().map(|point| point.1).chain(levels.iter().map(|level| level.y));
    let y = zoomed(heights.chain(marked));
    svg(label, SIZE, |area| {
        let mut chart = chart(area, axes, (0.0..1.0, y), (6, &number))?;
        for level in levels {
            let ends = [(0.0, level.y), (1.0, level.y)];
            chart.draw_series(dashes(&ends, level.dash, level.colour))?;
        }
        chart.draw_series(LineSeries::new(line.points.iter().copied(), line.colour.stroke_width(2)))?;
        chart.draw_series(line.points.iter().map(|&point| Circle::new(point, 3, line.colour.filled())))?;
        if let Some((point, colour)) = mark {
            chart.draw_series([Circle::new(point, 7, WHITE.filled())])?;
            chart.draw_series([Circle::new(point, 7, colour.stroke_width(3))])?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::GREY;
    use super::*;

    #[test]
    fn a_drawing_says_what_it_shows_and_a_line_of_one_point_is_seen() {
        let series = [Series { colour: GREY, points: vec![(1.0, 0.5)] }];
        let found = lines("a < b", Axes { x: "step", y: "loss" }, &series).unwrap();
        assert!(found.starts_with("<svg role=\"img\" aria-label=\"a &lt; b\" "), "{found}");
        assert!(found.contains("<circle") && found.contains("loss"), "{found}");
    }

    #[test]
    fn a_curve_is_drawn_near_with_its_levels_and_its_mark() {
        let line = Series { colour: GREY, points: vec![(0.0, 0.52), (0.5, 0.56), (1.0, 0.54)] };
        let levels = [Level { colour: GREY, y: 0.51, dash: 2 }];
        let axes = Axes { x: "weight", y: "score" };
        let found = curve("curve", axes, &line, &levels, Some(((0.5, 0.56), BLACK))).unwrap();
        assert_eq!(found.matches("<circle").count(), 3 + 2);
        assert!(found.contains("0.52") && !found.contains("0.1\n"), "{found}");
        let nothing = Series { colour: GREY, points: Vec::new() };
        assert!(curve("curve", axes, &nothing, &[], None).unwrap().starts_with("<svg "));
    }
}
