//! Filters as a person types them: `extension=rst date>=2024-01-01`.

use std::ops::Bound;
use std::str::FromStr;

use super::tree::Filter;
use crate::error::{Error, Result};
use crate::lexical::value::FieldValue;

/// Parentheses and negations within each other.
const DEEPEST: usize = 64;

const COMPARISON: &str = "a comparison like extension=md, or `not`, or (";
const OPERATORS: [&str; 6] = ["!=", ">=", "<=", "=", ">", "<"];

/// Reads both written forms; one that begins with `{` is JSON.
impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Filter> {
        let filter = match text.trim_start().starts_with('{') {
            true => serde_json::from_str::<Filter>(text).map_err(|e| {
                let expected = r#"JSON like {"equals":{"field":"extension","value":"md"}}"#;
                Error::invalid("the filter", format!("{text:?}: {e}"), expected)
            })?,
            false => Reader { text, at: 0 }.all()?,
        };
        filter.validate()?;
        Ok(filter)
    }
}

/// The ends of a range.
type Bounds = (Bound<FieldValue>, Bound<FieldValue>);

struct Reader<'a> {
    text: &'a str,
    /// Byte offset of what is read next.
    at: usize,
}

/// A value, and how it was written.
struct Word {
    text: String,
    quoted: bool,
    /// Whether a `*` followed.
    prefix: bool,
}

impl<'a> Reader<'a> {
    fn all(mut self) -> Result<Filter> {
        let filter = self.either(0)?;
        match self.rest() {
            "" => Ok(filter),
            _ => Err(self.expected("no ) without its (")),
        }
    }

    /// Comparisons joined by `or`.
    fn either(&mut self, depth: usize) -> Result<Filter> {
        let mut filters = vec![self.both(depth)?];
        while self.keyword("or") {
            filters.push(self.both(depth)?);
        }
        Ok(match filters.len() {
            1 => filters.remove(0),
            _ => Filter::Any(filters),
        })
    }

    /// Comparisons that follow each other, or are joined by `and`.
    fn both(&mut self, depth: usize) -> Result<Filter> {
        let mut filters = vec![self.one(depth)?];
        loop {
            self.skip_spaces();
            let joined = self.keyword("and");
            if !joined && (matches!(self.peek(), None | Some(')')) || self.sees_keyword("or")) {
                break;
            }
            filters.push(self.one(depth)?);
        }
        Ok(match filters.len() {
            1 => filters.remove(0),
            _ => Filter::All(filters),
        })
    }

    fn one(&mut self, depth: usize) -> Result<Filter> {
        self.skip_spaces();
        if depth > DEEPEST {
            return Err(self.expected("fewer parentheses within each other"));
        }
        if self.keyword("not") {
            return Ok(!self.one(depth + 1)?);
        }
        if self.eat("(") {
            let filter = self.either(depth + 1)?;
            self.skip_spaces();
            return match self.eat(")") {
                true => Ok(filter),
                false => Err(self.expected(")")),
            };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Filter> {
        let field = match self.peek() {
            Some('"' | '\'') => self.quoted()?,
            _ => self.run(|c| c.is_whitespace() || "=!<>()\"".contains(c)).to_string(),
        };
        if field.is_empty() {
            return Err(self.expected(COMPARISON));
        }
        self.skip_spaces();
        let Some(operator) = OPERATORS.into_iter().find(|operator| self.eat(operator)) else {
            return Err(self.expected(&format!("one of = != >= <= > < behind {field:?}")));
        };
        self.skip_spaces();
        let from = self.at;
        let word = self.word()?;
        // Whether the field holds numbers, texts or dates, a number alone does not tell.
        let order = |word: Word, bounds: fn(FieldValue) -> Bounds| {
            let range = |value| {
                let (from, to) = bounds(value);
                Filter::Range { field: field.clone(), from, to }
            };
            let number = number(&word.text).filter(|_| !word.quoted).map(range);
            let text = range(word.text.into());
            Ok(match number {
                Some(number) => Filter::Any(vec![number, text]),
                None => text,
            })
        };
        match operator {
            "=" => Ok(equality(field, word)),
            "!=" => Ok(!equality(field, word)),
            _ if word.prefix => {
                self.at = from;
                Err(self.expected("a value without a * to compare with"))
            }
            ">=" => order(word, |value| (Bound::Included(value), Bound::Unbounded)),
            "<=" => order(word, |value| (Bound::Unbounded, Bound::Included(value))),
            ">" => order(word, |value| (Bound::Excluded(value), Bound::Unbounded)),
            _ => order(word, |value| (Bound::Unbounded, Bound::Excluded(value))),
        }
    }

    fn word(&mut self) -> Result<Word> {
        if matches!(self.peek(), Some('"' | '\'')) {
            let text = self.quoted()?;
            let prefix = self.eat("*");
            return match self.peek() {
                Some(c) if !c.is_whitespace() && c != ')' => {
                    Err(self.expected("a space behind the quoted value"))
                }
                _ => Ok(Word { text, quoted: true, prefix }),
            };
        }
        let from = self.at;
        let run = self.run(|c| c.is_whitespace() || "()\"".contains(c));
        let text = run.strip_suffix('*').unwrap_or(run);
        let odd = match run.starts_with(['=', '<', '>']) {
            true => Some(0),
            false => text.find('*'),
        };
        if let Some(odd) = odd {
            self.at = from + odd;
            return Err(self.expected("a value; one with an operator or a * within is quoted"));
        }
        match (run, self.peek()) {
            ("", _) => Err(self.expected("a value")),
            (_, Some('(' | '"')) => {
                Err(self.expected("a space; a value with quotes or parentheses is quoted"))
            }
            _ => Ok(Word { text: text.to_string(), quoted: false, prefix: text.len() < run.len() }),
        }
    }

    /// A text in quotes, which stand at the present place.
    fn quoted(&mut self) -> Result<String> {
        let opened = self.at;
        let quote = self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => {
                    self.at = opened;
                    return Err(self.expected("a second quote that ends this one"));
                }
                c if c == quote => return Ok(text),
                Some('\\') if matches!(self.peek(), Some('"' | '\'' | '\\')) => text.extend(self.bump()),
                Some(c) => text.push(c),
            }
        }
    }

