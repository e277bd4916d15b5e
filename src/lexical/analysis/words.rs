//! Splits texts into words, in all forms in which they may be asked for.
//!
//! - Letters and digits in a row are a word. Runs that a single sign holds together give a further one without the
//!   sign: `KX-4401` → kx, 4401, kx4401; `U.S.A.` → u, s, a, usa. Between digits the full stop stays: 1.2.3.
//! - Capitals and digits divide a word further: `parseGateReading` → parse, gate, reading and the whole.
//! - Signs of names give a further word: `C++`, `F#`, `.NET`, `#tag`, `@user`, `$PATH`, `--flag`.
//! - Scripts without spaces, and Korean, give overlapping pairs of characters, as in Lucene's CJK analyzer, and single
//!   characters: 検索機能 → 検索, 検, 索機, 索, 機能, 機, 能.
//! - An emoji is a word.
//!
//! Further forms have the position of the first part that they are made of. A query has fewer forms: what contains the
//! word in another form has the forms of the query too. Which, was measured (docs/benchmarks.md).

use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::characters::{begins_word, emoji_len, extends, is_unspaced, of_normal_width, push_compared};
use super::compound::{Apostrophe, Compound, Segment};

/// A name of more letters is asked for with its sign and without it; `C++` and `F#` without it are other words.
const SHORT_NAME: usize = 2;

/// Whose forms of words are wanted.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    Text,
    Query,
}

/// The role of a token, as tantivy's `position_length`, which it doesn't use in a single text.
pub(super) const MAIN: usize = 1;
/// Another form of words that are there beside it: it is no neighbour of other words.
pub(super) const FURTHER: usize = 2;

/// A word in one form.
struct Form {
    /// Bytes of the text.
    range: Range<usize>,
    /// Bytes of [`Words::terms`].
    term: Range<usize>,
    position: usize,
    role: usize,
}

/// The tokenizer.
#[derive(Clone)]
pub(super) struct Words {
    side: Side,
    token: Token,
    forms: Forms,
}

/// The forms of one word that are still to be given.
#[derive(Default)]
struct Forms {
    forms: Vec<Form>,
    given: usize,
    terms: String,
}

impl Clone for Forms {
    fn clone(&self) -> Forms {
        Forms::default()
    }
}

pub(super) struct WordStream<'a> {
    text: &'a str,
    side: Side,
    at: usize,
    /// Of the next word.
    position: usize,
    forms: &'a mut Forms,
    token: &'a mut Token,
}

impl Words {
    pub(super) fn of(side: Side) -> Words {
        Words { side, token: Token::default(), forms: Forms::default() }
    }
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        self.forms.clear();
        let Words { side, token, forms } = self;
        WordStream { text, side: *side, at: 0, position: 0, forms, token }
    }
}

impl Forms {
    fn clear(&mut self) {
        self.forms.clear();
        self.given = 0;
        self.terms.clear();
    }

    /// Adds the form that `write` appends.
    fn push(&mut self, range: Range<usize>, position: usize, role: usize, write: impl FnOnce(&mut String)) {
        let start = self.terms.len();
        write(&mut self.terms);
        if self.terms.len() > start {
            self.forms.push(Form { range, term: start..self.terms.len(), position, role });
        }
    }
}

