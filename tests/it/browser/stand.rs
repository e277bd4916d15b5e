//! A service over a few documents, and a browser that shows its page.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use retune::access::Own;
use retune::access::api::Asked;
use retune::serve::{ServeOptions, Server};
use retune::{Engine, Options, Verdict};
use serde_json::json;

use super::chromium::Chromium;
use crate::common;

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
        "//! The pump.\n\n/// Primes the sulking pump with two buckets.\nfn prime(buckets: u8) -> u8 {\n    buckets * 2\n}\n",
    ),
    ("boots.md", "# Boots\n\nBoots are issued in spring; worn soles are exchanged at the store.\n"),
];

/// A service and a browser.
pub struct Stand {
    pub page: Chromium,
    pub url: String,
    pub files: PathBuf,
    engine: Engine,
    server: Option<Server>,
    _folder: tempfile::TempDir,
}

impl Stand {
    /// Shows the page of a service over some notes. `None` where no browser is installed.
    pub fn open() -> Option<Stand> {
        let stand = Stand::over(&NOTES)?;
        Some(stand)
    }

    /// The same over these files.
    pub fn over(files: &[(&str, &str)]) -> Option<Stand> {
        let page = Chromium::start()?;
        let folder = tempfile::tempdir().unwrap();
        let notes = folder.path().join("notes");
        for (name, text) in files {
            let file = notes.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let options = Options::default().with_model(common::tiny_model());
        let engine = Engine::open(folder.path().join("index"), options).unwrap();
        if !files.is_empty() {
            engine.index_folder(&notes, &mut |_| ControlFlow::Continue(())).unwrap();
        }
        let server = Server::start(engine.clone(), &ServeOptions::default().with_port(0)).unwrap();
        let url = server.url().to_string();
        let mut stand = Stand { page, url, files: notes, engine, server: Some(server), _folder: folder };
        stand.go("");
        Some(stand)
    }

    /// Goes to an address of the page: what stands behind `/`.
    pub fn go(&mut self, rest: &str) {
        self.page.open(&format!("{}{rest}", self.url));
    }

    /// Types a query and waits for its results.
    pub fn search(&mut self, text: &str) {
        self.page.eval("document.getElementById('query').focus()");
        self.page.write(text);
        self.page.wait("document.querySelectorAll('.hit').length > 0");
        self.page.wait(&format!("document.title === {}", json!(format!("{text} – retune"))));
    }

    /// What was asked of the index, the latest first.
    pub fn asked(&self) -> Vec<Asked> {
        Own::new(self.engine.clone()).recent().unwrap()
    }

    /// Waits until this was said of a document in the latest answer; nothing after it was taken back.
    pub fn expect(&self, document: &str, verdict: Option<Verdict>) {
        let said = || {
            let latest = self.asked().into_iter().next()?;
            let last = latest.picked.into_iter().rfind(|picked| picked.document == document)?;
            (last.verdict != Verdict::Withdrawn).then_some(last.verdict)
        };
        until(&format!("{document} is {verdict:?}"), || said() == verdict);
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Stops the service.
    pub fn stop(&mut self) {
        self.server.take().unwrap().stop().unwrap();
    }

    /// Asserts that the browser had nothing to complain of.
    pub fn end(self) {
        assert_eq!(self.page.complaints, Vec::<String>::new());
    }
}

/// Waits until something is so.
pub fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
