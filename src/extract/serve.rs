//! What runs in the child process.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crossbeam_channel::unbounded;

use super::extractor::{Content, Extractor, Found};
use super::frames::{Limits, Reply, path_of, read, read_json, write, write_json};
use super::in_process::InProcess;
use super::text::Unreadable;
use super::unpack;

/// Formats nest: what reads them recurses.
const STACK_BYTES: usize = 256 << 20;

/// Serves a [`ChildProcess`](super::ChildProcess): reads the files that it asks for until its end of the pipe closes.
///
/// An application that reads other formats than text calls this in a process of its own, for instance where its own
/// program is started with an argument that nobody else knows:
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     if std::env::args().nth(1).as_deref() == Some("--read-files") {
///         return retune::extract::serve();
///     }
///     // ...
///     std::process::ExitCode::SUCCESS
/// }
/// ```
pub fn serve() -> ExitCode {
    let (ask, asked) = unbounded::<PathBuf>();
    let mut input = io::stdin().lock();
    if let Ok(Some(Limits { memory_bytes })) = read_json(&mut input) {
        limit_memory(memory_bytes);
    }
    std::panic::set_hook(Box::new(|_| {}));
    let worker = std::thread::Builder::new().name("reader".into()).stack_size(STACK_BYTES);
    let started = worker.spawn(move || {
        let mut output = BufWriter::new(io::stdout().lock());
        for path in asked {
            if answer(&path, &mut output).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    if started.is_err() {
        return ExitCode::FAILURE;
    }
    // While a file is read, this thread sees the pipe close, and ends the process with whatever it is in.
    while let Ok(Some(path)) = read(&mut input) {
        if ask.send(path_of(path)).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

/// Prints the text of a file, without a child process: to see what a reader makes of it.
///
/// # Errors
/// If the file can't be read.
pub fn print(file: &Path, output: &mut dyn Write) -> Result<(), Unreadable> {
    let mut failed = Ok(());
    let read = InProcess.extract(file, &mut |Found { path, content }| {
        let written = match content {
            Content::Extracted(extracted) => writeln!(output, "{}", extracted.text),
            Content::Text(bytes) => output.write_all(&bytes),
            Content::Unreadable(why) => writeln!(output, "[{path}: {why}]"),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Err(Unreadable::Failed(error.to_string()));
                ControlFlow::Break(())
            }
        }
    });
    read.and(failed)
}

fn answer(path: &Path, output: &mut dyn Write) -> io::Result<()> {
    let mut broken = None;
    let done = catch_unwind(AssertUnwindSafe(|| {
        unpack::file(path, &mut |found| {
            reply(found, output).map_err(|error| {
                let message = Unreadable::Failed(error.to_string());
                broken = Some(error);
                message
            })
        })
    }));
    if let Some(error) = broken {
        return Err(error);
    }
    let done = done.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        Err(Unreadable::Failed(format!("what reads it failed: {message}")))
    });
    write_json(output, &Reply::End(done))?;
    output.flush()
}

fn reply(found: Found, output: &mut dyn Write) -> io::Result<()> {
    let Found { path, content } = found;
    match content {
        Content::Extracted(extracted) => write_json(output, &Reply::Extracted { path, extracted })?,
        Content::Text(bytes) => {
            write_json(output, &Reply::Text { path })?;
            write(output, &bytes)?;
        }
        Content::Unreadable(why) => write_json(output, &Reply::Unreadable { path, why })?,
    }
    // Each is a sign of life.
    output.flush()
}

#[cfg(target_os = "linux")]
fn limit_memory(bytes: u64) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // The stack of the thread that reads is memory too, though hardly any of it is used.
    let limit = Some(bytes + STACK_BYTES as u64);
    let _ = setrlimit(Resource::Data, Rlimit { current: limit, maximum: limit });
    // Nobody wants the remains of a crash.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_: u64) {}
