//! Extracts the readable text of HTML, with the source offset of every byte.
//!
//! Always dropped: scripts, styles, templates, embedded objects, form controls, link signs at headings.
//!
//! Dropped as boilerplate:
//! - `<nav>`;
//! - `<header>`, `<footer>` and `<aside>` of the page, but not of an `<article>`, `<section>` or `<main>` (HTML-AAM
//!   separates landmarks from content in the same way);
//! - elements with `hidden`, or with the role navigation, search, banner or contentinfo;
//! - the navigation and line numbers of Sphinx and DocBook.
//!
//! Part of no passage are lists and tables of links to other places of the same documents. A table with headers over
//! its columns, or with numbers, is one of data.
//!
//! Boilerplate is kept if nothing else is left, or if a boilerplate element isn't closed where it should be: then
//! nobody knows where it ends.
//!
//! Block elements go on lines of their own. Paragraphs, headings, lists and tables are separated by an empty line,
//! cells by a tab. White space collapses except in `<pre>`. The tokenizer follows the HTML standard, which defines a
//! result for every input: no HTML is malformed.

mod meta;
mod tags;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::Range;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use crate::corpus::contents::{self, LinkShare};
use crate::corpus::outline::{Extracted, Heading, LONGEST_HEADING_BYTES, Outline, one_line};
use crate::corpus::positions::Positions;
use meta::Meta;
use tags::{ELEMENTS, Element, Gap, Role, element_named, is_boilerplate_class, is_boilerplate_role};
use text::{Part, References, parts};

pub(super) fn extract(source: &str) -> Extracted<'static> {
    let mut reader = Reader::read(source, true);
    if reader.doubtful || reader.text.is_empty() {
        reader = Reader::read(source, false);
    }
    let title = one_line(&reader.title);
    Extracted {
        text: Cow::Owned(reader.text),
        positions: reader.positions,
        title: (!title.is_empty() && title.len() <= LONGEST_HEADING_BYTES).then_some(title),
        contents: reader.contents,
        fields: reader.meta.found.fields,
        ..Extracted::whole("", Outline::new(reader.headings))
    }
}

/// Headings of DocBook's notes. Their level means nothing, so they open no section.
const ADMONITIONS: [&str; 5] = ["Note", "Tip", "Important", "Warning", "Caution"];

/// The attribute whose value comes next.
#[derive(PartialEq)]
enum Attribute {
    Role,
    Class,
    Link,
    Other,
}

/// An element whose content is being dropped.
struct Skip {
    /// Number of open elements around it.
    outside: usize,
    boilerplate: bool,
}

/// A list or a table that is being read.
struct Region {
    /// Number of open elements around it.
    outside: usize,
    /// Where its text begins.
    start: usize,
    is_table: bool,
    /// Without that of the regions in it that are open.
    share: LinkShare,
    /// Header cells with words that are no link.
    headers: usize,
}

struct Reader<'s> {
    source: &'s str,
    drop_boilerplate: bool,
    text: String,
    positions: Positions,
    headings: Vec<Heading>,
    title: String,
    /// Whether a boilerplate element was closed by another element's end tag, or never.
    doubtful: bool,

    /// Open elements as indices into [`ELEMENTS`], and how often each is open.
    stack: Vec<usize>,
    counts: Vec<u32>,
    skip: Option<Skip>,
    sections: u32,
    preformatted: u32,
    /// Whether the next text is the first in a `<pre>`. A line break at its start is ignored.
    fresh_pre: bool,
    /// Level of the open heading, and where its text begins, if it has any yet.
    heading: Option<(u8, Option<usize>)>,
    /// The open lists and tables.
    regions: Vec<Region>,
    /// How many of them are lists.
    lists: usize,
    /// Whether a header cell is open that has no words yet.
    fresh_header: bool,
    /// Whether the open link leads to a place of the same documents.
    in_internal_link: bool,
    contents: Vec<Range<usize>>,

    gap: Gap,
    /// Source offset of the single white space byte that [`Gap::Space`] represents.
    gap_at: Option<usize>,

    opening: Option<usize>,
    opening_boilerplate: bool,
    opening_internal: bool,
    attribute: Attribute,
    meta: Meta,
    references: References<'s>,
}

