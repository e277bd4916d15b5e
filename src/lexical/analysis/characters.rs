//! Kinds of characters, by Unicode's properties, and the form in which words are compared.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    DefaultIgnorableCodePoint, ExtendedPictographic, GraphemeClusterBreak, RegionalIndicator, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Makes one emoji of several.
const JOINER: char = '\u{200d}';
/// The frame of a keycap: 1 and 1️⃣ are one word.
const KEYCAP: char = '\u{20e3}';

/// A letter or a digit.
pub(super) fn begins_word(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() }
}

/// Goes on with the character before it: accents and vowel signs, parts of a syllable, and what nobody sees (soft
/// hyphens, spaces without width, joiners, marks of direction).
pub(super) fn extends(c: char) -> bool {
    use GraphemeClusterBreak as Break;
    let part = || {
        matches!(
            CodePointMapData::<Break>::new().get(c),
            Break::Extend | Break::SpacingMark | Break::ZWJ | Break::V | Break::T
        )
    };
    !c.is_ascii() && (part() || is_invisible(c))
}

/// Stands in a word without being a part of it.
fn is_invisible(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Letters and digits of scripts that have no spaces between words, and Korean's, which has particles without a space.
pub(super) fn is_unspaced(c: char) -> bool {
    let of_script = || {
        matches!(
            CodePointMapData::<Script>::new().get(c),
            Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Bopomofo
                | Script::Hangul
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
        )
    };
    // The two lengtheners of kana belong to no script.
    c >= '\u{e00}'
        && (matches!(c, '\u{30fc}' | '\u{ff70}') || (c.is_alphanumeric() || extends(c)) && of_script())
}

/// The length in bytes of the emoji that `text` begins with: a flag, or a picture with what is joined to it.
pub(super) fn emoji_len(text: &str) -> Option<usize> {
    let is_picture =
        // Signs below are letters' kin: ©, ™, arrows.
        |c: char| c >= '\u{2300}' && CodePointSetData::new::<ExtendedPictographic>().contains(c);
    let is_flag_letter = |c: char| CodePointSetData::new::<RegionalIndicator>().contains(c);
    let mut characters = text.char_indices().peekable();
    let (_, first) = characters.next()?;
    if is_flag_letter(first) {
        characters.next_if(|&(_, c)| is_flag_letter(c));
    } else if is_picture(first) {
        let mut last = first;
        while let Some((_, c)) = characters.next_if(|&(_, c)| extends(c) || last == JOINER && is_picture(c)) {
            last = c;
        }
    } else {
        return None;
    }
    Some(characters.next().map_or(text.len(), |(at, _)| at))
}

/// The ASCII character that a fullwidth one stands for; every other character as it is.
pub(super) fn of_normal_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Appends a word as it is compared: composed, of normal width, without what is invisible. Case stays.
pub(super) fn push_compared(word: &str, out: &mut String) {
    if word.is_ascii() {
        out.push_str(word);
        return;
    }
    let is_skin = |c: char| matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
    let kept: String = word.chars().filter(|&c| !is_invisible(c) && c != KEYCAP && !is_skin(c)).collect();
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&kept);
    // Accents that no letter is composed with: other filters would not find them. The small letter of the dotted
    // capital I has such an accent too.
    let accents = '\u{300}'..='\u{36f}';
    let kept = composed.chars().filter(|c| !accents.contains(c));
    out.extend(kept.map(|c| if c == '\u{130}' { 'I' } else { c }));
}
