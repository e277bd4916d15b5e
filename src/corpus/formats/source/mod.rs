//! The outline of source code: functions and types, each with the comments above it, under what encloses them.
//!
//! The text is the file itself. Code that is wrong has the outline of what could be read of it; code that takes the
//! parser too long, and languages without a grammar, have none.

mod grammar;
mod licence;

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use crate::corpus::outline::{Extracted, Heading, Outline, one_line};
use grammar::{Language, NodeKind};

/// `extension` is the file's, in lower case.
pub(super) fn extract<'t>(text: &'t str, extension: &str) -> Extracted<'t> {
    let language = Language::of_extension(extension);
    let licence = licence::in_source(text);
    let headings = language.map(|language| definitions(text, language)).unwrap_or_default();
    let contents = licence.into_iter().collect();
    Extracted { contents, ..Extracted::whole(text, Outline::with_breaks(headings)) }
}

/// What stands deeper is part of what is around it.
const DEEPEST: usize = 16;

/// The most bytes that are parsed at a time: broken code takes the parser time, and gigabytes, that grow with the
/// square
/// of its length.
const MOST_BYTES_AT_ONCE: usize = 128 << 10;

fn definitions(text: &str, language: Language) -> Vec<Heading> {
    // Ten times what code takes that people write.
    let deadline = Instant::now() + Duration::from_secs(2 + (text.len() >> 20) as u64);
    let mut reader = Reader { text, offset: 0, headings: Vec::new() };
    while reader.offset < text.len() {
        reader.text = &text[reader.offset..];
        reader.text = &reader.text[..whole_definitions(reader.text)];
        if !is_too_deep(reader.text, language) {
            let Some(tree) = parse(reader.text, language, deadline) else { break };
            reader.scope(tree.root_node(), 0);
        }
        reader.offset += reader.text.len();
    }
    reader.headings
}

/// The length of the part to parse next. It ends before a line that begins without white space behind an empty one.
fn whole_definitions(text: &str) -> usize {
    if text.len() <= MOST_BYTES_AT_ONCE {
        return text.len();
    }
    let most = text.floor_char_boundary(MOST_BYTES_AT_ONCE);
    let begins = |&(at, gap): &(usize, &str)| !text[at + gap.len()..].starts_with(char::is_whitespace);
    let cut = text[..most].rmatch_indices("\n\n").find(begins).map(|(at, gap)| at + gap.len());
    cut.or_else(|| text[..most].rfind('\n').map(|at| at + 1)).unwrap_or(most)
}

/// Whether a statement is deeper than in code that people write. Where such code breaks off, the parser takes memory
/// that
/// grows with the square of the depth, and doesn't ask in between.
fn is_too_deep(text: &str, language: Language) -> bool {
    const MOST_DEPTH: usize = 1000;
    let ends_at_lines = [Language::Go, Language::Python].contains(&language);
    let (mut brackets, mut operators, mut last) = (0_usize, 0_usize, 0);
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b'<' | b'=' | b'?' if byte != last => operators += 1,
            b'>' if last != b'=' => operators = operators.saturating_sub(1),
            b';' | b'{' | b'}' => (brackets, operators) = (0, 0),
            b'#' if last == b'\n' => operators = 0,
            b'\n' if ends_at_lines => operators = 0,
            _ => {}
        }
        last = byte;
        brackets.max(operators) > MOST_DEPTH
    })
}

fn parse(text: &str, language: Language, deadline: Instant) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&language.grammar()).ok()?;
    let mut ask = |_: &ParseState| match Instant::now() > deadline {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let options = ParseOptions::new().progress_callback(&mut ask);
    parser.parse_with_options(&mut |at, _| text.as_bytes().get(at..).unwrap_or_default(), None, Some(options))
}

struct Reader<'t> {
    /// The part that is being read.
    text: &'t str,
    /// Where it begins in the text.
    offset: usize,
    headings: Vec<Heading>,
}

