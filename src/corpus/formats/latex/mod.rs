//! Reads LaTeX: its text without commands and comments. Formulas stay as they are written.

mod commands;

use super::builder::Builder;
use super::front_matter::FrontMatter;
use crate::corpus::outline::{Extracted, one_line};
use commands::Command;
pub(super) use commands::accented;

pub(super) fn extract(source: &str) -> Extracted<'static> {
    const BEGIN: &str = "\\begin{document}";
    let mut reader =
        Reader { source, at: 0, builder: Builder::new(source), front: FrontMatter::default(), unclosed: 0 };
    // What comes before are settings, but for the title.
    if let Some(begin) = source.find(BEGIN) {
        reader.preamble(&source[..begin]);
        reader.at = begin + BEGIN.len();
    }
    reader.read();
    reader.builder.title = reader.front.title;
    reader.builder.fields = reader.front.fields;
    reader.builder.finish()
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
    builder: Builder<'s>,
    front: FrontMatter,
    /// How often nothing closed a brace.
    unclosed: usize,
}

/// Whatever is not closed within so many bytes is not open.
const WITHIN: usize = 16 << 10;
const LONGEST_FORMULA: usize = 4 << 10;

impl<'s> Reader<'s> {
    fn preamble(&mut self, preamble: &str) {
        for name in ["title", "author", "date", "keywords"] {
            let Some(found) = preamble.find(&format!("\\{name}{{")) else { continue };
            self.at = found + name.len() + 1;
            let argument = self.argument();
            self.field(name, argument);
        }
    }

    fn field(&mut self, name: &str, argument: &str) {
        let inner = extract_words(argument);
        let values: Vec<String> = match name {
            "author" => inner.split("\n\n").flat_map(|part| part.split(" and ")).map(one_line).collect(),
            _ => vec![one_line(&inner)],
        };
        self.front.set(name, values.into_iter().filter(|value| !value.is_empty()).collect());
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn read(&mut self) {
        while let Some(next) = self.rest().chars().next() {
            match next {
                '\\' => self.command(),
                '%' => self.comment(),
                '$' => self.formula(),
                '{' | '}' => self.at += 1,
                '~' => self.replace(" ", 1),
                '&' => {
                    let space = if self.builder.text.ends_with(char::is_whitespace) { "" } else { " " };
                    self.replace(&format!("{space}| "), 1);
                    self.skip_blanks();
                }
                '\n' => self.line_end(),
                '`' | '\'' | '-' => self.signs(next),
                _ => {
                    let first = next.len_utf8();
                    let more =
                        self.rest()[first..].find(['\\', '%', '$', '{', '}', '~', '&', '\n', '`', '\'', '-']);
                    let length = more.map_or(self.rest().len(), |more| first + more);
                    let text = &self.rest()[..length];
                    let skipped = match self.builder.text.ends_with('\n') || self.builder.text.is_empty() {
                        true => length - text.trim_start_matches([' ', '\t']).len(),
                        false => 0,
                    };
                    self.builder.push(self.at + skipped..self.at + length);
                    self.at += length;
                }
            }
        }
    }

    fn replace(&mut self, text: &str, length: usize) {
        self.builder.push_for(text, self.at..self.at + length);
        self.at += length;
    }

    /// A line of nothing but a comment is no line.
    fn comment(&mut self) {
        let length = self.rest().find('\n').map_or(self.rest().len(), |end| end + 1);
        let next = &self.rest()[length..];
        self.at += length + (next.len() - next.trim_start_matches([' ', '\t']).len());
    }

    fn line_end(&mut self) {
        let gap = self.rest().len() - self.rest().trim_start().len();
        match self.rest()[..gap].matches('\n').count() > 1 {
            true => self.builder.end_paragraph(),
            false => self.builder.end_line(),
        }
        self.at += gap;
    }

    fn signs(&mut self, sign: char) {
        let signs = self.rest().len() - self.rest().trim_start_matches(sign).len();
        let text = match (sign, signs) {
            ('`', 2) => "\u{201c}",
            ('\'', 2) => "\u{201d}",
            ('`', 1) => "\u{2018}",
            ('-', 2) => "\u{2013}",
            ('-', 3) => "\u{2014}",
            _ => {
                self.builder.push(self.at..self.at + signs);
                self.at += signs;
                return;
            }
        };
        self.replace(text, signs);
    }

    /// Copies a formula as it is.
    fn formula(&mut self) {
        let fence = if self.rest().starts_with("$$") { "$$" } else { "$" };
        let inner = &self.rest()[fence.len()..];
        // A sign that nothing closes in its paragraph is none.
        let inner = &inner[..inner.floor_char_boundary(LONGEST_FORMULA)];
        let paragraph = inner.find("\n\n").unwrap_or(inner.len());
        match inner[..paragraph].find(fence) {
            Some(end) => {
                let length = end + 2 * fence.len();
                self.builder.push(self.at..self.at + length);
                self.at += length;
            }
            None => self.at += fence.len(),
        }
    }

    fn command(&mut self) {
        let after = &self.rest()[1..];
        let letters =
            after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '@').len();
        if letters == 0 {
            return self.sign(after);
        }
        let name = &after[..letters];
        let start = self.at;
        self.at += 1 + letters;
        if self.rest().starts_with('*') {
            self.at += 1;
        }
        match commands::named(name) {
            Command::Section(level) => self.heading(level),
            Command::Field => {
                let argument = self.argument();
                self.field(name, argument);
            }
            Command::Dropped => while self.group().is_some() {},
            Command::Character(text) => {
                self.builder.push_for(text, start..self.at);
                let rest = self.rest();
                self.at += if rest.starts_with("{}") {
                    2
                } else {
                    rest.len() - rest.trim_start_matches([' ', '\t']).len()
                };
            }
            Command::Item => {
                self.builder.end_line();
                self.builder.push_for("- ", start..self.at);
                self.skip_blanks();
                if let Some(label) = self.bracketed() {
                    self.builder.push(label);
                    self.builder.push_for(" ", self.at..self.at);
                }
                self.at += self.rest().len() - self.rest().trim_start().len();
            }
            Command::Paragraph => self.builder.end_paragraph(),
            Command::Begin => self.begin(),
            Command::End => {
                self.group();
                self.builder.end_paragraph();
            }
            // `\href{target}{words}` and its like.
            Command::SecondArgument => drop(self.group()),
            Command::Words => drop(self.bracketed()),
        }
    }

