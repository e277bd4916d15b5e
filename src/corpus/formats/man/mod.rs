//! Reads manual pages: roff with the macros of man or mdoc.

mod mdoc;
mod roff;

use super::builder::Builder;
use crate::corpus::lines::{Line, lines};
use crate::corpus::outline::Extracted;
use roff::{Words, plain};

/// Whether a text is a manual page. Their names end in a section such as `.1`, as those of old logs do.
pub(in crate::corpus) fn is_one(text: &str) -> bool {
    const LOOKED_AT: usize = 8 << 10;
    let start = &text[..text.floor_char_boundary(LOOKED_AT)];
    let is_macro = |line: &str| [".TH ", ".Dd ", ".SH ", ".Dt "].iter().any(|name| line.starts_with(name));
    start.trim_start().starts_with(['.', '\'']) && start.lines().any(is_macro)
}

pub(super) fn extract(source: &str) -> Extracted<'static> {
    let mut reader = Reader { builder: Builder::new(source), ..Reader::new(source) };
    for line in lines(source) {
        reader.line(&line);
    }
    reader.builder.finish()
}

struct Reader<'s> {
    builder: Builder<'s>,
    /// The line that ends what is left out.
    until: Option<String>,
    /// The level of a heading whose words are the next line.
    heading: Option<u8>,
    /// The words of a list's item are the next line.
    is_item: bool,
    is_verbatim: bool,
    /// What separates the cells of the table that is open.
    table: Option<char>,
    /// Whether its lines still describe its columns.
    in_columns: bool,
    in_cell: bool,
    /// What mdoc documents.
    name: String,
}

/// Macros with words that belong to the text.
const FONTS: [&str; 10] = ["B", "I", "SM", "SB", "BR", "RB", "IR", "RI", "BI", "IB"];

impl<'s> Reader<'s> {
    fn new(source: &'s str) -> Self {
        Reader {
            builder: Builder::new(source),
            until: None,
            heading: None,
            is_item: false,
            is_verbatim: false,
            table: None,
            in_columns: false,
            in_cell: false,
            name: String::new(),
        }
    }

    fn line(&mut self, line: &Line<'s>) {
        let text = line.text;
        if let Some(until) = &self.until {
            if text.trim_end() == until {
                self.until = None;
            }
            return;
        }
        let Some(rest) = text.strip_prefix(['.', '\'']) else {
            return match self.table {
                Some(separator) => self.row(separator, line),
                None => self.say(&plain(text), line),
            };
        };
        let rest = rest.trim_start();
        let (name, arguments) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        if name.starts_with("\\\"") || name.is_empty() {
            return;
        }
        match name {
            "TH" | "Dt" => self.page(arguments),
            "SH" | "Sh" => self.heading(1, arguments, line),
            "SS" | "Ss" => self.heading(2, arguments, line),
            "PP" | "P" | "LP" | "Pp" | "sp" | "HP" | "TP" | "TQ" | "Bl" | "El" | "RS" | "RE" => {
                self.builder.end_paragraph();
                self.is_item = name == "TP" || name == "TQ";
            }
            "IP" => {
                self.builder.end_paragraph();
                let words = Words::of(arguments).next().unwrap_or_default();
                self.say(&words, line);
                // A bullet or a number stays on the line.
                if words.chars().count() > 3 {
                    self.builder.end_line();
                }
            }
            "It" => {
                self.builder.end_paragraph();
                self.mdoc(arguments, line);
                self.builder.end_line();
            }
            "nf" | "EX" | "Bd" => self.begin_verbatim(true),
            "fi" | "EE" | "Ed" => self.begin_verbatim(false),
            "br" => self.builder.end_line(),
            "TS" => {
                self.builder.end_paragraph();
                (self.table, self.in_columns) = (Some('\t'), true);
            }
            "TE" => {
                self.builder.end_paragraph();
                self.table = None;
            }
            "de" | "de1" | "am" => self.until = Some("..".into()),
            "ig" => {
                self.until =
                    Some(format!(".{}", if arguments.trim().is_empty() { "." } else { arguments.trim() }))
            }
            _ if FONTS.contains(&name) => {
                let between = if name.len() == 2 && !name.starts_with('S') { "" } else { " " };
                let words: Vec<String> = Words::of(arguments).collect();
                self.say(&words.join(between), line);
            }
            "UR" | "MT" => self.say(&plain(arguments), line),
            "Nd" => self.mdoc(&format!("\u{2013} {arguments}"), line),
            _ if mdoc::is_macro(name) => self.mdoc(rest, line),
            _ => {}
        }
    }

