//! The finder in a terminal of its own.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use retune::Verdict;
use retune::access::{Access, api};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::harness::{documents, json, retune_with, stderr};
use crate::common;

/// How long something may take that comes at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a terminal of 24 rows of 80 columns.
struct Desk {
    child: Child,
    controller: File,
    /// The other end, to ask for its modes.
    terminal: File,
    parser: Arc<Mutex<vt100::Parser>>,
}

impl Desk {
    /// Runs the program with these arguments, and what else it is to find in its environment.
    fn start(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Desk {
        Desk::start_with(folder, args, env, None)
    }

    fn start_with(folder: &Path, args: &[&str], env: &[(&str, &str)], output: Option<Stdio>) -> Desk {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&controller, size).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let end = || Stdio::from(terminal.try_clone().unwrap());
        // In a session of its own, with this terminal as the one that the session has.
        let child = Command::new("setsid")
            .args(["--ctty", env!("CARGO_BIN_EXE_retune")])
            .args(args)
            .current_dir(folder)
            .env("RETUNE_MODEL", common::tiny_model())
            .env("TERM", "xterm")
            .env_remove("RETUNE_LOG")
            .env_remove("VISUAL")
            .envs(env.iter().copied())
            .stdin(end())
            .stdout(output.unwrap_or_else(end))
            .stderr(end())
            .spawn()
            .unwrap();
        let controller = File::from(controller);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(24, 80, 0)));
        let (mut reader, screen) = (controller.try_clone().unwrap(), Arc::clone(&parser));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                screen.lock().unwrap().process(&bytes[..count]);
            }
        });
        Desk { child, controller, terminal, parser }
    }

    fn screen(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    fn send(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a text at once: what is shown for it is never the answer to a part of it.
    fn paste(&mut self, text: &str) {
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Waits until the screen shows this.
    fn shows(&self, text: &str) {
        self.waits(&format!("{text:?} is shown"), || self.screen().contains(text));
    }

    fn waits(&self, what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < PATIENCE, "{what}\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    fn is_taken(&self) -> bool {
        self.parser.lock().unwrap().screen().alternate_screen()
    }

    /// Waits for the end. The terminal is as it was before.
    fn ends(&mut self) -> i32 {
        let status = self.child.wait().unwrap();
        self.waits("the terminal is given back", || !self.is_taken() && !self.is_raw());
        assert!(!self.parser.lock().unwrap().screen().hide_cursor());
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
}

fn indexed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    folder
}

/// The queries of the log, the latest first.
fn log(folder: &Path) -> Vec<api::Asked> {
    let access = Access::find(&folder.join(".retune"), common::options().with_lazy_model(true)).unwrap();
    access.recent(&api::LogRequest::default()).unwrap().queries
}

/// What was said of documents, in order.
fn said(asked: &api::Asked) -> Vec<(&str, Verdict)> {
    asked.picked.iter().map(|pick| (pick.document.as_str(), pick.verdict)).collect()
}

/// An editor that writes down how it was called, and runs this.
fn editor(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("editor.sh");
    fs::write(&path, format!("#!/bin/sh\necho \"$@\" >> '{}'\n{script}\n", folder.join("calls").display()))
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn what_is_opened_and_what_is_not_this_are_in_the_log() {
    let folder = indexed();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    // Looks like emacs, so that it gets the line.
    fs::rename(editor(folder.path(), ""), bin.join("emacs")).unwrap();
    let emacs = bin.join("emacs").display().to_string();
    let mut desk = Desk::start(folder.path(), &["find"], &[("EDITOR", &emacs)]);
    desk.shows("Type what you look for.");
    assert!(desk.is_taken() && desk.is_raw());
    desk.paste("descaled kettle");
    desk.shows("> kettle");
    // The passage in its context.
    desk.shows("── kettle.md");
    desk.send("\r");
    desk.shows("kettle (opened)");
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    let file = folder.path().canonicalize().unwrap().join("kettle.md");
    assert_eq!(calls, format!("+3:1 {}\n", file.display()));
    desk.send("\x1b[B\x04");
    desk.shows("(not this)");
    desk.send("\x1b");
    assert_eq!(desk.ends(), 0);
    let log = log(folder.path());
    let asked: Vec<&str> = log.iter().map(|one| one.query.as_str()).collect();
    assert_eq!(asked, ["descaled kettle"], "nothing of what was typed on the way");
    let said = said(&log[0]);
    assert_eq!(said[0], ("kettle.md", Verdict::Opened));
    assert!(said.len() == 2 && said[1].1 == Verdict::NotRelevant && said[1].0 != "kettle.md", "{said:?}");
    assert!(log[0].session.as_deref().unwrap().starts_with("find:"));
}

#[test]
fn who_is_back_from_the_editor_at_once_has_picked_nothing() {
    let folder = indexed();
    let editor = editor(folder.path(), "sleep 0.7");
    let mut desk = Desk::start(folder.path(), &["find", "green", "lamp"], &[("EDITOR", &editor)]);
    desk.shows("── lamp.md");
    desk.send("\r");
    desk.shows("You came back at once: not counted.");
    desk.send("\x03");
    assert_eq!(desk.ends(), 0);
    let log = log(folder.path());
    assert_eq!(said(&log[0]), [("lamp.md", Verdict::Opened), ("lamp.md", Verdict::Withdrawn)]);
}

#[test]
fn a_query_that_rests_is_logged_and_the_terminal_is_given_back_to_sigterm() {
    let folder = indexed();
    let mut desk = Desk::start(folder.path(), &["find"], &[]);
    desk.shows("documents");
    desk.paste("swing bridge");
    desk.shows("> fog");
    desk.waits("it is logged", || log(folder.path()).iter().any(|asked| asked.query == "swing bridge"));
    // `setsid` has become the program.
    let program = desk.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &program]).status().unwrap().success());
    assert_eq!(desk.ends(), 0);
    assert_eq!(log(folder.path()).len(), 1);
}

