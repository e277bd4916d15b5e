//! A cluster with TLS and logins. RETUNE_TEST_SECURED has the URL of its node, RETUNE_TEST_SECURED_CA the certificate
//! that has signed the node's; tests/backend/secured has its users and roles. Without them these tests say that they
//! were skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{MutexGuard, Once};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use retune::learn::Tier;
use serde_json::{Value as Json, json};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::common::tiny_model;
use crate::learnt::{judged, learn};
use crate::program::text;
use crate::support::{alone, index, saying, skip};
use crate::workers::corpus;

struct Login {
    user: &'static str,
    password: &'static str,
}

const MIGRATOR: Login = Login { user: "migrator", password: "over-the-wall" };
const READER: Login = Login { user: "reader", password: "pass:wörd $1" };
const WORKER: Login = Login { user: "worker", password: "slice by slice" };
const ADMIN: Login = Login { user: "admin", password: "sees everything" };
/// The index that the roles are for.
const NAME: &str = "handbook";

static NO_CLUSTER: Once = Once::new();

/// The cluster, without the index of the test before.
struct Secured {
    url: String,
    ca: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

fn secured() -> Option<Secured> {
    let of = |name: &str| std::env::var(name).ok();
    let (Some(url), Some(ca)) = (of("RETUNE_TEST_SECURED"), of("RETUNE_TEST_SECURED_CA")) else {
        skip(&NO_CLUSTER, "RETUNE_TEST_SECURED names no cluster with logins; `just test-cluster` starts one");
        return None;
    };
    let cluster = Secured { url, ca: ca.into(), _alone: alone() };
    cluster.drop_everything();
    Some(cluster)
}

impl Drop for Secured {
    fn drop(&mut self) {
        self.drop_everything();
    }
}

impl Secured {
    fn drop_everything(&self) {
        self.admin("DELETE", "/handbook*,ubi_*?ignore_unavailable=true", None);
    }

    /// Asks as somebody who may do everything.
    fn admin(&self, method: &str, path: &str, body: Option<&Json>) -> Json {
        self.ask(&ADMIN, method, path, body)
    }

    fn ask(&self, login: &Login, method: &str, path: &str, body: Option<&Json>) -> Json {
        let pem = std::fs::read(&self.ca).unwrap();
        let roots = RootCerts::new_with_certs(&[Certificate::from_pem(&pem).unwrap()]);
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.tls_config(TlsConfig::builder().root_certs(roots).build()).build().new_agent();
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request =
            request.header("authorization", basic(login)).header("content-type", "application/json");
        let body = body.map(Json::to_string).unwrap_or_default();
        let mut answer = agent.run(request.body(body).unwrap()).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// The program, of which nobody knows yet who asks.
    fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
        command.args(args).env("RETUNE_MODEL", tiny_model()).env("RETUNE_STORE", self.store(&self.url));
        command.env("RETUNE_STORE_CA", &self.ca).env("RETUNE_LOG", "trace");
        for name in ["USER", "PASSWORD", "API_KEY"] {
            command.env_remove(format!("RETUNE_STORE_{name}"));
        }
        command
    }

    fn store(&self, url: &str) -> String {
        format!("{url}/{NAME}")
    }

    /// Runs the program as somebody; what he is known by is nowhere in its output.
    fn run(&self, login: &Login, args: &[&str]) -> Output {
        let mut command = self.program(args);
        command.env("RETUNE_STORE_USER", login.user).env("RETUNE_STORE_PASSWORD", login.password);
        let output = command.output().unwrap();
        assert_hidden(&output, &[login.password, &basic(login)["Basic ".len()..]]);
        output
    }

    fn json(&self, login: &Login, args: &[&str]) -> Json {
        serde_json::from_str(&text(&self.run(login, &[&["--json"], args].concat()))).unwrap()
    }
}

fn basic(login: &Login) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", login.user, login.password)))
}

