//! PowerPoint presentations (PPTX, PPTM): slides in the order of the presentation, each with its title as heading, its
//! text and tables, and its notes. Left out: hidden slides, page numbers, dates, headers and footers.

use roxmltree::Node;

use crate::place::Place;

use super::docx::description_of;
use super::ooxml;
use super::package::Package;
use super::table::Table;
use super::writer::Writer;
use super::xml::{self, attribute, child, descend, name, text_within};
use super::{ExtractedText, Unreadable};

pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    let mut package = Package::open(bytes)?;
    let main = package.related("", "officeDocument")?.unwrap_or_else(|| "ppt/presentation.xml".into());
    let text = package.needed(&main)?;
    let presentation = xml::parse(&text)?;
    let relations = package.relations(&main)?;
    let Some(slides) = child(presentation.root_element(), "sldIdLst") else {
        return match name(presentation.root_element()) {
            "presentation" => Err(Unreadable::NoText),
            found => Err(Unreadable::Malformed(format!("expected a presentation, found <{found}>"))),
        };
    };
    let mut writer = Writer::default();
    // `r:id`, beside an `id` that means nothing here.
    let ids = slides.children().filter_map(|slide| slide.attributes().rfind(|one| one.name() == "id"));
    for (id, number) in ids.zip(1..) {
        let Some(relation) = relations.get(id.value()) else { continue };
        writer.apart();
        writer.place(Place { slide: Some(number), ..Place::default() });
        slide(&mut package, &relation.target, &mut writer)?;
    }
    ooxml::properties(&mut package, &mut writer)?;
    writer.finish()
}

fn slide(package: &mut Package<'_>, part: &str, writer: &mut Writer) -> Result<(), Unreadable> {
    let Some(text) = package.part(part)? else { return Ok(()) };
    let xml = xml::parse(&text)?;
    let slide = xml.root_element();
    if matches!(attribute(slide, "show"), Some("0" | "false")) {
        return Ok(());
    }
    let Some(shapes) = descend(slide, &["cSld", "spTree"]) else { return Ok(()) };
    let is_title = |shape: Node<'_, '_>| matches!(placeholder(shape), Some("title" | "ctrTitle"));
    for title in shapes.children().filter(|shape| is_title(*shape)) {
        let title = child(title, "txBody").map(|body| lines(body).join(" "));
        writer.heading(1, &title.unwrap_or_default());
    }
    shapes.children().filter(|shape| !is_title(*shape)).for_each(|node| shape(node, writer));

    for relation in package.relations(part)?.into_values() {
        match relation.kind.as_str() {
            "notesSlide" => notes(package, &relation.target, writer)?,
            "comments" | "diagramData" => texts(package, &relation.target, writer)?,
            _ => {}
        }
    }
    Ok(())
}

fn notes(package: &mut Package<'_>, part: &str, writer: &mut Writer) -> Result<(), Unreadable> {
    let Some(text) = package.part(part)? else { return Ok(()) };
    let xml = xml::parse(&text)?;
    let shapes = descend(xml.root_element(), &["cSld", "spTree"]);
    shapes.into_iter().flat_map(|shapes| shapes.children()).for_each(|node| {
        if placeholder(node) == Some("body") {
            let lines = child(node, "txBody").map(lines).unwrap_or_default();
            lines.iter().for_each(|line| writer.paragraph(line));
        }
    });
    Ok(())
}

/// The paragraphs of a part of another kind: comments, or the data of a diagram.
fn texts(package: &mut Package<'_>, part: &str, writer: &mut Writer) -> Result<(), Unreadable> {
    let Some(text) = package.part(part)? else { return Ok(()) };
    let xml = xml::parse(&text)?;
    for node in xml.descendants().filter(|node| matches!(name(*node), "p" | "text")) {
        match name(node) {
            "p" => writer.paragraph(&line(node)),
            _ => writer.paragraph(&text_within(node)),
        }
    }
    Ok(())
}

