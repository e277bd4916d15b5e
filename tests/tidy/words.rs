//! `unfinished`, `unwrap` and `threads`: words that no room may use.

use crate::examples::{accepts, refuses};
use crate::source::Source;
use crate::tokens::around;

/// Checks the words that no room may use. `unfinished` and `threads` hold in tests too.
pub fn check_words(source: &Source<'_>, found: &mut Vec<String>) {
    for (at, token) in source.tokens.iter().enumerate() {
        let (previous, next) = around(&source.tokens, at);
        match token.text.as_str() {
            word @ ("todo" | "unimplemented") if next == "!" => {
                source.report(found, token.line, "unfinished", format!("{word}! is no implementation"));
            }
            "ignore" if previous == "[" && at > 1 && source.tokens[at - 2].text == "#" => {
                source.report(found, token.line, "unfinished", "an ignored test tests nothing".into());
            }
            "unwrap" if previous == "." && next == "(" && !source.in_test(token.line) => {
                let what = "give the error, or `expect` with the reason why it can't be".into();
                source.report(found, token.line, "unwrap", what);
            }
            "mpsc" if at.checked_sub(4).is_some_and(|from| source.tokens[from].text == "tokio") => {}
            "mpsc" | "spawn_scoped" => {
                source.report(found, token.line, "threads", format!("{}: use crossbeam's", token.text));
            }
            "scope" if previous == "::" && source.tokens[at - 2].text == "thread" => {
                let of = |back: usize| at.checked_sub(back).map(|at| source.tokens[at].text.as_str());
                if of(4) != Some("crossbeam_utils") {
                    source.report(found, token.line, "threads", "std's scope: use crossbeam's".into());
                }
            }
            _ => {}
        }
    }
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
fn channels_and_scoped_threads_are_crossbeams() {
    for code in
        ["std::sync::mpsc::channel()", "std::thread::scope(g)", "thread::scope(g)", "b.spawn_scoped(s, g)"]
    {
        refuses("src/dense/mod.rs", &format!("fn f() {{\n {code};\n}}\n"), 2, "threads");
        refuses("tests/cli.rs", &format!("#[test]\nfn f() {{ {code}; }}\n"), 2, "threads");
    }
    accepts("src/serve/calls.rs", "use tokio::sync::mpsc::channel;\n");
    accepts("src/dense/mod.rs", "use crossbeam_utils::thread::scope;\nfn f() { scope(g); a::scope(); }\n");
}
