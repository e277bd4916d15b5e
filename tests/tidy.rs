//! The house rules that a program can hold. Each has a test below that shows it a bad example.
//!
//! | rule | holds |
//! |---|---|
//! | `imports` | a room imports only what stands below it in [`ROOMS`] |
//! | `file-size`, `function-size` | 800 lines a file with its tests, 70 a function that is no test |
//! | `durable` | only `storage` renames or syncs files |
//! | `third-party` | only `lexical` names tantivy, only `dense/live.rs` usearch |
//! | `unfinished` | no `todo!`, `unimplemented!`, `#[ignore]` |
//! | `unwrap` | no `.unwrap()` outside tests |
//! | `unsafe` | only in `encoder`, `dense`, `feedback`, each below a comment with `SAFETY:` |
//!
//! Test code (`#[cfg(test)]`, `#[test]`, and the files of such modules) is free of the rules `imports`, `durable`,
//! `unwrap` and `function-size`.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 70;

const BASE: [&str; 4] = ["error", "clock", "ids", "storage"];

/// Every room but base, with the rooms it may import beside base and itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["cli", "engine", "eval"]),
    // `encoder` for `retune model fetch`: its module `model` is public.
    ("cli", &["engine", "eval", "encoder", "bench", "page"]),
    ("page", &["learn", "search", "train", "negatives", "eval", "fusion"]),
    ("bench", &["train", "encoder"]),
    ("server", &["engine"]),
    (
        "engine",
        &[
            "learn",
            "search",
            "train",
            "negatives",
            "generation",
            "eval",
            "feedback",
            "corpus",
            "encoder",
            "dense",
            "lexical",
            "fusion",
        ],
    ),
    (
        "learn",
        &[
            "search",
            "train",
            "negatives",
            "generation",
            "eval",
            "feedback",
            "corpus",
            "encoder",
            "dense",
            "lexical",
            "fusion",
        ],
    ),
    ("search", &["generation", "lexical", "fusion"]),
    ("train", &["encoder", "negatives"]),
    ("negatives", &["feedback", "dense", "lexical"]),
    ("generation", &["encoder", "dense", "lexical", "corpus", "fusion"]),
    ("eval", &[]),
    ("feedback", &[]),
    ("corpus", &[]),
    ("encoder", &[]),
    ("dense", &[]),
    ("lexical", &[]),
    ("fusion", &[]),
];

const UNSAFE_ROOMS: [&str; 3] = ["encoder", "dense", "feedback"];

#[test]
fn the_sources_keep_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    for folder in ["src", "tests", "examples", "benches"] {
        read_sources(root, &root.join(folder), &mut files);
    }
    assert!(
        files.contains_key("src/lib.rs") && files.contains_key("tests/tidy.rs"),
        "the sources were not found"
    );
    let found = violations(&files);
    assert!(found.is_empty(), "{} violations of the house rules:\n{}", found.len(), found.join("\n"));
}

fn read_sources(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Every violation in the files, given by path from the package's root, as `path:line: [rule] what`.
fn violations(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut parsed = BTreeMap::new();
    for (path, text) in files {
        match syn::parse_file(text) {
            Ok(file) => {
                parsed.insert(path.as_str(), (file, text.as_str()));
            }
            Err(e) => found.push(format!("{path}:{}: [syntax] {e}", e.span().start().line)),
        }
    }
    let exported = parsed.get("src/lib.rs").map(|(file, _)| exports(file)).unwrap_or_default();
    let test_prefixes: Vec<String> =
        parsed.iter().flat_map(|(path, (file, _))| test_modules(path, file)).collect();
    for (path, (file, text)) in &parsed {
        let in_src = path.starts_with("src/");
        let is_test = !in_src || test_prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()));
        let tests = if is_test { vec![0..=usize::MAX] } else { TestCode::of(file) };
        let source = Source { path, text, room: room_of(path), tests };
        source.check(file, &exported, &mut found);
    }
    found
}

/// `src/dense/graph.rs` and `src/dense.rs` are in room `dense`.
fn room_of(path: &str) -> &str {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs")
}

