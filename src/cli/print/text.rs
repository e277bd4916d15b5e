//! Text for people, line by line.

use anstyle::Style;
use retune::terminal::escaped;

/// Lines for a terminal. Only [`line`](Text::line) begins one, so nothing that stands in a line can.
#[derive(Debug, Default)]
pub(crate) struct Text(Vec<Line>);

impl Text {
    /// A text that begins with this line.
    pub(crate) fn of(line: impl Into<Line>) -> Text {
        Text(vec![line.into()])
    }

    pub(crate) fn line(&mut self, line: impl Into<Line>) {
        self.0.push(line.into());
    }

    pub(crate) fn empty_line(&mut self) {
        self.0.push(Line::default());
    }

    pub(crate) fn append(&mut self, mut other: Text) {
        self.0.append(&mut other.0);
    }

    /// The lines as they are printed.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|line| line.0.as_str())
    }

    /// All lines, each with its end.
    pub(super) fn render(&self) -> String {
        self.0.iter().map(|line| format!("{}\n", line.0)).collect()
    }
}

/// One line: escaped, with styles of the program's own.
#[derive(Debug, Default, Clone)]
pub(crate) struct Line(String);

impl Line {
    /// Adds some text in a style.
    pub(crate) fn with(mut self, style: Style, text: &str) -> Line {
        match style.is_plain() {
            true => self.0.push_str(&escaped(text)),
            false => self.0.push_str(&format!("{style}{}{style:#}", escaped(text))),
        }
        self
    }

    /// Adds some text without a style.
    pub(crate) fn and(self, text: &str) -> Line {
        self.with(Style::new(), text)
    }

    /// All of it as a link. `url` is one that [`Links`](super::Links) has made.
    pub(crate) fn linked(self, url: &str) -> Line {
        Line(format!("\x1b]8;;{}\x1b\\{}\x1b]8;;\x1b\\", escaped(url), self.0))
    }

    /// All of it in a style.
    pub(crate) fn all_in(self, style: Style) -> Line {
        Line(format!("{style}{}{style:#}", self.0))
    }

    /// Adds another line's text.
    pub(crate) fn followed_by(mut self, other: &Line) -> Line {
        self.0.push_str(&other.0);
        self
    }

    /// Fields with tabs between them, for programs to read.
    pub(crate) fn fields<'a>(fields: impl IntoIterator<Item = &'a str>) -> Line {
        let fields: Vec<_> = fields.into_iter().map(escaped).collect();
        Line(fields.join("\t"))
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Line {
        Line::default().and(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Line {
        Line::from(text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use anstyle::AnsiColor;

    use super::*;

    #[test]
    fn nothing_in_a_line_ends_it_or_styles_it() {
        let bold = AnsiColor::Red.on_default().bold();
        let mut text = Text::of("skipped a\n 1. forged: \x1b[2Jb");
        text.line(Line::from("is ").with(bold, "bold\x1b[0m"));
        text.line(Line::fields(["a\tb", "c"]));
        let lines: Vec<String> = text.render().lines().map(str::to_string).collect();
        assert_eq!(lines[0], "skipped a\\n 1. forged: \\u{1b}[2Jb");
        assert_eq!(lines[1], format!("is {bold}bold\\u{{1b}}[0m{bold:#}"));
        assert_eq!(lines[2], "a\\tb\tc");
        assert_eq!(lines.len(), 3);
    }
}
