//! Bad examples, and good ones, for the tests of the rules.

use crate::violations;

pub fn check(files: &[(&str, &str)]) -> Vec<String> {
    violations(&files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
}

/// Checks that the one violation in a file is of this rule, at this line.
#[track_caller]
pub fn refuses(path: &str, text: &str, line: usize, rule: &str) {
    let found = check(&[(path, text)]);
    let expected = format!("{path}:{line}: [{rule}]");
    assert!(found.len() == 1 && found[0].starts_with(&expected), "expected {expected}, found {found:#?}");
}

#[track_caller]
pub fn accepts(path: &str, text: &str) {
    assert_eq!(check(&[(path, text)]), Vec::<String>::new());
}

#[test]
fn a_file_that_is_not_rust_is_reported() {
    refuses("src/dense/mod.rs", "fn f( {\n", 1, "syntax");
}
