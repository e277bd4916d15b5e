//! A source file with the properties that the rules need.

use std::ops::RangeInclusive;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::tokens::{Token, flatten};

pub struct Source<'a> {
    /// From the package's root, with `/` separators.
    pub path: &'a str,
    pub text: &'a str,
    pub room: &'a str,
    pub tokens: Vec<Token>,
    tests: Vec<RangeInclusive<usize>>,
}

impl<'a> Source<'a> {
    /// `is_test` says that the whole file is test code.
    pub fn new(path: &'a str, text: &'a str, file: &syn::File, is_test: bool) -> Source<'a> {
        let tests = if is_test { vec![0..=usize::MAX] } else { TestCode::of(file) };
        let stream: TokenStream = text.parse().expect("what syn has parsed is a token stream");
        let mut tokens = Vec::new();
        flatten(stream, depth_of(path), &mut tokens);
        Source { path, text, room: room_of(path), tokens, tests }
    }

    pub fn in_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    pub fn in_test(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    /// Adds a violation as `path:line: [rule] what`.
    pub fn report(&self, found: &mut Vec<String>, line: usize, rule: &str, what: String) {
        found.push(format!("{}:{line}: [{rule}] {what}", self.path));
    }
}

/// `src/dense/graph.rs` and `src/dense.rs` are in room `dense`.
fn room_of(path: &str) -> &str {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs")
}

/// How many modules deep the file is: 0 for `lib.rs` and `main.rs`.
pub fn depth_of(path: &str) -> usize {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let parts = inner.split('/').count();
    if matches!(inner, "lib.rs" | "main.rs") || inner.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// The path prefixes of the files that `#[cfg(test)] mod name;` declares.
pub fn test_modules(path: &str, file: &syn::File) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "mod" | "lib" | "main")) => folder,
        _ => stem,
    };
    let mut prefixes = Vec::new();
    for item in &file.items {
        if let syn::Item::Mod(module) = item
            && module.content.is_none()
            && is_test(&module.attrs)
        {
            prefixes.push(format!("{folder}/{}.rs", module.ident));
            prefixes.push(format!("{folder}/{}/", module.ident));
        }
    }
    prefixes
}

/// Whether one of the attributes is `#[test]` or `#[cfg(test)]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = || match &attribute.meta {
            syn::Meta::List(list) => list.tokens.to_string(),
            _ => String::new(),
        };
        let words = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_string).collect::<Vec<_>>()
        };
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg") && {
                let words = words(&condition());
                words.iter().any(|word| word == "test") && !words.iter().any(|word| word == "not")
            }
    })
}

/// The lines of a file that are test code.
struct TestCode(Vec<RangeInclusive<usize>>);

impl TestCode {
    fn of(file: &syn::File) -> Vec<RangeInclusive<usize>> {
        let mut code = TestCode(Vec::new());
        code.visit_file(file);
        code.0
    }

    fn record(&mut self, attributes: &[syn::Attribute], node: &impl Spanned) {
        if is_test(attributes) {
            self.0.push(node.span().start().line..=node.span().end().line);
        }
    }
}

impl<'ast> Visit<'ast> for TestCode {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Const(item) => &item.attrs,
            syn::Item::Enum(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Macro(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Static(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Trait(item) => &item.attrs,
            syn::Item::Type(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        self.record(attributes, item);
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.record(&function.attrs, function);
        visit::visit_impl_item_fn(self, function);
    }
}
