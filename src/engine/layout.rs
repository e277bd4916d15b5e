//! The index folder and the settings that are fixed when it is created.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::options::{Chunking, Options};
use crate::corpus::{CONFIG, Lengths};
use crate::dense::DenseOptions;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::lexical::Language;
use crate::storage::{read_envelope, write_envelope};

const FILE: &str = "retune.json";
const KIND: &str = "index";
const VERSION: u32 = 1;

/// Where everything lies in an index folder.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) path: PathBuf,
}

impl Layout {
    pub(super) fn new(path: &Path) -> Layout {
        Layout { path: path.to_path_buf() }
    }

    /// Creates the folder, unless it is there. One that holds something else than an index is refused: what a crash
    /// has left of an index that was being created is removed, and must not be taken for the user's files.
    pub(super) fn claim(&self) -> Result<()> {
        fs::create_dir_all(&self.path).map_err(Error::io("create the index folder", &self.path))?;
        let ours = ["LOCK", FILE].iter().any(|name| self.path.join(name).exists());
        let mut entries = fs::read_dir(&self.path).map_err(Error::io("list the index folder", &self.path))?;
        // A configuration may be there before the index.
        let other =
            |entry: std::io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != CONFIG);
        if !ours && entries.any(other) {
            let found = format!("{}, which holds other files", self.path.display());
            return Err(Error::invalid("the index folder", found, "a new or empty folder, or an index"));
        }
        Ok(())
    }

    /// The settings of an index that must exist.
    pub(super) fn existing_settings(&self) -> Result<Settings> {
        Settings::read(self)?.ok_or_else(|| Error::NotFound {
            what: "index in",
            id: self.path.display().to_string(),
            remedy: "create one by opening it for writing, or with `retune index DIR`",
        })
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.path.join(FILE)
    }

    pub(super) fn lexical(&self) -> PathBuf {
        self.path.join("lexical")
    }

    pub(super) fn generations(&self) -> PathBuf {
        self.path.join("generations")
    }

    pub(super) fn feedback(&self) -> PathBuf {
        self.path.join("feedback")
    }

    pub(super) fn rounds(&self) -> PathBuf {
        self.path.join("rounds")
    }

    /// Of a trial that goes on.
    pub(super) fn trial(&self) -> PathBuf {
        self.path.join("trial.json")
    }

    /// Of a round that is running, or was when the process ended.
    pub(super) fn checkpoint(&self) -> PathBuf {
        self.rounds().join("checkpoint.bin")
    }
}

/// The settings of an index: `retune.json`. Written last when an index is created: without it there is no index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) language: Language,
    pub(super) chunking: Chunking,
    /// Longest passage and longest title, in tokens of the encoder.
    pub(super) max_tokens: usize,
    pub(super) max_title_tokens: usize,
    pub(super) fusion: Fusion,
    pub(super) dense: DenseOptions,
    /// The last change that was made on a cluster itself and that the index has: the index was brought back from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) edit: Option<u64>,
}

impl Settings {
    /// # Errors
    /// [`Error::Invalid`] if the options ask for longer passages than the encoder reads.
    pub(super) fn of(options: &Options, encoder: &Encoder) -> Result<Settings> {
        let lengths = match options.chunking {
            Chunking::Whole => Lengths::DEFAULT,
            Chunking::Passages => Lengths::of(&options.corpus, reads(encoder.max_tokens()))?,
        };
        Ok(Settings {
            language: options.language,
            chunking: options.chunking,
            max_tokens: lengths.text,
            max_title_tokens: lengths.title,
            fusion: options.fusion,
            dense: DenseOptions::default(),
            edit: None,
        })
    }

    /// How long a passage may be: as was fixed, or shorter where the model's folder says now that it reads less.
    /// `longest_input` is the encoder's, in tokens.
    pub(super) fn lengths(&self, longest_input: usize) -> Lengths {
        Lengths { text: self.max_tokens, title: self.max_title_tokens }.within(reads(longest_input))
    }

    pub(super) fn read(layout: &Layout) -> Result<Option<Settings>> {
        read_envelope(&layout.settings(), KIND, VERSION)
    }

    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        write_envelope(&layout.settings(), KIND, VERSION, self)
    }
}

/// Tokens that the encoder reads of a text, without the two special ones.
pub(super) fn reads(longest_input: usize) -> usize {
    longest_input.saturating_sub(2)
}