    /// A line of a table. Cells of several lines stand between `T{` and `T}`.
    fn row(&mut self, separator: char, line: &Line<'s>) {
        let text = line.text.trim_end();
        if self.in_columns {
            self.in_columns = !text.ends_with('.');
            let named = text.split_once("tab").and_then(|(_, rest)| rest.trim_start().strip_prefix('('));
            self.table = named.and_then(|rest| rest.chars().next()).or(self.table);
        } else if !["_", "="].contains(&text) {
            let cells = text.replace("T{", "").replace("T}", "").replace(separator, " | ");
            if !cells.trim().is_empty() {
                let is_first = self.builder.text.is_empty() || self.builder.text.ends_with('\n');
                self.builder.push_for(if is_first { "" } else { " " }, line.start..line.start);
                self.builder.push_for(plain(&cells).trim(), line.start..line.end());
            }
            if !text.ends_with("T{") && (text.contains("T}") || !self.in_cell) {
                self.builder.end_line();
            }
            self.in_cell = text.ends_with("T{") || self.in_cell && !text.contains("T}");
        }
    }

    fn page(&mut self, arguments: &str) {
        let words: Vec<String> = Words::of(arguments).take(2).collect();
        let Some(name) = words.first() else { return };
        let section = words.get(1).filter(|section| !section.is_empty());
        let section = section.map(|section| format!("({section})")).unwrap_or_default();
        self.builder.title = Some(format!("{}{section}", name.to_lowercase()));
    }

    fn heading(&mut self, level: u8, arguments: &str, line: &Line<'s>) {
        self.begin_verbatim(false);
        self.builder.end_paragraph();
        self.heading = Some(level);
        let words: Vec<String> = Words::of(arguments).collect();
        if !words.is_empty() {
            self.say(&words.join(" "), line);
        }
    }

    fn begin_verbatim(&mut self, yes: bool) {
        self.builder.end_paragraph();
        self.is_verbatim = yes;
    }

    fn mdoc(&mut self, words: &str, line: &Line<'s>) {
        let said = mdoc::said(words, &mut self.name);
        self.say(&said, line);
    }

    /// Adds a line of words. Lines run on, but for listings and items.
    fn say(&mut self, words: &str, line: &Line<'s>) {
        if words.trim().is_empty() {
            return self.builder.end_paragraph();
        }
        let range = line.start..line.end();
        if let Some(level) = self.heading.take() {
            let start = self.builder.text.len();
            self.builder.push_for(words.trim(), range);
            return self.builder.end_heading(start, level);
        }
        match self.is_verbatim || line.text.starts_with([' ', '\t']) {
            true => self.builder.end_line(),
            false if self.builder.text.is_empty() || self.builder.text.ends_with('\n') => {}
            false => self.builder.push_for(" ", line.start..line.start),
        }
        self.builder.push_for(if self.is_verbatim { words.trim_end() } else { words.trim() }, range);
        if std::mem::take(&mut self.is_item) {
            self.builder.end_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_man_are_read() {
        let page = ".\\\" comment\n.TH PUMP 1 \"May 2024\" tools\n.SH NAME\npump \\- runs the pump\n.SH SYNOPSIS\n.B \
            pump\n[\\fB\\-v\\fR] \
                    .\n.IR file ...\n.SH OPTIONS\n.TP\n.BR \\-v \", \" \\-\\-verbose\nSay more\nthan that.\n.nf\n  \
                        a  b\n.fi\n.de XX\nno\n..\n";
        let extracted = extract(page);
        assert_eq!(
            extracted.text,
            "NAME\n\npump - runs the pump\n\nSYNOPSIS\n\npump [-v] . file...\n\nOPTIONS\n\n-v, --verbose\nSay more \
                than that.\n\n  a  b"
        );
        let table = ".TH A 1\n.TS\ntab(@);\nl l.\nT{\nStation\nT}@T{\nKeeper\nT}\n_\nNordbro@Ada\n.TE\n";
        assert_eq!(extract(table).text, "Station | Keeper\nNordbro | Ada");
        assert_eq!(extracted.title.as_deref(), Some("pump(1)"));
        assert!(is_one(page) && !is_one(".gitignore\n") && !is_one("a log\n.TH x\n"));
    }

    #[test]
    fn pages_of_mdoc_are_read() {
        let page = ".Dd May 1, 2024\n.Dt PUMP 8\n.Os\n.Sh NAME\n.Nm pump\n.Nd runs the pump\n.Sh DESCRIPTION\nThe\n\
            .Nm\nutility reads\n\
                    .Pa /etc/pump .\n.Bl -tag\n.It Fl v Ar level\nSee\n.Xr pump.conf 5 .\n.El\n";
        assert_eq!(
            extract(page).text,
            "NAME\n\npump \u{2013} runs the pump\n\nDESCRIPTION\n\nThe pump utility reads /etc/pump.\n\n-v level\n\
                See pump.conf(5)."
        );
    }
}
