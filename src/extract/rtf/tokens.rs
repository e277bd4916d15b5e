//! Bytes of RTF as tokens.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'b> {
    Open,
    Close,
    /// `\par`, `\fs24`: letters, and a number if there is one.
    Word(&'b str, Option<i32>),
    /// `\~`: any other character after the backslash.
    Symbol(u8),
    /// A byte in the encoding of the font: as it is, or from `\'e4`.
    Byte(u8),
}

/// The tokens of `bytes`. What `\bin` says is binary is passed over.
pub(super) struct Tokens<'b> {
    rest: &'b [u8],
}

impl<'b> Tokens<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes.min(self.rest.len())..];
    }

    /// What stands after a backslash.
    fn control(&mut self) -> Option<Token<'b>> {
        let first = *self.rest.first()?;
        if first == b'\'' {
            let digits = self.rest.get(1..3).and_then(|digits| str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            self.skip(if byte.is_some() { 3 } else { 1 });
            return Some(Token::Byte(byte.unwrap_or(b'?')));
        }
        if !first.is_ascii_alphabetic() {
            self.skip(1);
            return Some(Token::Symbol(first));
        }
        let letters = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = self.rest.split_at(letters);
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = if digits > 0 { sign + digits } else { 0 };
        let (number, rest) = rest.split_at(number);
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let word = str::from_utf8(word).unwrap_or_default();
        let number = str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        if let ("bin", Some(bytes)) = (word, number) {
            self.skip(usize::try_from(bytes).unwrap_or(0));
        }
        Some(Token::Word(word, number))
    }
}

impl<'b> Iterator for Tokens<'b> {
    type Item = Token<'b>;

    fn next(&mut self) -> Option<Token<'b>> {
        loop {
            let first = *self.rest.first()?;
            self.skip(1);
            return match first {
                b'{' => Some(Token::Open),
                b'}' => Some(Token::Close),
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => continue,
                byte => Some(Token::Byte(byte)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_one_space_and_a_number() {
        let tokens: Vec<Token> = Tokens::new(b"{\\b0  a\\u-10?\\'e4\\~\\bin3 \x00{}x}\r\n").collect();
        assert_eq!(
            tokens,
            [
                Token::Open,
                Token::Word("b", Some(0)),
                Token::Byte(b' '),
                Token::Byte(b'a'),
                Token::Word("u", Some(-10)),
                Token::Byte(b'?'),
                Token::Byte(0xe4),
                Token::Symbol(b'~'),
                Token::Word("bin", Some(3)),
                Token::Byte(b'x'),
                Token::Close,
            ]
        );
    }

    #[test]
    fn what_is_cut_short_ends() {
        for cut in ["\\", "\\'", "\\'e", "\\bin99999 x", "\\u-"] {
            assert!(Tokens::new(cut.as_bytes()).count() < 5, "{cut}");
        }
    }
}
