//! Which of the rules for a folder nothing in it fits: most are spelled wrong.

use std::collections::BTreeSet;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::config::Config;
use super::left_out;
use super::options::CorpusOptions;

/// What asks for files, and whether anything of a folder fits it. Each rule is a line for the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fits {
    /// What something fits.
    pub(crate) found: BTreeSet<String>,
    /// What nothing fits.
    pub(crate) missing: BTreeSet<String>,
}

/// Finds what fits while a folder is walked through.
#[derive(Debug)]
pub(super) struct Fitting {
    open: Vec<Rule>,
    found: BTreeSet<String>,
}

#[derive(Debug)]
struct Rule {
    line: String,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Something with this name that is left out otherwise.
    Name(String),
    /// A file with this path.
    Pattern(Gitignore),
    /// A file with this extension.
    Extension(String),
}

impl Fitting {
    /// All that asks for files in the folder `root`.
    pub(super) fn of(options: &CorpusOptions, root: &Path) -> Fitting {
        let names = options.include.iter().flatten().filter(|name| !left_out::is_known(name));
        let names = names.map(|name| Rule {
            line: format!(
                "{name:?}, which --include or \"read\" asks for, is the name of nothing that is left out: there are \
                 dependencies, build and generated, and folders and files by their names, such as vendor"
            ),
            what: What::Name(name.clone()),
        });
        let configs = options.configs.iter().flat_map(|config| rules_of(config, root));
        Fitting { open: names.chain(configs).collect(), found: BTreeSet::new() }
    }

    /// Takes note of something in the folder, read or not.
    pub(super) fn see(&mut self, path: &Path, is_folder: bool) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let fits = |rule: &Rule| match &rule.what {
            What::Name(asked) => {
                is_folder && name.eq_ignore_ascii_case(asked) && left_out::folder(path, &[]).is_some()
            }
            What::Pattern(pattern) => {
                !is_folder && pattern.matched_path_or_any_parents(path, false).is_ignore()
            }
            What::Extension(asked) => !is_folder && extension.eq_ignore_ascii_case(asked),
        };
        let found = &mut self.found;
        self.open.retain(|rule| {
            let fits = fits(rule);
            if fits {
                found.insert(rule.line.clone());
            }
            !fits
        });
    }

    pub(super) fn end(self) -> Fits {
        Fits { found: self.found, missing: self.open.into_iter().map(|rule| rule.line).collect() }
    }
}

fn rules_of(config: &Config, root: &Path) -> Vec<Rule> {
    let file = config.file.display();
    // One that leaves out again asks for nothing.
    let patterns = config.include.iter().filter(|pattern| !pattern.starts_with('!'));
    let patterns = patterns.filter_map(|pattern| {
        let mut builder = GitignoreBuilder::new(root);
        builder.add_line(None, pattern).ok()?;
        let line = format!("no file fits the pattern {pattern:?} of \"include\" in {file}");
        Some(Rule { line, what: What::Pattern(builder.build().ok()?) })
    });
    let extensions = config.extensions.iter().map(|extension| Rule {
        line: format!("no file has the extension {extension:?} of \"extensions\" in {file}"),
        what: What::Extension(extension.clone()),
    });
    patterns.chain(extensions).collect()
}
