//! Curves in plain characters, which survive being copied.

use super::text::Text;

/// Points in the order of x, drawn as a letter. A y lies in 0 to 1.
pub(super) struct Series {
    pub(super) letter: char,
    pub(super) points: Vec<(f64, f64)>,
}

const SEVERAL: char = '*';
const BETWEEN: char = '.';
/// The y axis, which is also the column of x = 0.
const AXIS: char = '|';
const ROWS: i64 = 12;
/// How much higher than the next a row may be, in thousandths. The last leaves eleven rows for 0 to 1.
const STEPS: [i64; 16] = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100];

/// A plot of at most twelve rows, `columns` wide. Each row says which y it stands for: the axis need not begin at 0,
/// and a point is in the row that is nearest. The x axis begins at 0, and `unit` stands at its end. Between the points
/// of a series are dots.
pub(super) fn plot(unit: &str, series: &[Series], columns: usize) -> Text {
    let rows = Rows::of(series);
    let labels = rows.labels();
    let before = labels.first().map_or(0, String::len) + 1;
    // A space and the unit follow the x axis.
    let mut grid = Grid::new(rows, series, columns.saturating_sub(before + 1 + unit.chars().count()));
    series.iter().flat_map(|one| one.points.windows(2)).for_each(|pair| grid.connect(pair[0], pair[1]));
    for one in series {
        one.points.iter().for_each(|&point| grid.mark(point, one.letter));
    }
    let mut text = Text::default();
    for (label, row) in labels.iter().zip(&grid.cells) {
        text.line(format!("{label} {}", row.iter().collect::<String>()).trim_end());
    }
    let ticks = Ticks::of(&grid, series);
    let indent = " ".repeat(before);
    text.line(format!("{indent}{} {unit}", ticks.marks));
    text.line(format!("{indent}{}", ticks.labels).trim_end());
    text
}

fn points(series: &[Series]) -> impl Iterator<Item = (f64, f64)> {
    series.iter().flat_map(|one| one.points.iter().copied())
}

/// The y of the highest and the lowest row, as multiples of the step, which is in thousandths.
struct Rows {
    step: i64,
    highest: i64,
    lowest: i64,
}

impl Rows {
    /// The smallest step whose rows are few enough.
    fn of(series: &[Series]) -> Rows {
        let ys = || points(series).map(|(_, y)| y.clamp(0.0, 1.0));
        let (low, high) = (ys().fold(1.0, f64::min), ys().fold(0.0, f64::max));
        let of = |step: i64| Rows { step, highest: place(high, step), lowest: place(low.min(high), step) };
        let [.., widest] = STEPS;
        let few = STEPS.map(of).into_iter().find(|rows| rows.highest - rows.lowest < ROWS);
        few.unwrap_or_else(|| of(widest))
    }

    /// From the top.
    fn labels(&self) -> Vec<String> {
        let label = |at: i64| format!("{:.3}", (at * self.step) as f64 / 1000.0);
        (self.lowest..=self.highest).rev().map(label).collect()
    }

    /// Counted from the top.
    fn row(&self, y: f64) -> usize {
        (self.highest - place(y.clamp(0.0, 1.0), self.step)).clamp(0, self.highest - self.lowest) as usize
    }
}

/// The multiple of the step that is nearest.
fn place(y: f64, step: i64) -> i64 {
    (y * 1000.0 / step as f64).round() as i64
}

/// What lies above the x axis.
struct Grid {
    rows: Rows,
    cells: Vec<Vec<char>>,
    width: usize,
    /// The x of the last column.
    last: f64,
}

impl Grid {
    fn new(rows: Rows, series: &[Series], width: usize) -> Grid {
        let width = width.max(2);
        let last = points(series).map(|(x, _)| x).fold(f64::MIN_POSITIVE, f64::max);
        let empty: Vec<char> = std::iter::once(AXIS).chain(std::iter::repeat_n(' ', width - 1)).collect();
        let cells = vec![empty; (rows.highest - rows.lowest + 1) as usize];
        Grid { rows, cells, width, last }
    }

