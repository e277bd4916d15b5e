//! What a page says about itself: `<meta name="author" content="…">` and `<html lang="…">`.

use crate::corpus::formats::front_matter::FrontMatter;

/// Collects the attributes of the tag that is being read.
#[derive(Default)]
pub(super) struct Meta {
    is_open: bool,
    attribute: Vec<u8>,
    name: String,
    content: String,
    pub(super) found: FrontMatter,
}

impl Meta {
    /// A start tag begins.
    pub(super) fn open(&mut self, tag: &[u8]) {
        self.is_open = tag == b"meta" || tag == b"html";
        self.name.clear();
        self.content.clear();
    }

    pub(super) fn attribute(&mut self, name: &[u8]) {
        if self.is_open {
            self.attribute = name.to_ascii_lowercase();
        }
    }

    pub(super) fn value(&mut self, value: &[u8]) {
        const LONGEST_BYTES: usize = 1000;
        if !self.is_open || value.len() > LONGEST_BYTES {
            return;
        }
        let value = String::from_utf8_lossy(value).into_owned();
        match self.attribute.as_slice() {
            b"name" | b"property" => self.name = value.to_lowercase(),
            b"content" => self.content = value,
            b"lang" if !self.found.fields.contains_key("language") => self.found.set("language", vec![value]),
            _ => {}
        }
    }

    /// The start tag ends.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.is_open) && !self.content.is_empty() {
            let field = match self.name.as_str() {
                "author" | "dc.creator" | "dcterms.creator" => "author",
                "date" | "dc.date" | "dcterms.date" | "article:published_time" => "date",
                "keywords" | "article:tag" => "tags",
                _ => return,
            };
            self.found.set(field, vec![std::mem::take(&mut self.content)]);
        }
    }
}
