//! Word documents (DOCX, DOCM): text with headings, lists, tables, notes, comments and text boxes.
//!
//! Left out: deleted revisions, hidden text, page headers and footers. A document has no pages until a program lays it
//! out, so passages have no page.

mod body;
mod inline;
mod numbering;
mod styles;

use super::package::Package;
use super::writer::Writer;
use super::xml::{self, child, name};
use super::{ExtractedText, Unreadable, ooxml};
use body::Body;
pub(super) use inline::description_of;
use numbering::Numbering;
use styles::Styles;

pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    let mut package = Package::open(bytes)?;
    let main = package.related("", "officeDocument")?.unwrap_or_else(|| "word/document.xml".into());
    let mut side = |kind: &str| match package.related(&main, kind)? {
        Some(part) => package.part(&part),
        None => Ok(None),
    };
    let (styles, lists) = (side("styles")?, side("numbering")?);
    let notes = [side("footnotes")?, side("endnotes")?, side("comments")?];
    let text = package.needed(&main)?;

    let styles = match styles {
        Some(text) => Styles::new(&xml::parse(&text)?),
        None => Styles::default(),
    };
    let numbering = match lists {
        Some(text) => Numbering::new(&xml::parse(&text)?),
        None => Numbering::default(),
    };
    let notes: Vec<_> =
        notes.iter().map(|text| text.as_deref().map(xml::parse).transpose()).collect::<Result<_, _>>()?;
    let document = xml::parse(&text)?;
    let Some(blocks) = child(document.root_element(), "body") else {
        let found = name(document.root_element());
        return Err(Unreadable::Malformed(format!("expected a document with a body, found <{found}>")));
    };
    let mut body = Body::new(&styles, numbering, notes.iter().flatten().map(|notes| notes.root_element()));
    body.blocks(blocks);
    let mut writer: Writer = body.finish();
    ooxml::properties(&mut package, &mut writer)?;
    writer.finish()
}
