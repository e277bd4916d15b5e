//! Patterns of paths.

use std::path::Path;

use ignore::gitignore::GitignoreBuilder;

/// Whether a text is a pattern of paths.
pub(crate) fn is_pattern(text: &str) -> bool {
    fitting(text).is_some()
}

/// Whether a path fits a pattern: as in a `.gitignore`, with any case, and from any folder on unless the pattern begins
/// with a `/`. `None` for what is no pattern.
pub(super) fn fitting(pattern: &str) -> Option<impl Fn(&str) -> bool> {
    let mut builder = GitignoreBuilder::new("");
    builder.case_insensitive(true).ok()?.add_line(None, &anchored(pattern)).ok()?;
    let matcher = builder.build().ok().filter(|matcher| matcher.num_ignores() > 0)?;
    Some(move |document: &str| {
        let below = below(document);
        // It takes no path with a root, such as a drive's.
        !below.is_empty()
            && !Path::new(below).has_root()
            && matcher.matched_path_or_any_parents(below, false).is_ignore()
    })
}

/// The line of a `.gitignore` that a pattern is.
pub(super) fn anchored(pattern: &str) -> String {
    match pattern.starts_with('/') || pattern.starts_with("**/") {
        true => pattern.to_string(),
        false => format!("**/{pattern}"),
    }
}

/// A path without what stands for the folder that it begins in.
pub(super) fn below(path: &str) -> &str {
    let below = path.trim_start_matches('/');
    below.strip_prefix("./").map_or(below, self::below)
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
            ("/faq/17", "/.//./faq/17"),
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
