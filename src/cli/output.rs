//! Text or JSON on standard output; progress bars on standard error, only on a terminal.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use retune::{Error, Result};
use serde::Serialize;

/// Where results go.
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Prints `value` as JSON, or what `text` makes of it.
    pub(super) fn print<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
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

    /// A line for people that is no result: left out in JSON.
    pub(super) fn say(&self, text: &str) {
        if !self.json {
            // Nobody may be listening any more; the result still counts.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }

    /// A bar that counts to `total`; invisible unless standard error is a terminal.
    pub(super) fn bar(&self, what: &'static str, total: u64) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg:20} {wide_bar} {human_pos}/{human_len} {eta:>5}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A bar over bytes of text to be encoded, with the rate and the time that is left; invisible unless standard error is a
    /// terminal.
    pub(super) fn text_bar(&self, bytes: u64) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let template =
            "{msg:20} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta:>5} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// For work whose size isn't known; invisible unless standard error is a terminal.
    pub(super) fn spinner(&self) -> ProgressBar {
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(200));
        spinner
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Io { doing: "write to", path: "standard output".into(), source }
}
