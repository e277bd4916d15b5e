//! Rich Text Format: text with headings, lists, tables, notes and comments. A document has no pages until a program
//! lays it out.
//!
//! Left out: hidden and deleted text, page headers and footers, pictures.

mod blocks;
mod characters;
mod fonts;
mod groups;
mod reader;
mod tokens;

use super::writer::Writer;
use super::{ExtractedText, Unreadable};

pub(super) fn read(bytes: &[u8]) -> Result<ExtractedText, Unreadable> {
    let mut writer = Writer::default();
    write(bytes, &mut writer)?;
    writer.finish()
}

/// Writes the text of a document that may stand in something else.
pub(super) fn write(bytes: &[u8], writer: &mut Writer) -> Result<(), Unreadable> {
    if !bytes.trim_ascii_start().starts_with(b"{\\rtf") {
        let found = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
        return Err(Unreadable::Malformed(format!("expected {{\\rtf, found {found}")));
    }
    reader::Reader::new(writer).read(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> String {
        read(format!("{{\\rtf1\\ansi\\ansicpg1252 {body}}}").as_bytes()).unwrap().text
    }

    #[test]
    fn bytes_are_read_in_the_encoding_of_their_font() {
        assert_eq!(text("caf\\'e9 \\u8364? \\u-10179?\\u-8704?"), "café € 😀");
        let fonts = "{\\fonttbl{\\f0\\fcharset0 A;}{\\f1\\fcharset204 B;}{\\f2\\fcharset128 C;}}";
        assert_eq!(text(&format!("{fonts}\\f1\\'cc\\'e8\\'f0 {{\\f2\\'93\\'fa}}\\'e4")), "Мир 日д");
    }

    #[test]
    fn what_is_not_shown_is_left_out() {
        let hidden =
            "a{\\v b}{\\deleted c}{\\header d}{\\*\\unknown e}{\\pict 00ff}{\\*\\shppict{\\pict 1}}f";
        assert_eq!(text(hidden), "af");
    }

    #[test]
    fn notes_and_boxes_stand_after_their_paragraph() {
        assert_eq!(text("one{\\footnote a note}, two\\par three"), "one, two\n\na note\n\nthree");
        assert_eq!(
            text("{\\shp{\\*\\shpinst\\shpleft0{\\sp{\\sn x}}{\\shptxt boxed\\par}}}out\\par"),
            "out\n\nboxed"
        );
    }

    #[test]
    fn fields_give_their_results() {
        let link = "see {\\field{\\*\\fldinst HYPERLINK \"x\"}{\\fldrslt here}}";
        assert_eq!(text(link), "see here");
        let contents = "{\\field{\\*\\fldinst TOC \\\\o}{\\fldrslt One 1\\par Two 2\\par}}\\pard Text";
        let out = read(format!("{{\\rtf1 {contents}}}").as_bytes()).unwrap();
        assert_eq!(
            out.contents.iter().map(|range| &out.text[range.clone()]).collect::<Vec<_>>(),
            ["One 1\n\nTwo 2"]
        );
    }

    #[test]
    fn other_files_cut_and_deep_ones_are_refused() {
        assert!(matches!(read(b"{\\rtf1 a {\\b cut"), Err(Unreadable::Malformed(_))));
        assert!(matches!(read(b"<html>"), Err(Unreadable::Malformed(_))));
        let deep = format!("{{\\rtf1 {}", "{".repeat(100_000));
        assert!(matches!(read(deep.as_bytes()), Err(Unreadable::TooLarge(_))));
        assert_eq!(read(b"{\\rtf1 }"), Err(Unreadable::NoText));
    }
}
