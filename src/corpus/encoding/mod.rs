//! The encoding of a text: by its byte order mark, as UTF-8, by what the file declares, or by a guess.

mod declared;
mod plausible;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use super::skip::SkipReason;
use declared::declared;
use plausible::{has_few_controls, reads_as_text};

/// The text of a file.
pub(super) struct Decoded {
    pub(super) text: String,
    /// What it was decoded from; `None` for UTF-8, where the text is the file.
    source: Option<Source>,
}

struct Source {
    bytes: Vec<u8>,
    charset: Charset,
    /// Length of the byte order mark.
    start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Charset {
    Of(&'static Encoding),
    Utf32Be,
    Utf32Le,
}

/// Decodes the bytes of a file.
///
/// A byte order mark decides. Else what is valid UTF-8 is UTF-8, whatever the file declares: old declarations survive
/// conversions. Then UTF-16 and UTF-32 show by where their zeros are, and what the file declares counts. The rest is
/// guessed, and read if it reads as text with that encoding.
///
/// # Errors
/// [`SkipReason::Binary`] where nothing says that it is text; [`SkipReason::NotUtf8`] where only the file's name does.
pub(super) fn decode(bytes: Vec<u8>, is_known_as_text: bool) -> Result<Decoded, SkipReason> {
    if let Some((charset, start)) = marked(&bytes) {
        return match charset.decode(&bytes[start..], true) {
            Some(text) if has_few_controls(&text) => Ok(Decoded::new(text, bytes, charset, start)),
            Some(_) => Err(SkipReason::Binary),
            None => {
                let found = format!("its byte order mark says {}, and its bytes are not", charset.name());
                Err(SkipReason::NotUtf8 { found })
            }
        };
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return decode_valid(text),
        Err(error) => error.into_bytes(),
    };
    let unrecognised = match is_known_as_text {
        true => SkipReason::NotUtf8 { found: first_invalid(&bytes) },
        false => SkipReason::Binary,
    };
    if bytes.contains(&0) {
        return decode_wide(bytes).map_err(|_| SkipReason::Binary);
    }
    if let Some(charset) = declared(&bytes).map(Charset::Of)
        && let Some(text) = charset.decode(&bytes, true).filter(|text| has_few_controls(text))
    {
        return Ok(Decoded::new(text, bytes, charset, 0));
    }
    let charset = Charset::Of(if is_mostly_utf8(&bytes) { UTF_8 } else { guess(&bytes) });
    match charset.decode(&bytes, false) {
        Some(text) if has_few_controls(&text) && reads_as_text(&text) => {
            Ok(Decoded::new(text, bytes, charset, 0))
        }
        _ => Err(unrecognised),
    }
}

/// Whether the first bytes of a file rule out that it is text.
pub(super) fn is_binary(start: &[u8]) -> bool {
    if marked(start).is_some() || !start.contains(&0) {
        return false;
    }
    match std::str::from_utf8(start) {
        Ok(text) => !has_few_controls(text) && wide(start).is_none(),
        Err(error) if error.error_len().is_none() => {
            let text = String::from_utf8_lossy(&start[..error.valid_up_to()]);
            !has_few_controls(&text) && wide(start).is_none()
        }
        Err(_) => wide(start).is_none(),
    }
}

/// Text that is UTF-8, unless its zeros or its escapes say otherwise.
fn decode_valid(text: String) -> Result<Decoded, SkipReason> {
    let has_escapes = ["\u{1b}$B", "\u{1b}$@"].iter().any(|escape| text.contains(escape));
    if has_escapes && text.is_ascii() {
        let charset = Charset::Of(ISO_2022_JP);
        if let Some(decoded) = charset.decode(text.as_bytes(), true) {
            return Ok(Decoded::new(decoded, text.into_bytes(), charset, 0));
        }
    }
    match has_few_controls(&text) {
        true => Ok(Decoded { text, source: None }),
        false => decode_wide(text.into_bytes()).map_err(|_| SkipReason::Binary),
    }
}

/// UTF-16 and UTF-32 without a mark.
fn decode_wide(bytes: Vec<u8>) -> Result<Decoded, Vec<u8>> {
    let Some(charset) = wide(&bytes) else { return Err(bytes) };
    match charset.decode(&bytes, true).filter(|text| has_few_controls(text) && reads_as_text(text)) {
        Some(text) => Ok(Decoded::new(text, bytes, charset, 0)),
        None => Err(bytes),
    }
}

/// The encoding by a byte order mark, unless it is UTF-8's, and the mark's length.
fn marked(bytes: &[u8]) -> Option<(Charset, usize)> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some((Charset::Utf32Le, 4)),
        [0, 0, 0xfe, 0xff, ..] => Some((Charset::Utf32Be, 4)),
        [0xff, 0xfe, ..] => Some((Charset::Of(UTF_16LE), 2)),
        [0xfe, 0xff, ..] => Some((Charset::Of(UTF_16BE), 2)),
        _ => None,
    }
}

