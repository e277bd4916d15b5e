//! What a group of RTF is, and what holds within it.

/// Where the text of a group goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    Text,
    /// Nowhere.
    Nowhere,
    FontTable,
    /// Styles, each a group.
    StyleSheet,
    /// The name of a style.
    Style,
    /// A note or a text box: after the paragraph.
    Aside,
    /// A field of the document's information.
    Info(Info),
    /// What a field computes.
    Instruction,
}

/// What a document says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Info {
    Title,
    Author,
    Subject,
    Keywords,
    Created,
    Revised,
}

/// Groups whose text is not the document's, though they are not marked as such.
const NOWHERE: [&str; 18] = [
    "colortbl",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "pict",
    "listtext",
    "pntext",
    "nonshppict",
    "objdata",
    "objclass",
    "xe",
    "tc",
    "ftnsep",
];

/// Where the text of the group goes that begins with `word`; `None` if the word does not say. `starred` after `\*`: who
/// does not know such a group passes over it.
pub(super) fn destination(word: &str, starred: bool) -> Option<Destination> {
    Some(match word {
        "stylesheet" => Destination::StyleSheet,
        "fonttbl" => Destination::FontTable,
        "footnote" | "annotation" | "shptxt" | "dptxbxtext" => Destination::Aside,
        "fldinst" => Destination::Instruction,
        "title" => Destination::Info(Info::Title),
        "author" => Destination::Info(Info::Author),
        "subject" => Destination::Info(Info::Subject),
        "keywords" => Destination::Info(Info::Keywords),
        "creatim" => Destination::Info(Info::Created),
        "revtim" => Destination::Info(Info::Revised),
        "info" => Destination::Nowhere,
        _ if NOWHERE.contains(&word) => Destination::Nowhere,
        _ if starred => Destination::Nowhere,
        _ => return None,
    })
}

/// What holds within a group: the group within it begins with the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub destination: Destination,
    /// Whether the group itself has set it.
    pub own: bool,
    /// Not shown, or deleted.
    pub hidden: bool,
    pub deleted: bool,
    pub font: i32,
    /// How many bytes after `\u` are for those who don't know it.
    pub fallback: i32,
    /// In a table of contents.
    pub contents: bool,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            destination: Destination::Text,
            own: false,
            hidden: false,
            deleted: false,
            font: -1,
            fallback: 1,
            contents: false,
        }
    }
}

/// What a paragraph is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paragraph {
    pub style: i32,
    /// 0 is the highest; 9 is body text.
    pub outline: Option<i32>,
    /// Depth within lists, of items.
    pub list: Option<i32>,
    pub depth: i32,
    pub in_table: bool,
}

/// A style of paragraphs.
#[derive(Debug, Clone, Default)]
pub(super) struct Style {
    pub outline: Option<i32>,
    pub title: bool,
    pub code: bool,
    pub contents: bool,
}

impl Style {
    pub(super) fn named(name: &str, outline: Option<i32>) -> Self {
        let name = name.trim().trim_end_matches(';').to_lowercase();
        let level = name.strip_prefix("heading ").and_then(|level| level.parse::<i32>().ok());
        let title = name == "title";
        Self {
            outline: outline.or(level.map(|level| level - 1)).or(title.then_some(0)),
            title,
            code: ["preformatted", "source", "code", "html preformatted"]
                .iter()
                .any(|begin| name.starts_with(begin)),
            contents: name.starts_with("toc ") || name.starts_with("contents "),
        }
    }
}
