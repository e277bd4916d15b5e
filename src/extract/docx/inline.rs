//! The runs of a paragraph: its text, and what hangs on it.

use roxmltree::Node;

use super::super::writer::one_line;
use super::super::xml::{attribute, child, descend, is_on, name, text_within};
use super::styles::Styles;

/// One paragraph's text, and what is written after it.
#[derive(Debug, Default)]
pub(super) struct Inline<'a, 'i> {
    pub text: String,
    /// Kinds and ids of notes and comments.
    pub notes: Vec<(NoteKind, &'a str)>,
    /// Contents of text boxes.
    pub boxes: Vec<Node<'a, 'i>>,
    /// What pictures show, as their author put it.
    pub descriptions: Vec<String>,
    /// Whether any of it stands in a table of contents or an index.
    pub contents: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NoteKind {
    Footnote,
    Endnote,
    Comment,
}

/// Fields that are open: they reach over paragraphs.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// For each, its instruction and whether its result has begun.
    open: Vec<Field>,
}

#[derive(Debug, Default)]
struct Field {
    instruction: String,
    in_result: bool,
}

impl Fields {
    pub(super) fn in_contents(&self) -> bool {
        self.open.iter().any(|field| field.in_result && is_contents(&field.instruction))
    }

    /// Whether an instruction is being read: nobody sees it.
    fn in_instruction(&self) -> bool {
        self.open.iter().any(|field| !field.in_result)
    }

    fn char(&mut self, kind: Option<&str>) {
        match kind {
            // Nobody nests them so deep.
            Some("begin") if self.open.len() < 64 => self.open.push(Field::default()),
            Some("separate") => self.open.last_mut().into_iter().for_each(|field| field.in_result = true),
            Some("end") => drop(self.open.pop()),
            _ => {}
        }
    }
}

fn is_contents(instruction: &str) -> bool {
    let kind = instruction.split_whitespace().next().unwrap_or_default();
    ["TOC", "INDEX", "TOA"].iter().any(|contents| kind.eq_ignore_ascii_case(contents))
}

impl<'a, 'i> Inline<'a, 'i> {
    pub(super) fn read(paragraph: Node<'a, 'i>, styles: &Styles, fields: &mut Fields) -> Self {
        let mut inline = Self { contents: fields.in_contents(), ..Self::default() };
        inline.children(paragraph, styles, fields);
        inline
    }

    fn children(&mut self, parent: Node<'a, 'i>, styles: &Styles, fields: &mut Fields) {
        for node in parent.children() {
            self.node(node, styles, fields);
            self.contents |= fields.in_contents();
        }
    }

    fn node(&mut self, node: Node<'a, 'i>, styles: &Styles, fields: &mut Fields) {
        match name(node) {
            "del" | "moveFrom" | "pPr" | "rPr" | "rt" | "delText" | "delInstrText" => {}
            "r" if is_hidden(node, styles) => {}
            "fldSimple" => {
                self.contents |= attribute(node, "instr").is_some_and(is_contents);
                self.children(node, styles, fields);
            }
            "AlternateContent" => {
                let shown = child(node, "Choice").or_else(|| child(node, "Fallback"));
                shown.into_iter().for_each(|shown| self.children(shown, styles, fields));
            }
            "fldChar" => fields.char(attribute(node, "fldCharType")),
            "instrText" => {
                let field = fields.open.last_mut().filter(|field| !field.in_result);
                field.into_iter().for_each(|field| field.instruction += &text_within(node));
            }
            "t" if !fields.in_instruction() => self.text += &text_within(node),
            "tab" | "ptab" => self.text.push('\t'),
            "br" | "cr" => self.text.push('\n'),
            "noBreakHyphen" => self.text.push('-'),
            "footnoteReference" => self.note(NoteKind::Footnote, node),
            "endnoteReference" => self.note(NoteKind::Endnote, node),
            "commentReference" => self.note(NoteKind::Comment, node),
            "drawing" | "pict" | "object" => self.drawing(node),
            "t" => {}
            _ => self.children(node, styles, fields),
        }
    }

    fn note(&mut self, kind: NoteKind, node: Node<'a, 'i>) {
        self.notes.extend(attribute(node, "id").map(|id| (kind, id)));
    }

    fn drawing(&mut self, drawing: Node<'a, 'i>) {
        let mut inside: Vec<Node<'a, 'i>> = vec![drawing];
        while let Some(node) = inside.pop() {
            match name(node) {
                "txbxContent" => self.boxes.push(node),
                "Fallback" if node.prev_sibling_element().is_some() => {}
                kind => {
                    let description = match kind {
                        "docPr" => attribute(node, "descr"),
                        "shape" => attribute(node, "alt"),
                        _ => None,
                    };
                    self.descriptions.extend(description.map(description_of).filter(|text| !text.is_empty()));
                    inside.extend(node.children().collect::<Vec<_>>().into_iter().rev());
                }
            }
        }
    }
}

fn is_hidden(run: Node<'_, '_>, styles: &Styles) -> bool {
    let Some(properties) = child(run, "rPr") else { return false };
    match child(properties, "vanish") {
        Some(vanish) => is_on(Some(vanish)),
        None => {
            let style = descend(properties, &["rStyle"]).and_then(|style| attribute(style, "val"));
            style.is_some() && styles.get(style).hidden
        }
    }
}

/// A picture's description without what Office adds to those it made up, and without names of files.
pub(in super::super) fn description_of(text: &str) -> String {
    let text = one_line(text);
    let text = text.split("Description automatically generated").next().unwrap_or_default().trim();
    match text.contains(' ') {
        true => text.to_owned(),
        false => String::new(),
    }
}
