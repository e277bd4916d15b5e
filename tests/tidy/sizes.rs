//! `file-size`, `function-size` and `line-length`.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::examples::{accepts, refuses};
use crate::source::Source;

const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;
const LINE_CHARACTERS: usize = 120;

/// Checks the length of the file and of its functions.
pub fn check_sizes(source: &Source<'_>, file: &syn::File, found: &mut Vec<String>) {
    let lines = source.text.lines().count();
    if lines > FILE_LINES {
        source.report(found, lines, "file-size", format!("{lines} lines, {FILE_LINES} are the limit"));
    }
    let mut functions = Functions(Vec::new());
    functions.visit_file(file);
    for (name, start, end) in functions.0 {
        let lines = end + 1 - start;
        if lines > FUNCTION_LINES && !source.in_test(start) {
            let what = format!("{name} has {lines} lines, {FUNCTION_LINES} are the limit");
            source.report(found, start, "function-size", what);
        }
    }
}

/// Checks every line of a source or a Markdown document. Markdown can't break a table's row or a URL: such lines may
/// be longer.
pub fn check_lines(path: &str, text: &str, found: &mut Vec<String>) {
    let markdown = path.ends_with(".md");
    for (line, number) in text.lines().zip(1..) {
        let characters = line.chars().count();
        let unbreakable = markdown && (line.trim_start().starts_with('|') || line.contains("://"));
        if characters > LINE_CHARACTERS && !unbreakable {
            let what = format!("{characters} characters, {LINE_CHARACTERS} are the limit");
            found.push(format!("{path}:{number}: [line-length] {what}"));
        }
    }
}

/// Functions and methods: name, first line, last line.
struct Functions(Vec<(String, usize, usize)>);

impl Functions {
    fn record(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (start, end) = (signature.span().start().line, block.span().end().line);
        self.0.push((signature.ident.to_string(), start, end));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.record(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.record(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.record(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[test]
fn files_and_functions_are_limited() {
    accepts("src/dense/mod.rs", &"// line\n".repeat(FILE_LINES));
    refuses("src/dense/mod.rs", &"// line\n".repeat(FILE_LINES + 1), FILE_LINES + 1, "file-size");
    refuses("tests/cli.rs", &"// line\n".repeat(FILE_LINES + 1), FILE_LINES + 1, "file-size");
    let body = |lines: usize| format!("fn long() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
    accepts("src/dense/mod.rs", &body(FUNCTION_LINES));
    refuses("src/dense/mod.rs", &body(FUNCTION_LINES + 1), 1, "function-size");
    refuses("src/dense/mod.rs", &format!("impl X {{\n{}}}\n", body(FUNCTION_LINES + 1)), 2, "function-size");
    refuses("src/dense/mod.rs", &format!("trait X {{\n{}}}\n", body(FUNCTION_LINES + 1)), 2, "function-size");
    accepts("src/dense/mod.rs", &format!("#[test]\n{}", body(FUNCTION_LINES + 1)));
    accepts("src/dense/mod.rs", &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", body(FUNCTION_LINES + 1)));
}

#[test]
fn lines_are_limited() {
    let line = |characters: usize| format!("// {}\n", "é".repeat(characters - 3));
    let long = format!("\n{}", line(LINE_CHARACTERS + 1));
    accepts("src/search/mod.rs", &line(LINE_CHARACTERS));
    for path in ["src/search/mod.rs", "tests/cli.rs", "docs/guide.md"] {
        refuses(path, &long, 2, "line-length");
    }
    let words = "word ".repeat(LINE_CHARACTERS);
    accepts("docs/guide.md", &format!("| {words} |\n[link](https://example.org) {words}\n"));
    refuses("src/search/mod.rs", &format!("// https://example.org {words}\n"), 1, "line-length");
}
