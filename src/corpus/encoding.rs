//! Text in other encodings than UTF-8: by a byte order mark, or by what the file declares.

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

use super::skip::SkipReason;

/// A declaration stands in the first bytes of a file, or nowhere.
const DECLARED_WITHIN: usize = 4 << 10;

/// The text of a file.
pub(super) struct Decoded {
    pub(super) text: String,
    /// What it was decoded from; `None` for UTF-8, where the text is the file.
    source: Option<Source>,
}

struct Source {
    bytes: Vec<u8>,
    encoding: &'static Encoding,
    /// Length of the byte order mark.
    start: usize,
}

/// Decodes the bytes of a file.
///
/// A byte order mark decides. Else what is valid UTF-8 is UTF-8, whatever the file declares: old declarations survive
/// conversions. Anything else is what the file declares.
///
/// # Errors
/// [`SkipReason::Binary`] where nothing says that it is text; [`SkipReason::NotUtf8`] where the text doesn't fit the
/// encoding.
pub(super) fn decode(bytes: Vec<u8>, is_known_as_text: bool) -> Result<Decoded, SkipReason> {
    if let Some((encoding, start)) = marked(&bytes) {
        return decode_as(bytes, encoding, start);
    }
    if bytes.contains(&0) {
        return Err(SkipReason::Binary);
    }
    let declared = declared(&bytes[..bytes.len().min(DECLARED_WITHIN)]);
    if let Some(encoding) = declared
        && encoding == ISO_2022_JP
        && bytes.contains(&0x1b)
    {
        return decode_as(bytes, encoding, 0);
    }
    match (String::from_utf8(bytes), declared) {
        (Ok(text), _) => Ok(Decoded { text, source: None }),
        (Err(error), Some(encoding)) => decode_as(error.into_bytes(), encoding, 0),
        (Err(error), None) if is_known_as_text => {
            let offset = error.utf8_error().valid_up_to();
            Err(SkipReason::NotUtf8 { found: format!("an invalid byte sequence at byte {offset}") })
        }
        (Err(_), None) => Err(SkipReason::Binary),
    }
}

/// UTF-16, if the bytes begin with its mark, and the mark's length.
fn marked(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(bytes).filter(|&(encoding, _)| encoding != UTF_8)
}

fn decode_as(bytes: Vec<u8>, encoding: &'static Encoding, start: usize) -> Result<Decoded, SkipReason> {
    // A file that is still being written may end in the middle of a unit.
    let is_utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
    let end = if is_utf16 { bytes.len() & !1 } else { bytes.len() };
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[start..end]);
    match text.map(std::borrow::Cow::into_owned) {
        Some(text) if text.contains('\0') => Err(SkipReason::Binary),
        Some(text) => Ok(Decoded { text, source: Some(Source { bytes, encoding, start }) }),
        None => {
            let found = format!("it says that it is {}, and its bytes are not", encoding.name());
            Err(SkipReason::NotUtf8 { found })
        }
    }
}

impl Decoded {
    /// The file's offsets of these offsets in the text, which must ascend and be character boundaries.
    pub(super) fn in_file(&self, offsets: &[u64]) -> Vec<u64> {
        match &self.source {
            None => offsets.to_vec(),
            Some(source) => source.offsets(offsets),
        }
    }
}

impl Source {
    /// Decodes again byte by byte: the decoder's state can't be kept for each character, and chunks are few.
    fn offsets(&self, offsets: &[u64]) -> Vec<u64> {
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let mut found = Vec::with_capacity(offsets.len());
        let (mut text, mut buffer) = (0, [0; 32]);
        for at in self.start..self.bytes.len() {
            while offsets.get(found.len()).is_some_and(|&wanted| wanted <= text) {
                found.push(at as u64);
            }
            if found.len() == offsets.len() {
                return found;
            }
            let last = at + 1 == self.bytes.len();
            let (_, _, written, _) = decoder.decode_to_utf8(&self.bytes[at..=at], &mut buffer, last);
            text += written as u64;
        }
        found.resize(offsets.len(), self.bytes.len() as u64);
        found
    }
}

/// What a file declares: `charset=` as in HTML and mail headers, `@charset`, XML's `encoding=`, a coding line as
/// Python, Emacs and Vim know it, LaTeX's `inputenc`.
fn declared(start: &[u8]) -> Option<&'static Encoding> {
    let text: String = start.iter().map(|&byte| char::from(byte).to_ascii_lowercase()).collect();
    let xml = text.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split("?>").next());
    let first_lines = text.split_inclusive('\n').take(2);
    let coding_lines =
        first_lines.flat_map(|line| values(line, "coding", ":").chain(values(line, "coding", "=")));
    let latex = text.split_once("]{inputenc}").and_then(|(before, _)| before.rsplit(['[', ',']).next());
    let declarations = xml.into_iter().flat_map(|declaration| values(declaration, "encoding", "="));
    let declarations = declarations.chain(values(&text, "charset", "=")).chain(values(&text, "@charset", ""));
    declarations.chain(coding_lines).chain(latex).find_map(named)
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

    #[test]
    fn offsets_lead_back_to_the_file() {
        let text = "a é\u{1f600}漢 z";
        let le: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        let boundaries: Vec<u64> =
            text.char_indices().map(|(at, _)| at as u64).chain([text.len() as u64]).collect();
        for bytes in [le, be] {
            let decoded = decode(bytes, true).ok().unwrap();
            assert_eq!(decoded.text, text);
            assert_eq!(decoded.in_file(&boundaries), [2, 4, 6, 8, 12, 14, 16, 18]);
        }
        let mut bytes = b"# coding: sjis\n".to_vec();
        bytes.extend_from_slice(&SHIFT_JIS.encode("漢字a").0);
        let decoded = decode(bytes, true).ok().unwrap();
        assert!(decoded.text.ends_with("漢字a"));
        assert_eq!(decoded.in_file(&[15, 18, 21, 22]), [15, 17, 19, 20]);
    }

    #[test]
    fn what_does_not_fit_is_named_and_utf8_beats_what_is_declared() {
        let kept = decode("<meta charset=latin1>é".into(), true).ok().unwrap();
        assert!(kept.text.ends_with('é') && kept.source.is_none());
        assert!(matches!(decode(b"caf\xe9".to_vec(), true), Err(SkipReason::NotUtf8 { .. })));
        assert!(matches!(decode(b"caf\xe9".to_vec(), false), Err(SkipReason::Binary)));
        assert!(matches!(decode(b"\xff\xfea\0\0\0".to_vec(), true), Err(SkipReason::Binary)));
        let Err(SkipReason::NotUtf8 { found }) = decode(b"# coding: euc-jp\n\xff\xff".to_vec(), true) else {
            panic!("it is no EUC-JP");
        };
        assert!(found.contains("EUC-JP"), "{found}");
        assert_eq!(decode(b"\xff\xfea\0b".to_vec(), true).ok().unwrap().text, "a", "half a unit at the end");
    }
}
