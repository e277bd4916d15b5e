//! Patterns that fit no path, whatever lies in the folder.

use std::path::Path;

/// Why a pattern as in `.gitignore` can't fit anything below `root`, and what to write instead. `None` if it can.
pub(super) fn never_fits(pattern: &str, root: &Path) -> Option<String> {
    let wanted = pattern.strip_prefix('!').unwrap_or(pattern);
    let escaped = wanted.split('\\').skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
    let inner = wanted.trim_matches('/');
    let root = root.to_string_lossy();
    Some(match wanted {
        _ if inner.trim().is_empty() => "it is empty; name a file or a folder".into(),
        _ if wanted.starts_with('#') => "it is a comment; write \\# for a name that begins so".into(),
        _ if wanted.starts_with("~/") => "paths begin at the folder; leave out what leads to it".into(),
        _ if !root.is_empty() && root != "/" && wanted.starts_with(&*root) => {
            format!("paths begin at the folder; leave out {root}")
        }
        _ if escaped => "\\ stands before a sign that is meant as it is; divide paths by /".into(),
        _ if inner.split('/').any(|part| part == "." || part == "..") => {
            "no path has . or ..; patterns begin at the folder".into()
        }
        _ if inner.contains("//") => "no path has //; divide paths by one /".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_no_path_is_told_from_what_may() {
        let why = |pattern| never_fits(pattern, Path::new("/home/a/notes"));
        for (pattern, word) in [
            ("", "empty"),
            ("/", "empty"),
            ("# drafts", "comment"),
            ("~/notes/x", "folder"),
            ("/home/a/notes/x", "/home/a/notes"),
            ("docs\\drafts", "divide"),
            ("./docs", "begin at the folder"),
            ("../other", "begin at the folder"),
            ("docs//x", "one /"),
            ("!./docs", "begin at the folder"),
        ] {
            assert!(why(pattern).is_some_and(|why| why.contains(word)), "{pattern}: {:?}", why(pattern));
        }
        for pattern in
            ["docs/", "/docs", "*.md", "**/x", "!keep.log", "a\\*b", "\\#x", ".hidden", "a..b", "/home/x"]
        {
            assert_eq!(why(pattern), None, "{pattern}");
        }
    }
}