/// How many modules deep the file stands: 0 for `lib.rs` and `main.rs`.
fn depth_of(path: &str) -> usize {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let parts = inner.split('/').count();
    if matches!(inner, "lib.rs" | "main.rs") || inner.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// What `lib.rs` exports, with the room it comes from, for `use crate::Error`.
fn exports(file: &syn::File) -> BTreeMap<String, String> {
    fn leaves(tree: &syn::UseTree, room: &str, exported: &mut BTreeMap<String, String>) {
        match tree {
            syn::UseTree::Path(path) => leaves(&path.tree, room, exported),
            syn::UseTree::Name(name) => drop(exported.insert(name.ident.to_string(), room.into())),
            syn::UseTree::Rename(name) => drop(exported.insert(name.rename.to_string(), room.into())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, room, exported)),
            syn::UseTree::Glob(_) => {}
        }
    }
    let mut exported = BTreeMap::new();
    for item in &file.items {
        if let syn::Item::Use(item) = item
            && let syn::UseTree::Path(path) = &item.tree
        {
            let first = path.ident.to_string();
            match (&*path.tree, first.as_str()) {
                (syn::UseTree::Path(inner), "crate" | "self") => {
                    leaves(&inner.tree, &inner.ident.to_string(), &mut exported);
                }
                _ => leaves(&path.tree, &first, &mut exported),
            }
        }
    }
    exported
}

/// The files that stand behind `#[cfg(test)] mod name;`, as path prefixes.
fn test_modules(path: &str, file: &syn::File) -> Vec<String> {
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

/// Collects the lines of a file that are test code.
struct TestCode(Vec<RangeInclusive<usize>>);

impl TestCode {
    fn of(file: &syn::File) -> Vec<RangeInclusive<usize>> {
        let mut code = TestCode(Vec::new());
        code.visit_file(file);
        code.0
    }

    fn note(&mut self, attributes: &[syn::Attribute], node: &impl Spanned) {
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
        self.note(attributes, item);
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.attrs, function);
        visit::visit_impl_item_fn(self, function);
    }
}

/// One file with what the rules need to know of it.
struct Source<'a> {
    path: &'a str,
    text: &'a str,
    room: &'a str,
    tests: Vec<RangeInclusive<usize>>,
}