impl<'s> Reader<'s> {
    fn read(source: &'s str, drop_boilerplate: bool) -> Self {
        let mut reader = Reader {
            source,
            drop_boilerplate,
            text: String::new(),
            positions: Positions::shifted(0),
            headings: Vec::new(),
            title: String::new(),
            doubtful: false,
            stack: Vec::new(),
            counts: vec![0; ELEMENTS.len()],
            skip: None,
            sections: 0,
            preformatted: 0,
            fresh_pre: false,
            heading: None,
            regions: Vec::new(),
            lists: 0,
            fresh_header: false,
            in_internal_link: false,
            contents: Vec::new(),
            gap: Gap::None,
            gap_at: None,
            opening: None,
            opening_boilerplate: false,
            opening_internal: false,
            attribute: Attribute::Other,
            meta: Meta::default(),
            references: References::default(),
        };
        let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
            reader.event(event, span.start..span.end);
            None::<Infallible>
        });
        emitter.naively_switch_states(true);
        let Ok(()) = Tokenizer::new_with_emitter(source, emitter).finish();
        reader.doubtful |= reader.skip.as_ref().is_some_and(|skip| skip.boilerplate);
        reader
    }

    fn event(&mut self, event: CallbackEvent<'_>, span: Range<usize>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.meta.open(name);
                self.opening = element_named(name);
                self.opening_boilerplate = false;
                self.opening_internal = false;
                self.attribute = Attribute::Other;
            }
            CallbackEvent::AttributeName { name } => {
                self.meta.attribute(name);
                self.opening_boilerplate |= name == b"hidden";
                self.attribute = match name {
                    b"role" => Attribute::Role,
                    b"class" => Attribute::Class,
                    b"href" => Attribute::Link,
                    _ => Attribute::Other,
                };
            }
            CallbackEvent::AttributeValue { value } if self.attribute == Attribute::Link => {
                self.opening_internal = contents::is_internal(&String::from_utf8_lossy(value));
            }
            CallbackEvent::AttributeValue { value } => {
                self.meta.value(value);
                self.opening_boilerplate |= match self.attribute {
                    Attribute::Role => is_boilerplate_role(value.trim_ascii()),
                    Attribute::Class => is_boilerplate_class(value),
                    Attribute::Link | Attribute::Other => false,
                }
            }
            CallbackEvent::CloseStartTag { self_closing } => {
                self.meta.close();
                if let Some(index) = self.opening.take() {
                    self.open(index, self_closing);
                }
            }
            CallbackEvent::EndTag { name } => self.close(name),
            CallbackEvent::String { value } => self.string(value, span),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn open(&mut self, index: usize, self_closing: bool) {
        let element = &ELEMENTS[index];
        self.separate(element.gap);
        // XHTML closes elements with a slash. For a script it has no effect: the tokenizer already reads its text.
        if element.role == Role::Void || (self_closing && element.role != Role::Dropped) {
            return;
        }
        if self.skip.is_none() {
            if self.drops(element) {
                let boilerplate = element.role != Role::Dropped;
                self.skip = Some(Skip { outside: self.stack.len(), boilerplate });
            } else if let Role::Heading(level) = element.role {
                self.end_heading();
                self.heading = Some((level, None));
            }
        }
        self.stack.push(index);
        self.counts[index] += 1;
        match element.role {
            Role::Link => {
                self.in_internal_link = self.opening_internal;
                if let Some(region) = self.regions.last_mut().filter(|_| self.opening_internal) {
                    region.share.open_link();
                }
            }
            Role::List | Role::Table => self.open_region(element.role == Role::Table),
            Role::HeaderCell => self.fresh_header = true,
            Role::Cell => self.fresh_header = false,
            Role::Section => self.sections += 1,
            Role::Preformatted => {
                self.preformatted += 1;
                self.fresh_pre = true;
            }
            _ => {}
        }
    }

    fn drops(&self, element: &Element) -> bool {
        let boilerplate = match element.role {
            Role::Dropped => return true,
            Role::Navigation => true,
            Role::Landmark if self.sections == 0 => true,
            _ => self.opening_boilerplate && !element.open_ended,
        };
        boilerplate && self.drop_boilerplate
    }

    fn close(&mut self, name: &[u8]) {
        let Some(index) = element_named(name) else { return };
        self.separate(ELEMENTS[index].gap);
        if self.counts[index] == 0 || !self.may_close(index) {
            return;
        }
        while let Some(closed) = self.stack.pop() {
            self.counts[closed] -= 1;
            match ELEMENTS[closed].role {
                Role::Section => self.sections -= 1,
                Role::Preformatted => self.preformatted -= 1,
                Role::Heading(_) if self.skip.is_none() => self.end_heading(),
                Role::Link => self.in_internal_link = false,
                _ => {}
            }
            self.end_region();
            if let Some(skip) = &self.skip
                && skip.outside == self.stack.len()
            {
                self.doubtful |= skip.boilerplate && closed != index;
                self.skip = None;
            }
            if closed == index {
                break;
            }
        }
    }

    fn open_region(&mut self, is_table: bool) {
        let (outside, start) = (self.stack.len() - 1, self.text.len());
        self.lists += usize::from(!is_table);
        self.regions.push(Region { outside, start, is_table, share: LinkShare::default(), headers: 0 });
    }

    /// Ends the innermost list or table, if it is closed. What lies in a list is judged with it.
    fn end_region(&mut self) {
        let outside = self.stack.len();
        let Some(region) = self.regions.pop_if(|region| region.outside == outside) else { return };
        self.lists -= usize::from(!region.is_table);
        let share = &region.share;
        let is_contents = match region.is_table {
            true => region.headers < 2 && share.is_contents_table(),
            false => share.is_contents() || share.is_index() && self.is_index(),
        };
        if is_contents && self.lists == 0 {
            let inner = self.contents.iter().rev().take_while(|inner| inner.start >= region.start).count();
            self.contents.truncate(self.contents.len() - inner);
            self.contents.push(region.start..self.text.len());
        }
        if let Some(around) = self.regions.last_mut() {
            around.share.add_part(share);
        }
    }

    /// Whether the page is the index of a book.
    fn is_index(&self) -> bool {
        contents::is_index_title(&self.title)
            || self.headings.first().is_some_and(|first| contents::is_index_title(&first.title))
    }

    /// Whether an end tag closes its element. End tags of inline elements, and of elements whose end tag is optional,
    /// don't close the blocks in between. Only the innermost elements are checked, which keeps the work linear.
    fn may_close(&self, index: usize) -> bool {
        let inline = |index: usize| ELEMENTS[index].gap == Gap::None || ELEMENTS[index].open_ended;
        if !inline(index) {
            return true;
        }
        let mut near = self.stack.iter().rev().take(16);
        near.find(|&&open| open == index || !inline(open)).is_some_and(|&open| open == index)
    }

    fn end_heading(&mut self) {
        if let Some((level, Some(start))) = self.heading.take() {
            let end = self.text.len();
            let title = one_line(&self.text[start..end]);
            if !ADMONITIONS.contains(&title.as_str()) {
                self.headings.push(Heading { start, end, level, title });
            }
        }
    }

    fn string(&mut self, decoded: &[u8], span: Range<usize>) {
        if self.skip.is_some() {
            return;
        }
        let decoded = String::from_utf8_lossy(decoded);
        match self.stack.last().map(|&top| ELEMENTS[top].role) {
            Some(Role::Title) => {
                if self.title.len() <= LONGEST_HEADING_BYTES {
                    self.title.push_str(&decoded);
                }
                return;
            }
            Some(Role::Link) if matches!(decoded.trim(), "¶" | "#" | "§" | "🔗") => return,
            _ => {}
        }
        let span = self.source.floor_char_boundary(span.start)..self.source.ceil_char_boundary(span.end);
        for Part { text, place, linear } in parts(self.source, span, &decoded, &mut self.references) {
            self.place(&text, place, linear);
        }
    }

    /// Adds a part of the text. A linear part equals the bytes at `place`; others represent them as a whole.
    fn place(&mut self, part: &str, place: Range<usize>, linear: bool) {
        let within = |from: usize, to: usize| {
            if linear { place.start + from..place.start + to } else { place.clone() }
        };
        let mut at = 0;
        if self.preformatted > 0 {
            if std::mem::take(&mut self.fresh_pre) {
                at = part.len() - part.strip_prefix("\r\n").or(part.strip_prefix('\n')).unwrap_or(part).len();
            }
            while at < part.len() {
                let end = part[at..].find("\r\n").map_or(part.len(), |next| at + next);
                self.append(&part[at..end], within(at, end), linear);
                at = end;
                if at < part.len() {
                    self.append("\n", within(at, at + 2), false);
                    at += 2;
                }
            }
            return;
        }
        while at < part.len() {
            let space = part[at..].starts_with(char::is_whitespace);
            let end =
                part[at..].find(|c: char| c.is_whitespace() != space).map_or(part.len(), |next| at + next);
            if space {
                let single = linear && end - at == 1 && self.gap == Gap::None;
                self.separate(Gap::Space);
                self.gap_at = single.then_some(place.start + at);
            } else {
                self.append(&part[at..end], within(at, end), linear);
            }
            at = end;
        }
    }

    fn separate(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn append(&mut self, part: &str, place: Range<usize>, linear: bool) {
        if part.is_empty() {
            return;
        }
        self.fill_gap();
        if let Some((_, start @ None)) = &mut self.heading {
            *start = Some(self.text.len());
        }
        if let Some(region) = self.regions.last_mut() {
            region.share.add(part, self.in_internal_link);
            if self.fresh_header && !self.in_internal_link && part.contains(char::is_alphabetic) {
                region.headers += 1;
                self.fresh_header = false;
            }
        }
        self.text.push_str(part);
        self.positions.record(self.text.len(), part.len(), place, linear);
    }

    fn fill_gap(&mut self) {
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        let at = self.gap_at.take();
        if self.text.is_empty() {
            return;
        }
        match gap {
            Gap::None => {}
            Gap::Space if self.text.ends_with(char::is_whitespace) => {}
            Gap::Space => {
                let end = self.positions.file_end_at(self.text.len());
                self.text.push(' ');
                if let Some(at) = at.filter(|&at| end == Some(at)) {
                    self.positions.record(self.text.len(), 1, at..at + 1, true);
                }
            }
            Gap::Tab => self.text.push('\t'),
            Gap::Line | Gap::Paragraph => {
                let wanted = if gap == Gap::Line { 1 } else { 2 };
                let present = self.text.bytes().rev().take(wanted).take_while(|&byte| byte == b'\n').count();
                self.text.push_str(&"\n\n"[present..wanted]);
            }
        }
    }
}