#[test]
fn what_is_picked_is_printed_where_that_is_asked_for() {
    let folder = indexed();
    let printed = folder.path().join("printed");
    let output = Stdio::from(File::create(&printed).unwrap());
    let args = ["find", "--print", "frayed", "ropes"];
    let mut desk = Desk::start_with(folder.path(), &args, &[("EDITOR", "false")], Some(output));
    desk.shows("── rope.md");
    desk.send("\r");
    assert_eq!(desk.ends(), 0);
    let path = fs::read_to_string(&printed).unwrap();
    assert_eq!(Path::new(path.trim_end()), folder.path().canonicalize().unwrap().join("rope.md"));
    assert_eq!(said(&log(folder.path())[0]), [("rope.md", Verdict::Opened)]);
}

#[cfg(feature = "serve")]
#[test]
fn a_running_service_is_asked_and_may_end() {
    use retune::Engine;
    use retune::serve::{ServeOptions, Server};

    let folder = indexed();
    let engine = Engine::open(folder.path().join(".retune"), common::options()).unwrap();
    let server = Server::start(engine, &ServeOptions::default().with_port(0)).unwrap();
    let mut desk = Desk::start(folder.path(), &["find"], &[]);
    desk.shows("Type what you look for.");
    desk.paste("frayed ropes");
    desk.shows("> rope");
    desk.send("\x19");
    desk.shows("(right answer)");
    let is_noted =
        || log(folder.path()).first().is_some_and(|one| said(one) == [("rope.md", Verdict::Chosen)]);
    desk.waits("it is noted", is_noted);
    let served = log(folder.path());
    server.stop().unwrap();
    desk.send("\x15");
    desk.paste("green lamp");
    desk.shows("> lamp");
    desk.send("\x04");
    desk.shows("(not this)");
    desk.send("\x1b");
    assert_eq!(desk.ends(), 0);
    let log = log(folder.path());
    assert_eq!((&*log[0].query, said(&log[0])), ("green lamp", vec![("lamp.md", Verdict::NotRelevant)]));
    assert_eq!(log[0].session, served[0].session);
}

#[test]
fn without_a_terminal_it_refuses_in_a_line() {
    let folder = indexed();
    for (env, why) in
        [(&[("TERM", "xterm")][..], "standard input that is none"), (&[("TERM", "dumb")], "is none")]
    {
        let output = retune_with(folder.path(), &["find"], env);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1));
        assert!(said.lines().count() == 1 && said.contains(why) && said.contains("retune search"), "{said}");
    }
    let mut desk = Desk::start(folder.path(), &["find"], &[("TERM", "dumb")]);
    assert_eq!(desk.ends(), 1);
    desk.shows("found TERM=dumb");
}
