//! Points.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::super::colours::GREY;
use super::chart::{Axes, Frame, SQUARE, Series, chart, dashes, number, rows_of, svg};
use crate::error::Result;

/// The radius of a single point, and of the largest.
const RADIUS: f64 = 3.0;
const LARGEST: f64 = 15.0;

/// Points between 0 and 1 on both axes, and the diagonal. The area of a point says how many are there.
pub(in crate::page) fn clouds(label: &str, axes: Axes<'_>, series: &[Series]) -> Result<String> {
    const SIDE: std::ops::Range<f64> = -0.06..1.06;
    let mut stacks: BTreeMap<(usize, [i64; 2]), usize> = BTreeMap::new();
    for (which, one) in series.iter().enumerate() {
        for (x, y) in &one.points {
            *stacks.entry((which, [x, y].map(|n| (n * 1000.0).round() as i64))).or_default() += 1;
        }
    }
    let mut stacks: Vec<_> = stacks.into_iter().collect();
    // Small points are drawn over large ones.
    stacks.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let tick = |n: &f64| if (0.0..=1.0).contains(n) { number(n) } else { String::new() };
    svg(label, SQUARE, |area| {
        let mut chart = chart(area, Frame::new(axes, SIDE, SIDE, &tick))?;
        chart.draw_series(dashes(&[(0.0, 0.0), (1.0, 1.0)], 4, GREY))?;
        for ((which, place), count) in stacks {
            let place = place.map(|n| n as f64 / 1000.0);
            let radius = (RADIUS * (count as f64).sqrt()).min(LARGEST).round() as i32;
            let colour = series[which].colour;
            chart.draw_series([
                Circle::new((place[0], place[1]), radius, colour.mix(0.55).filled()),
                Circle::new((place[0], place[1]), radius, colour.stroke_width(1)),
            ])?;
        }
        Ok(())
    })
}

/// A value with its confidence interval.
#[derive(Clone, Copy)]
pub(in crate::page) struct Estimate {
    pub(in crate::page) value: f64,
    pub(in crate::page) low: f64,
    pub(in crate::page) high: f64,
}

/// Estimates in one colour.
pub(in crate::page) struct Estimates {
    pub(in crate::page) colour: RGBColor,
    pub(in crate::page) values: Vec<Estimate>,
}

/// Estimates from 0 to 1 in rows: for each name, one of every series. `unit` is the title of the axis.
pub(in crate::page) fn estimates(
    label: &str,
    unit: &str,
    names: &[String],
    series: &[Estimates],
) -> Result<String> {
    const APART: f64 = 0.22;
    let rows: Vec<&str> = names.iter().rev().map(String::as_str).collect();
    rows_of(label, unit, &rows, |chart| {
        for (which, Estimates { colour, values }) in series.iter().enumerate() {
            let aside = ((series.len() as f64 - 1.0) / 2.0 - which as f64) * APART;
            for (row, one) in values.iter().rev().enumerate() {
                let y = row as f64 + aside;
                let line = |from, to| PathElement::new(vec![from, to], colour.stroke_width(2));
                let cap = |x| line((x, y - 0.06), (x, y + 0.06));
                chart.draw_series([line((one.low, y), (one.high, y)), cap(one.low), cap(one.high)])?;
                chart.draw_series([Circle::new((one.value, y), 4, colour.filled())])?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXES: Axes<'_> = Axes { x: "a", y: "b" };

    #[test]
    fn points_at_one_place_are_one_larger_point() {
        let drawn = |points: Vec<(f64, f64)>| clouds("c", AXES, &[Series { colour: RED, points }]).unwrap();
        let found = drawn(vec![(1.0, 1.0); 4]);
        assert_eq!(found.matches("r=\"6\"").count(), 2, "{found}");
        let many = drawn([vec![(0.0, 0.0); 10_000], vec![(0.2, 0.9)]].concat());
        assert!(many.contains("r=\"15\"") && many.contains("r=\"3\""), "{many}");
        assert!(!drawn(Vec::new()).contains("<circle"));
    }

    #[test]
    fn every_name_has_an_estimate_of_every_series() {
        let one = Estimate { value: 0.5, low: 0.4, high: 0.6 };
        let names = ["ndcg@10".to_string(), "map".to_string()];
        let series = [RED, BLUE].map(|colour| Estimates { colour, values: vec![one; 2] });
        let found = estimates("e", "mean", &names, &series).unwrap();
        assert_eq!(found.matches("<circle").count(), 4);
        assert!(found.contains("ndcg@10") && found.contains("map"), "{found}");
    }
}
