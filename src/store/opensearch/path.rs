//! Patterns of paths, as regular expressions of the cluster.
//!
//! A pattern is compared byte by byte and in any ASCII case, with the path of a document and with each folder above it.
//! Each of these is a term: a sign for what it is, then its bytes, one character each, with letters in lower case.

use std::path::Path;

use globset::GlobBuilder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind, Repetition};

use super::regexp;
use crate::store::paths::{anchored, below};

/// What a term begins with.
const DOCUMENT: char = 'd';
const FOLDER: char = 'f';
/// A character of no term.
const IN_NO_TERM: char = '\u{100}';

/// The terms of a document's path.
pub(super) fn terms_of(document: &str) -> Vec<String> {
    let path = Path::new(below(document));
    let folders = path.ancestors().skip(1).map(|folder| (FOLDER, folder));
    let all = [(DOCUMENT, path)].into_iter().chain(folders).filter(|_| !path.as_os_str().is_empty());
    all.map(|(sign, path)| format!("{sign}{}", characters(&path.to_string_lossy()))).collect()
}

/// A character for each byte.
fn characters(text: &str) -> String {
    text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// What the terms of the paths are that fit a pattern: one of a document's. `None` for what is no pattern.
pub(super) fn regexp_of(pattern: &str) -> Option<String> {
    let (glob, sign) = glob_of(&anchored(pattern));
    let glob = GlobBuilder::new(&glob)
        .literal_separator(true)
        .case_insensitive(true)
        .backslash_escape(true)
        .allow_unclosed_class(true)
        .build();
    let parsed =
        ParserBuilder::new().utf8(false).dot_matches_new_line(true).build().parse(glob.ok()?.regex());
    let mut regexp = sign;
    write(&parsed.ok()?, &mut regexp)?;
    Some(regexp)
}

/// The glob of a line of a `.gitignore` that begins with `/` or `**/`, and the sign of the terms that it is compared
/// with: all of them, or the folders'.
fn glob_of(line: &str) -> (String, String) {
    let line = if line.ends_with("\\ ") { line } else { line.trim_end() };
    let line = line.strip_prefix('/').unwrap_or(line);
    let (line, sign) = match line.strip_suffix('/') {
        Some(folder) => (folder.strip_suffix('\\').unwrap_or(folder), FOLDER.to_string()),
        None => (line, format!("[{DOCUMENT}{FOLDER}]")),
    };
    // What is in a folder, and not the folder.
    let below = if line.ends_with("/**") { "/*" } else { "" };
    (format!("{line}{below}"), sign)
}

/// Appends what a regular expression on bytes is on terms.
fn write(hir: &Hir, out: &mut String) -> Option<()> {
    match hir.kind() {
        // Lucene's stand for a whole term.
        HirKind::Empty | HirKind::Look(_) => out.push_str("()"),
        HirKind::Literal(literal) => {
            let characters = literal.0.iter().map(|byte| char::from(byte.to_ascii_lowercase()));
            characters.for_each(|c| out.push_str(&regexp::literal(c)));
        }
        HirKind::Class(Class::Bytes(class)) => write_class(class, out),
        // Globs are compared byte by byte: of characters there are only such as are bytes.
        HirKind::Class(Class::Unicode(class)) => write_class(&class.to_byte_class()?, out),
        HirKind::Repetition(Repetition { min, max, sub, .. }) => {
            out.push('(');
            write(sub, out)?;
            out.push(')');
            match (min, max) {
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (0, Some(1)) => out.push('?'),
                (min, None) => out.push_str(&format!("{{{min},}}")),
                (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, out))?,
        HirKind::Alternation(parts) => {
            let written = parts.iter().map(|part| {
                let mut out = String::new();
                write(part, &mut out).map(|()| out)
            });
            out.push_str(&regexp::any_of(written.collect::<Option<Vec<_>>>()?));
        }
    }
    Some(())
}

/// Appends the characters of a class, of which terms have no capitals.
fn write_class(class: &ClassBytes, out: &mut String) {
    let mut has = [false; 256];
    for range in class.ranges() {
        (range.start()..=range.end()).for_each(|byte| has[usize::from(byte.to_ascii_lowercase())] = true);
    }
    let matters = |byte: &u8| !byte.is_ascii_uppercase();
    let is_negated = (0..=u8::MAX).filter(matters).filter(|&byte| has[usize::from(byte)]).count() > 128;
    let listed: Vec<u8> =
        (0..=u8::MAX).filter(matters).filter(|&byte| has[usize::from(byte)] != is_negated).collect();
    match (listed.as_slice(), is_negated) {
        ([], true) => out.push('.'),
        ([], false) => out.push(IN_NO_TERM),
        ([one], false) => out.push_str(&regexp::literal(char::from(*one))),
        _ => {
            out.push_str(if is_negated { "[^" } else { "[" });
            for run in listed.chunk_by(|a, b| a + 1 == *b) {
                // Lucene takes no escaped sign for the beginning of a range.
                let signs = run.iter().take_while(|byte| byte.is_ascii_punctuation()).count();
                run[..signs].iter().for_each(|&sign| out.push_str(&regexp::literal(char::from(sign))));
                match &run[signs..] {
                    [] => {}
                    [one] => out.push_str(&regexp::literal(char::from(*one))),
                    [first, .., last] => {
                        out.push_str(&format!(
                            "{}-{}",
                            char::from(*first),
                            regexp::literal(char::from(*last))
                        ));
                    }
                }
            }
            out.push(']');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    use super::*;
    use crate::store::paths::fitting;

    /// Whether a term of the document fits, by another engine than the cluster's. Of what is written here, only the
    /// meaning of a full stop and of angles differs.
    fn fits(regexp: &str, document: &str) -> bool {
        let regexp = regexp.replace("\\<", "<").replace("\\>", ">");
        let regex = Regex::new(&format!("(?s)^(?:{regexp})$")).unwrap();
        terms_of(document).iter().any(|term| regex.is_match(term))
    }

    #[test]
    fn a_document_has_a_term_for_itself_and_one_for_each_folder() {
        assert_eq!(terms_of("/Docs/ä b.md"), ["ddocs/\u{c3}\u{a4} b.md", "fdocs", "f"]);
        assert_eq!(terms_of("/"), [""; 0]);
        assert_eq!(regexp_of("docs/").unwrap(), "f()((\\/)?|(.)*\\/)docs()");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn patterns_fit_the_same_paths_as_on_this_machine(
            pattern in concat!(
                r"(/|\*\*/)?([aAbä]|docs|[?*.,{}!^-]|\*\*|/|\[[!^]?[aB.-]{1,3}\]|\[ä-ö\]|\\[*!a]|",
                r"[<>@#&~ ]){0,8}(/|/\*\*| )?",
            ),
            paths in proptest::collection::vec(r"[/.]{0,2}([aAbBä]|docs|[.?*{,!<@ ^-]|/|//|/\./|\.\.){0,9}/?", 1..12),
        ) {
            let own = fitting(&pattern);
            prop_assert_eq!(own.is_some(), regexp_of(&pattern).is_some());
            if let (Some(own), Some(regexp)) = (own, regexp_of(&pattern)) {
                for path in paths {
                    prop_assert_eq!(own(&path), fits(&regexp, &path), "{} {} {}", &pattern, &path, &regexp);
                }
            }
        }
    }
}