fn assert_hidden(output: &Output, secrets: &[&str]) {
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

fn place(folder: &Path) -> [String; 2] {
    ["--index".to_string(), folder.to_str().unwrap().to_string()]
}

#[test]
fn those_who_may_migrate_search_judge_import_learn_and_forget() {
    let Some(cluster) = secured() else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let place = place(&folder.path().join("index"));
    let place = [&*place[0], &*place[1]];
    let migrate = || cluster.json(&MIGRATOR, &[&["migrate", "--replicas", "0"], &place[..]].concat());
    assert_eq!(migrate()["sent"], 8);
    // Whoever searches first makes the indices of feedback, if he may.
    let first = cluster.json(&MIGRATOR, &["search", "kettle"]);
    assert_eq!(first["logged"], true);
    let answer = cluster.json(&READER, &["search", "kettle with vinegar"]);
    assert_eq!((&answer["logged"], &answer["hits"][0]["document"]), (&true.into(), &"kettle".into()));
    let id = answer["query_id"].as_str().unwrap();
    text(&cluster.run(&READER, &["judge", &id[..13], "kettle", "--chosen"]));
    // What was asked of other indexes he does not see.
    let other = json!({ "application": "other", "query_id": "other", "user_query": "kettle" });
    cluster.admin("PUT", "/ubi_queries/_doc/other?refresh=true", Some(&other));
    assert_eq!(cluster.admin("POST", "/ubi_queries/_count", None)["count"], 3);
    assert_eq!(cluster.ask(&READER, "POST", "/ubi_queries/_count", None)["count"], 2);
    let import = ["feedback", "import", "--store", &cluster.store(&cluster.url)];
    let report = cluster.json(&MIGRATOR, &[&import[..], &place].concat());
    assert_eq!((&report["queries"], &report["judgements"]), (&2.into(), &1.into()));

    // A change, which begins with a copy of the index; then weights, which the reader downloads.
    engine.add(vec![retune::Document::new("tar", "Tar is boiled on the quay.")]).unwrap();
    assert_eq!(migrate()["sent"], 1);
    assert_eq!(cluster.json(&READER, &["search", "tar on the quay"])["hits"][0]["document"], "tar");
    learn(&engine, Tier::Encoder, 1e-3);
    engine.close().unwrap();
    assert!(migrate()["weights_bytes"].as_u64().unwrap() > 100_000);
    let cache = folder.path().join("cache");
    let mut search = cluster.program(&["search", "tar"]);
    search.env("RETUNE_STORE_USER", READER.user).env("RETUNE_STORE_PASSWORD", READER.password);
    text(&search.env("RETUNE_CACHE", &cache).output().unwrap());
    assert!(cache.join("trained").read_dir().unwrap().next().is_some());

    let forgotten = cluster.json(&MIGRATOR, &["forget", "--query-id", &id[..13]]);
    assert_eq!(forgotten["records"], 2);
}

#[test]
fn those_who_may_work_encode_for_a_round_and_readers_see_how_far_it_is() {
    let Some(cluster) = secured() else { return };
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path(), 3000).close().unwrap();
    let place = place(&folder.path().join("index"));
    cluster.json(&MIGRATOR, &["migrate", "--replicas", "0", &place[0], &place[1]]);
    cluster.json(&MIGRATOR, &["search", "kettle"]);
    let start = |login: &Login, args: &[&str]| {
        let mut command = cluster.program(args);
        command.env("RETUNE_STORE_USER", login.user).env("RETUNE_STORE_PASSWORD", login.password);
        command.env("RETUNE_CACHE", folder.path().join(login.user)).env("RETUNE_LOG", "warn");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let worker = start(&WORKER, &["--json", "encode-worker"]);
    let present = json!({ "query": { "term": { "kind": "worker" } } });
    let begun = Instant::now();
    while cluster.admin("POST", "/handbook-state/_count", Some(&present))["count"] != 1 {
        assert!(begun.elapsed() < Duration::from_secs(20), "no worker");
        std::thread::sleep(Duration::from_millis(50));
    }
    let how = "--tiers encoder --batch-size 4 --learning-rate 1e-3 --frozen-layers 0 --significance none";
    let store = cluster.store(&cluster.url);
    let mut args = vec!["learn", &place[0], &place[1], "--store", &store];
    args.extend(how.split(' '));
    let mut learner = start(&MIGRATOR, &args);
    let mut seen = Json::Null;
    while learner.try_wait().unwrap().is_none() {
        let encoding = &cluster.json(&READER, &["status"])["encoding"];
        if !encoding.is_null() {
            seen = encoding.clone();
        }
    }
    let said = text(&learner.wait_with_output().unwrap());
    assert!(said.contains("all of them there already"), "{said}");
    assert!(seen["total"] == 3008 && seen["slices"] == 24, "{seen}");
    let pid = worker.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let worked: Json = serde_json::from_str(&text(&worker.wait_with_output().unwrap())).unwrap();
    assert!(worked["passages"].as_u64().unwrap() > 0, "{worked}");
    assert_eq!(worked["name"], NAME);
}

#[test]
fn whoever_is_not_known_or_may_not_is_told_what_to_do() {
    let Some(cluster) = secured() else { return };
    let folder = tempfile::tempdir().unwrap();
    saying(folder.path(), "anchor", 3).close().unwrap();
    let place = place(folder.path());
    let migrate = ["migrate", "--replicas", "0", &place[0], &place[1]];
    let refused = |output: &Output, parts: &[&str]| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && parts.iter().all(|part| said.contains(part)), "{parts:?} {said}");
    };
    refused(&cluster.run(&READER, &migrate), &["HTTP 403", "indices:admin/create", "docs/scale.md"]);
    text(&cluster.run(&MIGRATOR, &migrate));
    let wrong = Login { user: "reader", password: "let-me-in" };
    let nobody = Login { user: "nobody", password: "let-me-in" };
    for login in [&wrong, &nobody] {
        refused(&cluster.run(login, &["search", "anchor"]), &["HTTP 401", "RETUNE_STORE_PASSWORD"]);
    }
    let without = cluster.program(&["search", "anchor"]).output().unwrap();
    refused(&without, &["HTTP 401", "RETUNE_STORE_PASSWORD", "RETUNE_STORE_API_KEY"]);
    let half = cluster.program(&["search", "anchor"]).env("RETUNE_STORE_USER", "reader").output().unwrap();
    refused(&half, &["both RETUNE_STORE_USER and RETUNE_STORE_PASSWORD"]);
    // Of what is not his he reads nothing.
    let other = cluster.run(&READER, &["search", "--store", &format!("{}/other", cluster.url), "anchor"]);
    refused(&other, &["HTTP 403", "docs/scale.md"]);
    // Refused as well, but not for who asks.
    let closed = json!({ "index.blocks.write": true });
    cluster.admin("PUT", "/handbook-state/_settings", Some(&closed));
    refused(
        &cluster.run(&MIGRATOR, &migrate),
        &["HTTP 403", "cluster_block_exception", "the cluster's health"],
    );
}

