//! What is started at login.

use std::fmt;
use std::path::{Path, PathBuf};

use retune::{Digest, Error, Result};

use crate::cli::args::Place;

/// Of the environment what a service needs that is started without a shell.
const KEPT: [&str; 3] = ["RETUNE_MODEL", "RETUNE_CACHE", "HF_HOME"];

/// A service for one index.
pub(super) struct Unit {
    /// Letters, digits and `-`; another for each index.
    pub(super) name: String,
    /// What is served.
    pub(super) index: PathBuf,
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    pub(super) environment: Vec<(&'static str, String)>,
}

/// A program with its arguments.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    pub(super) program: &'static str,
    pub(super) arguments: Vec<String>,
}

impl Unit {
    /// Serves an index that must exist.
    pub(super) fn of(place: &Place, port: Option<u16>) -> Result<Unit> {
        let index = place.existing()?;
        let index =
            index.canonicalize().map_err(|source| Error::Io { doing: "resolve", path: index, source })?;
        let program = std::env::current_exe().map_err(|source| Error::Io {
            doing: "find",
            path: "this program".into(),
            source,
        })?;
        let mut command = vec![text(&program)?, "serve".into(), "--index".into(), text(&index)?];
        command.extend(port.map(|port| format!("--port={port}")));
        let environment = KEPT.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
        Ok(Unit { name: name_of(&index), environment: environment.collect(), index, command })
    }
}

/// The name of the folder that is indexed, as far as it fits, and what tells it from others of that name.
fn name_of(index: &Path) -> String {
    let folder = index.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let folder: String = folder.chars().take(24).map(fits).collect();
    let digest = Digest::of(index.as_os_str().as_encoded_bytes()).to_string();
    format!("retune-{folder}-{digest:.6}")
}

fn text(path: &Path) -> Result<String> {
    let fits = path.to_str().filter(|path| !path.contains(char::is_control));
    fits.map(str::to_string).ok_or_else(|| Error::Invalid {
        what: "the path of a service",
        found: format!("{path:?}"),
        expected: "one in UTF-8 without line breaks: a unit can't name it".into(),
    })
}

impl Call {
    pub(super) fn new(program: &'static str, arguments: &[&str]) -> Call {
        Call { program, arguments: arguments.iter().map(|one| one.to_string()).collect() }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}
