//! Tokens of RTF become blocks.

use std::collections::HashMap;

use super::super::Unreadable;
use super::super::table::Table;
use super::super::writer::Writer;
use super::characters::character;
use super::fonts::{Fonts, encoding_of};
use super::groups::{Destination, Group, Info, Paragraph, Style, destination};
use super::tokens::{Token, Tokens};

/// Word stays below 100.
const DEEPEST: usize = 2000;

pub(super) struct Reader<'w> {
    pub(super) writer: &'w mut Writer,
    outer: Vec<Group>,
    pub(super) group: Group,
    /// Whether the group has just begun, and whether it began with `\*`.
    begins: bool,
    starred: bool,
    fonts: Fonts,
    pub(super) styles: HashMap<i32, Style>,
    pub(super) paragraph: Paragraph,
    /// Bytes in the encoding of the font, and UTF-16, that are not text yet.
    bytes: Vec<u8>,
    units: Vec<u16>,
    /// Bytes that are for those who don't know `\u`.
    skip: i32,
    /// Of the paragraph.
    pub(super) text: String,
    /// Whether any of it stands in a table of contents.
    pub(super) contents: bool,
    pub(super) asides: Vec<String>,
    /// Of a destination other than text, and of those around it.
    other: String,
    others: Vec<String>,
    /// Year, month and day that are being read.
    date: [i32; 3],
    /// Number and outline level of the style that is being read.
    style: (i32, Option<i32>),
    pub(super) table: Option<Table>,
    pub(super) cells: Vec<String>,
    pub(super) above: Vec<String>,
    /// Of the row: whether it is a header, and which cells go on from the row above.
    pub(super) header: bool,
    pub(super) merged: Vec<bool>,
    pub(super) merges: bool,
    /// Right edges of the cells of the row, and of the first row of the table.
    pub(super) edges: Vec<i32>,
    pub(super) columns: Vec<i32>,
}

impl<'w> Reader<'w> {
    pub(super) fn new(writer: &'w mut Writer) -> Self {
        Self {
            writer,
            outer: Vec::new(),
            group: Group::default(),
            begins: false,
            starred: false,
            fonts: Fonts::default(),
            styles: HashMap::new(),
            paragraph: Paragraph::default(),
            bytes: Vec::new(),
            units: Vec::new(),
            skip: 0,
            text: String::new(),
            contents: false,
            asides: Vec::new(),
            other: String::new(),
            others: Vec::new(),
            date: [0; 3],
            style: (0, None),
            table: None,
            cells: Vec::new(),
            above: Vec::new(),
            header: false,
            merged: Vec::new(),
            merges: false,
            edges: Vec::new(),
            columns: Vec::new(),
        }
    }

    pub(super) fn read(mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        for token in Tokens::new(bytes) {
            match token {
                Token::Open => self.open()?,
                Token::Close => self.close(),
                Token::Byte(byte) => self.byte(byte),
                Token::Symbol(b'*') => self.starred = true,
                Token::Symbol(symbol) => self.symbol(symbol),
                Token::Word(word, number) => self.word(word, number),
            }
        }
        if !self.outer.is_empty() {
            let what = format!("expected the end of {} groups, found the end of the file", self.outer.len());
            return Err(Unreadable::Malformed(what));
        }
        self.end_paragraph();
        self.end_table();
        Ok(())
    }

    fn open(&mut self) -> Result<(), Unreadable> {
        self.decode();
        self.skip = 0;
        if self.outer.len() == DEEPEST {
            return Err(Unreadable::TooLarge(format!("groups more than {DEEPEST} deep")));
        }
        self.outer.push(self.group);
        self.group.own = false;
        if self.group.destination == Destination::StyleSheet {
            self.style = (0, None);
            self.enter(Destination::Style);
        }
        (self.begins, self.starred) = (true, false);
        Ok(())
    }

    fn close(&mut self) {
        self.decode();
        let ended = std::mem::replace(&mut self.group, self.outer.pop().unwrap_or_default());
        self.begins = false;
        if !ended.own {
            return;
        }
        let other = std::mem::replace(&mut self.other, self.others.pop().unwrap_or_default());
        match ended.destination {
            Destination::Aside => self.asides.push(other),
            Destination::Instruction => {
                let kind = other.split_whitespace().next().unwrap_or_default();
                self.group.contents |=
                    ["TOC", "INDEX"].iter().any(|contents| kind.eq_ignore_ascii_case(contents));
            }
            Destination::Info(info) => self.info(info, &other),
            Destination::Style => drop(self.styles.insert(self.style.0, Style::named(&other, self.style.1))),
            _ => {}
        }
    }

