//! A service over a few documents, and a browser that shows its page.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use retune::Engine;
use retune::feedback::FeedbackOptions;
use serde_json::{Value, json};

use super::chromium::Chromium;
use crate::common::documents;
use crate::common::rounds::by_words;
use crate::serve::site::write_documents;

const NOTES: [(&str, &str); 6] = [
    (
        "kettle.md",
        "# The kettle\n\n## Descaling\n\nThe kettle is descaled with *vinegar* every second Monday.\n\n\
         - Rinse it [twice](https://example.org/rinse).\n- Let it dry.\n\n```sh\nboil --twice\n```\n",
    ),
    ("gate.txt", "A gate that creeps is chocked, and its ram is bled until the pointer rests.\n"),
    ("letters/lamp.md", "# Lamp\n\nThe green lamp burns while the lower pound is level with the river.\n"),
    ("letters/rope.md", "# Rope\n\nFrayed ropes are cut at the whipping and sent ashore for splicing.\n"),
    (
        "pump.rs",
        "//! The pump.\n\n/// Primes the sulking pump with two buckets.\n\
         fn prime(buckets: u8) -> u8 {\n    buckets * 2\n}\n",
    ),
    ("boots.md", "# Boots\n\nBoots are issued in spring; worn soles are exchanged at the store.\n"),
];

/// A service and a browser.
pub struct Stand {
    pub page: Chromium,
    pub url: String,
    /// The folder that is served.
    pub notes: PathBuf,
    service: Child,
    _folder: tempfile::TempDir,
}

impl Stand {
    /// Shows the page of a service over some notes. `None` where no browser is installed.
    pub fn open() -> Option<Stand> {
        Stand::over(&NOTES)
    }

    /// The same over these files.
    pub fn over(files: &[(&str, &str)]) -> Option<Stand> {
        Stand::with(|notes| {
            for (name, text) in files {
                let file = notes.join(name);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            files.len()
        })
    }

    /// The same over the notes, of which `seed` gets the index.
    pub fn seeded(seed: impl FnOnce(&Engine)) -> Option<Stand> {
        Stand::with(|notes| {
            write_documents(notes);
            let options = by_words().with_feedback(FeedbackOptions::default().with_queue(1 << 15));
            let engine = Engine::open(notes.join(".retune"), options).unwrap();
            engine.index_folder(notes, &mut |_| ControlFlow::Continue(())).unwrap();
            seed(&engine);
            engine.close().unwrap();
            documents().len()
        })
    }

    /// The same over what `prepare` puts into the folder: it returns how many documents that are.
    pub fn with(prepare: impl FnOnce(&Path) -> usize) -> Option<Stand> {
        let page = Chromium::start()?;
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes");
        fs::create_dir(&notes).unwrap();
        let documents = prepare(&notes);
        let (service, url) = serve(&notes);
        let mut stand = Stand { page, url, notes, service, _folder: folder };
        stand.go("");
        stand.wait(&format!(
            "answered('status').then(({{ documents, coverage }}) =>
            documents === {documents} && coverage.covered === coverage.chunks)"
        ));
        Some(stand)
    }

    /// Writes a file into the folder and has it read.
    pub fn write(&mut self, name: &str, text: &str) {
        fs::write(self.notes.join(name), text).unwrap();
        self.page.eval(
            "fetch('/api/v1/index', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json',
            'X-Retune': document.querySelector('meta[name=retune-token]').content } })
            .then((answer) => answer.json())",
        );
    }

    /// Goes to an address of the page: what stands behind `/`.
    pub fn go(&mut self, rest: &str) {
        self.page.open(&format!("{}{rest}", self.url));
    }

    /// Waits for an expression that may ask the service with `answered(path)`.
    pub fn wait(&mut self, expression: &str) {
        self.page.wait(&format!("(() => {{ {ANSWERED}; return {expression} }})()"));
    }

    /// What the service answers to `GET /api/v1/…`.
    pub fn ask(&mut self, path: &str) -> Value {
        self.page.eval(&format!("{{ {ANSWERED}; answered({}) }}", json!(path)))
    }

    /// Types a query and waits for its results.
    pub fn search(&mut self, text: &str) {
        self.page.eval("document.getElementById('query').focus()");
        self.page.write(text);
        self.page.wait("document.querySelectorAll('.hit').length > 0");
        self.page.wait(&format!("document.title === {}", json!(format!("{text} – retune"))));
    }

    /// The queries in the log, the latest first, once there are so many.
    pub fn asked(&mut self, count: usize) -> Vec<String> {
        self.wait(&format!("answered('log').then(({{ queries }}) => queries.length >= {count})"));
        let log = self.ask("log");
        log["queries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["query"].as_str().unwrap().to_string())
            .collect()
    }

    /// Waits until this was said of a document in the latest answer, and was not taken back; until nothing was said of
    /// it, if it is `None`.
    pub fn expect(&mut self, document: &str, verdict: Option<&str>) {
        let said = format!(
            "answered('log').then(({{ queries }}) => {{
            const said = queries[0]?.picked.findLast(({{ document }}) => document === {})?.verdict;
            return (said === 'withdrawn' ? null : said ?? null) === {} }})",
            json!(document),
            json!(verdict)
        );
        self.wait(&said);
    }

    /// Stops the service.
    pub fn stop(&mut self) {
        let ended = Command::new("kill").arg(self.service.id().to_string()).status().unwrap();
        assert!(ended.success() && self.service.wait().unwrap().success());
    }

    /// Asserts that the browser had nothing to complain of.
    pub fn end(self) {
        assert_eq!(self.page.complaints, Vec::<String>::new());
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        // A test that has failed already says why.
        if self.service.try_wait().is_ok_and(|ended| ended.is_none()) {
            _ = Command::new("kill").arg(self.service.id().to_string()).status();
            _ = self.service.wait();
        }
    }
}

/// What the service answers, as the page would ask.
const ANSWERED: &str = "const answered = (path) => fetch('/api/v1/' + path).then((answer) => answer.json())";

/// Starts the service and waits until it says where its page is.
fn serve(folder: &Path) -> (Child, String) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_retune"))
        .args(["--json", "serve", "--port", "0"])
        .arg(folder)
        .env("RETUNE_MODEL", Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept open: it may print more.
    let printed = service.stdout.as_mut().unwrap();
    let started = serde_json::Deserializer::from_reader(printed).into_iter::<Value>().next();
    let started = started.unwrap().unwrap();
    (service, started["url"].as_str().unwrap().to_string())
}
