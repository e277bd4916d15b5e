//! Where a passage stands, as tools write it.

use crate::place::Place;

/// `file:12` where nothing but a line is known, as compilers write it; else `file, page 3`.
pub fn stands(document: &str, place: &Place) -> String {
    match place.line {
        Some(line) if place.to_string() == format!("line {line}") => format!("{document}:{line}"),
        _ if place.is_unknown() => document.to_string(),
        _ => format!("{document}, {place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_as_compilers_do_and_other_places_in_words() {
        let place = |json: &str| serde_json::from_str::<Place>(json).unwrap();
        assert_eq!(stands("a.md", &place(r#"{"line":12,"column":3}"#)), "a.md:12");
        assert_eq!(stands("a.zip/b.pdf", &place(r#"{"page":3}"#)), "a.zip/b.pdf, page 3");
        assert_eq!(stands("n.ipynb", &place(r#"{"cell":2,"line":40}"#)), "n.ipynb, cell 2, line 40");
        assert_eq!(stands("a.md", &Place::default()), "a.md");
    }
}