impl Source<'_> {
    fn check(&self, file: &syn::File, exported: &BTreeMap<String, String>, found: &mut Vec<String>) {
        let lines = self.text.lines().count();
        if lines > FILE_LINES {
            self.tell(found, lines, "file-size", format!("{lines} lines, {FILE_LINES} are the limit"));
        }
        let mut functions = Functions(Vec::new());
        functions.visit_file(file);
        for (name, start, end) in functions.0 {
            let lines = end + 1 - start;
            if lines > FUNCTION_LINES && !self.in_test(start) {
                let what = format!("{name} has {lines} lines, {FUNCTION_LINES} are the limit");
                self.tell(found, start, "function-size", what);
            }
        }
        let mut tokens = Vec::new();
        let stream: TokenStream = self.text.parse().expect("what syn has parsed is a token stream");
        flatten(stream, depth_of(self.path), &mut tokens);
        self.check_words(&tokens, found);
        if self.path.starts_with("src/") {
            self.check_rooms(&tokens, found);
            self.check_imports(&tokens, exported, found);
        }
    }

    /// Rules that hold everywhere, in tests too.
    fn check_words(&self, tokens: &[Token], found: &mut Vec<String>) {
        for (at, token) in tokens.iter().enumerate() {
            let (previous, next) = around(tokens, at);
            match token.text.as_str() {
                word @ ("todo" | "unimplemented") if next == "!" => {
                    self.tell(found, token.line, "unfinished", format!("{word}! is no implementation"));
                }
                "ignore" if previous == "[" && at > 1 && tokens[at - 2].text == "#" => {
                    self.tell(found, token.line, "unfinished", "an ignored test tests nothing".into());
                }
                "unwrap" if previous == "." && next == "(" && !self.in_test(token.line) => {
                    let what = "give the error, or `expect` with the reason why it can't be".into();
                    self.tell(found, token.line, "unwrap", what);
                }
                _ => {}
            }
        }
    }

    /// Rules about what only some rooms may do.
    fn check_rooms(&self, tokens: &[Token], found: &mut Vec<String>) {
        for (at, token) in tokens.iter().enumerate() {
            let (previous, next) = around(tokens, at);
            match token.text.as_str() {
                name @ ("sync_all" | "sync_data" | "persist" | "persist_noclobber" | "rename")
                    // Called or imported; `#[serde(rename = "…")]` renames nothing on a disk.
                    if (matches!(previous, "." | "::") || matches!(next, "," | "}"))
                        && self.room != "storage"
                        && !self.in_test(token.line) =>
                {
                    self.tell(found, token.line, "durable", format!("{name}: ask storage for it"));
                }
                "tantivy" if self.room != "lexical" => {
                    self.tell(found, token.line, "third-party", "only lexical names tantivy".into());
                }
                "usearch" if self.path != "src/dense/live.rs" => {
                    self.tell(found, token.line, "third-party", "only dense/live.rs names usearch".into());
                }
                "unsafe" => self.check_unsafe(token.line, found),
                _ => {}
            }
        }
    }

    fn check_unsafe(&self, line: usize, found: &mut Vec<String>) {
        if !UNSAFE_ROOMS.contains(&self.room) {
            self.tell(
                found,
                line,
                "unsafe",
                format!("not in {}, only in {}", self.room, UNSAFE_ROOMS.join(", ")),
            );
        } else if !self.has_safety_comment(line) {
            self.tell(found, line, "unsafe", "say above it, after `// SAFETY:`, why it is sound".into());
        }
    }

    /// Whether the comment above the statement that holds `line` says why it is sound.
    fn has_safety_comment(&self, line: usize) -> bool {
        let mut comment = false;
        for text in self.text.lines().take(line - 1).collect::<Vec<_>>().into_iter().rev().map(str::trim) {
            if text.starts_with("//") {
                if text.contains("SAFETY:") || text.contains("# Safety") {
                    return true;
                }
                comment = true;
            } else if comment || text.is_empty() || text.ends_with([';', ',', '{', '}']) {
                return false;
            }
        }
        false
    }

    fn check_imports(&self, tokens: &[Token], exported: &BTreeMap<String, String>, found: &mut Vec<String>) {
        if self.room == "lib" {
            return;
        }
        let base = BASE.contains(&self.room);
        let Some(allowed) = ROOMS.iter().find(|(room, _)| *room == self.room).map(|(_, allowed)| *allowed)
        else {
            if !base {
                self.tell(found, 1, "imports", format!("{} is not in the table of rooms", self.room));
            }
            return self.check_targets(tokens, &[], exported, found);
        };
        self.check_targets(tokens, allowed, exported, found);
    }

    fn check_targets(
        &self,
        tokens: &[Token],
        allowed: &[&str],
        exported: &BTreeMap<String, String>,
        found: &mut Vec<String>,
    ) {
        let known = |room: &str| BASE.contains(&room) || ROOMS.iter().any(|(name, _)| *name == room);
        let mut named = targets(tokens, "crate");
        // The program sees the library from outside: its exported types are free to all, its public rooms are not.
        named.extend(targets(tokens, "retune").into_iter().filter(|(name, _)| known(name)));
        for (name, line) in named {
            if self.in_test(line) {
                continue;
            }
            let room = if known(&name) { Some(&name) } else { exported.get(&name) };
            match room.map(String::as_str) {
                None => {
                    self.tell(found, line, "imports", format!("crate::{name} names no room of the table"))
                }
                Some(room) if room == self.room || BASE.contains(&room) || allowed.contains(&room) => {}
                Some(room) => {
                    let what = format!("{} may not import {room} (crate::{name})", self.room);
                    self.tell(found, line, "imports", what);
                }
            }
        }
    }

    fn in_test(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    fn tell(&self, found: &mut Vec<String>, line: usize, rule: &str, what: String) {
        found.push(format!("{}:{line}: [{rule}] {what}", self.path));
    }
}

/// Collects functions and methods: name, first line, last line.
struct Functions(Vec<(String, usize, usize)>);