/// What came last in a scope.
struct Last {
    /// The number of definitions around it.
    depth: usize,
    end: usize,
    /// Where the comments begin that end here.
    comments: Option<usize>,
    /// Whether it is a definition, or comments behind one.
    is_defined: bool,
}

impl Reader<'_> {
    /// Adds the headings of what is defined in a node, `depth` definitions deep.
    fn scope(&mut self, node: Node<'_>, depth: usize) {
        let mut last = Last { depth, end: node.start_byte(), comments: None, is_defined: false };
        self.siblings(node, &mut last, 0);
        self.end_comments(&mut last);
    }

    fn siblings(&mut self, node: Node<'_>, last: &mut Last, wrappers: usize) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            let between = &self.text[last.end.min(child.start_byte())..child.start_byte()];
            let lines = between.bytes().filter(|&byte| byte == b'\n').count();
            let definition = definition(child, self.text);
            match NodeKind::of(child.kind()) {
                NodeKind::Comment if lines == 0 && last.end > node.start_byte() => {}
                NodeKind::Comment => {
                    if lines > 1 {
                        self.end_comments(last);
                    }
                    last.comments = last.comments.or(Some(child.start_byte()));
                }
                _ if let Some(definition) = definition => {
                    if lines > 1 {
                        self.end_comments(last);
                    }
                    let start = last.comments.take().unwrap_or(child.start_byte());
                    self.define(start, last.depth, &definition);
                    last.is_defined = true;
                }
                NodeKind::Wrapper if wrappers < DEEPEST => {
                    self.end_definitions(last, child.start_byte());
                    self.siblings(child, last, wrappers + 1);
                }
                _ => self.end_definitions(last, child.start_byte()),
            }
            last.end = child.start_byte() + self.text[child.byte_range()].trim_end().len();
        }
    }

    fn define(&mut self, start: usize, depth: usize, definition: &Definition<'_>) {
        let level = u8::try_from(depth + 1).unwrap_or(u8::MAX);
        // The line that opens a container goes with its first member, unless there is more to it.
        let opening = definition.body.filter(|_| start == definition.start).map(|body| {
            let brace = self.text[body.byte_range()].starts_with('{');
            line_start(self.text, body.start_byte() + usize::from(brace))
        });
        let start = line_start(self.text, start);
        let end = opening.unwrap_or(start);
        self.push(start..end, level, definition.title.clone());
        if let Some(body) = definition.body.filter(|_| depth < DEEPEST) {
            self.scope(body, depth + 1);
        }
    }

    fn push(&mut self, range: Range<usize>, level: u8, title: String) {
        let (start, end) = (self.offset + range.start, self.offset + range.end);
        self.headings.push(Heading { start, end, level, title });
    }

    /// Comments that stand apart describe nothing that follows.
    fn end_comments(&mut self, last: &mut Last) {
        if let Some(comments) = last.comments {
            self.end_definitions(last, comments);
        }
    }

    /// From here on, or from the comments above on, the text is of no definition of the scope.
    fn end_definitions(&mut self, last: &mut Last, start: usize) {
        let start = last.comments.take().unwrap_or(start);
        if std::mem::take(&mut last.is_defined) {
            let start = line_start(self.text, start);
            let level = u8::try_from(last.depth + 1).unwrap_or(u8::MAX);
            self.push(start..start, level, String::new());
        }
    }
}

/// The start of the line, if there is only white space between.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].trim_end_matches([' ', '\t']).len()
}

struct Definition<'n> {
    start: usize,
    /// Such as `impl Reader` or `struct Last`.
    title: String,
    /// What holds further definitions.
    body: Option<Node<'n>>,
}

