//! Writes an [`ExtractedText`] block by block, so that all readers separate blocks alike.

use crate::place::Place;

use super::{ExtractedText, Heading, Marker, Unreadable};

/// What a document may say. Far above any book, far below what would hurt.
const MOST_BYTES: usize = 64 << 20;

/// Longer lines are no headings, whatever their style says.
const LONGEST_HEADING_BYTES: usize = 300;

/// What a block is: this decides what separates it from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Paragraph,
    Row,
    Item,
    Code,
}

/// An [`ExtractedText`] that grows by blocks.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: ExtractedText,
    last: Option<Kind>,
    /// Where the next block stands, if it is not where the last one stood.
    place: Option<Place>,
    /// Whether there was more text than is allowed. What came after is not in `out`.
    overflown: bool,
}

impl Writer {
    /// What is written next stands here.
    pub(super) fn place(&mut self, place: Place) {
        self.place = Some(place);
    }

    /// What is written next belongs to no table, list or code of before.
    pub(super) fn apart(&mut self) {
        self.last = self.last.map(|_| Kind::Paragraph);
    }

    /// A paragraph. White space at its ends is dropped, blank lines within are.
    pub(super) fn paragraph(&mut self, text: &str) {
        let text = without_blank_lines(text);
        self.block(Kind::Paragraph, text.trim());
    }

    /// A heading; an ordinary paragraph if it is too long for one. 1 is the highest level.
    pub(super) fn heading(&mut self, level: u8, text: &str) {
        let title = one_line(text);
        if title.len() > LONGEST_HEADING_BYTES {
            return self.paragraph(text);
        }
        if let Some(start) = self.block(Kind::Paragraph, &title) {
            let end = self.out.text.len();
            self.out.headings.push(Heading { start, end, level: level.max(1), title });
        }
    }

    /// A row of a table, on one line.
    pub(super) fn row(&mut self, text: &str) {
        self.block(Kind::Row, &one_line(text));
    }

    /// An item of a list, `depth` levels within other lists. `label` is what counts it; empty for a bullet. A label
    /// with words in it, as `Figure 2-1:`, belongs to a caption, which is no item.
    pub(super) fn item(&mut self, depth: usize, label: &str, text: &str) {
        let text = one_line(text);
        if label.split(|c: char| !c.is_alphabetic()).any(|word| word.chars().nth(4).is_some()) {
            return self.paragraph(&format!("{label} {text}"));
        }
        if !text.is_empty() {
            let label = if label.is_empty() { "-" } else { label };
            self.block(Kind::Item, &format!("{}{label} {text}", "  ".repeat(depth.min(8))));
        }
    }

    /// One or more lines as they stand: program code. An empty line keeps code before and after it together.
    pub(super) fn code(&mut self, text: &str) {
        let text = text.trim_end();
        if self.last != Some(Kind::Code) {
            self.block(Kind::Code, text.trim_start_matches('\n'));
        } else if !self.full(text.len() + 1) {
            self.out.text.push('\n');
            self.out.text.push_str(text);
        }
    }

    /// Makes what was written since `start` (of [`len`](Self::len)) a table of contents.
    pub(super) fn contents_since(&mut self, start: usize) {
        let end = self.out.text.len();
        let blank =
            self.out.text.get(start..).map_or(0, |text| text.len() - text.trim_start_matches('\n').len());
        let start = start + blank;
        if start >= end {
            return;
        }
        self.out.headings.retain(|heading| heading.start < start);
        match self.out.contents.last_mut() {
            Some(last) if last.end + 2 >= start => last.end = end,
            _ => self.out.contents.push(start..end),
        }
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.out.text.len()
    }

    /// The first title that is given and says something stays.
    pub(super) fn title(&mut self, title: &str) {
        let title = one_line(title);
        if self.out.title.is_none() && !title.is_empty() && title.len() <= LONGEST_HEADING_BYTES {
            self.out.title = Some(title);
        }
    }

