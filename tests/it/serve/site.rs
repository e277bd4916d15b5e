//! A service over a few documents, and a client that sends what it is told to, byte by byte.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use retune::serve::{ServeOptions, Server};
use retune::{Engine, Options};
use serde_json::Value;
use tempfile::TempDir;

use crate::common;

/// Far longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A service in this process.
pub struct Site {
    pub server: Option<Server>,
    folder: TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Why it was refused.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_string()
    }
}

/// Writes the eight documents into a folder.
pub fn write_documents(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for document in common::documents() {
        let text = format!("# {}\n\n{}\n", document.id, document.text);
        fs::write(folder.join(format!("{}.md", document.id)), text).unwrap();
    }
}

impl Site {
    pub fn start() -> Site {
        Site::with(&ServeOptions::default(), |_| {})
    }

    /// `prepare` gets the folder of the documents before it is indexed.
    pub fn with(options: &ServeOptions, prepare: impl FnOnce(&Path)) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        write_documents(&files);
        prepare(&files);
        let engine = Engine::open(folder.path().join("index"), engine_options()).unwrap();
        engine.index_folder(&files, &mut |_| ControlFlow::Continue(())).unwrap();
        let server = Server::start(engine, &options.clone().with_port(0)).unwrap();
        Site { server: Some(server), folder }
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub fn index(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    pub fn address(&self) -> SocketAddr {
        self.server().address()
    }

    /// `GET /api/v1/{path}`.
    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", &format!("/api/v1/{path}"), &[], "")
    }

    /// `POST /api/v1/{path}` as the page does.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        let headers = [("Content-Type", "application/json"), ("X-Retune", self.server().token())];
        self.ask("POST", &format!("/api/v1/{path}"), &headers, &body.to_string())
    }

    /// A request with the right host, unless the headers name another.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        ask(self.address(), method, path, headers, body)
    }
}

pub fn engine_options() -> Options {
    common::options()
}

pub fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text += &format!("Host: {address}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    send(address, &format!("{text}\r\n{body}"))
}

/// Sends bytes as they are and reads to the end.
pub fn send(address: SocketAddr, bytes: &str) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    parse(&answer)
}

pub fn parse(answer: &[u8]) -> Reply {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer with a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_string()))
        .collect();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = answer[end + 4..].to_vec();
    Reply { status, headers, body: if chunked { whole(&body) } else { body } }
}

/// The body of a chunked answer.
fn whole(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = chunks.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&chunks[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            break;
        }
        body.extend_from_slice(&chunks[line + 2..line + 2 + length]);
        chunks = &chunks[line + 4 + length..];
    }
    body
}

/// Waits until `holds`.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 50 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come");
}

/// A service as a program of its own.
pub struct Program {
    process: Child,
    pub url: String,
    index: PathBuf,
}

impl Program {
    /// Serves the folder on a free port and waits until it says where.
    pub fn serve(folder: &Path, args: &[&str]) -> Program {
        let mut process = Command::new(env!("CARGO_BIN_EXE_retune"))
            .args([&["--json", "serve", "--port", "0"], args].concat())
            .current_dir(folder)
            .env("RETUNE_MODEL", common::tiny_model())
            .env("RETUNE_CACHE", folder.join("cache"))
            .env_remove("RETUNE_LOG")
            .env_remove("RETUNE_TOKEN")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let url = started["url"].as_str().unwrap().to_string();
        Program { process, url, index: folder.join(".retune") }
    }

    pub fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether the service is found in the index folder.
    pub fn is_asked_over_the_socket(&self) -> bool {
        retune::access::Served::find(&self.index).is_some()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end. Returns the exit code; none if it was killed.
    pub fn ended(&mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal("TERM");
            _ = self.process.wait();
        }
    }
}
