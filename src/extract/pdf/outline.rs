//! The bookmarks of a PDF file.

use std::collections::HashSet;

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Dict, String as Bytes};

/// The title of a section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bookmark {
    /// 1 is the highest.
    pub(super) level: u8,
    pub(super) title: String,
}

/// A file may say that an entry follows itself.
const MOST: usize = 20_000;

/// All bookmarks in reading order.
pub(super) fn bookmarks(pdf: &Pdf) -> Vec<Bookmark> {
    let xref = pdf.xref();
    let root: Option<Dict<'_>> = xref.get(xref.root_id());
    let mut open: Vec<(u8, Dict<'_>)> = Vec::new();
    open.extend(
        root.and_then(|root| root.get::<Dict<'_>>(b"Outlines")?.get(b"First")).map(|first| (1, first)),
    );
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    while let Some((level, entry)) = open.pop() {
        if found.len() >= MOST || entry.obj_id().is_some_and(|id| !seen.insert(id)) {
            continue;
        }
        if let Some(title) = entry.get::<Bytes<'_>>(b"Title").map(|title| decode(title.as_bytes())) {
            found.push(Bookmark { level, title });
        }
        open.extend(entry.get::<Dict<'_>>(b"Next").map(|next| (level, next)));
        open.extend(entry.get::<Dict<'_>>(b"First").map(|first| (level.saturating_add(1), first)));
    }
    found
}

/// A text string of PDF: UTF-16 or UTF-8 with their marks, else nearly Latin-1.
pub(super) fn decode(bytes: &[u8]) -> String {
    let text: String = match bytes {
        [0xfe, 0xff, rest @ ..] => {
            let units = rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        // Many writers put UTF-8 without a mark.
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        },
    };
    let words: Vec<&str> = text.split(|one: char| one.is_whitespace() || one.is_control()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_come_in_three_encodings() {
        assert_eq!(decode(b"\xfe\xff\0A\0\xe4"), "A\u{e4}");
        assert_eq!(decode(b"\xef\xbb\xbfA\xc3\xa4"), "A\u{e4}");
        assert_eq!(decode(b" A\n\xe4 "), "A \u{e4}");
        assert_eq!(decode(b""), "");
    }
}
