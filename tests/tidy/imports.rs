//! `imports`: a room imports only rooms below it in [`ROOMS`].

use std::collections::BTreeMap;

use crate::examples::{accepts, check, refuses};
use crate::source::Source;
use crate::tokens::{Token, around};

const BASE: [&str; 5] = ["error", "clock", "ids", "place", "storage"];

/// The rooms that `learn` may import, and `engine` besides `learn` itself.
const ROUNDS: &[&str] = &[
    "learn",
    "search",
    "store",
    "train",
    "negatives",
    "exchange",
    "generation",
    "trial",
    "eval",
    "feedback",
    "corpus",
    "extract",
    "encoder",
    "dense",
    "lexical",
    "fusion",
];

/// Every room except the base rooms, with the rooms it may import besides base and itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["cli", "engine", "eval"]),
    // `encoder` for `retune model fetch`; `learn` and `feedback` for reports of rounds and the log: public modules.
    (
        "cli",
        &[
            "serve", "mcp", "find", "access", "engine", "learn", "exchange", "extract", "feedback", "eval",
            "encoder", "bench", "page", "measure", "terminal",
        ],
    ),
    ("serve", &["mcp", "access", "engine"]),
    ("mcp", &["access", "engine", "search", "feedback"]),
    ("find", &["access", "engine", "search", "feedback", "terminal"]),
    // What front ends share, and the program's verbs too.
    ("access", &["page", "engine", "learn", "search", "eval", "feedback", "corpus", "lexical"]),
    ("page", &["measure", "engine", "learn", "search", "train", "negatives", "eval", "fusion"]),
    ("measure", &["engine", "learn", "search", "eval", "feedback", "fusion"]),
    ("bench", &["train", "encoder"]),
    ("fuzzing", &["search", "exchange", "feedback", "corpus", "extract", "lexical"]),
    ("server", &["engine"]),
    ("engine", ROUNDS),
    ("learn", ROUNDS),
    ("search", &["store", "lexical", "fusion"]),
    ("store", &["generation", "encoder", "dense", "lexical", "fusion"]),
    ("train", &["encoder", "negatives"]),
    ("negatives", &["feedback", "dense", "lexical"]),
    ("exchange", &["feedback", "lexical", "eval"]),
    ("generation", &["encoder", "dense", "lexical", "corpus", "fusion"]),
    ("trial", &["feedback"]),
    ("eval", &[]),
    ("feedback", &[]),
    ("corpus", &["extract"]),
    ("extract", &[]),
    ("encoder", &[]),
    ("dense", &[]),
    ("lexical", &[]),
    ("fusion", &[]),
    ("terminal", &[]),
];

/// The names that `lib.rs` exports, each with its room: for `use crate::Error`.
pub fn exports(file: &syn::File) -> BTreeMap<String, String> {
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

/// Checks the other rooms that the file names. `exported` gives the room of each name that `lib.rs` exports.
pub fn check_imports(source: &Source<'_>, exported: &BTreeMap<String, String>, found: &mut Vec<String>) {
    if source.room == "lib" {
        return;
    }
    let base = BASE.contains(&source.room);
    let Some(allowed) = ROOMS.iter().find(|(room, _)| *room == source.room).map(|(_, allowed)| *allowed)
    else {
        if !base {
            source.report(found, 1, "imports", format!("{} is not in the table of rooms", source.room));
        }
        return check_targets(source, &[], exported, found);
    };
    check_targets(source, allowed, exported, found);
}

fn check_targets(
    source: &Source<'_>,
    allowed: &[&str],
    exported: &BTreeMap<String, String>,
    found: &mut Vec<String>,
) {
    let known = |room: &str| BASE.contains(&room) || ROOMS.iter().any(|(name, _)| *name == room);
    let mut named = targets(&source.tokens, "crate");
    // The program sees the library from outside: it may use all exported types, but not the public rooms.
    named.extend(targets(&source.tokens, "retune").into_iter().filter(|(name, _)| known(name)));
    for (name, line) in named {
        if source.in_test(line) {
            continue;
        }
        let room = if known(&name) { Some(&name) } else { exported.get(&name) };
        match room.map(String::as_str) {
            None => {
                source.report(found, line, "imports", format!("crate::{name} names no room of the table"))
            }
            Some(room) if room == source.room || BASE.contains(&room) || allowed.contains(&room) => {}
            Some(room) => {
                let what = format!("{} may not import {room} (crate::{name})", source.room);
                source.report(found, line, "imports", what);
            }
        }
    }
}

/// The names right below `root`: `crate`, or the name of another crate. Enough `super`s lead to `crate` too.
/// `crate::{a::b, c}` names a and c.
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