    /// From here on the text of the group goes there.
    fn enter(&mut self, destination: Destination) {
        self.group.destination = destination;
        if !std::mem::replace(&mut self.group.own, true) {
            self.others.push(std::mem::take(&mut self.other));
        }
    }

    fn info(&mut self, info: Info, value: &str) {
        match info {
            Info::Title => self.writer.title(value),
            Info::Author => self.writer.field("author", value),
            Info::Subject => self.writer.field("subject", value),
            Info::Keywords => self.writer.tags(value),
            Info::Created | Info::Revised => {
                let [year, month, day] = self.date;
                if (1..=12).contains(&month) && (1..=31).contains(&day) {
                    self.writer.date(&format!("{year:04}-{month:02}-{day:02}"));
                }
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        self.begins = false;
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_read() {
            self.decode_units();
            self.bytes.push(byte);
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'~' => self.push(' '),
            b'_' => self.push('-'),
            b'{' | b'}' | b'\\' => self.byte(symbol),
            b'\r' | b'\n' => self.word("par", None),
            _ => {}
        }
    }

    /// Whether text of the group goes anywhere.
    pub(super) fn is_read(&self) -> bool {
        !self.group.hidden
            && !self.group.deleted
            && !matches!(
                self.group.destination,
                Destination::Nowhere | Destination::FontTable | Destination::StyleSheet
            )
    }

    pub(super) fn push(&mut self, c: char) {
        self.decode();
        if self.is_read() {
            self.sink().push(c);
        }
    }

    fn sink(&mut self) -> &mut String {
        match self.group.destination {
            Destination::Text => {
                self.contents |= self.group.contents;
                &mut self.text
            }
            _ => &mut self.other,
        }
    }

    /// Makes text of bytes and units.
    fn decode(&mut self) {
        self.decode_units();
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let text = self.fonts.encoding(self.group.font).decode_without_bom_handling(&bytes).0;
            self.sink().push_str(&text);
        }
    }

    fn decode_units(&mut self) {
        if !self.units.is_empty() {
            let text = String::from_utf16_lossy(&std::mem::take(&mut self.units));
            self.sink().push_str(&text);
        }
    }

    fn unicode(&mut self, number: i32) {
        if !self.bytes.is_empty() {
            self.decode();
        }
        if self.is_read() {
            // Above 32,767 they are written as negative.
            self.units.push(number as u16);
        }
        self.skip = self.group.fallback;
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        if std::mem::take(&mut self.begins) | self.starred {
            let starred = std::mem::take(&mut self.starred);
            if let Some(destination) = destination(word, starred) {
                self.decode();
                return self.enter(destination);
            }
        }
        let on = number != Some(0);
        match word {
            "u" => return self.unicode(number.unwrap_or(0)),
            "uc" => self.group.fallback = number.unwrap_or(1).clamp(0, 100),
            _ => {}
        }
        self.decode();
        match (self.group.destination, word) {
            (_, "ansicpg") => {
                self.fonts.default = number.and_then(encoding_of).unwrap_or(self.fonts.default);
            }
            (_, "f") => self.group.font = number.unwrap_or(0),
            (Destination::FontTable, "fcharset") => self.fonts.charset(self.group.font, number.unwrap_or(0)),
            (Destination::FontTable, "cpg") => self.fonts.page(self.group.font, number.unwrap_or(0)),
            (_, "v") => self.group.hidden = on,
            (_, "deleted") => self.group.deleted = on,
            (_, "plain") => (self.group.hidden, self.group.deleted) = (false, false),
            (Destination::Info(_), "yr") => self.date = [number.unwrap_or(0), 0, 0],
            (Destination::Info(_), "mo") => self.date[1] = number.unwrap_or(0),
            (Destination::Info(_), "dy") => self.date[2] = number.unwrap_or(0),
            (Destination::Style, "s") => self.style.0 = number.unwrap_or(0),
            // Styles of characters, sections and tables.
            (Destination::Style, "cs" | "ds" | "ts") => self.style.0 = -1,
            (Destination::Style, "outlinelevel") => self.style.1 = number,
            (Destination::Text, _) => self.in_text(word, number),
            (_, "par" | "line") => self.push('\n'),
            (_, "tab") => self.push(' '),
            (_, word) => character(word).into_iter().for_each(|c| self.push(c)),
        }
    }
}