#[test]
fn a_key_is_sent_as_managed_clusters_have_it_and_never_shown() {
    let Some(cluster) = secured() else { return };
    let key = format!("key-{:016x}", rand::random::<u64>());
    let search = |key: &str| {
        let mut search = cluster.program(&["search", "anchor"]);
        search.env("RETUNE_STORE_API_KEY", key).output().unwrap()
    };
    let refused = search(&key);
    assert_hidden(&refused, &[&key]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("HTTP 401") && said.contains("RETUNE_STORE_API_KEY"), "{said}");
    let broken = search("two\nlines");
    assert_hidden(&broken, &["two"]);
    assert!(String::from_utf8_lossy(&broken.stderr).contains("RETUNE_STORE_API_KEY"));
    // 2.19 has no keys; but what it refuses is in its log.
    let sought = json!({ "query": { "match_phrase": { "audit_rest_request_headers.authorization": key } } });
    let begun = Instant::now();
    loop {
        cluster.admin("POST", "/security-auditlog-*/_refresh", None);
        let found = cluster.admin("POST", "/security-auditlog-*/_search", Some(&sought));
        let sent = format!("ApiKey {key}");
        if found.to_string().contains(&sent) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "no {sent} in {found}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn connections_that_can_not_be_trusted_end_at_once() {
    let Some(cluster) = secured() else { return };
    let search = |name: &str, value: &str| {
        let mut command = cluster.program(&["search", "anchor"]);
        command.env("RETUNE_STORE_USER", READER.user).env("RETUNE_STORE_PASSWORD", READER.password);
        command.env(name, value);
        let (begun, output) = (Instant::now(), command.output().unwrap());
        assert_hidden(&output, &[READER.password, &basic(&READER)["Basic ".len()..]]);
        assert!(!output.status.success());
        (String::from_utf8_lossy(&output.stderr).into_owned(), begun.elapsed())
    };
    let at_once = |(said, took): (String, Duration), parts: &[&str]| {
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?} {said}");
        assert!(took < Duration::from_secs(2), "{took:?} {said}");
    };
    let unknown = search("RETUNE_STORE_CA", "");
    at_once(unknown, &["UnknownIssuer", "RETUNE_STORE_CA"]);
    let elsewhere = cluster.store(&cluster.url.replace("127.0.0.1", "127.0.0.2"));
    let named = search("RETUNE_STORE", &elsewhere);
    at_once(named, &["127.0.0.2", "not valid for name", "an address with a name"]);
    let plain = cluster.store(&cluster.url.replace("https://", "http://"));
    let (said, _) = search("RETUNE_STORE", &plain);
    assert!(said.contains("https://"), "{said}");
    let beside = |name: &str| cluster.ca.with_file_name(name).to_str().unwrap().to_string();
    let missing = search("RETUNE_STORE_CA", &beside("gone.pem"));
    at_once(missing, &["gone.pem"]);
    let empty = search("RETUNE_STORE_CA", &beside("ca.key"));
    at_once(empty, &["no certificate in", "ca.key"]);
}

#[test]
fn a_cluster_without_tls_is_not_asked_by_https() {
    let Some(index) = index("plain") else { return };
    let store = index.store().replace("http://", "https://");
    let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
    let output = command.args(["search", "anchor", "--store", &store]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("begin with http://"), "{said}");
}

#[test]
fn the_roles_that_are_documented_are_those_of_these_tests() {
    let read =
        |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (documented, tested) = (read("docs/scale.md"), read("tests/backend/secured/roles.yml"));
    let roles = tested.split_once("\n\n").unwrap().1.trim();
    assert!(documented.contains(roles), "docs/scale.md has other roles than tests/backend/secured/roles.yml");
}
