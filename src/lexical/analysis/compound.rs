//! The parts of a word: `KX-4401`, `parseGateReading`, `node.js`, `C++`, `.NET`, `--dry-run`.

use std::ops::Range;

use super::characters::{begins_word, extends, is_unspaced, of_normal_width};

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
    matches!(of_normal_width(c), '\'' | '\u{2019}')
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
    match of_normal_width(sign) {
        '-' | '\u{2010}'..='\u{2013}' | '\u{2212}' | '_' | '.' | '&' | '@' => {}
        c if is_apostrophe(c) => {}
        ':' => match rest.next().filter(|&c| of_normal_width(c) == ':') {
            Some(second) => next += second.len_utf8(),
            None => return None,
        },
        _ => return None,
    }
    let c = text[next..].chars().next()?;
    (begins_word(c) && !is_unspaced(c)).then_some(next)
}

fn prefix(text: &str, run: &Range<usize>) -> Range<usize> {
    let from = run.start;
    let before = &text[..from];
    let letter = text[from..].chars().next().is_some_and(char::is_alphabetic);
    let mut signs = before.chars().rev();
    let (last, second) = (signs.next(), signs.next());
    let sign = last.map(of_normal_width);
    let is_double = sign.is_some() && sign == second.map(of_normal_width);
    let count = match sign {
        Some('-') if letter && is_double => 2,
        Some('-') if letter && run.len() <= LONGEST_FLAG => 1,
        Some('.' | '@' | '$') if letter => 1,
        Some('#') => 1,
        _ => 0,
    };
    let len: usize = before.chars().rev().take(count).map(char::len_utf8).sum();
    let stands_free = match before[..from - len].chars().next_back() {
        None => true,
        Some(c) if sign == Some('-') => c.is_whitespace() || "`\"'([{|=,/".contains(of_normal_width(c)),
        Some(c) => !(begins_word(c) || extends(c) || sign == Some(of_normal_width(c))),
    };
    if stands_free { from - len..from } else { from..from }
}

fn suffix(text: &str, end: usize) -> Range<usize> {
    let rest = &text[end..];
    let signs = || rest.chars().map(of_normal_width).take_while(|c| matches!(c, '+' | '#')).take(4);
    let count = signs().count();
    if !(1..=3).contains(&count) {
        return end..end;
    }
    let len: usize = rest.chars().take(count).map(char::len_utf8).sum();
    let after_letter = text[..end].chars().next_back().is_some_and(|c| c.is_alphabetic() || extends(c));
    let next = rest[len..].chars().next().map(of_normal_width);
    let before_word = next.is_some_and(|c| begins_word(c) && !is_unspaced(c));
    let versioned = signs().eq(['+', '+']) && next.is_some_and(|c| c.is_ascii_digit());
    let is_one = after_letter && (!before_word || versioned);
    end..end + if is_one { len } else { 0 }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Upper,
    Lower,
    Digit,
}

impl Segment {
    /// Whether it is a name with a number that some write apart: RFC2616, RFC 2616.
    pub(super) fn is_numbered(&self, text: &str) -> bool {
        let [name, number] = &self.pieces[..] else { return false };
        let all = |piece: &Range<usize>, kind: fn(char) -> bool| {
            let mut characters = text[piece.clone()].chars();
            characters.clone().nth(1).is_some() && characters.all(kind)
        };
        all(name, char::is_alphabetic) && all(number, char::is_numeric)
    }

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
