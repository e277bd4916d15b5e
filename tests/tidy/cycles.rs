//! `cycles`: the files of a room don't import each other in a circle.
//!
//! A file depends on another one if its code names it, or something in it, by a path from `crate`, `super` or `self`.
//! Names that a module imports or re-exports are followed to the file that defines them. `mod x;` creates no
//! dependency, and neither does a parent's re-export of its children's items, unless the parent's code uses the name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::examples::{accepts, check};
use crate::source::{Source, depth_of};
use crate::tokens::{Token, around};

/// Maximum number of re-exports to follow for one name, in case they form a circle.
const MOST_HOPS: usize = 16;

/// The dependencies of every file, each with the line that creates it.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

/// Reports every cycle. From cycles that share files it reports as many as there are imports to remove.
pub fn check_cycles(sources: &[Source<'_>], found: &mut Vec<String>) {
    let modules = Modules::of(sources);
    let mut graph = modules.graph();
    while let Some(cycle) = shortest_cycle(&graph) {
        let (first, last) = (cycle[0], cycle[cycle.len() - 1]);
        let next = cycle.iter().cycle().skip(1);
        let steps = cycle.iter().zip(next).map(|(&from, to)| format!("{from}:{}", graph[from][to]));
        let steps: Vec<String> = steps.collect();
        found.push(format!("{}: [cycles] {} → {first}", steps[0], steps.join(" → ")));
        graph.get_mut(last).map(|targets| targets.remove(first));
    }
}

/// A path in the code, or a single name.
struct Named {
    segments: Vec<String>,
    line: usize,
    /// Its depth in modules.
    depth: usize,
}

/// A name that a `use` brings into a module.
struct Import {
    /// The name it has there; `None` for a glob.
    name: Option<String>,
    path: Named,
    /// Whether others can see it: `pub use`, `pub(crate) use`.
    public: bool,
}

struct Module<'a> {
    source: &'a Source<'a>,
    imports: Vec<Import>,
    code: Vec<Named>,
}

/// The modules of the crate by their path: `["dense", "graph"]` is `src/dense/graph.rs` or `src/dense/graph/mod.rs`.
struct Modules<'a>(BTreeMap<Vec<String>, Module<'a>>);

impl<'a> Modules<'a> {
    fn of(sources: &'a [Source<'a>]) -> Modules<'a> {
        let in_crate = sources.iter().filter(|source| source.in_src() && source.path != "src/main.rs");
        Modules(in_crate.map(|source| (module_path(source.path), Module::of(source))).collect())
    }

    fn graph(&self) -> Graph<'a> {
        let mut graph = Graph::new();
        for (path, module) in &self.0 {
            for (named, from) in module.dependencies() {
                let target = self.resolve(path, module, &named.segments, from, MOST_HOPS);
                let Some(target) = target.and_then(|target| self.0.get(&target)) else { continue };
                let same_room = target.source.room == module.source.room;
                if same_room && !target.source.in_test(1) && target.source.path != module.source.path {
                    let targets = graph.entry(module.source.path).or_default();
                    targets.entry(target.source.path).or_insert(named.line);
                }
            }
        }
        graph
    }

    /// The module that defines what `segments` name in `module`, the module at `path`; `inline` modules deeper. `None`
    /// for names from outside the crate, and for items of the module itself.
    fn resolve(
        &self,
        path: &[String],
        module: &Module<'_>,
        segments: &[String],
        inline: usize,
        hops: usize,
    ) -> Option<Vec<String>> {
        let (first, rest) = segments.split_first()?;
        let supers = segments.iter().take_while(|segment| *segment == "super").count();
        match first.as_str() {
            "crate" => self.follow(Vec::new(), rest, hops),
            "self" => self.follow(path.to_vec(), rest, hops),
            "super" => {
                let up = supers.saturating_sub(inline);
                let above = path.len().checked_sub(up)?;
                self.follow(path[..above].to_vec(), &segments[supers..], hops)
            }
            name => {
                let imported = module.imports.iter().any(|import| import.name.as_deref() == Some(name));
                let child = !rest.is_empty() && self.0.contains_key(&child_of(path, name));
                (child || imported).then(|| self.follow(path.to_vec(), segments, hops))?
            }
        }
    }

    /// Descends from the module at `at` as far as `rest` names modules, and through their imports.
    fn follow(&self, mut at: Vec<String>, mut rest: &[String], hops: usize) -> Option<Vec<String>> {
        while let Some((name, below)) = rest.split_first() {
            let child = child_of(&at, name);
            if self.0.contains_key(&child) {
                (at, rest) = (child, below);
                continue;
            }
            let module = self.0.get(&at)?;
            let import = module.imports.iter().find(|import| import.name.as_ref() == Some(name));
            let Some(import) = import.filter(|_| hops > 0) else { break };
            let segments: Vec<String> = import.path.segments.iter().chain(below).cloned().collect();
            return self.resolve(&at, module, &segments, 0, hops - 1);
        }
        Some(at)
    }
}

