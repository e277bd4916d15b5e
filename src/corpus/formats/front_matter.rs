//! What a text says about itself at its top: YAML between `---`, TOML between `+++`.

use crate::corpus::lines::{Line, lines};
use crate::corpus::outline::{Fields, one_line};

/// The title and the fields of a block of front matter.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    pub(super) title: Option<String>,
    pub(super) fields: Fields,
}

/// The front matter that a text begins with, and its length with both fences.
pub(super) fn at_start(text: &str) -> Option<(FrontMatter, usize)> {
    const MOST_BYTES: usize = 64 << 10;
    let fence = ["---", "+++"].into_iter().find(|fence| text.starts_with(fence))?;
    let mut all = lines(&text[..text.floor_char_boundary(MOST_BYTES)]);
    let first = all.next()?;
    (first.text.trim_end() == fence).then_some(())?;
    let is_end =
        |line: &Line<'_>| line.text.trim_end() == fence || fence == "---" && line.text.trim_end() == "...";
    let last = all.find(is_end)?;
    let matter = &text[first.end()..last.start];
    // A rule above a text is no front matter.
    matter.lines().any(|line| named(line).is_some()).then(|| (read(matter), last.end()))
}

/// Reads the lines between the fences. Lists stand in brackets, or below with a dash each.
pub(super) fn read(matter: &str) -> FrontMatter {
    let mut front = FrontMatter::default();
    let mut name = String::new();
    let mut bracketed: Option<String> = None;
    for line in matter.lines() {
        if let Some(list) = &mut bracketed {
            list.push_str(line);
            if line.contains(']') {
                let list = bracketed.take().unwrap_or_default();
                front.set(&name, values(&list));
            }
        } else if let Some(item) = line.trim_start().strip_prefix("- ") {
            // A list of people has their names among other things.
            let item = item.trim().strip_prefix("name:").unwrap_or(item);
            front.set(&name, values(item));
        } else if let Some((key, value)) = named(line) {
            name = key.to_lowercase();
            match value.starts_with('[') && !value.contains(']') {
                true => bracketed = Some(value.to_owned()),
                false => front.set(&name, values(value)),
            }
        }
    }
    front
}

/// Whether front matter says nothing that people would look for in the text.
pub(super) fn is_fields_alone(matter: &str) -> bool {
    const SENTENCE_BYTES: usize = 60;
    let is_text =
        |line: &str| line.len() > SENTENCE_BYTES && named(line).is_none_or(|(name, _)| name != "title");
    !matter.lines().any(is_text)
}

/// The key and the value of a line.
fn named(line: &str) -> Option<(&str, &str)> {
    let at = line.find([':', '='])?;
    let (key, value) = (line[..at].trim_end(), line[at + 1..].trim());
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    is_key.then_some((key, value))
}

fn values(value: &str) -> Vec<String> {
    let list = value.trim().strip_prefix('[').map(|rest| rest.split(']').next().unwrap_or(rest));
    let parts: Vec<&str> = list.map_or_else(|| vec![value], |list| list.split(',').collect());
    let plain = |part: &str| one_line(part.trim().trim_matches(['"', '\'']));
    parts.into_iter().map(plain).filter(|part| !part.is_empty() && !"|>".contains(part.as_str())).collect()
}

impl FrontMatter {
    /// Adds values under any of the names that programs give them.
    pub(super) fn set(&mut self, name: &str, values: Vec<String>) {
        let field = match name {
            "title" => {
                self.title = self.title.take().or_else(|| values.into_iter().next());
                return;
            }
            "author" | "authors" | "by" => "author",
            "date" | "published" | "pubdate" | "created" => "date",
            "tags" | "tag" | "keywords" | "categories" | "category" | "filetags" => "tags",
            "lang" | "language" => "language",
            "subject" | "subtitle" => "subject",
            _ => return,
        };
        let values: Vec<String> = match field {
            "date" => values.iter().filter_map(|value| date(value)).collect(),
            "author" => values.iter().flat_map(|value| value.split(';')).map(one_line).collect(),
            "tags" => values.iter().flat_map(|value| value.split([',', ';'])).map(one_line).collect(),
            _ => values,
        };
        let known = self.fields.get(field).map_or(0, Vec::len);
        let values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
        if !(values.is_empty() || field == "date" && known > 0) {
            self.fields.entry(field.into()).or_default().extend(values);
        }
    }
}

/// The day in a date that begins as `2024-05-31` or is written `<2024-05-31 Fri>`.
pub(super) fn date(value: &str) -> Option<String> {
    let day = value.trim_start_matches(['<', '[']).get(..10)?;
    let is_digit = |at: usize| day.as_bytes()[at].is_ascii_digit();
    let is_day = (0..10).all(|at| if at == 4 || at == 7 { &day[at..=at] == "-" } else { is_digit(at) });
    is_day.then(|| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> (Option<String>, Vec<String>) {
        let (front, _) = at_start(text).unwrap();
        let fields =
            front.fields.iter().map(|(name, values)| format!("{name}={}", values.join("|"))).collect();
        (front.title, fields)
    }

    #[test]
    fn fields_come_under_one_name_each() {
        let yaml = "---\ntitle: \"A: b\"\ndate: 2024-05-31T10:00:00Z\ntags: [x, 'y z']\nauthors:\n  - Ada\n  - name: \
            Bo\ncategories:\n- z\nlayout: post\n---\nText\n";
        let (title, fields) = all(yaml);
        assert_eq!(title.as_deref(), Some("A: b"));
        assert_eq!(fields, ["author=Ada|Bo", "date=2024-05-31", "tags=x|y z|z"]);
        let toml = "+++\ntitle = 'T'\ndate = 2024-05-31\ntags = [\n  \"a\",\n  \"b\",\n]\n+++\n";
        assert_eq!(all(toml), (Some("T".into()), vec!["date=2024-05-31".into(), "tags=a|b".into()]));
        assert_eq!(at_start(yaml).unwrap().1, yaml.find("\nText").unwrap());
    }

    #[test]
    fn rules_and_open_fences_are_no_front_matter() {
        for text in ["---\n\nText\n\n---\n", "---\ntitle: x\n", "----\na: b\n---\n", "+++\na: b\n---\n", ""] {
            assert_eq!(at_start(text), None, "{text:?}");
        }
    }
}
