//! OpenDocument: text (ODT), presentations (ODP), workbooks (ODS).
//!
//! Slides give a slide, rows of a workbook their sheet and row; texts have no pages until a program lays them out.
//! Left out: deleted revisions, hidden text and sheets, headers and footers.

mod body;
mod inline;
mod styles;

use super::package::Package;
use super::writer::Writer;
use super::xml::{self, child, descend, name, text_within};
use super::{ExtractedText, Unreadable};
use body::Body;
use styles::Styles;

pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    let mut package = Package::open(bytes)?;
    let manifest = package.part("META-INF/manifest.xml")?.unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err(Unreadable::Encrypted);
    }
    let (content, common) = (package.needed("content.xml")?, package.part("styles.xml")?);
    let content = xml::parse(&content)?;
    let common = common.as_deref().map(xml::parse).transpose()?;
    let styles = Styles::new(common.iter().chain([&content]).map(|xml| xml.root_element()));

    let kind = child(content.root_element(), "body").and_then(|body| body.first_element_child());
    let kind =
        kind.ok_or_else(|| Unreadable::Malformed("expected content with a body, found none".into()))?;
    let mut body = Body::new(&styles);
    match name(kind) {
        "spreadsheet" => body.sheets(kind),
        "presentation" | "drawing" => body.slides(kind),
        _ => body.blocks(kind),
    }
    let mut writer = body.finish();
    if let Some(meta) = package.part("meta.xml")? {
        properties(&meta, &mut writer);
    }
    writer.finish()
}

/// Title and fields. A document is worth reading even if this part is broken.
fn properties(meta: &str, writer: &mut Writer) {
    let Ok(xml) = xml::parse(meta) else { return };
    let Some(meta) = descend(xml.root(), &["document-meta", "meta"]) else { return };
    let value = |local: &str| child(meta, local).map(text_within).unwrap_or_default();
    writer.title(&value("title"));
    let authors = [value("initial-creator"), value("creator")];
    writer.field("author", authors.iter().find(|author| !author.is_empty()).map_or("", String::as_str));
    [value("creation-date"), value("date")].iter().for_each(|date| writer.date(date));
    for node in meta.children() {
        match name(node) {
            "keyword" => writer.tags(&text_within(node)),
            "language" => writer.field("language", &text_within(node)),
            "subject" => writer.field("subject", &text_within(node)),
            _ => {}
        }
    }
}