/// UTF-16 or UTF-32 by where the zeros are: in most texts every other byte, or three of four.
fn wide(bytes: &[u8]) -> Option<Charset> {
    const LOOKED_AT: usize = 4 << 10;
    let start = &bytes[..bytes.len().min(LOOKED_AT) & !3];
    let units = start.len() / 4;
    let zeros = |offset: usize| start.iter().skip(offset).step_by(4).filter(|&&byte| byte == 0).count();
    let zeros = [zeros(0), zeros(1), zeros(2), zeros(3)];
    let (few, many) = (|count: usize| count * 8 <= units, |count: usize| count * 3 >= units);
    match zeros {
        _ if units < 2 => None,
        [0, b, c, d] if c == units && d == units && many(b) => Some(Charset::Utf32Le),
        [a, b, c, 0] if a == units && b == units && many(c) => Some(Charset::Utf32Be),
        [a, b, c, d] if few(a) && few(c) && many(b) && many(d) => Some(Charset::Of(UTF_16LE)),
        [a, b, c, d] if few(b) && few(d) && many(a) && many(c) => Some(Charset::Of(UTF_16BE)),
        // In other scripts than Latin the spaces and line ends have them.
        [0, b, 0, d] if (b + d) * 16 >= units * 2 => Some(Charset::Of(UTF_16LE)),
        [a, 0, c, 0] if (a + c) * 16 >= units * 2 => Some(Charset::Of(UTF_16BE)),
        _ => None,
    }
}

/// Whether bytes are UTF-8 but for a few that are damaged, or of a line that came from elsewhere.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    invalid * 4 <= valid
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    const LOOKED_AT: usize = 256 << 10;
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let start = first.saturating_sub(64);
    let end = bytes.len().min(start + LOOKED_AT);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[start..end], end == bytes.len());
    detector.guess(None, Utf8Detection::Deny)
}

fn first_invalid(bytes: &[u8]) -> String {
    let offset = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
    format!("no UTF-8 from byte {offset} on, and no text in another encoding")
}

impl Charset {
    fn name(self) -> &'static str {
        match self {
            Charset::Of(encoding) => encoding.name(),
            Charset::Utf32Be | Charset::Utf32Le => "UTF-32",
        }
    }

    /// The text without a byte order mark. What is invalid is `None` if `strict`, else `�`.
    fn decode(self, bytes: &[u8], strict: bool) -> Option<String> {
        // A file that is still being written may end in the middle of a unit.
        let whole = |unit: usize| &bytes[..bytes.len() - bytes.len() % unit];
        match self {
            Charset::Utf32Be | Charset::Utf32Le => {
                whole(4).chunks_exact(4).map(|unit| self.character(unit)).collect()
            }
            Charset::Of(encoding) => {
                let bytes = if [UTF_16BE, UTF_16LE].contains(&encoding) { whole(2) } else { bytes };
                match strict {
                    true => encoding
                        .decode_without_bom_handling_and_without_replacement(bytes)
                        .map(Cow::into_owned),
                    false => Some(encoding.decode_without_bom_handling(bytes).0.into_owned()),
                }
            }
        }
    }

    /// Of UTF-32.
    fn character(self, unit: &[u8]) -> Option<char> {
        let unit: [u8; 4] = unit.try_into().ok()?;
        char::from_u32(match self {
            Charset::Utf32Be => u32::from_be_bytes(unit),
            _ => u32::from_le_bytes(unit),
        })
    }
}

impl Decoded {
    fn new(text: String, bytes: Vec<u8>, charset: Charset, start: usize) -> Decoded {
        Decoded { text, source: Some(Source { bytes, charset, start }) }
    }

    /// The file's offsets of these offsets in the text, which must ascend and be character boundaries.
    pub(super) fn in_file(&self, offsets: &[u64]) -> Vec<u64> {
        match &self.source {
            None => offsets.to_vec(),
            Some(source) => source.offsets(offsets),
        }
    }
}

