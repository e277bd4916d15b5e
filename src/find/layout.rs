//! What of the screen shows what.

use ratatui::layout::Rect;

/// Lines of a result.
pub(super) const HIT: u16 = 2;
/// From so many columns on the preview stands beside the results, and has so many: lines of text files fit.
const WIDE: u16 = 150;
const READABLE: u16 = 84;
/// With fewer columns or rows there is no preview.
const NARROW: u16 = 50;
const LOW: u16 = 14;

/// The parts of the screen. Those that find no room are empty.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) prompt: Rect,
    /// What is said of the answer, or the filters.
    pub(super) about: Rect,
    pub(super) hits: Rect,
    /// The line that names what the preview shows.
    pub(super) head: Rect,
    pub(super) preview: Rect,
    pub(super) foot: Rect,
}

impl Layout {
    /// For a screen of this size. While filters are chosen they take a line more.
    pub(super) fn of(columns: u16, rows: u16, is_filtering: bool) -> Layout {
        let line = |y: u16| Rect::new(0, y, columns, u16::from(y < rows));
        let about = Rect::new(0, 1, columns, (1 + u16::from(is_filtering)).min(rows.saturating_sub(1)));
        let foot = if rows > 4 { line(rows - 1) } else { Rect::default() };
        let top = about.y + about.height;
        let body = Rect::new(0, top, columns, rows.saturating_sub(top).saturating_sub(foot.height));
        let mut layout = Layout { prompt: line(0), about, hits: body, foot, ..Layout::default() };
        if columns < NARROW || rows < LOW {
            return layout;
        }
        if columns >= WIDE {
            let left = columns - READABLE.max(columns / 2);
            layout.hits.width = left - 1;
            layout.head = Rect::new(left, body.y, columns - left, 1);
            layout.preview = Rect::new(left, body.y + 1, columns - left, body.height - 1);
        } else {
            // Whole results, and as much for the preview.
            layout.hits.height = (body.height / 2).next_multiple_of(HIT);
            let below = body.y + layout.hits.height;
            layout.head = Rect::new(0, below, columns, 1);
            layout.preview = Rect::new(0, below + 1, columns, body.height - layout.hits.height - 1);
        }
        layout
    }

    /// The results that have room.
    pub(super) fn room(&self) -> usize {
        usize::from(self.hits.height / HIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_screen_and_do_not_overlap() {
        for columns in 1..200 {
            for rows in 1..60 {
                for is_filtering in [false, true] {
                    let layout = Layout::of(columns, rows, is_filtering);
                    let Layout { prompt, about, hits, head, preview, foot } = layout;
                    let parts = [prompt, about, hits, head, preview, foot];
                    let screen = Rect::new(0, 0, columns, rows);
                    assert!(parts.iter().all(|part| part.is_empty() || screen.union(*part) == screen));
                    for (at, part) in parts.iter().enumerate() {
                        let others = parts.iter().skip(at + 1).filter(|other| !other.is_empty());
                        let overlap = others.filter(|other| !part.is_empty() && part.intersects(**other));
                        assert_eq!(overlap.count(), 0, "{columns}×{rows}: {layout:?}");
                    }
                }
            }
        }
        let usual = Layout::of(80, 24, false);
        assert_eq!((usual.room(), usual.preview.height), (5, 10));
        assert!(Layout::of(40, 12, false).preview.is_empty());
        assert_eq!(Layout::of(150, 40, false).preview.x, 66);
    }
}
