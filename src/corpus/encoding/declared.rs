//! The encoding that a text declares.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

/// A declaration stands in the first bytes of a file, or nowhere.
const WITHIN: usize = 4 << 10;

/// What a file declares: `charset=` as in HTML and mail headers, `@charset`, XML's `encoding=`, a coding line as
/// Python, Emacs and Vim know it, LaTeX's `inputenc`.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(WITHIN)];
    let text: String = start.iter().map(|&byte| char::from(byte).to_ascii_lowercase()).collect();
    let shown = without_comments(&text);
    let xml = text.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split("?>").next());
    let first_lines = text.split_inclusive('\n').take(2);
    let coding_lines =
        first_lines.flat_map(|line| values(line, "coding", ":").chain(values(line, "coding", "=")));
    let latex = text.split_once("]{inputenc}").and_then(|(before, _)| before.rsplit(['[', ',']).next());
    let declarations = xml.into_iter().flat_map(|declaration| values(declaration, "encoding", "="));
    let declarations =
        declarations.chain(values(&shown, "charset", "=")).chain(values(&shown, "@charset", ""));
    declarations.chain(coding_lines).chain(latex).find_map(named)
}

/// A text without its HTML comments: what they declare does not hold.
fn without_comments(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        shown.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
    }
    shown + rest
}

/// The words behind each `name`, a sign and perhaps a quotation mark.
fn values<'t>(text: &'t str, name: &'static str, sign: &'static str) -> impl Iterator<Item = &'t str> {
    text.match_indices(name).filter_map(move |(at, _)| {
        let rest = text[at + name.len()..].trim_start_matches([' ', '\t']).strip_prefix(sign)?;
        let value = rest.trim_start_matches([' ', '\t', '"', '\'']);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.:".contains(c));
        Some(&value[..end.unwrap_or(value.len())])
    })
}

/// The encoding of a label in lower case: the web's labels, and what Python, Emacs and LaTeX write for them.
fn named(label: &str) -> Option<&'static Encoding> {
    let label = ["-unix", "-dos", "-mac"].iter().find_map(|end| label.strip_suffix(end)).unwrap_or(label);
    let label = label.replace('_', "-");
    let label = label.strip_prefix("iso-latin").map_or(label.clone(), |rest| format!("latin{rest}"));
    let label = match label.as_str() {
        "latin-1" | "latin1" => "iso-8859-1",
        "latin-2" => "latin2",
        "latin9" | "latin-9" => "iso-8859-15",
        "ansinew" => "windows-1252",
        "applemac" | "macroman" | "mac-roman" => "macintosh",
        "shift-jis" | "sjis" | "cp932" => "shift_jis",
        "cp936" => "gbk",
        "cp949" => "euc-kr",
        "cp950" => "big5",
        other => other,
    };
    let found = Encoding::for_label(label.as_bytes())?;
    (![UTF_8, UTF_16LE, UTF_16BE, REPLACEMENT, X_USER_DEFINED].contains(&found)).then_some(found)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{
        BIG5, EUC_JP, GB18030, ISO_8859_2, ISO_8859_15, KOI8_R, MACINTOSH, SHIFT_JIS, WINDOWS_1252,
    };

    use super::*;

    #[test]
    fn declarations_of_all_kinds_are_found() {
        for (start, encoding) in [
            ("<html><head><meta charset=\"windows-1252\">", WINDOWS_1252),
            ("<META http-equiv='Content-Type' content='text/html; charset=Shift_JIS'>", SHIFT_JIS),
            ("<?xml version='1.0' encoding = 'ISO-8859-2' ?><a/>", ISO_8859_2),
            ("@charset \"koi8-r\";\nbody {}", KOI8_R),
            ("#!/usr/bin/python\n# -*- coding: latin-1 -*-\n", WINDOWS_1252),
            (";;; -*- mode: lisp; coding: iso-latin-9-unix; -*-", ISO_8859_15),
            ("# vim: set fileencoding=euc_jp :\n", EUC_JP),
            ("\\documentclass{a}\n\\usepackage[applemac]{inputenc}\n", MACINTOSH),
            ("msgid \"\"\n\"Content-Type: text/plain; charset=big5\\n\"\n", BIG5),
            ("<meta charset=gb18030>", GB18030),
            ("<!-- <meta charset=koi8-r> --><meta charset=big5>", BIG5),
        ] {
            assert_eq!(declared(start.as_bytes()), Some(encoding), "{start}");
        }
        for start in [
            "",
            "The charset of this text is unknown.",
            "<meta charset='utf-8'>",
            "a\nb\n# coding: latin-1",
            "coding: well",
        ] {
            assert_eq!(declared(start.as_bytes()), None, "{start}");
        }
    }
}