    fn column(&self, x: f64) -> usize {
        ((x / self.last * (self.width - 1) as f64).round() as usize).min(self.width - 1)
    }

    /// A dot in each column from one point to before another.
    fn connect(&mut self, from: (f64, f64), to: (f64, f64)) {
        for column in self.column(from.0)..self.column(to.0) {
            let x = column as f64 / (self.width - 1) as f64 * self.last;
            let share = ((x - from.0) / (to.0 - from.0)).clamp(0.0, 1.0);
            let row = self.rows.row(from.1 + share * (to.1 - from.1));
            self.cells[row][column] = BETWEEN;
        }
    }

    fn mark(&mut self, (x, y): (f64, f64), letter: char) {
        let column = self.column(x);
        let cell = &mut self.cells[self.rows.row(y)][column];
        *cell = if [' ', AXIS, BETWEEN, letter].contains(cell) { letter } else { SEVERAL };
    }
}

/// The x axis: a cross under each point that has room for its number.
struct Ticks {
    marks: String,
    labels: String,
}

impl Ticks {
    fn of(grid: &Grid, series: &[Series]) -> Ticks {
        let mut xs: Vec<f64> = points(series).map(|(x, _)| x).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        let width = grid.width;
        let (mut marks, mut labels) = (vec!['-'; width], vec![' '; width]);
        marks[0] = '+';
        // The last point has its number for sure.
        for &x in xs.last().into_iter().chain(&xs) {
            let (at, text) = (grid.column(x), x.to_string());
            let from = at.saturating_sub(text.len() / 2).min(width.saturating_sub(text.len()));
            let around = from.saturating_sub(1)..(from + text.len() + 1).min(width);
            if text.len() <= width && labels[around].iter().all(|&cell| cell == ' ') {
                marks[at] = '+';
                labels.splice(from..from + text.len(), text.chars());
            }
        }
        Ticks { marks: marks.into_iter().collect(), labels: labels.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(series: &[(char, &[(f64, f64)])], columns: usize) -> Vec<String> {
        let series: Vec<Series> =
            series.iter().map(|&(letter, points)| Series { letter, points: points.to_vec() }).collect();
        plot("needs", &series, columns).lines().map(str::to_string).collect()
    }

    #[test]
    fn each_point_is_in_the_row_and_column_of_its_figures() {
        let found = drawn(&[('D', &[(0.0, 0.52), (50.0, 0.54), (100.0, 0.60)]), ('L', &[(0.0, 0.52)])], 30);
        let expected = [
            "0.600 |                D",
            "0.592 |               .",
            "0.584 |              .",
            "0.576 |             .",
            "0.568 |           ..",
            "0.560 |          .",
            "0.552 |         .",
            "0.544 |        D",
            "0.536 |     ...",
            "0.528 | ....",
            "0.520 *.",
            "      +--------+-------+ needs",
            "      0       50     100",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn rows_are_few_whatever_the_range() {
        for (low, high) in
            [(0.0, 1.0), (0.7, 0.7), (0.7, 0.7001), (0.31, 0.84), (0.0, 0.0), (1.0, 1.0), (-1.0, 7.0)]
        {
            let found = drawn(&[('H', &[(0.0, low), (9.0, high)])], 40);
            assert!((3..=ROWS as usize + 2).contains(&found.len()), "{low} to {high}: {found:#?}");
        }
    }

    #[test]
    fn nothing_is_wider_than_the_columns_and_the_last_point_has_its_number() {
        let points: Vec<(f64, f64)> = (0..=40).map(|round| (f64::from(round) * 1234.0, 0.5)).collect();
        for columns in [20, 40, 61, 100] {
            let found = drawn(&[('H', &points)], columns);
            assert!(found.iter().all(|line| line.chars().count() <= columns), "{columns}: {found:#?}");
            assert!(found.last().unwrap().ends_with("49360"), "{found:#?}");
        }
        assert_eq!(drawn(&[], 5).len(), 3);
        assert_eq!(drawn(&[('H', &[(12345.0, 0.5)])], 5).len(), 3);
    }
}
