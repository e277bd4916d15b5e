//! An agent that sends what it is told to, line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::{Value, json};

use crate::common;

/// The program in `folder` with the tiny model.
pub fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
    command.args(args).current_dir(folder).env("RETUNE_MODEL", common::tiny_model()).env_remove("RETUNE_LOG");
    command
}

pub struct Wire {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Wire {
    pub fn open(folder: &Path) -> Wire {
        let mut command = program(folder, &["mcp"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Wire { child, input, output }
    }

    /// The same, with the handshake done.
    pub fn connected(folder: &Path) -> Wire {
        let mut wire = Wire::open(folder);
        wire.ask(&initialize("2025-06-18"));
        wire.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        wire
    }

    pub fn say(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next line, which must be a message of the protocol.
    pub fn hear(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "the program has ended");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    pub fn ask(&mut self, message: &Value) -> Value {
        self.say(&message.to_string());
        self.hear()
    }

    /// Closes the program's input. Returns what it still says, and how it ended.
    pub fn hang_up(mut self) -> (Vec<Value>, ExitStatus) {
        drop(self.input.take());
        let rest = self.output.by_ref().lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let rest = rest.collect();
        (rest, self.child.wait().unwrap())
    }
}

/// The protocol's example of a handshake.
pub fn initialize(version: &str) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": version,
            "capabilities": { "roots": { "listChanged": true }, "sampling": {}, "elicitation": {} },
            "clientInfo": { "name": "ExampleClient", "title": "Example Client Display Name", "version": "1.0.0" }
        }
    })
}
