//! Books (EPUB 2 and 3): chapters in reading order, each at its number.

use std::collections::{BTreeMap, HashMap};

use roxmltree::Document;

use crate::place::Place;

use super::markup::{self, Syntax};
use super::package::{Package, resolve};
use super::writer::Writer;
use super::xml::{self, attribute, child, descend, name, text_within};
use super::{ExtractedText, Unreadable};

/// What a book consists of.
struct Item {
    path: String,
    kind: String,
    /// The properties, separated by spaces.
    properties: String,
}

pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    let mut package = Package::open(bytes)?;
    let container = package.needed("META-INF/container.xml")?;
    let container = xml::parse(&container)?;
    let root = container.descendants().find_map(|node| attribute(node, "full-path"));
    let root =
        root.ok_or_else(|| Unreadable::Malformed("expected a book, found no full-path to one".into()))?;
    let book = package.needed(root)?;
    let book = xml::parse(&book)?;
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let items = items(&book, folder);
    let spine = child(book.root_element(), "spine");
    let ids = spine.iter().flat_map(|spine| spine.children()).filter_map(|node| attribute(node, "idref"));
    let chapters: Vec<&Item> = ids.filter_map(|id| items.get(id)).collect();

    let locked = package.part("META-INF/encryption.xml")?.unwrap_or_default();
    if chapters.iter().any(|chapter| locked.contains(&chapter.path)) {
        return Err(Unreadable::Encrypted);
    }
    let table = items.values().find(|item| item.properties.split(' ').any(|property| property == "nav"));
    let table = table.or_else(|| items.values().find(|item| item.kind == "application/x-dtbncx+xml"));
    let titles = match table {
        Some(table) => titles(&mut package, &table.path)?,
        None => HashMap::new(),
    };

    let mut writer = Writer::default();
    properties(&book, &mut writer);
    for (chapter, number) in chapters.into_iter().zip(1..) {
        let Some(text) = package.part(&chapter.path)? else { continue };
        writer.apart();
        writer.place(Place { chapter: Some(number), ..Place::default() });
        let has_heading = (b'1'..=b'6').any(|level| {
            let level = char::from(level);
            text.contains(&format!("<h{level}")) || text.contains(&format!("<H{level}"))
        });
        if let (false, Some(title)) = (has_heading, titles.get(&chapter.path)) {
            writer.heading(1, title);
        }
        markup::write(&text, Syntax::Xhtml, &mut writer);
    }
    writer.finish()
}

/// What the book's manifest lists, by id.
fn items(book: &Document<'_>, folder: &str) -> BTreeMap<String, Item> {
    let manifest = child(book.root_element(), "manifest");
    let items = manifest.iter().flat_map(|manifest| manifest.children()).filter_map(|node| {
        let text = |local: &str| attribute(node, local).unwrap_or_default().to_owned();
        let path = path_of(folder, attribute(node, "href")?);
        let item = Item { path, kind: text("media-type"), properties: text("properties") };
        Some((attribute(node, "id")?.to_owned(), item))
    });
    items.collect()
}

/// The part that a link in a part of `folder` means.
fn path_of(folder: &str, link: &str) -> String {
    let link = link.split('#').next().unwrap_or_default();
    resolve(folder, &percent_encoding::percent_decode_str(link).decode_utf8_lossy())
}

/// Titles of the chapters by their path, as the book's table of contents has them. Of several in one chapter the first.
fn titles(package: &mut Package<'_>, path: &str) -> Result<HashMap<String, String>, Unreadable> {
    let mut titles = HashMap::new();
    let Some(text) = package.part(path)? else { return Ok(titles) };
    // A book can be read without.
    let Ok(table) = xml::parse(&text) else { return Ok(titles) };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for node in table.descendants() {
        let (link, title) = match name(node) {
            "a" => (attribute(node, "href"), Some(text_within(node))),
            "navPoint" => {
                let link = child(node, "content").and_then(|content| attribute(content, "src"));
                (link, descend(node, &["navLabel", "text"]).map(text_within))
            }
            _ => continue,
        };
        if let (Some(link), Some(title)) = (link, title) {
            titles.entry(path_of(folder, link)).or_insert(title);
        }
    }
    Ok(titles)
}

fn properties(book: &Document<'_>, writer: &mut Writer) {
    let Some(metadata) = child(book.root_element(), "metadata") else { return };
    // EPUB 2 puts them into one more element.
    for node in metadata.descendants().filter(|node| node.is_element()) {
        let value = text_within(node);
        match name(node) {
            "title" => writer.title(&value),
            "creator" => writer.field("author", &value),
            "date" => writer.date(&value),
            "language" => writer.field("language", &value),
            "subject" => writer.field("tags", &value),
            _ => {}
        }
    }
}