    /// A command of one sign: an escaped sign, an accent, a line break, a formula.
    fn sign(&mut self, after: &str) {
        let Some(sign) = after.chars().next() else {
            self.at += 1;
            return;
        };
        let length = 1 + sign.len_utf8();
        match sign {
            '\\' => {
                self.at += length;
                self.bracketed();
                self.builder.end_line();
            }
            '(' | '[' => {
                let close = if sign == '(' { "\\)" } else { "\\]" };
                let inner = &after[..after.floor_char_boundary(LONGEST_FORMULA)];
                let end = inner.find(close).map_or(length, |end| 1 + end + close.len());
                self.builder.push(self.at..self.at + end);
                self.at += end;
            }
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => self.replace(sign.encode_utf8(&mut [0; 4]), length),
            ' ' | ',' | ';' | ':' | '~' | '\n' => self.replace(" ", length),
            '"' | '\'' | '`' | '^' | '=' | '.' => self.accent(sign, length),
            _ => self.at += length,
        }
    }

    /// `\"o`, `\"{o}` or `\'\i`.
    fn accent(&mut self, accent: char, length: usize) {
        let rest = &self.rest()[length..];
        let open = rest.len() - rest.trim_start_matches(['{', '\\']).len();
        let Some(letter) = rest[open..].chars().next() else {
            self.at += length;
            return;
        };
        let close = usize::from(open > 0 && rest[open + letter.len_utf8()..].starts_with('}'));
        let composed = commands::accented(accent, letter);
        self.replace(&composed, length + open + letter.len_utf8() + close);
    }

    fn heading(&mut self, level: u8) {
        self.skip_blanks();
        self.bracketed();
        let argument = self.argument();
        let title = one_line(&extract_words(argument));
        self.builder.end_paragraph();
        let start = self.builder.text.len();
        let end = self.at.saturating_sub(1);
        self.builder.push_for(&title, end - argument.len().min(end)..end);
        self.builder.end_heading(start, level);
    }

