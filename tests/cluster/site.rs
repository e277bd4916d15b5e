//! A service over an index on a cluster, and a client of its API.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use retune::serve::{ServeOptions, Server};
use serde_json::{Value as Json, json};

use crate::common::tiny_model;
use crate::support::{Index, agent};
use crate::validate::problems;

/// A service in this process, or in one of its own.
pub struct Site {
    pub url: String,
    token: String,
    kept: Kept,
}

enum Kept {
    Here(Option<Box<Server>>),
    Beside(Child),
}

impl Site {
    pub fn start(index: &Index) -> Site {
        let server = Server::start_on_cluster(index.open(), &ServeOptions::default().with_port(0)).unwrap();
        let (url, token) = (server.url().to_string(), server.token().to_string());
        Site { url, token, kept: Kept::Here(Some(Box::new(server))) }
    }

    /// The program.
    pub fn beside(index: &Index) -> Site {
        let token = "0123456789abcdef".to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
        command.args(["--json", "serve", "--port", "0", "--store", &index.store()]);
        command.env("RETUNE_MODEL", tiny_model()).env("RETUNE_TOKEN", &token);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Json = serde_json::from_str(&line).unwrap();
        assert_eq!(started["index"], index.store());
        Site { url: started["url"].as_str().unwrap().into(), token, kept: Kept::Beside(child) }
    }

    /// What `GET /api/v1/…` answers, as it is described.
    pub fn get(&self, path: &str) -> Json {
        let (status, answer) = self.try_get(path);
        assert_eq!(status, 200, "{path}: {answer}");
        let described: Json = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
        let name = path.split('?').next().unwrap();
        let content = &described["paths"][format!("/{name}")]["get"]["responses"]["200"]["content"];
        let found = problems(&described, &content["application/json"]["schema"], &answer);
        assert!(found.is_empty(), "{path}: {found:#?}");
        answer
    }

    pub fn try_get(&self, path: &str) -> (u16, Json) {
        let request = agent().get(format!("{}api/v1/{path}", self.url)).header("x-retune", &self.token);
        answer(request.call().unwrap())
    }

    /// What `POST /api/v1/…` answers.
    pub fn post(&self, path: &str, body: &Json) -> Json {
        let (status, answer) = self.try_post(path, body);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub fn try_post(&self, path: &str, body: &Json) -> (u16, Json) {
        let request = agent().post(format!("{}api/v1/{path}", self.url));
        let request = request.header("x-retune", &self.token).header("content-type", "application/json");
        answer(request.send(body.to_string()).unwrap())
    }

    /// Searches, and returns the answer's id with its documents.
    pub fn search(&self, q: &str) -> (String, Vec<String>) {
        let answer = self.get(&format!("search?q={}", q.replace(' ', "+")));
        let id = answer["query_id"].as_str().unwrap().to_string();
        let documents = answer["hits"].as_array().unwrap().iter();
        (id, documents.map(|hit| hit["document"].as_str().unwrap().to_string()).collect())
    }

    pub fn judge(&self, query_id: &str, document: &str, verdict: &str) {
        let said = json!({ "query_id": query_id, "document": document, "verdict": verdict });
        assert_eq!(self.post("judge", &said), json!({}));
    }

    /// Ends it as the system does.
    pub fn stop(mut self) {
        match &mut self.kept {
            Kept::Here(server) => server.take().unwrap().stop().unwrap(),
            Kept::Beside(child) => {
                let process = child.id().to_string();
                assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
                assert!(child.wait().unwrap().success());
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Kept::Beside(child) = &mut self.kept {
            // It may have ended.
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

fn answer(mut answer: ureq::http::Response<ureq::Body>) -> (u16, Json) {
    let text = answer.body_mut().read_to_string().unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (answer.status().as_u16(), json)
}
