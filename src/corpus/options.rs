//! Options for reading folders and cutting texts.

use serde::{Deserialize, Serialize};

use super::config::Config;
use crate::error::{Error, Result};

/// How folders are read and texts are cut into chunks.
///
/// ```
/// use retune::CorpusOptions;
///
/// let options = CorpusOptions::default().with_max_tokens(192).with_extensions(["md", "rst"]);
/// assert!(options.validate().is_ok());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CorpusOptions {
    /// The longest text of a chunk, in tokens, without special tokens. Default 256, or less where the encoder reads
    /// less.
    ///
    /// Title and text are encoded together. An index that asks for more than its encoder reads is not made.
    pub max_tokens: Option<usize>,
    /// The longest title of a chunk, in tokens. Longer heading paths lose their middle, then their beginning. A single
    /// heading that is too long is cut. Default 64, or less where `max_tokens` or the encoder leave less.
    pub max_title_tokens: Option<usize>,
    /// Larger files are skipped. Default: as in the last run over the folder, or 10 MiB for text, 256 MiB for what an
    /// extractor reads, 4 GiB for archives and mailboxes.
    pub max_file_bytes: Option<u64>,
    /// What to read of that which is left out by default: `dependencies`, `build` and `generated`, or single folders
    /// and files by their names, such as `vendor`. Default: as in the last run over the folder, or nothing.
    ///
    /// - `dependencies`: `node_modules`, `bower_components`, `jspm_packages`, `site-packages`, `vendor`, `vendored`,
    ///   `third_party`, `third-party`, `venv`, and folders with a `pyvenv.cfg`.
    /// - `build`: `target`, `__pycache__`, `_build`, folders with a `CACHEDIR.TAG`, and `build`, `dist` and `out`
    ///   beside a file that builds, such as `Makefile` or `package.json`.
    /// - `generated`: minified JavaScript and CSS, source maps, lock files such as `Cargo.lock`.
    pub include: Option<Vec<String>>,
    /// If not empty, only files with one of these extensions are read. Without the dot, in any case; `""` selects
    /// files without an extension. Default empty: every file with readable text.
    pub extensions: Vec<String>,
    /// Whether to follow symbolic links to files and folders, even out of the folder. A link to a folder that contains
    /// it is reported and not followed. Default false: links are reported as skipped.
    pub follow_links: bool,
    /// Of the `retune.toml`s that apply to the folder.
    pub(crate) configs: Vec<Config>,
    /// The language of the documents, if it is not the index's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
}

impl CorpusOptions {
    /// The smallest allowed limit on a chunk's tokens. Shorter chunks carry no meaning.
    pub const LEAST_TOKENS: usize = 8;

    /// The default of [`max_file_bytes`](Self::max_file_bytes) for text.
    pub const MAX_FILE_BYTES: u64 = 10 << 20;

    /// Sets [`max_tokens`](Self::max_tokens).
    pub fn with_max_tokens(mut self, tokens: usize) -> Self {
        self.max_tokens = Some(tokens);
        self
    }

    /// Sets [`max_title_tokens`](Self::max_title_tokens).
    pub fn with_max_title_tokens(mut self, tokens: usize) -> Self {
        self.max_title_tokens = Some(tokens);
        self
    }

    /// Sets [`max_file_bytes`](Self::max_file_bytes).
    pub fn with_max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = Some(bytes);
        self
    }

    /// Sets [`include`](Self::include).
    pub fn with_include<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.include = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets [`extensions`](Self::extensions).
    pub fn with_extensions<S: Into<String>>(mut self, extensions: impl IntoIterator<Item = S>) -> Self {
        self.extensions = extensions.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`follow_links`](Self::follow_links).
    pub fn with_follow_links(mut self, yes: bool) -> Self {
        self.follow_links = yes;
        self
    }

    /// Checks the options.
    ///
    /// # Errors
    /// [`Error::Invalid`], which names the option.
    pub fn validate(&self) -> Result<()> {
        let long_enough = |what, asked: Option<usize>| match asked {
            Some(tokens) if tokens < Self::LEAST_TOKENS => {
                Err(Error::invalid(what, tokens, format!("at least {}", Self::LEAST_TOKENS)))
            }
            _ => Ok(()),
        };
        long_enough("corpus option max_tokens", self.max_tokens)?;
        long_enough("corpus option max_title_tokens", self.max_title_tokens)?;
        if self.max_file_bytes == Some(0) {
            return Err(Error::invalid("corpus option max_file_bytes", 0, "at least 1"));
        }
        let mut names = self.include.iter().flatten();
        if let Some(wrong) = names.find(|name| name.is_empty() || name.contains(['/', '\\'])) {
            return Err(Error::invalid(
                "corpus option include",
                format!("{wrong:?}"),
                "a name without slashes",
            ));
        }
        if let Some(wrong) = self.extensions.iter().find(|e| e.contains(['.', '/', '\\'])) {
            return Err(Error::invalid(
                "corpus option extensions",
                format!("{wrong:?}"),
                "the part of a file name after its last dot, such as \"md\"",
            ));
        }
        Ok(())
    }

    /// Adds the rules of the `retune.toml` in the index, which may ask for more than is read by default.
    pub(crate) fn with_own_config(mut self, config: Option<Config>) -> Self {
        if let Some(config) = config {
            self.max_file_bytes = self.max_file_bytes.or(config.max_file_bytes);
            self.include = self.include.or(config.read.clone());
            self.configs.push(config.patterns_alone());
        }
        self
    }

    /// Adds the rules of the `retune.toml` in the folder, which only narrow what is read.
    pub(crate) fn with_folder_config(mut self, config: Option<Config>) -> Self {
        self.configs.extend(config);
        self
    }

    /// Whether to read files with this extension.
    pub(super) fn selects(&self, extension: &str) -> bool {
        self.configs.iter().all(|config| config.selects(extension))
            && (self.extensions.is_empty()
                || self.extensions.iter().any(|e| e.eq_ignore_ascii_case(extension)))
    }

    /// The length of the largest file that is read, of a kind with this `default`.
    pub(super) fn largest_file(&self, default: u64) -> u64 {
        let own = self.max_file_bytes.unwrap_or(default);
        self.configs.iter().filter_map(|config| config.max_file_bytes).fold(own, u64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_refused() {
        assert!(CorpusOptions::default().validate().is_ok());
        assert!(CorpusOptions::default().with_max_tokens(7).validate().is_err());
        assert!(CorpusOptions::default().with_max_title_tokens(0).validate().is_err());
        assert!(CorpusOptions::default().with_max_file_bytes(0).validate().is_err());
        assert!(CorpusOptions::default().with_extensions([".md"]).validate().is_err());
        assert!(CorpusOptions::default().with_include(["a/target"]).validate().is_err());
    }

    #[test]
    fn missing_fields_take_their_defaults_when_read() {
        let read: CorpusOptions = serde_json::from_str(r#"{"max_tokens": 100}"#).unwrap();
        assert_eq!(read, CorpusOptions::default().with_max_tokens(100));
    }

    #[test]
    fn extensions_select_in_any_case() {
        let options = CorpusOptions::default().with_extensions(["MD", ""]);
        assert!(options.selects("md") && options.selects("") && !options.selects("txt"));
    }
}
