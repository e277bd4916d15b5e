//! The two streams: results on standard output, as text or JSON; everything else on standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use retune::terminal::{escaped, escaped_json};
use retune::{Error, Result};
use serde::Serialize;

use super::text::Text;

/// Where results go.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints `value` as JSON, or as the text that `text` makes of it.
    pub(crate) fn print<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> Text) -> Result<()> {
        if !self.json {
            return finished(write(&text(value)));
        }
        let json = serde_json::to_string(value).map_err(|e| failed(e.into()))?;
        raw(format!("{}\n", escaped_json(&json)).as_bytes())
    }

    /// Prints what is not part of the result; nothing with JSON.
    pub(crate) fn say(&self, text: &Text) {
        if !self.json {
            // The reader may have gone; the result still counts.
            let _ = write(text);
        }
    }
}

/// Prints bytes that the program has made itself, such as a man page.
pub(crate) fn raw(bytes: &[u8]) -> Result<()> {
    finished(io::stdout().lock().write_all(bytes))
}

/// Prints an error as one line on standard error.
pub(crate) fn complain(message: &str) {
    // Nowhere is left to tell that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "retune: {}", escaped(message));
}

/// Colours and links go where `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM` say, and else to a terminal.
fn write(text: &Text) -> io::Result<()> {
    // The library takes any value of this one for a yes.
    let unforced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value == "0");
    let mut stream = match unforced && !io::stdout().is_terminal() {
        true => anstream::AutoStream::never(io::stdout().lock()),
        false => anstream::stdout().lock(),
    };
    stream.write_all(text.render().as_bytes())?;
    stream.flush()
}

fn finished(written: io::Result<()>) -> Result<()> {
    match written {
        // The reader has seen enough: `retune search … | head -1`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(failed),
    }
}

fn failed(source: io::Error) -> Error {
    Error::Io { doing: "write to", path: "standard output".into(), source }
}

/// Messages of the log while they are held back.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Does something that has the whole screen. The log's messages come after it.
pub(crate) fn without_log<T>(run: impl FnOnce() -> T) -> T {
    *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    let done = run();
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    held.into_iter().flatten().for_each(|message| tell(&message));
    done
}

fn tell(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(message));
}

/// One message of the log: a line on standard error, whatever stands in it.
#[derive(Default)]
pub(crate) struct LogLine(Vec<u8>);

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let message = String::from_utf8_lossy(&self.0);
        match &mut *HELD.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => held.push(message.trim_end().to_string()),
            None => tell(message.trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_wait_for_what_has_the_screen() {
        let held = || HELD.lock().unwrap().clone();
        let seen = without_log(|| {
            LogLine::default().write_all(b"a warning\n").unwrap();
            held()
        });
        assert_eq!(seen, Some(vec!["a warning".to_string()]));
        assert_eq!(held(), None);
    }
}
