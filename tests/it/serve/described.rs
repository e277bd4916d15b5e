//! docs/openapi.json against the service: every path is asked, and every answer is as described.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::site::{PATIENCE, Reply, Site, until};
use super::validate::problems;

fn description() -> Value {
    let text = include_str!("../../../docs/openapi.json");
    serde_json::from_str(text).unwrap()
}

/// Asks a described service, and notes what was asked.
struct Asker {
    site: Site,
    description: Value,
    asked: BTreeSet<String>,
}

impl Asker {
    fn operation(&self, method: &str, path: &str) -> Value {
        let found = &self.description["paths"][path][method];
        assert!(!found.is_null(), "{method} {path} is not described");
        found.clone()
    }

    /// Checks an answer and returns it.
    fn checked(&mut self, method: &str, path: &str, reply: &Reply) -> Value {
        self.asked.insert(format!("{method} {path}"));
        let operation = self.operation(method, path);
        let described = &operation["responses"][reply.status.to_string()];
        assert!(!described.is_null(), "{method} {path}: {} is not described: {}", reply.status, reply.text());
        let kind = reply.header("content-type").unwrap().split(';').next().unwrap().to_string();
        let content = described["content"].as_object().unwrap();
        let any = content.get("application/octet-stream");
        let content = content.get(&kind).or(any);
        let content = content.unwrap_or_else(|| panic!("{method} {path}: {kind} is not described"));
        let Some(schema) = content.get("schema") else { return Value::Null };
        let value = reply.json();
        let found = problems(&self.description, schema, &value);
        assert!(found.is_empty(), "{method} {path}: {found:#?}");
        value
    }

    fn get(&mut self, path: &str, query: &str) -> Value {
        for parameter in query.split('&').filter_map(|one| one.split_once('=')) {
            let operation = self.operation("get", path);
            let known = operation["parameters"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["name"] == parameter.0 && one["in"] == "query"));
            assert!(known, "{path}: the parameter {} is not described", parameter.0);
        }
        let reply = self.site.get(&format!("{}?{query}", &path[1..]));
        self.checked("get", path, &reply)
    }

    fn post(&mut self, path: &str, body: &Value) -> Value {
        let operation = self.operation("post", path);
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(problems(&self.description, schema, body), [] as [&str; 0], "{path}");
        let reply = self.site.post(&path[1..], body);
        self.checked("post", path, &reply)
    }
}

#[test]
fn every_path_answers_as_described() {
    let site = Site::with(&Default::default(), |files| {
        std::fs::write(files.join("empty.txt"), "").unwrap();
    });
    let mut asker = Asker { site, description: description(), asked: BTreeSet::new() };
    let searched = asker.get(
        "/search",
        "q=kettle&mode=hybrid&limit=5&offset=0&log=true&count=true&session=s&ext=md&path=*.md&after=2001&before=2101",
    );
    let (id, hit) = (searched["query_id"].as_str().unwrap().to_string(), searched["hits"][0].clone());
    let document = hit["document"].as_str().unwrap();
    asker.get("/search", &format!("q=kettle&offset=5&page_of={id}&folder="));
    asker.get("/search", "q=kettle&log=false&mode=lexical");
    asker.get("/search", "q=a&limit=1000");
    asker.get("/similar", &format!("document={document}&passage={}&limit=3", hit["passage"]));
    asker.get("/similar", "document=none.md");
    asker.get("/read", &format!("document={document}&passage={}&max=100&whole=false", hit["passage"]));
    asker.get("/read", &format!("document={document}&line=1&count=2"));
    asker.get("/read", &format!("document={document}&query_id={id}"));
    asker.get("/read", "document=none.md");
    asker.get("/file", &format!("document={document}"));
    asker.get("/file", "document=none.md");
    asker.get("/files", "limit=3");
    asker.get("/files", "limit=100&after=kettle.md");
    asker.get("/status", "");
    asker.get("/openapi.json", "");
    asker.post("/judge", &json!({"query_id": id, "document": document, "verdict": "opened"}));
    asker.post("/judge", &json!({"query_id": id, "document": "none.md", "verdict": "chosen"}));
    let log = asker.get("/log", "limit=1&contains=kettle");
    asker.get("/log", "");
    asker.get("/log", &format!("after={}", log["queries"][0]["query_id"].as_str().unwrap()));
    asker.get("/log", "after=0000000000000001");
    asker.get("/rounds", "");
    asker.post("/learn", &json!({}));
    until("the round", || asker.site.get("rounds").json()["rounds"].as_array().unwrap().len() == 1);
    asker.get("/rounds", "");
    let page = asker.site.get("rounds/1/page");
    asker.checked("get", "/rounds/{round}/page", &page);
    let none = asker.site.get("rounds/9/page");
    asker.checked("get", "/rounds/{round}/page", &none);
    asker.post("/learn/cancel", &json!({}));
    asker.post("/trial/end", &json!({}));
    asker.post("/rollback", &json!({}));
    asker.post("/index", &json!({}));
    asker.post("/forget", &json!({"query": "kettle"}));
    asker.post("/forget", &json!({}));
    let events = first_event(&asker);
    let schema = json!({"$ref": "#/components/schemas/Status"});
    assert_eq!(problems(&asker.description, &schema, &events), [] as [&str; 0]);
    asker.asked.insert("get /events".into());
    let described = asker.description["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
    });
    assert_eq!(asker.asked, described.collect::<BTreeSet<_>>(), "what is described and what was asked");
}

fn first_event(asker: &Asker) -> Value {
    let address = asker.site.address();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_string));
    serde_json::from_str(&data.unwrap()).unwrap()
}

#[test]
fn the_service_has_no_path_that_is_not_described() {
    let routes = include_str!("../../../src/serve/routes.rs");
    let described = description();
    let mut found = 0;
    for route in routes.split(".route(\"").skip(1) {
        let (path, rest) = route.split_once('"').unwrap();
        if ["/call", "/task"].contains(&path) {
            continue; // between programs of one version, over the socket
        }
        let method = if rest.starts_with(", get") { "get" } else { "post" };
        assert!(!described["paths"][path][method].is_null(), "{method} {path}");
        found += 1;
    }
    assert_eq!(found, described["paths"].as_object().unwrap().len());
}