    fn begin(&mut self) {
        let name = self.argument().trim_end_matches('*');
        self.builder.end_paragraph();
        let end = format!("\\end{{{name}");
        let is_verbatim = ["verbatim", "Verbatim", "lstlisting", "minted", "alltt"].contains(&name);
        let is_formula =
            ["equation", "align", "gather", "multline", "eqnarray", "math", "displaymath", "flalign"]
                .contains(&name);
        if is_verbatim || is_formula || ["comment", "tikzpicture", "filecontents"].contains(&name) {
            while !is_formula && self.group().is_some() {}
            let length = self.rest().find(&end).unwrap_or(self.rest().len());
            if is_verbatim || is_formula {
                let text = &self.rest()[..length];
                let lead =
                    length - text.trim_start_matches(['*', '}']).trim_start_matches(['\n', '\r']).len();
                self.builder.push(self.at + lead..self.at + lead.max(text.trim_end().len()));
            }
            self.at += length;
        } else if name == "frame" {
            self.bracketed();
            if self.rest().starts_with('{') {
                self.heading(4);
            }
        } else {
            // Widths and columns.
            self.skip_blanks();
            self.bracketed();
            if name.contains("tabular")
                || name.contains("tabu")
                || name == "longtable"
                || name == "thebibliography"
            {
                while self.group().is_some() {}
            }
        }
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    /// What stands in the braces that come next; nothing if none do.
    fn argument(&mut self) -> &'s str {
        self.skip_blanks();
        match self.rest().starts_with('{') {
            true => self.group().unwrap_or_default(),
            false => "",
        }
    }

    /// Passes an argument in brackets. Returns where its words are.
    fn bracketed(&mut self) -> Option<std::ops::Range<usize>> {
        let start = self.at + 1;
        self.rest().starts_with('[').then(|| self.group()).flatten().map(|inner| start..start + inner.len())
    }

    /// Passes an argument in braces or brackets.
    fn group(&mut self) -> Option<&'s str> {
        const MOST_UNCLOSED: usize = 100;
        let within = if self.unclosed < MOST_UNCLOSED { WITHIN } else { WITHIN >> 8 };
        let rest = self.rest();
        let (open, close) = match rest.as_bytes().first()? {
            b'{' => (b'{', b'}'),
            b'[' => (b'[', b']'),
            _ => return None,
        };
        let (mut depth, mut escaped) = (0, false);
        for (at, byte) in rest.bytes().enumerate().take(within) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                _ if byte == open => depth += 1,
                _ if byte == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at += at + 1;
                return Some(&rest[1..at]);
            }
        }
        self.unclosed += 1;
        self.at += 1;
        None
    }
}

/// The words of an argument.
fn extract_words(argument: &str) -> String {
    let mut reader = Reader {
        source: argument,
        at: 0,
        builder: Builder::new(argument),
        front: FrontMatter::default(),
        unclosed: 0,
    };
    reader.read();
    reader.builder.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_without_commands_and_formulas_as_they_are() {
        let text = "\\documentclass[a4]{article}\n\\title{The \\emph{pump}}\n\\author{Ada \\and Bo}\n\
            \\date{2024-05-31}\n\\begin{document}\n\
                    \\maketitle\n\\section{How to \\textbf{reset}}\\label{sec:a}\nHold the ``button'' % really\nfor \
                        $t > 10$~s, see \
                    Section~\\ref{sec:b}.\n\n% a comment\n\\begin{itemize}\n\\item Gr\\\"u\\ss{}e 5\\,\\% \\& more\n\
                        \\end{itemize}\n\
                    \\begin{equation}\nE = mc^2\n\\end{equation}\n\\subsection*{Lamp}\n\\begin{tabular}{ll}\na & b \
                        \\\\\nc & d\n\\end{tabular}\n\
                    \\href{http://a.org}{the site}\n\\begin{verbatim}\n\\section{no}\n\\end{verbatim}\n\
                        \\end{document}\n";
        let extracted = extract(text);
        assert_eq!(
            extracted.text,
            "How to reset\n\nHold the \u{201c}button\u{201d} for $t > 10$ s, see Section .\n\n- Grüße 5 % & more\n\n\
                E = mc^2\n\nLamp\n\na | b\nc | d\n\n\
             the site\n\n\\section{no}"
        );
        let titles: Vec<_> =
            extracted.outline.headings().iter().map(|h| (h.level, h.title.as_str())).collect();
        assert_eq!(titles, [(3, "How to reset"), (4, "Lamp")]);
        assert_eq!(extracted.title.as_deref(), Some("The pump"));
        assert_eq!(
            (&extracted.fields["author"][1], &extracted.fields["date"][0]),
            (&"Bo".into(), &"2024-05-31".into())
        );
        let site = extracted.text.find("the site").unwrap();
        let range = extracted.positions.in_file(site..site + 8);
        assert_eq!(&text[range.start as usize..range.end as usize], "the site");
    }

    #[test]
    fn what_is_not_closed_ends_nothing() {
        for text in [
            "\\section{a",
            "$x",
            "\\begin{",
            "\\href{a",
            "\\",
            "\\\"",
            "{{{",
            "\\begin{verbatim}",
            "a $5 b\n\nc",
        ] {
            extract(text);
        }
        assert_eq!(extract("costs $5\n\nand more").text, "costs 5\n\nand more");
    }
}