/// The kind of a placeholder; of one without kind `obj`.
fn placeholder<'a>(shape: Node<'a, '_>) -> Option<&'a str> {
    let properties = shape.children().find(|node| name(*node).starts_with("nv"))?;
    let placeholder = descend(properties, &["nvPr", "ph"])?;
    Some(attribute(placeholder, "type").unwrap_or("obj"))
}

fn shape(node: Node<'_, '_>, writer: &mut Writer) {
    match name(node) {
        "sp" | "cxnSp" => {
            let kind = placeholder(node);
            if let Some(body) = child(node, "txBody")
                && !matches!(kind, Some("sldNum" | "dt" | "ftr" | "hdr"))
            {
                // Bodies are lists by their layout; other boxes say so in their paragraphs.
                body.children()
                    .filter(|node| name(*node) == "p")
                    .for_each(|node| paragraph(node, kind, writer));
                writer.apart();
            }
        }
        "pic" | "graphicFrame" => {
            let properties = node.children().find(|node| name(*node).starts_with("nv"));
            let description = properties.and_then(|node| attribute(child(node, "cNvPr")?, "descr"));
            writer.paragraph(&description.map(description_of).unwrap_or_default());
            descend(node, &["graphic", "graphicData", "tbl"])
                .into_iter()
                .for_each(|node| table(node, writer));
        }
        "AlternateContent" => {
            let shown = child(node, "Choice").or_else(|| child(node, "Fallback"));
            shown.into_iter().flat_map(|shown| shown.children()).for_each(|node| shape(node, writer));
        }
        "grpSp" => node.children().for_each(|node| shape(node, writer)),
        _ => {}
    }
}

fn paragraph(node: Node<'_, '_>, kind: Option<&str>, writer: &mut Writer) {
    let properties = child(node, "pPr");
    let says = |local: &str| properties.and_then(|node| child(node, local)).is_some();
    let is_item = match kind {
        Some("body" | "obj") => !says("buNone"),
        _ => says("buChar") || says("buAutoNum"),
    };
    let depth = properties.and_then(|node| attribute(node, "lvl")?.parse().ok()).unwrap_or(0);
    match is_item {
        true => writer.item(depth, "", &line(node)),
        false => writer.paragraph(&line(node)),
    }
}

/// The paragraphs of a text.
fn lines(body: Node<'_, '_>) -> Vec<String> {
    body.children().filter(|node| name(*node) == "p").map(line).collect()
}

/// The text of a paragraph.
fn line(paragraph: Node<'_, '_>) -> String {
    let mut line = String::new();
    for node in paragraph.descendants() {
        match name(node) {
            "t" => line += &text_within(node),
            "br" => line.push('\n'),
            "tab" => line.push('\t'),
            _ => {}
        }
    }
    line
}

fn table(node: Node<'_, '_>, writer: &mut Writer) {
    // Nearly all tables have this mark, whether their first row is a header or not: new ones have it.
    let marked =
        child(node, "tblPr").is_some_and(|node| matches!(attribute(node, "firstRow"), Some("1" | "true")));
    let rows: Vec<_> = node.children().filter(|node| name(*node) == "tr").collect();
    let mut table = Table::default();
    let mut above: Vec<String> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let mut values: Vec<String> = Vec::new();
        for cell in row.children().filter(|node| name(*node) == "tc") {
            let covers = |local: &str| matches!(attribute(cell, local), Some("1" | "true"));
            let own = child(cell, "txBody").map(|body| lines(body).join(" ")).unwrap_or_default();
            let merged = above.get(values.len()).filter(|value| covers("vMerge") && value.len() < 1000);
            values.push(merged.cloned().unwrap_or(own));
        }
        match marked && at == 0 && rows.len() > 1 {
            true => table.header(values.clone()),
            false => table.row(values.clone(), None, writer),
        }
        above = values;
    }
    table.finish(writer);
    writer.apart();
}
