//! A program in a terminal of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::common;

/// How long something may take that comes at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a terminal of 24 rows of 80 columns.
pub struct Desk {
    pub child: Child,
    controller: File,
    /// The other end, to ask for its modes.
    terminal: File,
    parser: Arc<Mutex<vt100::Parser>>,
}

impl Desk {
    /// Runs the program with these arguments, and what else it is to find in its environment.
    pub fn start(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Desk {
        Desk::start_with(folder, args, env, None)
    }

    pub fn start_with(folder: &Path, args: &[&str], env: &[(&str, &str)], output: Option<Stdio>) -> Desk {
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

    pub fn screen(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    pub fn send(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a text at once: what is shown for it is never the answer to a part of it.
    pub fn paste(&mut self, text: &str) {
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Waits until the screen shows this.
    pub fn shows(&self, text: &str) {
        self.waits(&format!("{text:?} is shown"), || self.screen().contains(text));
    }

    pub fn waits(&self, what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < PATIENCE, "{what}\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    pub fn is_taken(&self) -> bool {
        self.parser.lock().unwrap().screen().alternate_screen()
    }

    /// Waits for the end. The terminal is as it was before.
    pub fn ends(&mut self) -> i32 {
        let status = self.child.wait().unwrap();
        self.waits("the terminal is given back", || !self.is_taken() && !self.is_raw());
        assert!(!self.parser.lock().unwrap().screen().hide_cursor());
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
}
