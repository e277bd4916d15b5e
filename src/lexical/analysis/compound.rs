//! The parts of a word: `KX-4401`, `parseGateReading`, `node.js`, `C++`, `.NET`, `--dry-run`.

use std::ops::Range;

use super::characters::{begins_word, extends, is_unspaced};

/// More pieces are encoded data, not a name.
const MOST_PIECES: usize = 16;
/// The same of a word in small letters or capitals alone, which only digits divide: digests are not divided.
const MOST_PIECES_BY_DIGITS: usize = 4;

/// A longer word behind a single hyphen is less often a flag than a word behind a dash.
const LONGEST_FLAG: usize = 3;

/// Letters and digits, with single signs that hold them together, and with signs before and behind that are part of a
/// name. All ranges are bytes of the text.
pub(super) struct Compound {
    /// The sign before it, as in `.NET`, `#tag`, `@user`, `$PATH`, `--flag`; empty if there is none.
    pub(super) prefix: Range<usize>,
    /// The runs of letters and digits, at least one.
    pub(super) segments: Vec<Segment>,
    /// The signs behind it, as in `C++`, `F#`; empty if there are none.
    pub(super) suffix: Range<usize>,
}

pub(super) struct Segment {
    pub(super) range: Range<usize>,
    /// What it is divided into by capitals and digits; a single piece if by nothing.
    pub(super) pieces: Vec<Range<usize>>,
    /// Whether capitals divide it.
    pub(super) by_case: bool,
}

impl Compound {
    /// The compound that begins at `from` with a letter or a digit.
    pub(super) fn at(text: &str, from: usize) -> Compound {
        let mut segments = Vec::new();
        let (mut start, mut end) = (from, run_end(text, from));
        loop {
            segments.push(Segment::of(text, start..end));
            let Some(next) = connected(text, end) else { break };
            (start, end) = (next, run_end(text, next));
        }
        let prefix = prefix(text, &segments[0].range);
        Compound { prefix, suffix: suffix(text, end), segments }
    }

    pub(super) fn end(&self) -> usize {
        self.suffix.end
    }

    /// What stands behind its last sign, if that is an apostrophe.
    pub(super) fn apostrophe(&self, text: &str) -> Option<Apostrophe> {
        let [.., before, last] = &self.segments[..] else { return None };
        if !text[before.range.end..last.range.start].starts_with(is_apostrophe) {
            return None;
        }
        let last = text[last.range.clone()].to_ascii_lowercase();
        Some(match last.as_str() {
            "s" => Apostrophe::Genitive,
            "t" | "m" | "d" | "re" | "ve" | "ll" => Apostrophe::Contraction,
            _ => Apostrophe::Word,
        })
    }
}

/// What an apostrophe stands before.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Apostrophe {
    /// dog's
    Genitive,
    /// don't, we're
    Contraction,
    /// O'Brien, l'homme
    Word,
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}')
}

/// Where a run of letters and digits ends.
fn run_end(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    from + rest.find(|c: char| !(begins_word(c) || extends(c)) || is_unspaced(c)).unwrap_or(rest.len())
}

/// Where the run begins that a sign at `end` joins to the one before it.
fn connected(text: &str, end: usize) -> Option<usize> {
    let mut rest = text[end..].chars();
    let sign = rest.next()?;
    let mut next = end + sign.len_utf8();
    match sign {
        '-' | '\u{2010}' | '\u{2011}' | '_' | '.' | '&' | '@' => {}
        c if is_apostrophe(c) => {}
        ':' if rest.next() == Some(':') => next += 1,
        _ => return None,
    }
    let c = text[next..].chars().next()?;
    (begins_word(c) && !is_unspaced(c)).then_some(next)
}

fn prefix(text: &str, run: &Range<usize>) -> Range<usize> {
    let from = run.start;
    let before = &text[..from];
    let letter = text[from..].chars().next().is_some_and(char::is_alphabetic);
    let len = match before.as_bytes() {
        [.., b'-', b'-'] if letter => 2,
        [.., b'-'] if letter && run.len() <= LONGEST_FLAG => 1,
        [.., b'.' | b'@' | b'$'] if letter => 1,
        [.., b'#'] => 1,
        _ => 0,
    };
    let (before, sign) = before.split_at(from - len);
    let stands_free = match before.chars().next_back() {
        None => true,
        Some(c) if sign.starts_with('-') => c.is_whitespace() || "`\"'([{|=,/".contains(c),
        Some(c) => !(begins_word(c) || extends(c) || sign.contains(c)),
    };
    if stands_free { from - len..from } else { from..from }
}

fn suffix(text: &str, end: usize) -> Range<usize> {
    let rest = &text[end..];
    let len = rest.bytes().take_while(|byte| matches!(byte, b'+' | b'#')).count();
    let after_letter = text[..end].chars().next_back().is_some_and(|c| c.is_alphabetic() || extends(c));
    let before_word = rest[len..].chars().next().is_some_and(begins_word);
    let versioned = &rest[..len] == "++" && rest[len..].starts_with(|c: char| c.is_ascii_digit());
    let is_one = (1..=3).contains(&len) && after_letter && (!before_word || versioned);
    end..end + if is_one { len } else { 0 }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Upper,
    Lower,
    Digit,
}

impl Segment {
    fn of(text: &str, range: Range<usize>) -> Segment {
        let run = &text[range.clone()];
        let kinds: Vec<(usize, Kind)> = run
            .char_indices()
            .filter(|&(_, c)| !extends(c))
            .map(|(at, c)| match c {
                c if c.is_uppercase() => (at, Kind::Upper),
                c if c.is_numeric() => (at, Kind::Digit),
                _ => (at, Kind::Lower),
            })
            .collect();
        let (mut cuts, mut by_case) = (vec![0], false);
        for here in 1..kinds.len() {
            let kind = |at: usize| kinds.get(at).map(|&(_, kind)| kind);
            let case = match (kinds[here - 1].1, kinds[here].1) {
                (Kind::Lower, Kind::Upper) => true,
                // A single small letter behind capitals is a plural: DNAs.
                (Kind::Upper, Kind::Upper) => {
                    kind(here + 1) == Some(Kind::Lower) && kind(here + 2) == Some(Kind::Lower)
                }
                _ => false,
            };
            let digit = (kinds[here - 1].1 == Kind::Digit) != (kinds[here].1 == Kind::Digit);
            if case || digit {
                cuts.push(kinds[here].0);
                by_case |= case;
            }
        }
        cuts.push(run.len());
        let pieces: Vec<Range<usize>> =
            cuts.windows(2).map(|cut| range.start + cut[0]..range.start + cut[1]).collect();
        // One letter apart is no word: iPhone, mRNA, PhD, p53.
        let letter = |piece: &Range<usize>| {
            let mut letters = text[piece.clone()].chars().filter(|&c| !extends(c));
            letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
        };
        let most = if by_case { MOST_PIECES } else { MOST_PIECES_BY_DIGITS };
        if pieces.len() > most || pieces.len() == 2 && pieces.iter().any(letter) {
            return Segment { pieces: vec![range.clone()], range, by_case: false };
        }
        Segment { range, pieces, by_case }
    }
}