impl WordStream<'_> {
    /// Finds the next word. Returns `false` at the end of the text.
    fn find(&mut self) -> bool {
        self.forms.clear();
        while let Some(c) = self.text[self.at..].chars().next() {
            if is_unspaced(c) {
                self.unspaced();
            } else if begins_word(c) {
                self.compound();
            } else if let Some(len) = emoji_len(&self.text[self.at..]) {
                self.plain(self.at..self.at + len, MAIN);
                self.position += 1;
                self.at += len;
            } else {
                self.at += c.len_utf8();
                continue;
            }
            return true;
        }
        false
    }

    fn plain(&mut self, range: Range<usize>, role: usize) {
        let word = &self.text[range.clone()];
        self.forms.push(range, self.position, role, |term| push_compared(word, term));
    }

    /// A run without spaces: pairs and single characters.
    fn unspaced(&mut self) {
        let (mut cuts, mut end) = (Vec::new(), self.text.len());
        for (at, c) in self.text[self.at..].char_indices() {
            if at > 0 && extends(c) {
                continue;
            }
            if !is_unspaced(c) {
                end = self.at + at;
                break;
            }
            cuts.push(self.at + at);
        }
        cuts.push(end);
        let alone = cuts.len() == 2;
        for here in 0..cuts.len() - 1 {
            if here + 2 < cuts.len() {
                self.plain(cuts[here]..cuts[here + 2], MAIN);
            }
            if alone || self.side == Side::Text {
                self.plain(cuts[here]..cuts[here + 1], if alone { MAIN } else { FURTHER });
            }
            self.position += 1;
        }
        self.at = end;
    }

    fn compound(&mut self) {
        let (text, in_query) = (self.text, self.side == Side::Query);
        let compound = Compound::at(text, self.at);
        let apostrophe = compound.apostrophe(text);
        let Compound { prefix, segments, suffix } = &compound;
        // The s of a genitive is in no other word.
        let joined = &segments[..segments.len() - usize::from(apostrophe == Some(Apostrophe::Genitive))];
        let behind = if joined.len() == segments.len() { suffix.clone() } else { 0..0 };
        let range = joined[0].range.start..joined[joined.len() - 1].range.end + behind.len();
        let write = |term: &mut String| {
            push_joined(text, joined, term);
            push_compared(&text[behind], term);
        };
        self.at = compound.end();
        // Its parts are no words of a query; they cost a hundredth of nDCG@10 of questions (docs/benchmarks.md).
        if in_query && apostrophe == Some(Apostrophe::Contraction) {
            self.forms.push(range, self.position, MAIN, write);
            self.position += segments.iter().map(|segment| segment.pieces.len()).sum::<usize>();
            return;
        }
        if !prefix.is_empty() {
            self.forms.push(prefix.start..range.end, self.position, FURTHER, |term| {
                push_compared(&text[prefix.clone()], term);
                write.clone()(term);
            });
        }
        if joined.len() > 1 && !(in_query && apostrophe.is_some()) {
            self.forms.push(range, self.position, FURTHER, write);
        }
        for (at, segment) in segments.iter().enumerate() {
            let suffix = if at + 1 == segments.len() { suffix.clone() } else { 0..0 };
            self.segment(segment, suffix);
        }
    }

    fn segment(&mut self, segment: &Segment, suffix: Range<usize>) {
        let Segment { range, pieces, by_case } = segment;
        let (text, in_query) = (self.text, self.side == Side::Query);
        let mut whole = true;
        if !suffix.is_empty() {
            whole = !in_query || text[range.clone()].chars().count() > SHORT_NAME;
            self.forms.push(
                range.start..suffix.end,
                self.position,
                if whole { FURTHER } else { MAIN },
                |term| {
                    push_compared(&text[range.clone()], term);
                    push_compared(&text[suffix], term);
                },
            );
        }
        let by_pieces = pieces.len() > 1 && (!in_query || *by_case || segment.is_numbered(text));
        let (of_whole, of_piece) = if in_query && *by_case { (FURTHER, MAIN) } else { (MAIN, FURTHER) };
        if whole {
            self.plain(range.clone(), of_whole);
        }
        for piece in pieces {
            if by_pieces {
                self.plain(piece.clone(), of_piece);
            }
            self.position += 1;
        }
    }
}

/// The segments in one word. Full stops between digits stay, so that 1.23 and 12.3 are two.
fn push_joined(text: &str, segments: &[Segment], term: &mut String) {
    let mut before: Option<&Segment> = None;
    for segment in segments {
        if let Some(before) = before {
            let is_digit = |c: Option<char>| c.is_some_and(char::is_numeric);
            let digits = is_digit(text[before.range.clone()].chars().next_back())
                && is_digit(text[segment.range.clone()].chars().next());
            let sign = &text[before.range.end..segment.range.start];
            if digits && sign.chars().map(of_normal_width).eq(['.']) {
                term.push('.');
            }
        }
        push_compared(&text[segment.range.clone()], term);
        before = Some(segment);
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        while self.forms.given == self.forms.forms.len() {
            if !self.find() {
                return false;
            }
        }
        let form = &self.forms.forms[self.forms.given];
        self.forms.given += 1;
        self.token.offset_from = form.range.start;
        self.token.offset_to = form.range.end;
        self.token.position = form.position;
        self.token.position_length = form.role;
        self.token.text.clear();
        self.token.text.push_str(&self.forms.terms[form.term.clone()]);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}