    /// Adds a value to a field, once.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        let value = one_line(value);
        if value.is_empty() || value.len() > 1000 {
            return;
        }
        let values = self.out.fields.entry(name.to_owned()).or_default();
        if !values.contains(&value) && values.len() < 1000 {
            values.push(value);
        }
    }

    /// Sets the date, given as a date or time of ISO 8601, as programs write it: without a zone, or only the year.
    pub(super) fn date(&mut self, value: &str) {
        let value = value.trim();
        let digits = |range: std::ops::Range<usize>| {
            value.get(range).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if !digits(0..4) || value.starts_with("0000") {
            return;
        }
        let has_day =
            value.get(4..8).is_some_and(|part| part.starts_with('-') && part.ends_with('-')) && digits(8..10);
        let has_zone = value.get(19..).is_some_and(|rest| rest.ends_with('Z') || rest.contains(['+', '-']));
        let date = match (has_day, value.len()) {
            (true, 20..) if has_zone => value.to_owned(),
            (true, _) => value[..10].to_owned(),
            (false, 4) => format!("{value}-01-01"),
            (false, 7) if digits(5..7) => format!("{value}-01"),
            _ => return,
        };
        self.out.fields.insert("date".to_owned(), vec![date]);
    }

    /// Adds the tags of one string, as `a, b; c`.
    pub(super) fn tags(&mut self, keywords: &str) {
        keywords.split([',', ';']).for_each(|tag| self.field("tags", tag));
    }

    /// Whether there is more text than is allowed: what is written now is not kept.
    pub(super) fn is_full(&self) -> bool {
        self.overflown
    }

    /// All that was written, on one line.
    pub(super) fn into_line(self) -> String {
        one_line(&self.out.text)
    }

    /// The text, unless there is none or too much.
    pub(super) fn finish(mut self) -> Result<ExtractedText, Unreadable> {
        if self.overflown {
            return Err(Unreadable::TooLarge(format!("a text of more than {} MiB", MOST_BYTES >> 20)));
        }
        let kept = self.out.text.trim_end().len();
        self.out.text.truncate(kept);
        match kept {
            0 => Err(Unreadable::NoText),
            _ => Ok(self.out),
        }
    }

    /// Appends a block; its start, if it has any text.
    fn block(&mut self, kind: Kind, text: &str) -> Option<usize> {
        if text.is_empty() || self.full(text.len() + 2) {
            return None;
        }
        match self.last {
            None => {}
            Some(last) if last == kind && matches!(kind, Kind::Row | Kind::Item) => self.out.text.push('\n'),
            Some(_) => {
                let kept = self.out.text.trim_end_matches('\n').len();
                self.out.text.truncate(kept);
                self.out.text.push_str("\n\n");
            }
        }
        let start = self.out.text.len();
        self.out.blocks.push(start);
        if let Some(place) = self.place.take() {
            self.out.markers.push(Marker { start, place });
        }
        self.out.text.push_str(text);
        self.last = Some(kind);
        Some(start)
    }

    fn full(&mut self, more: usize) -> bool {
        self.overflown |= self.out.text.len() + more > MOST_BYTES;
        self.overflown
    }
}

/// The words of a text with single spaces between them. Control characters are dropped.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
    }
    line
}

fn without_blank_lines(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if !kept.is_empty() {
            kept.push('\n');
        }
        kept.extend(line.chars().filter(|&c| c == '\t' || !c.is_control()));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_apart_and_rows_and_items_are_lines() {
        let mut writer = Writer::default();
        writer.heading(2, "A\n heading");
        writer.paragraph("  One\n\n\ntwo ");
        writer.item(0, "", "first");
        writer.item(1, "1.", "second");
        writer.item(6, "Figure 1", "third");
        writer.row("a");
        writer.row("b");
        writer.code("fn f() {");
        writer.code("");
        writer.code("}");
        let out = writer.finish().unwrap();
        assert_eq!(
            out.text,
            "A heading\n\nOne\ntwo\n\n- first\n  1. second\n\nFigure 1 third\n\na\nb\n\nfn f() {\n\n}"
        );
        let blocks: Vec<&str> = out.blocks.iter().map(|&at| &out.text[at..at + 1]).collect();
        assert_eq!(blocks, ["A", "O", "-", " ", "F", "a", "b", "f"]);
        assert_eq!(out.headings, [Heading { start: 0, end: 9, level: 2, title: "A heading".into() }]);
    }

    #[test]
    fn a_place_holds_from_the_next_text() {
        let mut writer = Writer::default();
        for slide in 1..4 {
            writer.place(Place { slide: Some(slide), ..Place::default() });
            writer.paragraph(if slide == 2 { "" } else { "text" });
        }
        let markers = writer.finish().unwrap().markers;
        assert_eq!(
            markers.iter().map(|at| (at.start, at.place.slide)).collect::<Vec<_>>(),
            [(0, Some(1)), (6, Some(3))]
        );
    }

    #[test]
    fn dates_have_a_day() {
        for (given, expected) in [
            ("2024-03-01T09:00:00Z", Some("2024-03-01T09:00:00Z")),
            ("2024-03-01T09:00:00+02:00", Some("2024-03-01T09:00:00+02:00")),
            ("2024-03-01T09:00:00.123456789", Some("2024-03-01")),
            (" 2024-03-01 ", Some("2024-03-01")),
            ("2024-03", Some("2024-03-01")),
            ("2024", Some("2024-01-01")),
            ("0000-00-00", None),
            ("March", None),
        ] {
            let mut writer = Writer::default();
            writer.date(given);
            writer.paragraph("text");
            let fields = writer.finish().unwrap().fields;
            assert_eq!(fields.get("date").map(|dates| dates[0].as_str()), expected, "{given}");
        }
    }

    #[test]
    fn too_much_text_is_refused_and_no_text_is_told() {
        let mut writer = Writer::default();
        let mebibyte = "x".repeat(1 << 20);
        (0..65).for_each(|_| writer.paragraph(&mebibyte));
        assert_eq!(writer.finish(), Err(Unreadable::TooLarge("a text of more than 64 MiB".into())));
        assert_eq!(Writer::default().finish(), Err(Unreadable::NoText));
    }
}