fn definition<'n>(node: Node<'n>, text: &str) -> Option<Definition<'n>> {
    let start = node.start_byte();
    let named = |word: &str, name: &str| one_line(&format!("{word} {name}"));
    let body = node.child_by_field_name("body");
    let name = || node.child_by_field_name("name").map(|name| &text[name.byte_range()]);
    match (NodeKind::of(node.kind()), node.kind()) {
        (NodeKind::Prefix, _) => {
            let mut cursor = node.walk();
            let inner = node.named_children(&mut cursor).find_map(|inner| definition(inner, text));
            inner.map(|inner| Definition { start, ..inner })
        }
        (NodeKind::Container(_), "impl_item") => {
            let title = one_line(&text[start..body?.start_byte()]);
            Some(Definition { start, title, body })
        }
        // Without a body it is declared here and defined elsewhere.
        (NodeKind::Container(word), _) => {
            body.map(|_| Definition { start, title: named(word, name().unwrap_or_default()), body })
        }
        (NodeKind::Definition(_), "enum_specifier" | "union_specifier") if body.is_none() => None,
        (NodeKind::Definition(word), "type_declaration") => {
            let spec = node.named_child(0)?.child_by_field_name("name")?;
            Some(Definition { start, title: named(word, &text[spec.byte_range()]), body: None })
        }
        (NodeKind::Definition(word), _) => {
            let name = name().or_else(|| declared_name(node, text))?;
            let owner =
                node.child_by_field_name("receiver").map(|receiver| owner(&text[receiver.byte_range()]));
            let name = owner.map_or(name.to_owned(), |owner| format!("{owner}.{name}"));
            Some(Definition { start, title: named(word, &name), body: None })
        }
        // A namespace of TypeScript is an expression.
        (_, "expression_statement") if node.named_child(0)?.kind() == "internal_module" => {
            definition(node.named_child(0)?, text)
        }
        _ => assigned_name(node, text).map(|title| Definition { start, title: one_line(title), body: None }),
    }
}

/// The type in a receiver of Go, such as `(s *Server)`.
fn owner(receiver: &str) -> &str {
    receiver.trim_matches(['(', ')', ' ']).rsplit([' ', '*']).next().unwrap_or_default()
}

/// The name in a declarator of C: `*name(arguments)`.
fn declared_name<'t>(node: Node<'_>, text: &'t str) -> Option<&'t str> {
    const DEEPEST_DECLARATOR: usize = 8;
    let mut declarator = node.child_by_field_name("declarator")?;
    for _ in 0..DEEPEST_DECLARATOR {
        let inner = declarator.child_by_field_name("declarator").or_else(|| {
            let is_reference = declarator.kind() == "reference_declarator";
            is_reference.then(|| declarator.named_child(0)).flatten()
        });
        match inner {
            Some(inner) => declarator = inner,
            None => break,
        }
    }
    Some(&text[declarator.byte_range()])
}

