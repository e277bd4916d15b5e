//! The house rules that a program can check. Each has a test with a bad example.
//!
//! | rule | requires |
//! |---|---|
//! | `imports` | a room imports only rooms below it in the table of rooms |
//! | `cycles` | the files of a room don't import each other in a circle |
//! | `file-size`, `function-size` | 800 lines a file with its tests, 70 lines a function that is not a test |
//! | `line-length` | 120 characters, in sources, the files of the page and Markdown documents |
//! | `page` | the page's scripts parse no HTML, and none of its files loads anything from elsewhere |
//! | `durable` | only `storage` renames or syncs files |
//! | `third-party` | only `lexical` names tantivy, only `dense/live.rs` usearch |
//! | `unfinished` | no `todo!`, `unimplemented!`, `#[ignore]` |
//! | `unwrap` | no `.unwrap()` outside tests |
//! | `unsafe` | only in `encoder`, `dense`, `feedback`, each below a comment with `SAFETY:` |
//!
//! Test code (`#[cfg(test)]`, `#[test]`, and the files of such modules) is exempt from `imports`, `cycles`, `durable`,
//! `unwrap` and `function-size`.

mod cycles;
mod examples;
mod imports;
mod page;
mod privileges;
mod sizes;
mod source;
mod tokens;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use source::{Source, test_modules};

#[test]
fn the_sources_keep_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    for folder in ["src", "tests", "examples", "benches"] {
        read_files(root, &root.join(folder), "rs", &mut files);
    }
    read_files(root, &root.join("docs"), "md", &mut files);
    for extension in page::EXTENSIONS {
        read_files(root, &root.join(page::ASSETS), extension, &mut files);
    }
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        files.insert(name.to_string(), fs::read_to_string(root.join(name)).unwrap());
    }
    for name in ["src/lib.rs", "tests/tidy/main.rs", "docs/format.md", "src/serve/assets/app.js"] {
        assert!(files.contains_key(name), "{name} was not found");
    }
    let found = violations(&files);
    assert!(found.is_empty(), "{} violations of the house rules:\n{}", found.len(), found.join("\n"));
}

/// Adds the files with this extension in `folder` and below, by their path from `root`.
fn read_files(root: &Path, folder: &Path, extension: &str, files: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_files(root, &path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Every violation in the files, given by their path from the package's root.
fn violations(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut parsed = BTreeMap::new();
    for (path, text) in files {
        sizes::check_lines(path, text, &mut found);
        if !path.ends_with(".rs") {
            page::check_page(path, text, &mut found);
            continue;
        }
        match syn::parse_file(text) {
            Ok(file) => {
                parsed.insert(path.as_str(), (file, text.as_str()));
            }
            Err(e) => found.push(format!("{path}:{}: [syntax] {e}", e.span().start().line)),
        }
    }
    let exported = parsed.get("src/lib.rs").map(|(file, _)| imports::exports(file)).unwrap_or_default();
    let test_prefixes: Vec<String> =
        parsed.iter().flat_map(|(path, (file, _))| test_modules(path, file)).collect();
    let mut sources = Vec::new();
    for (path, (file, text)) in &parsed {
        let in_src = path.starts_with("src/");
        let is_test = !in_src || test_prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()));
        let source = Source::new(path, text, file, is_test);
        sizes::check_sizes(&source, file, &mut found);
        words::check_words(&source, &mut found);
        if in_src {
            privileges::check_privileges(&source, &mut found);
            imports::check_imports(&source, &exported, &mut found);
        }
        sources.push(source);
    }
    cycles::check_cycles(&sources, &mut found);
    found
}
