//! Texts that stand for one that is still to be written.

/// Whether a text only says that there is none yet. Under a heading, a short note of what is to be written says so too.
pub(in crate::corpus) fn is_placeholder(text: &str, under_a_heading: bool) -> bool {
    const MOST_WORDS: usize = 12;
    const MARKS: [&str; 5] = ["fixme", "tba", "tbd", "todo", "wip"];
    const WHOLE: [&str; 33] = [
        "add content here",
        "blank",
        "coming soon",
        "content coming soon",
        "documentation pending",
        "empty",
        "fill in",
        "in progress",
        "left blank",
        "lorem ipsum",
        "n a",
        "no content yet",
        "not documented yet",
        "not written yet",
        "not yet available",
        "not yet documented",
        "not yet written",
        "nothing here yet",
        "placeholder",
        "please add content here",
        "see below",
        "stub",
        "to be added",
        "to be announced",
        "to be completed",
        "to be determined",
        "to be documented",
        "to be done",
        "to be written",
        "to do",
        "under construction",
        "work in progress",
        "xxx",
    ];
    // "This page is currently", before what is said of it.
    const SUBJECTS: [&str; 9] =
        ["article", "chapter", "document", "entry", "file", "page", "part", "section", "topic"];
    const FILLERS: [&str; 10] =
        ["a", "been", "currently", "has", "intentionally", "is", "just", "only", "still", "was"];
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.take(MOST_WORDS + 1).map(str::to_lowercase).collect();
    if words.is_empty() {
        return text.chars().all(|c| c.is_whitespace() || "-–—.…*_=#~".contains(c));
    }
    if words.len() > MOST_WORDS {
        return false;
    }
    let mut said = words.as_slice();
    // A directive of reStructuredText: `.. note:: TODO`.
    if said.len() > 1 && text.trim_start().starts_with(".. ") && text.contains("::") {
        said = &said[1..];
    }
    let is_marked = said.first().is_some_and(|mark| MARKS.contains(&mark.as_str()));
    if let [this, subject, rest @ ..] = said
        && ["the", "this"].contains(&this.as_str())
        && SUBJECTS.contains(&subject.as_str())
    {
        said = rest;
    }
    let core: Vec<&str> = said.iter().map(String::as_str).filter(|word| !FILLERS.contains(word)).collect();
    is_marked && (under_a_heading || words.len() == 1)
        || [said.join(" "), core.join(" ")].iter().any(|said| WHOLE.contains(&said.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_short_and_say_nothing() {
        for text in [
            "TODO",
            "*TBD*",
            "To be written.",
            "Coming soon …",
            "  ",
            "...",
            "N/A",
            "This page is under construction.",
            "The chapter has not been written yet.",
            "This page intentionally left blank",
            "Not yet documented.",
            "This section is currently a stub.",
        ] {
            assert!(is_placeholder(text, false), "{text}");
        }
        assert!(is_placeholder("TODO: describe how the panel is reset", true));
        assert!(is_placeholder(".. note:: TODO", true));
        for text in [
            "TODO buy a rope",
            "Hold the button.",
            "The stub is cut.",
            "{[()]}",
            "👍",
            "This page is printed.",
            "The part is empty of oil.",
        ] {
            assert!(!is_placeholder(text, false), "{text}");
        }
    }
}