    /// Everything up to a character that ends it.
    fn run(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let run = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += run.len();
        run
    }

    /// Passes over a word that joins comparisons, unless it is the name of a field.
    fn keyword(&mut self, keyword: &str) -> bool {
        self.skip_spaces();
        let sees = self.sees_keyword(keyword);
        if sees {
            self.at += keyword.len();
        }
        sees
    }

    fn sees_keyword(&self, keyword: &str) -> bool {
        let Some(word) = self.rest().get(..keyword.len()) else { return false };
        let behind = &self.rest()[keyword.len()..];
        let ends = behind.chars().next().is_none_or(|c| c.is_whitespace() || "()".contains(c));
        word.eq_ignore_ascii_case(keyword) && ends && !behind.trim_start().starts_with(['=', '!', '<', '>'])
    }

    fn eat(&mut self, what: &str) -> bool {
        let eats = self.rest().starts_with(what);
        if eats {
            self.at += what.len();
        }
        eats
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_spaces(&mut self) {
        self.run(|c| !c.is_whitespace());
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The error that something else should stand at the present place.
    fn expected(&self, expected: &str) -> Error {
        let place = self.text[..self.at].chars().count() + 1;
        let found = match self.peek() {
            Some(c) => format!("{c:?} at character {place} of {:?}", self.text),
            None => format!("the end of {:?} at character {place}", self.text),
        };
        Error::invalid("the filter", found, expected)
    }
}

fn equality(field: String, word: Word) -> Filter {
    match word {
        Word { text, quoted: false, prefix: true } if text.is_empty() => Filter::Exists { field },
        Word { text: prefix, prefix: true, .. } => Filter::Prefix { field, prefix },
        Word { text, quoted: true, .. } => Filter::Equals { field, value: text.into() },
        Word { text, .. } => {
            let other = number(&text).or_else(|| text.parse().ok().map(FieldValue::Bool));
            match other {
                Some(other) => Filter::AnyOf { field, values: vec![other, text.into()] },
                None => Filter::Equals { field, value: text.into() },
            }
        }
    }
}

fn number(text: &str) -> Option<FieldValue> {
    let whole =
        text.parse::<i64>().map(FieldValue::from).or_else(|_| text.parse::<u64>().map(FieldValue::from));
    let float = |text: &str| text.parse::<f64>().ok().filter(|_| text.contains(|c: char| c.is_ascii_digit()));
    whole.ok().or_else(|| float(text).filter(|number| number.is_finite()).map(FieldValue::Number))
}
