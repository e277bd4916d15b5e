//! The outline of data that is written to be read: YAML, TOML and INI. The text is the file itself, and keys that hold
//! others are headings.

use crate::corpus::lines::{Line, lines};
use crate::corpus::outline::{Extracted, Heading, Outline};

/// Deeper keys are part of those above.
const DEEPEST: usize = 4;

pub(super) fn yaml(text: &str) -> Extracted<'_> {
    let lines: Vec<Line<'_>> = lines(text).collect();
    let mut outline = Keys::default();
    // The indents of the keys that are open.
    let mut open: Vec<usize> = Vec::new();
    // Of a key with a text of several lines.
    let mut block: Option<usize> = None;
    for (index, line) in lines.iter().enumerate() {
        let content = line.text.trim();
        let indent = line.indent();
        if content.is_empty() || block.is_some_and(|block| indent > block) {
            continue;
        }
        block = None;
        if content.starts_with('#') {
            outline.comment(line);
            continue;
        }
        if indent == 0 && (line.text.starts_with("---") || line.text == "...") {
            open.clear();
            outline.other(line, 0);
            continue;
        }
        // Items of a list may stand right under their key.
        let is_item = content == "-" || content.starts_with("- ");
        while open.last().is_some_and(|&above| above >= indent + usize::from(is_item)) {
            open.pop();
        }
        let key = key(content);
        let is_text = key.is_some_and(|(_, value)| value.starts_with(['|', '>']));
        if is_text {
            block = Some(indent);
        }
        // What has its value below holds others, if they are deeper or a list.
        let next =
            lines[index + 1..].iter().find(|line| !line.is_blank() && !line.text.trim().starts_with('#'));
        let holds = next.is_some_and(|next| {
            next.indent() > indent || next.indent() == indent && next.text.trim().starts_with("- ")
        });
        match key.filter(|(_, value)| {
            holds && (value.is_empty() || value.starts_with(['&', '!', '#'])) && open.len() < DEEPEST
        }) {
            Some((name, _)) => {
                outline.key(line, name, open.len());
                open.push(indent);
            }
            None => outline.other(line, open.len()),
        }
    }
    outline.finish(text)
}

/// The key and the value of a line of YAML, if it begins with a key.
fn key(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("? ").unwrap_or(line);
    if line.starts_with(['-', '{', '[', '"', '\'', '*', '%', '@']) {
        let quote = line.chars().next().filter(|c| "\"'".contains(*c))?;
        let (name, rest) = line[1..].split_once(quote)?;
        return rest.trim_start().strip_prefix(':').map(|value| (name, value.trim()));
    }
    match line.split_once(": ") {
        Some((name, value)) => Some((name.trim(), value.trim())),
        None => line.strip_suffix(':').map(|name| (name.trim(), "")),
    }
}

/// TOML and INI: `[section]` and `[[section]]`.
pub(super) fn sections(text: &str) -> Extracted<'_> {
    let mut outline = Keys::default();
    // The sign that ends a text of several lines.
    let mut quote: Option<&str> = None;
    for line in lines(text) {
        let content = line.text.trim();
        if let Some(sign) = quote {
            quote = (!content.contains(sign)).then_some(sign);
            continue;
        }
        let opened = ["\"\"\"", "'''"].into_iter().find(|sign| content.matches(sign).count() % 2 == 1);
        quote = opened.filter(|_| !content.starts_with(['#', ';']));
        let name = content.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name);
        match name.map(|name| name.trim_start_matches('[').trim()) {
            Some(name) if line.indent() == 0 && !name.is_empty() => outline.key(&line, name, 0),
            _ if content.starts_with(['#', ';']) => outline.comment(&line),
            _ if content.is_empty() => outline.comments = None,
            _ => outline.comments = None,
        }
    }
    outline.finish(text)
}

/// Headings of keys, each with the comments right above.
#[derive(Default)]
struct Keys {
    headings: Vec<Heading>,
    /// Where they begin.
    comments: Option<usize>,
    /// How many keys the last line is under.
    depth: usize,
}

impl Keys {
    fn comment(&mut self, line: &Line<'_>) {
        self.comments = self.comments.or(Some(line.start));
    }

    fn key(&mut self, line: &Line<'_>, name: &str, depth: usize) {
        let start = self.comments.take().unwrap_or(line.start);
        let level = u8::try_from(depth + 1).unwrap_or(u8::MAX);
        self.headings.push(Heading { start, end: line.end(), level, title: name.to_owned() });
        self.depth = depth + 1;
    }

    /// A line that opens nothing, under so many keys.
    fn other(&mut self, line: &Line<'_>, depth: usize) {
        let start = self.comments.take().unwrap_or(line.start);
        if depth < self.depth {
            let level = u8::try_from(depth + 1).unwrap_or(u8::MAX);
            self.headings.push(Heading { start, end: start, level, title: String::new() });
        }
        self.depth = depth;
    }

    fn finish(self, text: &str) -> Extracted<'_> {
        Extracted::whole(text, Outline::with_breaks(self.headings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(extracted: &Extracted<'_>) -> Vec<String> {
        let outline = &extracted.outline;
        (0..outline.headings().len()).map(|index| outline.titles(&outline.path(index)).join(" > ")).collect()
    }

    #[test]
    fn keys_that_hold_others_are_headings() {
        let text = "# all\nname: x\n# the services\nservices:\n  web:\n    image: a\n    ports:\n    - 80\n  \
            db:\n    image: b\nrun: |\n  echo:\n    a: 1\nlast: 2\n";
        let extracted = yaml(text);
        assert_eq!(
            titles(&extracted),
            ["services", "services > web", "services > web > ports", "services > db", ""]
        );
        assert!(text[extracted.outline.headings()[0].start..].starts_with("# the services"));
        assert!(text[extracted.outline.headings()[4].start..].starts_with("run: |"));
    }

    #[test]
    fn sections_are_headings() {
        let text = "a = 1\n\n# what is needed\n[dependencies]\nx = \"\"\"\n[no]\n\"\"\"\n\n[[bin]]\nname = 'a'\n[ \
            servers.alpha ] # x\n";
        let extracted = sections(text);
        assert_eq!(titles(&extracted), ["dependencies", "bin", "servers.alpha"]);
        assert!(text[extracted.outline.headings()[0].start..].starts_with("# what"));
        assert_eq!(titles(&sections("[s]\nk=v\n; c\n[t]\n")), ["s", "t"]);
    }
}