impl<'a> Module<'a> {
    fn of(source: &'a Source<'a>) -> Module<'a> {
        let (mut imports, mut code) = (Vec::new(), Vec::new());
        let tokens = &source.tokens;
        let mut at = 0;
        while at < tokens.len() {
            let token = &tokens[at];
            let (previous, next) = around(tokens, at);
            // `pub(super)` and `pub(in crate::room)` are not dependencies.
            let opened = at - usize::from(previous == "in").min(at);
            let visibility =
                around(tokens, opened).0 == "(" && opened >= 2 && tokens[opened - 2].text == "pub";
            if source.in_test(token.line) || visibility || matches!(previous, "::" | "." | "mod") {
                at += 1;
            } else if token.text == "use" && next != "<" {
                let public = matches!(previous, "pub" | ")");
                at = read_use(tokens, at + 1, &[], &mut |name, path| {
                    imports.push(Import { name, path, public });
                });
            } else {
                let (path, end) = read_path(tokens, at);
                code.extend(path);
                at = end.max(at + 1);
            }
        }
        Module { source, imports, code }
    }

    /// The names that make the file depend on another one, each with the number of inline modules around it.
    fn dependencies(&self) -> impl Iterator<Item = (&Named, usize)> {
        let used: BTreeSet<&str> = self.code.iter().map(|named| named.segments[0].as_str()).collect();
        let re_export = move |import: &Import| {
            let of_a_child = !matches!(import.path.segments[0].as_str(), "crate" | "super");
            let used = import.name.as_ref().is_some_and(|name| used.contains(name.as_str()));
            import.public && of_a_child && !used
        };
        let imports = self.imports.iter().filter(move |import| !re_export(import)).map(|import| &import.path);
        let depth = depth_of(self.source.path);
        imports.chain(&self.code).map(move |named| (named, named.depth - depth))
    }
}

/// `src/dense/graph.rs` is the module `["dense", "graph"]`, `src/lib.rs` is `[]`.
fn module_path(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    inner.split('/').filter(|part| !matches!(*part, "lib" | "main")).map(str::to_string).collect()
}

fn child_of(path: &[String], name: &str) -> Vec<String> {
    path.iter().map(String::as_str).chain([name]).map(str::to_string).collect()
}

/// Reads the path that begins at `at`; `None` if there is no word. Also returns where it ends.
fn read_path(tokens: &[Token], at: usize) -> (Option<Named>, usize) {
    let is_word = |at: usize| {
        tokens.get(at).is_some_and(|token| token.text.starts_with(|c: char| c.is_alphabetic() || c == '_'))
    };
    if !is_word(at) {
        return (None, at);
    }
    let mut segments = vec![tokens[at].text.clone()];
    let mut end = at + 1;
    while around(tokens, end - 1).1 == "::" && is_word(end + 1) {
        segments.push(tokens[end + 1].text.clone());
        end += 2;
    }
    (Some(Named { segments, line: tokens[at].line, depth: tokens[at].depth }), end)
}

/// Reads the tree of a `use` at `at`, below `prefix`, and passes each name in it to `add`. Returns where it ends.
fn read_use(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    add: &mut impl FnMut(Option<String>, Named),
) -> usize {
    let mut segments = prefix.to_vec();
    while let Some(token) = tokens.get(at) {
        let text = token.text.as_str();
        match text {
            "::" => {}
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = read_use(tokens, at, &segments, add);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            _ => segments.push(text.to_string()),
        }
        at += 1;
        if matches!(around(tokens, at - 1).1, "," | ";" | "}" | "as") {
            break;
        }
    }
    let Some(last) = tokens.get(at - 1) else { return at };
    let (line, depth) = (last.line, last.depth);
    let mut name = segments.last().cloned();
    if segments.len() > 1 && segments.last().is_some_and(|last| last == "self" || last == "*") {
        let removed = segments.pop();
        name = segments.last().cloned().filter(|_| removed.as_deref() == Some("self"));
    }
    if tokens.get(at).is_some_and(|token| token.text == "as") {
        name = tokens.get(at + 1).map(|token| token.text.clone());
        at += 2;
    }
    add(name, Named { segments, line, depth });
    at
}

/// The shortest cycle of the graph; the first by name among equals.
fn shortest_cycle<'a>(graph: &Graph<'a>) -> Option<Vec<&'a str>> {
    let cycles = graph.keys().filter_map(|start| cycle_through(graph, start));
    cycles.min_by_key(|cycle| cycle.len())
}

