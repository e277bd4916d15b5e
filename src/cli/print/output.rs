//! Text or JSON on standard output.

use std::io::{ErrorKind, Write};

use retune::{Error, Result};
use serde::Serialize;

/// Where results go.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Prints `value` as JSON, or as the text that `text` makes of it.
    pub(crate) fn print<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        let mut line = match self.json {
            true => serde_json::to_string(value).map_err(|e| failed(e.into()))?,
            false => text(value),
        };
        line.push('\n');
        let written = std::io::stdout().lock().write_all(line.as_bytes());
        match written {
            // The reader has seen enough: `retune search … | head -1`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(failed),
        }
    }

    /// Prints a line that is not part of the result; nothing with JSON.
    pub(crate) fn say(&self, text: &str) {
        if !self.json {
            // The reader may have gone; the result still counts.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Io { doing: "write to", path: "standard output".into(), source }
}
