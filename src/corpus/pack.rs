//! Groups sections into chunks: joins small neighbours and splits long sections.

use std::ops::Range;

use text_splitter::{ChunkConfig, MarkdownSplitter, TextSplitter};

use super::contents::is_placeholder;
use super::format::Format;
use super::outline::{Extracted, Outline};
use super::sizer::{LimitedSizer, Sizer};

/// A future chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// The range in the extracted text.
    pub(super) range: Range<usize>,
    /// Where the text begins, behind the headings at the start of the range.
    body: usize,
    /// The heading path that all of the range shares.
    pub(super) path: Vec<usize>,
}

/// A span and its number of tokens.
struct SizedSpan {
    span: Span,
    tokens: usize,
}

/// The most bytes that the splitter gets at a time: its work grows faster than the text's length.
const MOST_BYTES_AT_ONCE: usize = 16 << 10;

/// Cuts a text into chunks of at most `limit` tokens, in order. Left out are tables of contents, embedded data,
/// texts that hold only headings and placeholders, and white space.
///
/// A section, which is a heading and the text up to the next one, becomes one chunk if it fits. A chunk that is less
/// than half full takes in the next section if both share a heading above, so that the title applies to all of it.
/// A chunk that is less than an eighth full takes in the next section in any case. A chunk is longer than `limit` only
/// if it is a single character with more tokens.
pub(super) fn pack(extracted: &Extracted<'_>, format: Format, limit: usize, sizer: &Sizer<'_>) -> Vec<Span> {
    let text = extracted.text.as_ref();
    let outline = &extracted.outline;
    let cutter = Cutter { text, blocks: &extracted.blocks, format, limit, sizer };
    let mut spans = Vec::new();
    let mut open: Option<SizedSpan> = None;
    for span in sections(extracted, format) {
        let section = SizedSpan { tokens: cutter.size(span.range.clone()), span };
        open = match open.take() {
            Some(first) => match cutter.join(outline, &first, &section) {
                Some(path) => {
                    let range = first.span.range.start..section.span.range.end;
                    let span = Span { range, body: first.span.body, path };
                    Some(SizedSpan { span, tokens: first.tokens + section.tokens })
                }
                None => {
                    cutter.cut(first, &mut spans);
                    Some(section)
                }
            },
            None => Some(section),
        };
    }
    if let Some(last) = open {
        cutter.cut(last, &mut spans);
    }
    spans
}

/// Splits a text at its headings, and around its tables of contents. A heading without text of its own, or with a
/// placeholder, belongs to the section that follows, or to the last one. A heading whose text is a table of contents is
/// left out with it.
fn sections(extracted: &Extracted<'_>, format: Format) -> Vec<Span> {
    let (text, outline) = (extracted.text.as_ref(), &extracted.outline);
    let has_text = |range: Range<usize>, path: &[usize]| match format {
        Format::Code | Format::Data => !text[range].trim().is_empty(),
        _ => !is_placeholder(&text[range], !path.is_empty()),
    };
    let mut sections: Vec<Span> = Vec::new();
    let (mut start, mut body) = (0, 0);
    let mut path = Vec::new();
    let mut contents = extracted.contents.iter().peekable();
    let ends = outline.headings().iter().enumerate().map(|(index, heading)| (heading.start, Some(index)));
    for (end, index) in ends.chain([(text.len(), None)]) {
        while let Some(table) = contents.next_if(|table| table.start < end) {
            let is_sign =
                format == Format::Code && !text[body..table.start.max(body)].contains(char::is_alphanumeric);
            if table.start > body && !is_sign && has_text(body..table.start, &path) {
                sections.push(Span { range: start..table.start, body, path: path.clone() });
            }
            start = table.end.max(body);
            body = start;
        }
        // A heading in a table of contents opens no section.
        if end < start {
            continue;
        }
        if has_text(body..end, &path) {
            sections.push(Span { range: start..end, body, path: std::mem::take(&mut path) });
            start = end;
        }
        if let Some(index) = index {
            body = outline.headings()[index].end;
            path = outline.path(index);
        }
    }
    if let Some(last) = sections.last_mut().filter(|last| last.range.end == start) {
        last.range.end = text.len();
    }
    sections
}

struct Cutter<'t, 's, 'c> {
    text: &'t str,
    blocks: &'t [usize],
    format: Format,
    limit: usize,
    sizer: &'s Sizer<'c>,
}

