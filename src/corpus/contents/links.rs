//! Lists of links to other places of the same documents.

/// How much of a list or a paragraph is links to other places of the same documents.
#[derive(Debug, Default)]
pub(in crate::corpus) struct LinkShare {
    /// Letters.
    text: usize,
    /// Letters in links.
    linked: usize,
    /// Digits elsewhere.
    digits: usize,
    links: usize,
}

impl LinkShare {
    pub(in crate::corpus) fn open_link(&mut self) {
        self.links += 1;
    }

    pub(in crate::corpus) fn add(&mut self, text: &str, is_linked: bool) {
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        self.text += letters;
        match is_linked {
            true => self.linked += letters,
            false => self.digits += text.chars().filter(char::is_ascii_digit).count(),
        }
    }

    /// Adds what stands in a part.
    #[cfg(feature = "formats")]
    pub(in crate::corpus) fn add_part(&mut self, part: &LinkShare) {
        self.text += part.text;
        self.linked += part.linked;
        self.digits += part.digits;
        self.links += part.links;
    }

    /// Whether a list is a table of contents.
    pub(in crate::corpus) fn is_contents(&self) -> bool {
        self.links >= 2 && self.linked > 0 && self.linked * 5 >= self.text * 4
    }

    /// Whether a table is one: numbers count, for those of data say more than the names beside them.
    #[cfg(feature = "formats")]
    pub(in crate::corpus) fn is_contents_table(&self) -> bool {
        self.is_contents() && self.linked * 5 >= (self.text + self.digits) * 4
    }

    /// Whether a list is that of an index: its entries are words of a few letters, with links to where they stand.
    #[cfg(feature = "formats")]
    pub(in crate::corpus) fn is_index(&self) -> bool {
        const LEAST_LINKS: usize = 1;
        const MOST_LETTERS_EACH: usize = 40;
        self.links >= LEAST_LINKS && self.text - self.linked <= self.links * MOST_LETTERS_EACH
    }

    /// Whether there is nothing but links.
    pub(in crate::corpus) fn is_navigation(&self) -> bool {
        self.linked > 0 && self.linked == self.text
    }
}

/// Whether a link leads to a place of the same documents.
pub(in crate::corpus) fn is_internal(link: &str) -> bool {
    let has_scheme = link.split(['/', '#', '?']).next().is_some_and(|start| start.contains(':'));
    !link.is_empty() && !has_scheme && !link.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_links_have_no_scheme() {
        assert!(is_internal("#a") && is_internal("a/b.md#c") && is_internal("/x?y=a:b"));
        assert!(!is_internal("https://x.org/a") && !is_internal("//x.org") && !is_internal("mailto:a@b"));
    }
}