impl Source {
    fn offsets(&self, offsets: &[u64]) -> Vec<u64> {
        let bytes = &self.bytes[self.start..];
        let mut found = Offsets { wanted: offsets, found: Vec::with_capacity(offsets.len()), text: 0 };
        match self.charset {
            Charset::Of(encoding) => {
                // Decodes again byte by byte: the decoder's state can't be kept for each character, and chunks are few.
                let mut decoder = encoding.new_decoder_without_bom_handling();
                let mut buffer = [0; 32];
                for (at, byte) in bytes.iter().enumerate() {
                    let last = at + 1 == bytes.len();
                    let (_, _, written, _) =
                        decoder.decode_to_utf8(std::slice::from_ref(byte), &mut buffer, last);
                    if found.is_complete_before(self.start + at, written) {
                        break;
                    }
                }
            }
            Charset::Utf32Be | Charset::Utf32Le => {
                for (unit, at) in bytes.chunks_exact(4).zip((self.start..).step_by(4)) {
                    let written = self.charset.character(unit).map_or(0, char::len_utf8);
                    if found.is_complete_before(at, written) {
                        break;
                    }
                }
            }
        }
        found.found.resize(offsets.len(), self.bytes.len() as u64);
        found.found
    }
}

/// Offsets in the text that are looked for in the file.
struct Offsets<'o> {
    wanted: &'o [u64],
    found: Vec<u64>,
    /// How much of the text is passed.
    text: u64,
}

impl Offsets<'_> {
    /// Passes what the bytes at `file` decode to. Returns whether nothing is left to be found.
    fn is_complete_before(&mut self, file: usize, written: usize) -> bool {
        while self.wanted.get(self.found.len()).is_some_and(|&wanted| wanted <= self.text) {
            self.found.push(file as u64);
        }
        self.text += written as u64;
        self.found.len() == self.wanted.len()
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::SHIFT_JIS;

    use super::*;

    fn read(bytes: &[u8], is_known_as_text: bool) -> Option<String> {
        decode(bytes.to_vec(), is_known_as_text).ok().map(|decoded| decoded.text)
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
    fn utf8_beats_what_is_declared_and_a_wrong_declaration_leaves_a_guess() {
        let kept = decode("<meta charset=latin1>é".into(), true).ok().unwrap();
        assert!(kept.text.ends_with('é') && kept.source.is_none());
        let wrong = read(b"# coding: euc-jp\nUn caf\xe9 \xe0 la cr\xe8me", true);
        assert_eq!(wrong.as_deref(), Some("# coding: euc-jp\nUn café à la crème"));
    }

    #[test]
    fn few_bytes_are_guessed_rather_than_skipped() {
        assert_eq!(read(b"caf\xe9", true).as_deref(), Some("café"));
        assert_eq!(read(b"Gr\xfc\xdfe aus M\xfcnchen", false).as_deref(), Some("Grüße aus München"));
        let russian = encoding_rs::KOI8_R.encode("Ёлки и палки").0.into_owned();
        assert_eq!(read(&russian, false).as_deref(), Some("Ёлки и палки"));
        let mut damaged = "Grüße aus München und Köln ".to_string().into_bytes();
        damaged.push(0xfc);
        assert_eq!(read(&damaged, false).as_deref(), Some("Grüße aus München und Köln \u{fffd}"));
    }

    #[test]
    fn wide_encodings_need_no_mark() {
        let text = "The panel is reset so.\n漢 is a word.\n";
        let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let utf32 =
            |unit: fn(u32) -> [u8; 4]| text.chars().map(u32::from).flat_map(unit).collect::<Vec<u8>>();
        let all = [
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            utf32(u32::to_le_bytes),
            utf32(u32::to_be_bytes),
        ];
        for bytes in &all {
            assert_eq!(read(bytes, false).as_deref(), Some(text));
        }
        let decoded = decode(all[3].clone(), true).ok().unwrap();
        let kanji = text.find('漢').unwrap() as u64;
        assert_eq!(decoded.in_file(&[0, kanji, kanji + 3]), [0, 4 * kanji, 4 * kanji + 4]);
    }

    #[test]
    fn zeros_in_text_are_let_through_and_in_binary_are_not() {
        let line = "The pump started and ran for an hour before somebody stopped it.\n";
        let hole = format!("{line}{}{line}", "\0".repeat(4096)).into_bytes();
        assert!(!is_binary(&hole) && read(&hole, true).is_some());
        for bytes in [
            &b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0"[..],
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01",
        ] {
            assert!(matches!(decode(bytes.to_vec(), true), Err(SkipReason::Binary)), "{bytes:?}");
        }
        assert!(matches!(decode(b"\xff\xfea\0\0\0".to_vec(), true), Err(SkipReason::Binary)));
        assert_eq!(read(b"\xff\xfea\0b", true).as_deref(), Some("a"), "half a unit at the end");
    }

    #[test]
    fn random_bytes_are_no_text() {
        use rand::{Rng, SeedableRng};
        let mut random = rand::rngs::StdRng::seed_from_u64(17);
        for length in [32, 64, 100, 300, 1000, 5000, 20_000] {
            for _ in 0..50 {
                let mut bytes = vec![0; length];
                random.fill(&mut bytes[..]);
                bytes.retain(|&byte| byte != 0);
                assert_eq!(read(&bytes, false), None, "{length}");
            }
        }
    }
}
