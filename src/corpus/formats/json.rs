//! Reads JSON, and lines of it. Objects are headings with lines `key: value`; what stands in a list is one line a
//! record, `key: value; key: value`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::builder::Builder;
use crate::corpus::contents::base64_length;
use crate::corpus::outline::Extracted;

/// The text of JSON, or of several values one after the other; `None` if it isn't any.
pub(super) fn extract(source: &str) -> Option<Extracted<'static>> {
    let values: Result<Vec<&RawValue>, _> = serde_json::Deserializer::from_str(source).into_iter().collect();
    let values = values.ok()?;
    let mut reader = Reader { source, builder: Builder::new(source), is_begun: false };
    match values.as_slice() {
        [one] if one.get().starts_with('{') => reader.members(one, 1),
        [one] if one.get().starts_with('[') => reader.records(&items(one)),
        [] | [_] => return None,
        several => reader.records(several),
    }
    Some(reader.builder.finish())
}

/// The members of an object in the order of the file.
struct Members<'s>(Vec<(Cow<'s, str>, &'s RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    members.push((Cow::Owned(key), map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Of an object; nothing of anything else.
fn members(value: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    serde_json::from_str(value.get()).map(|Members(members)| members).unwrap_or_default()
}

/// Of a list; nothing of anything else.
fn items(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

fn is_list(value: &RawValue) -> bool {
    value.get().starts_with('[')
}

struct Reader<'s> {
    source: &'s str,
    builder: Builder<'s>,
    /// Whether the line of a record has begun.
    is_begun: bool,
}

impl<'s> Reader<'s> {
    fn members(&mut self, object: &'s RawValue, level: u8) {
        const DEEPEST_HEADING: u8 = 4;
        let mut is_under_another = false;
        for (key, value) in members(object) {
            let holds_records = is_list(value) && items(value).iter().any(|item| is_object(item));
            if (is_object(value) || holds_records) && level <= DEEPEST_HEADING {
                self.builder.end_paragraph();
                let start = self.builder.text.len();
                let at = self.offset(value.get());
                self.builder.push_for(&key, at..at);
                self.builder.end_heading(start, level);
                match holds_records {
                    true => self.records(&items(value)),
                    false => self.members(value, level + 1),
                }
                is_under_another = true;
                continue;
            }
            self.builder.end_line();
            if std::mem::take(&mut is_under_another) {
                self.builder.end_headings(level);
            }
            self.builder.begin_block();
            self.is_begun = false;
            self.inline(&key, value);
        }
    }

    fn records(&mut self, records: &[&'s RawValue]) {
        for record in records {
            self.builder.end_line();
            self.builder.begin_block();
            self.is_begun = false;
            self.inline("", record);
        }
    }

    /// Adds a value to the line: `key: value`, or all that is in it.
    fn inline(&mut self, key: &str, value: &'s RawValue) {
        // Of a longer one only the last names are written.
        const LONGEST_PATH: usize = 64;
        const LONGEST_LINE: usize = 500;
        if is_object(value) {
            for (inner, value) in members(value) {
                match key.is_empty() || key.len() > LONGEST_PATH {
                    true => self.inline(&inner, value),
                    false => self.inline(&format!("{key}.{inner}"), value),
                }
            }
            return;
        }
        let at = self.offset(value.get());
        if is_list(value) {
            let items = items(value);
            let scalars = items.iter().filter(|item| !is_object(item) && !is_list(item));
            if scalars.count() < items.len() {
                for item in items {
                    // Many records are lines of their own.
                    if self.is_begun && value.get().len() > LONGEST_LINE {
                        self.builder.end_line();
                        self.builder.begin_block();
                        self.is_begun = false;
                    }
                    self.inline(key, item);
                }
                return;
            }
            for (index, item) in items.into_iter().enumerate() {
                let at = self.offset(item.get());
                match index {
                    0 => self.begin(key, at),
                    _ => self.builder.push_for(", ", at..at),
                }
                self.scalar(item);
            }
            return;
        }
        if value.get() != "null" {
            self.begin(key, at);
            self.scalar(value);
        }
    }

    fn begin(&mut self, key: &str, at: usize) {
        let separator = if std::mem::replace(&mut self.is_begun, true) { "; " } else { "" };
        let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
        self.builder.push_for(&format!("{separator}{key}"), at..at);
    }

    fn scalar(&mut self, value: &'s RawValue) {
        let at = self.offset(value.get());
        let Some(inner) = value.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return self.builder.push(at..at + value.get().len());
        };
        let range = at + 1..at + 1 + inner.len();
        if is_blob(inner) {
            return;
        }
        match inner.contains('\\') {
            false => self.builder.push(range),
            true => {
                let decoded: String = serde_json::from_str(value.get()).unwrap_or_else(|_| inner.to_owned());
                self.builder.push_for(&decoded.replace("\r\n", "\n"), range);
            }
        }
    }

    /// Where a part of the source begins.
    fn offset(&self, part: &str) -> usize {
        part.as_ptr() as usize - self.source.as_ptr() as usize
    }
}

/// Whether a string is data and no words.
fn is_blob(text: &str) -> bool {
    const LEAST_BYTES: usize = 200;
    text.len() >= LEAST_BYTES && base64_length(text) == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> Option<String> {
        extract(source).map(|extracted| extracted.text.into_owned())
    }

    #[test]
    fn objects_are_headings_and_records_are_lines() {
        let source = r#"{"name": "pump", "depends": {"serde": "1", "more": {"x": [1, 2]}}, "on": true,
            "users": [{"id": 1, "at": {"town": "Ki\u00e9l"}}, {"id": 2, "tags": ["a", "b"], "no": null}]}"#;
        let extracted = extract(source).unwrap();
        assert_eq!(
            extracted.text,
            "name: pump\n\ndepends\n\nserde: 1\n\nmore\n\nx: 1, 2\non: true\n\nusers\n\nid: 1; at.town: Kiél\nid: 2; \
                tags: a, b"
        );
        let paths: Vec<_> = (0..extracted.outline.headings().len())
            .map(|index| extracted.outline.titles(&extracted.outline.path(index)).join(" > "))
            .collect();
        assert_eq!(paths, ["depends", "depends > more", "", "users"]);
        let at = extracted.text.find("pump").unwrap();
        let range = extracted.positions.in_file(at..at + 4);
        assert_eq!(&source[range.start as usize..range.end as usize], "pump");
    }

    #[test]
    fn values_one_after_the_other_are_records_and_the_rest_is_no_json() {
        assert_eq!(text("{\"a\": 1}\n{\"a\": \"x\\ny\"}\n").as_deref(), Some("a: 1\na: x\ny"));
        assert_eq!(text("[1, [2, 3]]").as_deref(), Some("1\n2, 3"));
        let blob = format!("{{\"a\": \"{}\", \"b\": 1}}", "x".repeat(300));
        assert_eq!(text(&blob).as_deref(), Some("a:\nb: 1"));
        for wrong in ["", "{", "{\"a\": }", "// x\n{}", "12", "a: b"] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
        assert_eq!(text(&"[".repeat(100_000)), None);
    }
}