impl Cutter<'_, '_, '_> {
    /// The heading path of two neighbours as one chunk; `None` if they should not be joined.
    fn join(&self, outline: &Outline, first: &SizedSpan, next: &SizedSpan) -> Option<Vec<usize>> {
        let is_apart = first.span.range.end != next.span.range.start;
        if is_apart || first.tokens * 2 >= self.limit || first.tokens + next.tokens > self.limit {
            return None;
        }
        let (path, next_path) = (&first.span.path, &next.span.path);
        let is_tiny = first.tokens * 8 < self.limit;
        let leads = match self.format {
            // A few lines of code around a definition go under its name.
            Format::Code => is_tiny && outline.titles(next_path).starts_with(&outline.titles(path)),
            _ => outline.headings().first().is_some_and(|heading| heading.start >= first.span.range.end),
        };
        if leads {
            return Some(next_path.clone());
        }
        let shared = path.iter().zip(next_path).take_while(|(a, b)| a == b).count();
        (shared > 0 || is_tiny || self.format == Format::Data).then(|| path[..shared].to_vec())
    }

    /// The tokens of a range, or any number above the limit if it has more.
    fn size(&self, range: Range<usize>) -> usize {
        self.sizer.size(self.text[range].trim(), self.limit)
    }

    /// Adds the chunks of a span to `spans`.
    fn cut(&self, SizedSpan { span, tokens }: SizedSpan, spans: &mut Vec<Span>) {
        let ranges = if tokens <= self.limit { vec![span.range.clone()] } else { self.cut_long(&span) };
        for range in ranges.into_iter().flat_map(|range| self.fitted(range, 0)) {
            let range = trimmed(self.text, range);
            if !range.is_empty() {
                spans.push(Span { body: range.start, range, path: span.path.clone() });
            }
        }
    }

    /// Splits a section that is too long. Its headings stay with the first part.
    fn cut_long(&self, span: &Span) -> Vec<Range<usize>> {
        let headings = self.size(span.range.start..span.body);
        let (start, limit) = if headings * 2 <= self.limit {
            (span.body, self.limit - headings)
        } else {
            (span.range.start, self.limit)
        };
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for piece in self.pieces(start..span.range.end) {
            let mut split = self.split(piece, self.format, limit, false);
            // The last chunk of a piece may be nearly empty: join it with the first one of the next piece.
            if let (Some(last), Some(first)) = (ranges.last(), split.first_mut())
                && self.size(last.start..first.end) <= limit
            {
                first.start = last.start;
                ranges.pop();
            }
            ranges.append(&mut split);
        }
        if let Some(first) = ranges.first_mut() {
            first.start = span.range.start;
        }
        ranges
    }

    /// Cuts a range into pieces of at most [`MOST_BYTES_AT_ONCE`], at the best place in the second half of each.
    fn pieces(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = range.start;
        while range.end - start > MOST_BYTES_AT_ONCE {
            let end = self.text.floor_char_boundary(start + MOST_BYTES_AT_ONCE);
            let half = self.text.ceil_char_boundary(start + MOST_BYTES_AT_ONCE / 2);
            let cut = self.best_cut(half, end);
            pieces.push(start..cut);
            start = cut;
        }
        pieces.push(start..range.end);
        pieces
    }

    /// The start of the last block in `from..to`, else the offset behind its last blank line, line break or space.
    fn best_cut(&self, from: usize, to: usize) -> usize {
        let blocks = &self.blocks[..self.blocks.partition_point(|&block| block <= to)];
        if let Some(&block) = blocks.last().filter(|&&block| block > from) {
            return block;
        }
        let window = &self.text[from..to];
        let after = |separator: &str| window.rfind(separator).map(|at| from + at + separator.len());
        after("\n\n")
            .or_else(|| after("\n\r\n"))
            .or_else(|| after("\n"))
            .or_else(|| window.rfind(char::is_whitespace).map(|at| from + at).filter(|&at| at > from))
            .unwrap_or(to)
    }

    fn split(&self, range: Range<usize>, format: Format, limit: usize, exact: bool) -> Vec<Range<usize>> {
        let text = &self.text[range.clone()];
        let config = ChunkConfig::new(limit).with_sizer(LimitedSizer { sizer: self.sizer, limit, exact });
        let place = |(at, chunk): (usize, &str)| range.start + at..range.start + at + chunk.len();
        match format {
            Format::Markdown => MarkdownSplitter::new(config).chunk_indices(text).map(place).collect(),
            _ => TextSplitter::new(config).chunk_indices(text).map(place).collect(),
        }
    }

    /// Splits a range until every part is within the limit. A range can be too long for two reasons: the sum over its
    /// words was too low, or `MarkdownSplitter` exceeded the limit, which it does where hard and soft line breaks meet.
    fn fitted(&self, range: Range<usize>, attempt: usize) -> Vec<Range<usize>> {
        let text = self.text[range.clone()].trim();
        if self.sizer.exact(text) <= self.limit || text.chars().nth(1).is_none() {
            return vec![range];
        }
        let parts = match attempt {
            0 => self.split(range, self.format, self.limit, true),
            1 => self.split(range, Format::Text, self.limit, true),
            _ => {
                let range = trimmed(self.text, range);
                let middle = self.text.ceil_char_boundary(range.start + range.len() / 2);
                vec![range.start..middle, middle..range.end]
            }
        };
        parts.into_iter().flat_map(|part| self.fitted(part, attempt + 1)).collect()
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}
