//! Where in its file a passage stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where in its file a passage begins, in the terms of the file's format. What a format doesn't have is none.
///
/// All numbers count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Place {
    /// The line, of text files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, of text files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The page, of PDF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The slide, of presentations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slide: Option<u32>,
    /// The sheet's name, of workbooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row of the sheet or table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// The chapter, of books: its number in reading order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chapter: Option<u32>,
    /// The message, of mailboxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<u32>,
    /// The cell, of notebooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<u32>,
    /// The time in seconds from the beginning, of subtitles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

impl Place {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Place::default()
    }
}

/// Such as `page 3`, `sheet Budget, row 12` or `line 40`. Nothing if nothing is known.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbered = |name: &str, number: Option<u32>| number.map(|number| format!("{name} {number}"));
        let parts = [
            numbered("page", self.page),
            numbered("slide", self.slide),
            self.sheet.as_ref().map(|name| format!("sheet {name}")),
            numbered("row", self.row),
            numbered("chapter", self.chapter),
            numbered("message", self.message),
            numbered("cell", self.cell),
            self.seconds.map(|all| format!("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)),
            numbered("line", self.line),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_a_person_says_it() {
        let row = Place { sheet: Some("Budget".into()), row: Some(12), ..Place::default() };
        assert_eq!(row.to_string(), "sheet Budget, row 12");
        let line = Place { line: Some(40), column: Some(1), ..Place::default() };
        assert_eq!(line.to_string(), "line 40");
        let time = Place { seconds: Some(3723), ..Place::default() };
        assert_eq!(time.to_string(), "1:02:03");
        assert_eq!(Place::default().to_string(), "");
    }

    #[test]
    fn only_what_is_known_is_written() {
        let page = Place { page: Some(3), ..Place::default() };
        assert_eq!(serde_json::to_string(&page).unwrap(), r#"{"page":3}"#);
        assert_eq!(serde_json::from_str::<Place>("{}").unwrap(), Place::default());
    }
}
