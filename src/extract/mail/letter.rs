//! What all messages have, and how it stands in the text.

use super::super::writer::Writer;

/// More receivers than these are in the field `to`, but not in the text.
const MOST_IN_TEXT: usize = 10;

/// The head of a message.
#[derive(Debug, Default)]
pub(super) struct Letter {
    pub subject: String,
    pub from: Vec<String>,
    pub to: Vec<String>,
    pub copies: Vec<String>,
    /// As RFC 3339.
    pub date: Option<String>,
}

impl Letter {
    /// Writes title and fields, and the head.
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.title(&self.subject);
        self.from.iter().for_each(|person| {
            writer.field("from", person);
            writer.field("author", person);
        });
        self.to.iter().chain(&self.copies).for_each(|person| writer.field("to", person));
        writer.date(self.date.as_deref().unwrap_or_default());
        self.write_head(1, writer);
    }

    /// Writes the subject as a heading and, for whoever searches for a person, who wrote to whom.
    pub(super) fn write_head(&self, level: u8, writer: &mut Writer) {
        writer.heading(level, &self.subject);
        let lines = [("From", &self.from), ("To", &self.to), ("Cc", &self.copies)];
        let lines = lines.iter().filter(|(_, people)| !people.is_empty()).map(|(name, people)| {
            let people: Vec<&str> = people.iter().take(MOST_IN_TEXT).map(String::as_str).collect();
            format!("{name}: {}", people.join(", "))
        });
        writer.paragraph(&lines.collect::<Vec<_>>().join("\n"));
    }
}

/// `Ada Moss <ada@example.org>`, or what there is of it.
pub(super) fn person(name: &str, address: &str) -> String {
    match (name.trim(), address.trim()) {
        ("", address) => address.to_owned(),
        (name, "") => name.to_owned(),
        (name, address) if name.eq_ignore_ascii_case(address) => address.to_owned(),
        (name, address) => format!("{name} <{address}>"),
    }
}

/// Writes plain text: a blank line ends a paragraph. In flowed text a space at the end of a line says that the next
/// line goes on (RFC 3676).
pub(super) fn plain(text: &str, flowed: bool, writer: &mut Writer) {
    let mut paragraph = String::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            writer.paragraph(&std::mem::take(&mut paragraph));
            continue;
        }
        paragraph += line;
        let goes_on = flowed && line.ends_with(' ') && line != "-- ";
        if !goes_on {
            paragraph.push('\n');
        }
    }
    writer.paragraph(&paragraph);
}