impl Functions {
    fn note(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (start, end) = (signature.span().start().line, block.span().end().line);
        self.0.push((signature.ident.to_string(), start, end));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.note(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// A word, a punctuation mark or a bracket, with the depth of the module it stands in.
struct Token {
    text: String,
    line: usize,
    depth: usize,
}

/// All tokens in reading order, those inside of macros and attributes too. `::` is one token.
fn flatten(stream: TokenStream, depth: usize, tokens: &mut Vec<Token>) {
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

fn around(tokens: &[Token], at: usize) -> (&str, &str) {
    let text =
        |index: Option<usize>| index.and_then(|index| tokens.get(index)).map_or("", |token| &token.text);
    (text(at.checked_sub(1)), text(at.checked_add(1)))
}

/// What is named right below the root, `crate` or another crate's name; enough `super` are `crate` as well. Groups are
/// followed: `crate::{a::b, c}` names a and c.
fn targets(tokens: &[Token], root: &str) -> Vec<(String, usize)> {
    let mut targets = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let (previous, next) = around(tokens, at);
        if next != "::" {
            continue;
        }
        match token.text.as_str() {
            word if word == root => name_below(tokens, at + 2, &mut targets),
            "super" if root == "crate" && previous != "::" => {
                let supers = (at..tokens.len()).step_by(2).take_while(|&i| tokens[i].text == "super").count();
                if supers >= token.depth {
                    name_below(tokens, at + 2 * supers, &mut targets);
                }
            }
            _ => {}
        }
    }
    targets
}

fn name_below(tokens: &[Token], at: usize, targets: &mut Vec<(String, usize)>) {
    let Some(token) = tokens.get(at) else { return };
    if token.text != "{" {
        return targets.push((token.text.clone(), token.line));
    }
    let mut nesting = 0;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "{" => nesting += 1,
            "}" => nesting -= 1,
            _ => {}
        }
        if nesting == 0 {
            return;
        }
        let (previous, _) = around(tokens, index);
        if nesting == 1 && matches!(previous, "{" | ",") && token.text != "}" {
            targets.push((token.text.clone(), token.line));
        }
    }
}

fn check(files: &[(&str, &str)]) -> Vec<String> {
    violations(&files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
}

/// The one violation in a file is of this rule, at this line.
#[track_caller]
fn refuses(path: &str, text: &str, line: usize, rule: &str) {
    let found = check(&[(path, text)]);
    let expected = format!("{path}:{line}: [{rule}]");
    assert!(found.len() == 1 && found[0].starts_with(&expected), "expected {expected}, found {found:#?}");
}

#[track_caller]
fn accepts(path: &str, text: &str) {
    assert_eq!(check(&[(path, text)]), Vec::<String>::new());
}

#[test]
fn imports_are_held_to_the_table() {
    accepts(
        "src/search/mod.rs",
        "use crate::{error::Result, fusion::{self, fuse}, lexical};\nuse super::search::x;\n",
    );
    refuses("src/lexical/mod.rs", "\nuse crate::dense::View;\n", 2, "imports");
    refuses(
        "src/dense/graph.rs",
        "use crate::error::Error;\nuse crate::{ids::ChunkId, lexical};\n",
        2,
        "imports",
    );
    refuses(
        "src/encoder/model/hub.rs",
        "use super::super::x;\nuse super::super::super::corpus::walk;\n",
        2,
        "imports",
    );
    refuses("src/fusion.rs", "fn f() -> crate::eval::Metric { g() }\n", 1, "imports");
    refuses("src/corpus/mod.rs", "fn f() { println!(\"{}\", crate::encoder::x()); }\n", 1, "imports");
    refuses("src/fusion.rs", "mod inner {\n use super::super::eval::Run;\n}\n", 2, "imports");
    refuses("src/storage/mod.rs", "use crate::lexical::x;\n", 1, "imports");
    refuses("src/cellar/mod.rs", "\n", 1, "imports");
    refuses("src/dense/mod.rs", "use crate::*;\n", 1, "imports");
    refuses(
        "src/cli/mod.rs",
        "use retune::{Engine, eval::Run};\nuse retune::lexical::Language;\n",
        2,
        "imports",
    );
    accepts("src/dense/mod.rs", "#[cfg(test)]\nmod tests {\n use crate::encoder::Encoder;\n}\n");
}

#[test]
fn what_the_library_exports_counts_as_its_room() {
    let library = ("src/lib.rs", "pub use error::Error;\npub use lexical::{Filter, Language as Tongue};\n");
    assert!(check(&[library, ("src/search/mod.rs", "use crate::{Error, Filter};\n")]).is_empty());
    let found = check(&[library, ("src/dense/mod.rs", "use crate::Error;\nuse crate::Tongue;\n")]);
    assert!(found.len() == 1 && found[0].starts_with("src/dense/mod.rs:2: [imports]"), "{found:?}");
}

#[test]
fn files_of_test_modules_are_test_code_and_only_those() {
    let unwraps = "use crate::engine::x;\nfn f() { x().unwrap(); }\n";
    let module = ("src/dense/mod.rs", "#[cfg(test)]\nmod tests;\n#[cfg(not(test))]\nmod graph;\n");
    assert!(
        check(&[module, ("src/dense/tests.rs", unwraps), ("src/dense/tests/more.rs", unwraps)]).is_empty()
    );
    assert_eq!(check(&[module, ("src/dense/graph.rs", unwraps)]).len(), 2);
    let nested = ("src/dense/graph.rs", "#[cfg(test)]\nmod tests;\n");
    assert!(check(&[nested, ("src/dense/graph/tests.rs", unwraps)]).is_empty());
    assert_eq!(check(&[nested, ("src/dense/tests.rs", unwraps)]).len(), 2);
}

#[test]
fn sizes_are_limited() {
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
fn only_storage_renames_or_syncs() {
    for code in
        ["std::fs::rename(a, b);", "file.sync_all();", "file.sync_data();", "temporary.persist(path);"]
    {
        let text = format!("fn f() {{\n{code}\n}}\n");
        refuses("src/dense/mod.rs", &text, 2, "durable");
        accepts("src/storage/atomic.rs", &text);
        accepts("src/dense/mod.rs", &format!("#[cfg(test)]\nmod tests {{ {text} }}\n"));
    }
    refuses("src/dense/mod.rs", "use std::fs::{File, rename};\n", 1, "durable");
    accepts("src/dense/mod.rs", "#[serde(rename = \"x\", rename_all = \"y\")]\nstruct X;\n");
}

#[test]
fn the_third_party_index_has_one_room() {
    refuses("src/search/mod.rs", "fn f() {\n tantivy::Index::new();\n}\n", 2, "third-party");
    refuses("src/dense/mod.rs", "type X = tantivy::Index;\n", 1, "third-party");
    accepts("src/lexical/mod.rs", "use tantivy::Index;\n");
    refuses("src/dense/view.rs", "use usearch::Index;\n", 1, "third-party");
    accepts("src/dense/live.rs", "use usearch::Index;\n");
}

#[test]
fn nothing_is_left_unfinished() {
    for code in ["todo!()", "unimplemented!(\"x\")", "assert!(x, \"{}\", todo!())"] {
        refuses("src/dense/mod.rs", &format!("fn f() {{\n {code};\n}}\n"), 2, "unfinished");
        refuses("tests/cli.rs", &format!("#[test]\nfn f() {{ {code}; }}\n"), 2, "unfinished");
    }
    refuses(
        "src/dense/mod.rs",
        "#[cfg(test)]\nmod tests {\n#[test]\n#[ignore]\nfn f() {}\n}\n",
        4,
        "unfinished",
    );
    refuses("tests/cli.rs", "#[ignore = \"slow\"]\n#[test]\nfn f() {}\n", 1, "unfinished");
    accepts("src/corpus/mod.rs", "use ignore::WalkBuilder;\nfn f() { let todo = ignore(todo); }\n");
}

#[test]
fn errors_are_not_unwrapped_outside_tests() {
    refuses("src/dense/mod.rs", "fn f() {\n g()\n  .unwrap();\n}\n", 3, "unwrap");
    refuses("src/dense/mod.rs", "fn f() { println!(\"{}\", g().unwrap()); }\n", 1, "unwrap");
    accepts("src/dense/mod.rs", "fn f() { g().unwrap_or_default(); h().expect(\"true\"); } // x.unwrap()\n");
    accepts("src/dense/mod.rs", "#[cfg(test)]\npub(crate) fn f() { g().unwrap(); }\n");
    accepts("src/dense/mod.rs", "impl X {\n#[cfg(test)]\nfn f() { g().unwrap(); }\n}\n");
    accepts("tests/cli.rs", "fn f() { g().unwrap(); }\n");
}

#[test]
fn unsafe_code_has_its_rooms_and_its_reasons() {
    let sound = "fn f() {\n // SAFETY: nobody else\n // writes it.\n let x =\n unsafe { g() };\n}\n";
    accepts("src/dense/mod.rs", sound);
    refuses("src/lexical/mod.rs", sound, 5, "unsafe");
    refuses("src/dense/mod.rs", "fn f() {\n // It is fast.\n unsafe { g() };\n}\n", 3, "unsafe");
    refuses("src/dense/mod.rs", "fn f() {\n // SAFETY: for a.\n a();\n unsafe { g() };\n}\n", 4, "unsafe");
    refuses("src/dense/mod.rs", "unsafe impl Send for X {}\n", 1, "unsafe");
    accepts("src/encoder/ops.rs", "/// # Safety\n/// Aligned.\n#[inline]\nunsafe fn f() {}\n");
    refuses("src/search/mod.rs", "#[cfg(test)]\nmod tests {\n fn f() { unsafe { g() } }\n}\n", 3, "unsafe");
}

#[test]
fn a_file_that_is_no_rust_is_told() {
    refuses("src/dense/mod.rs", "fn f( {\n", 1, "syntax");
}