/// The shortest cycle through `start`, by breadth-first search.
fn cycle_through<'a>(graph: &Graph<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for &next in graph.get(at).into_iter().flat_map(|targets| targets.keys()) {
            if next == start {
                let mut cycle = vec![at];
                while let Some(before) = came_from.get(cycle[cycle.len() - 1]) {
                    cycle.push(before);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The cycles in room `search` with files of these texts, without the folder's name.
fn cycles_of(files: &[(&str, &str)]) -> Vec<String> {
    let paths: Vec<String> = files.iter().map(|(name, _)| format!("src/search/{name}.rs")).collect();
    let files: Vec<(&str, &str)> =
        paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), *text)).collect();
    check(&files).into_iter().map(|found| found.replace("src/search/", "").replace(".rs", "")).collect()
}

#[test]
fn files_that_import_each_other_are_found() {
    let parent = ("mod", "mod a;\nmod b;\npub use a::A;\npub(crate) use b::{B, c as d};\n");
    let found = |text: &str| cycles_of(&[parent, ("a", "use super::b::B;\nstruct A;\n"), ("b", text)]);
    let cycle = |line: usize| format!("a:1: [cycles] a:1 → b:{line} → a");
    for code in [
        "use super::a::A;\n",
        "use super::A;\n",
        "use super::{x, A as C};\n",
        "use crate::search::{self, a};\n",
        "use crate::search::A;\n",
        "fn f() { super::a::g(); }\n",
        "fn f() { println!(\"{}\", super::A::new()); }\n",
        "impl super::A {}\n",
    ] {
        assert_eq!(found(code), [cycle(1)], "{code}");
    }
    assert_eq!(found("mod inner {\n fn f() -> super::super::A { g() }\n}\n"), [cycle(2)]);
    for code in [
        "use crate::lexical::A;\n",
        "fn f(a: u32) { x.a(); A::new(); }\n",
        "#[cfg(test)]\nmod tests {\n use super::super::A;\n}\n",
        "mod a {}\nuse self::a::x;\n",
        "/// [`A`](super::A)\nstruct B;\n",
    ] {
        assert!(found(code).is_empty(), "{code}");
    }
}

#[test]
fn a_parent_depends_on_the_children_that_its_code_uses() {
    let child = ("a", "use super::Shared;\nstruct A;\n");
    let found = |text: &str| cycles_of(&[("mod", text), child]);
    let cycle = |line: usize| vec![format!("a:1: [cycles] a:1 → mod:{line} → a")];
    assert!(found("mod a;\npub use a::A;\nstruct Shared;\n").is_empty());
    assert!(found("mod a;\n#[cfg(test)]\nuse a::A;\nstruct Shared;\n").is_empty());
    assert_eq!(found("mod a;\nuse a::A;\nstruct Shared;\n").len(), 1);
    assert!(found("mod a;\nstruct Shared { a: u32 }\n").is_empty(), "a field");
    for visible in ["pub(super) struct A;\n", "pub(in crate::search) struct A;\n"] {
        assert!(cycles_of(&[("mod", "mod a;\nuse a::A;\n"), ("a", visible)]).is_empty());
    }
    assert_eq!(found("mod a;\npub use a::A;\nstruct Shared(A);\n"), cycle(2));
    assert_eq!(found("mod a;\nstruct Shared;\nfn f() { a::g() }\n"), cycle(3));
    assert_eq!(found("mod a;\nstruct Shared;\nfn f() { self::a::g() }\n"), cycle(3));
}

#[test]
fn longer_cycles_and_those_of_folders_are_found_once() {
    let parent = ("mod", "mod a;\nmod b;\nmod c;\n");
    let found = cycles_of(&[
        parent,
        ("a", "use super::b::x;\n"),
        ("b/mod", "pub mod inner;\n"),
        ("b/inner", "use crate::search::c::x;\n"),
        ("c", "\nuse super::a;\nuse super::b::inner::y;\n"),
    ]);
    assert_eq!(found, ["b/inner:1: [cycles] b/inner:1 → c:3 → b/inner"]);
    let found =
        cycles_of(&[parent, ("a", "use super::b::x;\n"), ("b", "use super::c;\n"), ("c", "use super::a;\n")]);
    assert_eq!(found, ["a:1: [cycles] a:1 → b:1 → c:1 → a"]);
}

#[test]
fn other_rooms_and_the_library_root_are_no_part_of_a_cycle() {
    accepts(
        "src/search/mod.rs",
        "pub use crate::lexical::Filter;\nfn f() { crate::search::Filter::new(); }\n",
    );
    let library = ("src/lib.rs", "mod search;\npub use search::{A, B};\n");
    let parent = ("src/search/mod.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;\n");
    let found = check(&[
        library,
        parent,
        ("src/search/a.rs", "use crate::B;\nstruct A;\n"),
        ("src/search/b.rs", "use crate::A;\nstruct B;\n"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}
