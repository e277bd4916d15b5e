//! A source as a flat list of tokens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A word, a punctuation mark or a bracket.
pub struct Token {
    pub text: String,
    pub line: usize,
    /// Its depth in modules, inline modules included.
    pub depth: usize,
}

/// All tokens in reading order, those inside macros and attributes too. `::` is one token.
pub fn flatten(stream: TokenStream, depth: usize, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: String| tokens.push(Token { text, line, depth });
        match tree {
            TokenTree::Ident(ident) => push(ident.to_string()),
            TokenTree::Literal(literal) => push(literal.to_string()),
            TokenTree::Punct(punct) => {
                let colons = punct.as_char() == ':'
                    && tokens.last().is_some_and(|last| last.text == ":" && last.line == line);
                if colons {
                    tokens.pop();
                }
                let text = if colons { "::".into() } else { punct.as_char().to_string() };
                tokens.push(Token { text, line, depth });
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let of_module = open == "{" && tokens.len() > 1 && tokens[tokens.len() - 2].text == "mod";
                tokens.push(Token { text: open.into(), line, depth });
                flatten(group.stream(), depth + usize::from(of_module), tokens);
                let line = group.span_close().start().line;
                tokens.push(Token { text: close.into(), line, depth });
            }
        }
    }
}

/// The texts before and after the token at `at`; empty at the ends.
pub fn around(tokens: &[Token], at: usize) -> (&str, &str) {
    let text =
        |index: Option<usize>| index.and_then(|index| tokens.get(index)).map_or("", |token| &token.text);
    (text(at.checked_sub(1)), text(at.checked_add(1)))
}
