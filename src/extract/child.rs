//! Reading in child processes: what ends there ends one file.

use std::ffi::OsString;
use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::extractor::{Content, Extractor, Found};
use super::frames::{Limits, Reply, path_bytes, read, read_json, write, write_json};
use super::text::Unreadable;

/// Reads files in child processes of a program that calls [`serve`](super::serve). A child that crashes, hangs or wants
/// too much memory costs the file that it read, and the next file gets a new one.
///
/// A child lives for many files, and as many run as threads ask for files. They end when this is dropped, or when its
/// process ends, however it does.
#[derive(Debug)]
pub struct ChildProcess {
    program: PathBuf,
    arguments: Vec<OsString>,
    memory_bytes: u64,
    patience: Duration,
    idle: Mutex<Vec<Running>>,
}

impl ChildProcess {
    /// The default of [`with_memory_bytes`](Self::with_memory_bytes).
    pub const MEMORY_BYTES: u64 = 2 << 30;
    /// The default of [`with_patience`](Self::with_patience).
    pub const PATIENCE: Duration = Duration::from_secs(60);

    /// With a program and its arguments: for the application's own program [`std::env::current_exe`].
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        ChildProcess {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            memory_bytes: Self::MEMORY_BYTES,
            patience: Self::PATIENCE,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Sets how much memory a child may hold. Only Linux enforces it. Default 2 GiB.
    pub fn with_memory_bytes(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// Sets how long a child may take for one document, or until the next one of a container. Default one minute.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Running>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> io::Result<Running> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the application: it would end the file that is read, which would be skipped for that.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("no pipes"));
        };
        // What is found waits here while the application is busy with what was found before.
        let (send, replies) = bounded(2);
        let named = |name: &str| std::thread::Builder::new().name(name.into());
        let reading = named("retune-extract").spawn(move || pass_on(stdout, &send))?;
        let complaints = named("retune-extract-log").spawn(move || first_words(stderr))?;
        let mut stdin = BufWriter::new(stdin);
        write_json(&mut stdin, &Limits { memory_bytes: self.memory_bytes })?;
        Ok(Running {
            child,
            stdin: Some(stdin),
            replies,
            reading: Some(reading),
            complaints: Some(complaints),
        })
    }
}

impl Extractor for ChildProcess {
    fn extract(&self, file: &Path, give: &mut dyn FnMut(Found) -> ControlFlow<()>) -> Result<(), Unreadable> {
        let waiting = self.idle().pop();
        let started = waiting.map_or_else(|| self.start(), Ok);
        let mut running = started.map_err(|error| {
            let program = self.program.display();
            Unreadable::Failed(format!("the process that reads it could not be started ({program}): {error}"))
        })?;
        match running.read(file, self.patience, give) {
            Ok(done) => {
                self.idle().push(running);
                done
            }
            Err(Interrupted::TooSlow) => {
                running.end();
                let seconds = self.patience.as_secs_f64();
                Err(Unreadable::Failed(format!("what reads it was ended after {seconds} s without a result")))
            }
            Err(Interrupted::Gone) => Err(Unreadable::Failed(running.end())),
            Err(Interrupted::Ended) => {
                running.end();
                Ok(())
            }
        }
    }
}

/// A child that reads files.
#[derive(Debug)]
struct Running {
    child: Child,
    stdin: Option<BufWriter<ChildStdin>>,
    replies: Receiver<Message>,
    reading: Option<JoinHandle<()>>,
    complaints: Option<JoinHandle<String>>,
}

enum Interrupted {
    TooSlow,
    Gone,
    /// Nobody wants more of the file.
    Ended,
}

/// What a child says, with the bytes of a text.
enum Message {
    Found(Found),
    End(Result<(), Unreadable>),
}

impl Running {
    /// Reads one file. The inner result is what the child says of it.
    fn read(
        &mut self,
        file: &Path,
        patience: Duration,
        give: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<Result<(), Unreadable>, Interrupted> {
        let asked =
            self.stdin.as_mut().map(|stdin| write(stdin, &path_bytes(file)).and_then(|()| stdin.flush()));
        if !matches!(asked, Some(Ok(()))) {
            return Err(Interrupted::Gone);
        }
        loop {
            match self.replies.recv_timeout(patience) {
                Ok(Message::Found(found)) => {
                    if give(found).is_break() {
                        return Err(Interrupted::Ended);
                    }
                }
                Ok(Message::End(done)) => return Ok(done),
                Err(RecvTimeoutError::Timeout) => return Err(Interrupted::TooSlow),
                Err(RecvTimeoutError::Disconnected) => return Err(Interrupted::Gone),
            }
        }
    }

    /// Ends the process, if it has not ended, and says how it did.
    fn end(&mut self) -> String {
        drop(self.stdin.take());
        let ended = match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            // Its end of the pipe closes before it has ended.
            _ if self.reading.as_ref().is_some_and(JoinHandle::is_finished) => self.child.wait(),
            _ => self.child.kill().and_then(|()| self.child.wait()),
        };
        // The thread may wait to pass on what nobody takes any more.
        while self.replies.recv().is_ok() {}
        self.reading.take().map(JoinHandle::join);
        let words = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        ended.map_or_else(|error| error.to_string(), |status| how_it_ended(status, &words))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stdin.is_some() {
            self.end();
        }
    }
}

