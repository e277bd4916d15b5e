//! `durable`, `third-party` and `unsafe`: things that only some rooms may do.

use crate::examples::{accepts, refuses};
use crate::source::Source;
use crate::tokens::around;

const UNSAFE_ROOMS: [&str; 3] = ["encoder", "dense", "feedback"];

/// Checks for things that only some rooms may do.
pub fn check_privileges(source: &Source<'_>, found: &mut Vec<String>) {
    for (at, token) in source.tokens.iter().enumerate() {
        let (previous, next) = around(&source.tokens, at);
        match token.text.as_str() {
            name @ ("sync_all" | "sync_data" | "persist" | "persist_noclobber" | "rename")
                // Called or imported; `#[serde(rename = "…")]` does not rename files.
                if (matches!(previous, "." | "::") || matches!(next, "," | "}"))
                    && source.room != "storage"
                    && !source.in_test(token.line) =>
            {
                source.report(found, token.line, "durable", format!("{name}: ask storage for it"));
            }
            "tantivy" if source.room != "lexical" => {
                source.report(found, token.line, "third-party", "only lexical names tantivy".into());
            }
            "usearch" if source.path != "src/dense/live.rs" => {
                let what = "only dense/live.rs names usearch".into();
                source.report(found, token.line, "third-party", what);
            }
            "unsafe" => check_unsafe(source, token.line, found),
            _ => {}
        }
    }
}

fn check_unsafe(source: &Source<'_>, line: usize, found: &mut Vec<String>) {
    if !UNSAFE_ROOMS.contains(&source.room) {
        source.report(
            found,
            line,
            "unsafe",
            format!("not in {}, only in {}", source.room, UNSAFE_ROOMS.join(", ")),
        );
    } else if !has_safety_comment(source, line) {
        source.report(found, line, "unsafe", "say above it, after `// SAFETY:`, why it is sound".into());
    }
}

/// Whether a comment above the statement at `line` justifies it.
fn has_safety_comment(source: &Source<'_>, line: usize) -> bool {
    let mut comment = false;
    for text in source.text.lines().take(line - 1).collect::<Vec<_>>().into_iter().rev().map(str::trim) {
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
