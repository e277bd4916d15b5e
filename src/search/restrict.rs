//! What the operators of a typed query leave of an index.

use std::path::Path;

use ignore::gitignore::GitignoreBuilder;

use super::typed::{Asks, Restriction, Typed};
use crate::error::Result;
use crate::lexical::{Filter, Forms, LexicalSnapshot, Matching, Part};

/// What a typed query searches, and for what beside its words.
#[derive(Default)]
pub(super) struct Restricted {
    /// The passages that it may find; `None` for all.
    pub(super) allowed: Option<Matching>,
    /// Terms of the index that stand for its prefixes.
    pub(super) terms: Vec<String>,
}

impl Restricted {
    /// What `typed`, a filter and the pattern of a path leave.
    pub(super) fn of(
        lexical: &LexicalSnapshot,
        typed: &Typed<'_>,
        filter: Option<&Filter>,
        path: Option<&str>,
    ) -> Result<Restricted> {
        let mut restricted = Restricted {
            allowed: filter.map(|filter| lexical.matching(filter)).transpose()?,
            terms: Vec::new(),
        };
        if let Some(path) = path {
            restricted.apply(lexical, &Restriction { asks: Asks::Path(path), negated: false })?;
        }
        for restriction in &typed.restrictions {
            restricted.apply(lexical, restriction)?;
        }
        Ok(restricted)
    }

    fn apply(
        &mut self,
        lexical: &LexicalSnapshot,
        Restriction { asks, negated }: &Restriction<'_>,
    ) -> Result<()> {
        let found = match asks {
            Asks::Phrase(words) => lexical.with_phrase(words, Part::Whole, Forms::Same)?,
            Asks::Word(word) => lexical.with_phrase(word, Part::Whole, Forms::Any)?,
            Asks::Title(words) => lexical.with_phrase(words, Part::Title, Forms::Any)?,
            Asks::Prefix(prefix) => {
                let found = lexical.with_beginning(prefix)?;
                if !negated {
                    self.terms.extend(found.terms);
                }
                found.chunks
            }
            Asks::Path(pattern) => match fitting(pattern) {
                Some(fits) => lexical.with_document(&fits)?,
                None => return Ok(()),
            },
            Asks::Extensions(all) => lexical.matching(&Filter::any_of("extension", all.clone()).lenient())?,
            Asks::After(date) => lexical.matching(&dated(|field| Filter::range(field, *date..)))?,
            Asks::Before(date) => lexical.matching(&dated(|field| Filter::range(field, ..*date)))?,
        };
        self.allowed = Some(match (self.allowed.take(), negated) {
            (Some(allowed), false) => allowed.within(&found),
            (None, false) => found,
            (Some(allowed), true) => allowed.without(&found),
            (None, true) => lexical.matching(&Filter::everything())?.without(&found),
        });
        Ok(())
    }
}

/// What holds of a document's own date, or of when its file was changed where it has none.
fn dated(holds: impl Fn(&'static str) -> Filter) -> Filter {
    let own = holds("date");
    let changed = (!Filter::exists("date")).and(holds("modified"));
    own.or(changed).lenient()
}

/// Whether a text is a pattern of paths.
pub(super) fn is_pattern(text: &str) -> bool {
    fitting(text).is_some()
}

/// Whether a path fits a pattern: as in a `.gitignore`, with any case, and from any folder on unless the pattern begins
/// with a `/`. `None` for what is no pattern.
fn fitting(pattern: &str) -> Option<impl Fn(&str) -> bool> {
    let anywhere = match pattern.starts_with('/') || pattern.starts_with("**/") {
        true => pattern.to_string(),
        false => format!("**/{pattern}"),
    };
    let mut builder = GitignoreBuilder::new("");
    builder.case_insensitive(true).ok()?.add_line(None, &anywhere).ok()?;
    let matcher = builder.build().ok().filter(|matcher| matcher.num_ignores() > 0)?;
    Some(move |document: &str| {
        let below = document.trim_start_matches('/');
        // It takes no path with a root, such as a drive's.
        !below.is_empty()
            && !Path::new(below).has_root()
            && matcher.matched_path_or_any_parents(below, false).is_ignore()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_as_in_a_gitignore_from_any_folder_on() {
        let fits = |pattern: &str, path: &str| fitting(pattern).is_some_and(|fits| fits(path));
        for (pattern, path) in [
            ("docs", "docs/a.md"),
            ("docs/", "docs/a.md"),
            ("docs", "work/Docs/deep/a.md"),
            ("docs/api", "work/docs/api/a.md"),
            ("/docs", "docs/a.md"),
            ("*.md", "docs/a.md"),
            ("docs/*.md", "docs/a.md"),
            ("docs/**/x", "docs/a/b/x"),
            ("a.zip", "docs/a.zip/inner/b.pdf"),
            ("faq/17", "/faq/17"),
            ("ap*", "docs/api/a.md"),
        ] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("doc", "docs/a.md"),
            ("/docs", "work/docs/a.md"),
            ("*.md", "a.mdx"),
            ("docs/", "docs"),
            ("x", ""),
        ] {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
        for pattern in ["!docs", "#docs", "[", "/", "\\"] {
            fits(pattern, "docs/a.md");
        }
    }
}