/// The name that JavaScript gives to a function by assigning it.
fn assigned_name<'t>(node: Node<'_>, text: &'t str) -> Option<&'t str> {
    let (name, value) = match node.kind() {
        "lexical_declaration" | "variable_declaration" if node.named_child_count() == 1 => {
            let declarator = node.named_child(0)?;
            (declarator.child_by_field_name("name")?, declarator.child_by_field_name("value")?)
        }
        "expression_statement" if node.named_child(0)?.kind() == "assignment_expression" => {
            let assignment = node.named_child(0)?;
            (assignment.child_by_field_name("left")?, assignment.child_by_field_name("right")?)
        }
        "field_definition" | "public_field_definition" => {
            let name = node.child_by_field_name("property").or_else(|| node.child_by_field_name("name"));
            (name?, node.child_by_field_name("value")?)
        }
        _ => return None,
    };
    let is_function =
        ["arrow_function", "function_expression", "generator_function", "class"].contains(&value.kind());
    is_function.then(|| &text[name.byte_range()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str, language: Language) -> Vec<String> {
        let outline = Outline::with_breaks(definitions(text, language));
        (0..outline.headings().len()).map(|index| outline.titles(&outline.path(index)).join(" > ")).collect()
    }

    #[test]
    fn functions_and_types_stand_under_what_encloses_them() {
        let rust = "//! Doc.\nuse a;\n\n/// A pump.\n#[derive(Debug)]\nstruct Pump;\n\nimpl<T> Run for Pump {\n    \
                    /// Runs.\n    fn run() { fn inner() {} }\n}\n\nconst X: u8 = 1;\n\nmod deep {\n    fn f() {}\n}\n";
        let expected = [
            "struct Pump",
            "impl<T> Run for Pump",
            "impl<T> Run for Pump > fn run",
            "",
            "mod deep",
            "mod deep > fn f",
        ];
        assert_eq!(titles(rust, Language::Rust), expected);
        let python = "import a\n\n@once\nclass Pump(Base):\n    \"\"\"Doc.\"\"\"\n    def run(self):\n        pass\n\
            \nasync def go():\n    pass\n\ngo()\n";
        assert_eq!(titles(python, Language::Python), ["class Pump", "class Pump > run", "go", ""]);
        let script = "export class Pump {\n  run() {}\n  stop = () => {};\n}\nexport const go = async () => 1;\n\
            module.exports.end = function () {};\n";
        assert_eq!(
            titles(script, Language::JavaScript),
            ["class Pump", "class Pump > run", "class Pump > stop", "go", "module.exports.end"]
        );
        let typed = "namespace water {\n  interface Pump { on: boolean }\n  type Flow = number;\n}\nabstract class A \
            { abstract f(): void; g(): void {} }\n";
        assert_eq!(
            titles(typed, Language::TypeScript),
            [
                "namespace water",
                "namespace water > interface Pump",
                "namespace water > type Flow",
                "class A",
                "class A > g"
            ]
        );
        let go =
            "package a\n\n// Pump runs.\ntype Pump struct{}\n\nfunc (p *Pump) Run() {}\nfunc main() {}\n";
        assert_eq!(titles(go, Language::Go), ["type Pump", "Pump.Run", "function main"]);
        let cpp = "namespace water {\ntemplate <class T> class Pump {\n public:\n  int run() { return 1; }\n};\n}\n\
            void *water::stop(int a) {}\n";
        assert_eq!(
            titles(cpp, Language::Cpp),
            [
                "namespace water",
                "namespace water > class Pump",
                "namespace water > class Pump > run",
                "water::stop"
            ]
        );
        let java = "package a;\npublic class Pump {\n  @Override\n  public void run() {}\n  Pump() {}\n}\ninterface \
            B { int f(); }\n";
        assert_eq!(
            titles(java, Language::Java),
            ["class Pump", "class Pump > run", "class Pump > Pump", "interface B", "interface B > f"]
        );
    }

    #[test]
    fn comments_go_with_what_they_stand_above() {
        let text = "int a; // of a\n\n/* about f */\nint f(void) { return 1; }\n\n// of nothing\n\n// about g\nint \
            g(void) { return 2; }\n";
        let headings = definitions(text, Language::C);
        let starts: Vec<&str> =
            headings.iter().map(|heading| text[heading.start..].lines().next().unwrap()).collect();
        assert_eq!(starts, ["/* about f */", "// of nothing", "// about g"]);
    }

    #[test]
    fn broken_code_has_an_outline_and_hostile_code_has_none() {
        let broken = "fn f( {\n\nfn g() { 1 }\n\nimpl X {\n    fn h() {}\n";
        assert!(
            titles(broken, Language::Rust)
                .iter()
                .any(|title| title.contains("fn g") || title.contains("fn h"))
        );
        for (text, language) in [("a<", Language::Java), ("x=>", Language::C), ("f(", Language::Python)] {
            assert_eq!(titles(&text.repeat(20_000), language), [""; 0]);
        }
    }

    #[test]
    fn long_files_are_parsed_in_parts() {
        let text = "/* about f */\nint f(void) {\n\n    return 1;\n}\n\n".repeat(4000);
        let headings = definitions(&text, Language::C);
        assert_eq!(headings.len(), 4000);
        assert!(headings.iter().all(|heading| text[heading.start..].starts_with("/* about f")));
    }
}
