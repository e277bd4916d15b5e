//! What Word, Excel and PowerPoint say about a document.

use super::Unreadable;
use super::package::Package;
use super::writer::Writer;
use super::xml::{self, name, text_within};

/// What programs write where nobody gave a title.
const NO_TITLES: [&str; 6] =
    ["powerpoint presentation", "untitled", "title", "presentation", "slide 1", "word document"];

/// Title and fields from the core properties.
pub(super) fn properties(package: &mut Package<'_>, writer: &mut Writer) -> Result<(), Unreadable> {
    let Some(part) = package.related("", "core-properties")? else { return Ok(()) };
    let Some(text) = package.part(&part)? else { return Ok(()) };
    // A document is worth reading even if this part is broken.
    let Ok(xml) = xml::parse(&text) else { return Ok(()) };
    let mut dates = [String::new(), String::new()];
    for node in xml.root_element().children() {
        let value = text_within(node);
        match name(node) {
            "title" => title(writer, &value),
            "creator" => value.split(';').for_each(|author| writer.field("author", author)),
            "keywords" => writer.tags(&value),
            "language" => writer.field("language", &value),
            "subject" => writer.field("subject", &value),
            "modified" => dates[0] = value,
            "created" => dates[1] = value,
            _ => {}
        }
    }
    dates.iter().rev().for_each(|date| writer.date(date));
    Ok(())
}

/// A title, unless a program made it up.
pub(super) fn title(writer: &mut Writer, title: &str) {
    let lower = title.trim().to_lowercase();
    if !NO_TITLES.contains(&lower.as_str()) && !lower.starts_with("microsoft word - ") {
        writer.title(title);
    }
}
