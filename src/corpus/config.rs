//! `retune.toml`: rules for what is read of a folder.
//!
//! One in the index is the user's own. One in a folder that is indexed may be anybody's: it can only narrow what is
//! read, and say how. Nothing in either runs anything.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, Serialize};

use super::pattern::never_fits;
use crate::error::{Error, Result};

/// The name of the file.
pub(crate) const CONFIG: &str = "retune.toml";
/// A larger one is nobody's writing.
const MOST_BYTES: u64 = 1 << 20;

/// What a `retune.toml` may say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The file itself.
    #[serde(skip)]
    pub(super) file: PathBuf,
    /// Patterns as in `.gitignore` of what is not read.
    exclude: Vec<String>,
    /// The same of what alone is read. Default: everything.
    pub(super) include: Vec<String>,
    /// Extensions that alone are read. Default: all.
    pub(super) extensions: Vec<String>,
    /// Larger files are skipped.
    pub(crate) max_file_bytes: Option<u64>,
    /// What is read though it is left out otherwise: only in the index.
    pub(crate) read: Option<Vec<String>>,
    /// The language of the documents, by name. Default: the index's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// The longest passage in tokens. Default: as the index was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<usize>,
}

/// The patterns of a configuration, ready to be matched with paths below a folder.
#[derive(Debug)]
pub(super) struct Patterns {
    exclude: Gitignore,
    include: Option<Gitignore>,
}

impl Config {
    /// The configuration in `folder`; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a file that can't be used: to read without its rules could read what they exclude.
    pub(crate) fn read(folder: &Path) -> Result<Option<Config>> {
        let path = folder.join(CONFIG);
        let invalid = |found: String| Error::Invalid {
            what: "the configuration",
            found: format!("{} with {found}", path.display()),
            expected: "a file as docs/cli.md describes it; mend or remove it".into(),
        };
        match std::fs::metadata(&path) {
            Ok(file) if file.len() > MOST_BYTES => return Err(invalid(format!("{} bytes", file.len()))),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let config: Config = toml::from_str(&text).map_err(|error| invalid(error.message().to_string()))?;
        config.patterns(folder).map_err(|error| invalid(error.to_string()))?;
        if let Some(why) = config.fits_nothing(folder) {
            return Err(invalid(why));
        }
        Ok(Some(Config { file: path, ..config }))
    }

    /// A rule that nothing can fit, and why.
    fn fits_nothing(&self, folder: &Path) -> Option<String> {
        let patterns = self.exclude.iter().chain(&self.include);
        let mut unfit = patterns.filter_map(|pattern| Some((pattern, never_fits(pattern, folder)?)));
        if let Some((pattern, why)) = unfit.next() {
            return Some(format!("the pattern {pattern:?}, which fits no path: {why}"));
        }
        if !self.include.is_empty() && self.include.iter().all(|pattern| pattern.starts_with('!')) {
            return Some("patterns of \"include\" that only leave out: nothing would be read".into());
        }
        let named = |extension: &&String| !extension.contains(['.', '*', '/', '\\']);
        let wrong = self.extensions.iter().find(|extension| !named(extension))?;
        Some(format!(
            "the extension {wrong:?}, which no file has: write what follows the last dot, such as \"md\""
        ))
    }

    /// The configuration of a folder that anybody may have written.
    ///
    /// # Errors
    /// As [`read`](Config::read); [`Error::Invalid`] if it asks for more than is read without it.
    pub(crate) fn read_untrusted(folder: &Path) -> Result<Option<Config>> {
        let config = Config::read(folder)?;
        match config.as_ref().is_some_and(|config| config.read.is_some()) {
            true => Err(Error::Invalid {
                what: "the configuration",
                found: format!("{} with \"read\"", folder.join(CONFIG).display()),
                expected:
                    "this in the retune.toml of the index alone: one in a folder can only narrow what is read"
                        .into(),
            }),
            false => Ok(config),
        }
    }

    /// What of it only narrows what is read.
    pub(super) fn patterns_alone(self) -> Config {
        Config { max_file_bytes: None, read: None, language: None, max_tokens: None, ..self }
    }

    pub(super) fn patterns(&self, root: &Path) -> Result<Patterns, ignore::Error> {
        let build = |lines: &[String]| {
            let mut builder = GitignoreBuilder::new(root);
            lines.iter().try_for_each(|line| builder.add_line(None, line).map(drop))?;
            builder.build()
        };
        let include = (!self.include.is_empty()).then(|| build(&self.include)).transpose()?;
        Ok(Patterns { exclude: build(&self.exclude)?, include })
    }

    /// Whether files with this extension are read.
    pub(super) fn selects(&self, extension: &str) -> bool {
        self.extensions.is_empty() || self.extensions.iter().any(|one| one.eq_ignore_ascii_case(extension))
    }
}

impl Patterns {
    /// Whether a folder is entered.
    pub(super) fn enters(&self, folder: &Path) -> bool {
        !self.exclude.matched(folder, true).is_ignore()
    }

    /// Whether a file is read, in a folder that was entered.
    pub(super) fn reads(&self, file: &Path) -> bool {
        let included = |include: &Gitignore| include.matched_path_or_any_parents(file, false).is_ignore();
        !self.exclude.matched(file, false).is_ignore() && self.include.as_ref().is_none_or(included)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Option<Config>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG), text).unwrap();
        Config::read_untrusted(folder.path())
    }

    #[test]
    fn patterns_choose_files() {
        let text =
            "exclude = [\"drafts/\", \"*.log\"]\ninclude = [\"docs/**\", \"*.md\"]\nextensions = [\"MD\"]";
        let config = config(text).unwrap().unwrap();
        let root = Path::new("/root");
        let patterns = config.patterns(root).unwrap();
        assert!(!patterns.enters(&root.join("a/drafts")) && patterns.enters(&root.join("a")));
        for (path, read) in
            [("docs/a.txt", true), ("x/y.md", true), ("x/y.txt", false), ("docs/z.log", false)]
        {
            assert_eq!(patterns.reads(&root.join(path)), read, "{path}");
        }
        assert!(config.selects("md") && !config.selects("txt"));
    }

    #[test]
    fn what_cannot_be_used_or_widens_is_refused() {
        for (text, word) in [
            ("exclude = 7", "sequence"),
            ("run = \"rm\"", "unknown field"),
            ("exclude = [\"[z-a]\"]", "[z-a]"),
            ("read = [\"dependencies\"]", "narrow"),
            ("max_file_bytes = -1", "integer"),
            ("exclude = [\"./drafts\"]", "no path has ."),
            ("include = [\"docs\\\\a\"]", "divide paths by /"),
            ("include = [\"!docs\"]", "nothing would be read"),
            ("extensions = [\".md\"]", "last dot"),
        ] {
            let error = config(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert_eq!(Config::read_untrusted(tempfile::tempdir().unwrap().path()).unwrap(), None);
    }
}