fn how_it_ended(status: ExitStatus, words: &str) -> String {
    if words.contains("memory allocation of") {
        return "what reads it wanted more memory than it may have, and was ended".into();
    }
    if words.contains("overflowed its stack") {
        return "what reads it crashed: it is nested too deeply".into();
    }
    format!("what reads it crashed ({status})")
}

/// Passes on what a child says, until it ends or says nonsense.
fn pass_on(mut stdout: ChildStdout, to: &crossbeam_channel::Sender<Message>) {
    while let Ok(Some(reply)) = read_json::<Reply>(&mut stdout) {
        let found = |path, content| Message::Found(Found { path, content });
        let message = match reply {
            Reply::Extracted { path, extracted } if extracted.is_sound() => {
                found(path, Content::Extracted(extracted))
            }
            Reply::Extracted { path, .. } => {
                let why = "what reads it gave offsets that don't fit its text".into();
                found(path, Content::Unreadable(Unreadable::Failed(why)))
            }
            Reply::Text { path } => match read(&mut stdout) {
                Ok(Some(bytes)) => found(path, Content::Text(bytes)),
                _ => return,
            },
            Reply::Unreadable { path, why } => found(path, Content::Unreadable(why)),
            Reply::End(done) => Message::End(done),
        };
        if to.send(message).is_err() {
            return;
        }
    }
}

/// The first words on a stream that is read to its end, so that nobody waits for it.
fn first_words(mut stderr: ChildStderr) -> String {
    const MOST: usize = 2 << 10;
    let (mut words, mut buffer) = (Vec::new(), [0; 512]);
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        let room = MOST - words.len().min(MOST);
        words.extend_from_slice(&buffer[..count.min(room)]);
    }
    String::from_utf8_lossy(&words).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> ChildProcess {
        ChildProcess::new("/bin/sh", ["-c", script])
    }

    fn failure(child: &ChildProcess) -> String {
        let found = child.extract(Path::new("/nowhere"), &mut |found| panic!("{found:?}"));
        match found {
            Err(Unreadable::Failed(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_way_to_end_is_named_and_the_next_file_gets_another_child() {
        let crashing = shell("kill -ABRT $$");
        for _ in 0..2 {
            assert!(failure(&crashing).contains("crashed"), "{}", failure(&crashing));
        }
        let hungry = shell("echo memory allocation of 9 bytes failed >&2; cat >/dev/null & kill -ABRT $$");
        assert!(failure(&hungry).contains("memory"), "{}", failure(&hungry));
        let deep = shell("echo thread main has overflowed its stack >&2; kill -ABRT $$");
        assert!(failure(&deep).contains("nested"), "{}", failure(&deep));
        assert!(failure(&shell("echo nonsense; cat >/dev/null")).contains("crashed"));
        assert!(failure(&ChildProcess::new("/no/such/program", ["x"])).contains("could not be started"));
    }

    #[test]
    fn a_child_of_which_nobody_wants_more_is_ended() {
        // A frame with a reply, for ever.
        let reply = r#"{"Unreadable":{"path":"a","why":"Binary"}}"#;
        let script = format!("while :; do printf '\\{:o}\\0\\0\\0%s' '{reply}'; done", reply.len());
        let endless = shell(&script);
        let mut count = 0;
        let done = endless.extract(Path::new("/nowhere"), &mut |_| {
            count += 1;
            if count < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert_eq!((done, count), (Ok(()), 3));
        assert!(endless.idle().is_empty(), "it is in the middle of a file");
    }

    #[test]
    fn a_child_that_says_nothing_is_ended() {
        let silent = shell("exec sleep 1000").with_patience(Duration::from_millis(50));
        let started = Instant::now();
        assert!(failure(&silent).contains("without a result"));
        assert!(started.elapsed() < Duration::from_secs(500), "it was not waited for");
        assert!(silent.idle().is_empty());
    }
}
