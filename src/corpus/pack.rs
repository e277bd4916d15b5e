//! Where to cut: sections by headings, small neighbours joined, long ones split.

use std::ops::Range;

use text_splitter::{ChunkConfig, MarkdownSplitter, TextSplitter};

use super::format::Format;
use super::outline::{Extracted, Outline};
use super::sizer::{LimitedSizer, Sizer};

/// A chunk to be: where it lies in the extracted text, and the headings that all of it stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) range: Range<usize>,
    /// Where its text begins after the headings that it begins with.
    body: usize,
    pub(super) path: Vec<usize>,
}

/// The splitter's work grows faster than the text's length, so it gets at most this many bytes at a time.
const MOST_BYTES_AT_ONCE: usize = 16 << 10;

/// Cuts a text into chunks of at most `limit` tokens, in order, that leave out nothing but white space.
///
/// A section (a heading and what follows up to the next) is one chunk if it fits. Neighbours are joined while what
/// there is fills less than half a chunk and they share a heading above, so that a chunk has a title that is true
/// of all of it; crumbs of less than an eighth are joined even if they share nothing but the document. Only a single character that is more than `limit` tokens by itself makes a longer chunk.
pub(super) fn pack(extracted: &Extracted<'_>, format: Format, limit: usize, sizer: &Sizer<'_>) -> Vec<Span> {
    let text = extracted.text.as_ref();
    let outline = &extracted.outline;
    let cutter = Cutter { text, blocks: &extracted.blocks, format, limit, sizer };
    let mut spans = Vec::new();
    let mut open: Option<(Span, usize)> = None;
    for section in sections(text, outline) {
        let tokens = cutter.size(section.range.clone());
        open = match open.take() {
            Some((span, so_far)) => match cutter.join(outline, (&span, so_far), (&section, tokens)) {
                Some(path) => {
                    let range = span.range.start..section.range.end;
                    Some((Span { range, body: span.body, path }, so_far + tokens))
                }
                None => {
                    cutter.cut(span, so_far, &mut spans);
                    Some((section, tokens))
                }
            },
            None => Some((section, tokens)),
        };
    }
    if let Some((span, tokens)) = open {
        cutter.cut(span, tokens, &mut spans);
    }
    spans
}

/// From heading to heading. A heading without text of its own belongs to the section that follows.
fn sections(text: &str, outline: &Outline) -> Vec<Span> {
    let mut sections = Vec::new();
    let (mut start, mut body) = (0, 0);
    let mut path = Vec::new();
    for (index, heading) in outline.headings().iter().enumerate() {
        if !text[body..heading.start].trim().is_empty() {
            sections.push(Span { range: start..heading.start, body, path: std::mem::take(&mut path) });
            start = heading.start;
        }
        body = heading.end;
        path = outline.path(index);
    }
    sections.push(Span { range: start..text.len(), body, path });
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
    /// The path of two neighbours as one chunk, if they should be.
    fn join(&self, outline: &Outline, first: (&Span, usize), next: (&Span, usize)) -> Option<Vec<usize>> {
        let ((span, so_far), (next, tokens)) = (first, next);
        if so_far * 2 >= self.limit || so_far + tokens > self.limit {
            return None;
        }
        if outline.headings().first().is_some_and(|heading| heading.start >= span.range.end) {
            return Some(next.path.clone());
        }
        let shared = span.path.iter().zip(&next.path).take_while(|(a, b)| a == b).count();
        (shared > 0 || so_far * 8 < self.limit).then(|| span.path[..shared].to_vec())
    }

    /// The size of a range, or something above the limit.
    fn size(&self, range: Range<usize>) -> usize {
        self.sizer.size(self.text[range].trim(), self.limit)
    }

    /// Adds the chunks of a span, which `tokens` says to be of that size.
    fn cut(&self, span: Span, tokens: usize, spans: &mut Vec<Span>) {
        let ranges = if tokens <= self.limit { vec![span.range.clone()] } else { self.cut_long(&span) };
        for range in ranges.into_iter().flat_map(|range| self.fitted(range, 0)) {
            let range = trimmed(self.text, range);
            if !range.is_empty() {
                spans.push(Span { body: range.start, range, path: span.path.clone() });
            }
        }
    }

    /// Splits the text of a section. Its headings stay with its first part: room is left for them.
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
            // A piece ends where it must, not where a chunk is full: its last chunk may take the next one in.
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

    /// Cuts a range into parts of at most [`MOST_BYTES_AT_ONCE`], at the best place in the second half of each.
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

    /// The last block that begins in the window, else what follows its last blank line, line or space.
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

    /// The range itself, or its parts if it is longer as a whole than word by word, or if the splitter let it pass:
    /// `MarkdownSplitter` can return more than the limit where hard and soft line breaks meet.
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
