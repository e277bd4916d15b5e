//! Requests to the nodes of a cluster.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;
use ureq::Agent;

use super::attempt::Attempt;
use super::credentials;
use super::failure::{CHECK, LATER, PLAIN, reason, refused};
use super::retry::{ATTEMPTS, Repeat, is_passing, pause};
use crate::error::{Error, Result};

const CONNECT: Duration = Duration::from_secs(3);
/// A bulk request that waits for replicas of a node that has just gone.
const LONGEST: Duration = Duration::from_secs(60);

/// A cluster, asked over HTTP. All calls block. `Send` and `Sync`.
pub(crate) struct Client {
    nodes: Vec<String>,
    /// The node that has answered last.
    current: AtomicUsize,
    agent: Agent,
    authorization: Option<String>,
}

/// A request.
pub(super) struct Call<'a> {
    /// What it is made for, as a verb phrase that the address follows.
    pub(super) doing: &'static str,
    pub(super) method: Method,
    /// Behind the node's address, with a slash.
    pub(super) path: &'a str,
    pub(super) body: Body<'a>,
    pub(super) repeat: Repeat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

pub(super) enum Body<'a> {
    None,
    Json(&'a Json),
    /// One JSON value a line.
    Lines(&'a str),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl Client {
    /// For a cluster with these nodes. Asks nothing yet. Who asks is in the environment.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the environment says it in two ways or in half of one.
    pub(crate) fn new(nodes: Vec<String>) -> Result<Client> {
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(LONGEST))
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(credentials::tls()?)
            .user_agent(concat!("retune/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        // Many processes with the same list don't all begin with the same node.
        let current = AtomicUsize::new(rand::random::<u32>() as usize % nodes.len().max(1));
        Ok(Client { nodes, current, agent, authorization: credentials::authorization()? })
    }

    /// The answer to a request, which must have succeeded.
    pub(super) fn ask(&self, call: &Call<'_>) -> Result<Json> {
        match self.answer(call)? {
            (200..300, body) => Ok(body),
            (status, body) => Err(refused(call.doing, self.at(call.path), status, &body)),
        }
    }

    /// Status and body of the answer to a request: of the last one, if it was made again.
    pub(super) fn answer(&self, call: &Call<'_>) -> Result<(u16, Json)> {
        let mut last = String::new();
        // In all, and one after the other.
        let (mut unreached, mut in_a_row, mut untrusted) = (0, 0, 0);
        let mut answered = false;
        for attempt in 1..=ATTEMPTS {
            let at = self.current.load(Ordering::Relaxed);
            let node = &self.nodes[at % self.nodes.len()];
            let reached = match self.once(node, call) {
                Attempt::Answered(status, body) if !is_passing(status, &body) => return Ok((status, body)),
                Attempt::Answered(status, body) => {
                    if call.repeat == Repeat::Never || attempt == ATTEMPTS {
                        return Ok((status, body));
                    }
                    last = format!("{node}: HTTP {status}, {}", reason(&body));
                    answered = true;
                    true
                }
                Attempt::Unreached(why) => {
                    unreached += 1;
                    last = format!("{node}: {why}");
                    false
                }
                Attempt::Untrusted(why, remedy) => {
                    untrusted += 1;
                    last = format!("{node}: {why}");
                    if untrusted == self.nodes.len() {
                        return Err(self.failed(call, last, remedy));
                    }
                    false
                }
                Attempt::Unknown(why) => {
                    last = format!("{node}: {why}");
                    if call.repeat == Repeat::Never {
                        return Err(self.failed(call, last, LATER));
                    }
                    true
                }
            };
            // The next node at once, if this one is not there; all of them after a while.
            let next = at.wrapping_add(1);
            let _ = self.current.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
            in_a_row = if reached { 0 } else { in_a_row + 1 };
            if attempt < ATTEMPTS && in_a_row % self.nodes.len() == 0 {
                thread::sleep(pause(attempt));
            }
        }
        let is_plain = self.nodes.iter().all(|node| node.starts_with("http://"));
        let remedy = match answered {
            _ if unreached == ATTEMPTS as usize => CHECK,
            false if is_plain => PLAIN,
            _ => LATER,
        };
        Err(self.failed(call, last, remedy))
    }

    fn once(&self, node: &str, call: &Call<'_>) -> Attempt {
        let url = format!("{node}{}", call.path);
        let (kind, bytes) = match &call.body {
            Body::None => (None, Vec::new()),
            Body::Json(json) => (Some("application/json"), json.to_string().into_bytes()),
            Body::Lines(lines) => (Some("application/x-ndjson"), lines.as_bytes().to_vec()),
        };
        let sent = match call.method {
            Method::Get => self.with_headers(self.agent.get(&url), kind).call(),
            Method::Delete => self.with_headers(self.agent.delete(&url), kind).call(),
            Method::Post => self.with_headers(self.agent.post(&url), kind).send(&bytes[..]),
            Method::Put => self.with_headers(self.agent.put(&url), kind).send(&bytes[..]),
        };
        Attempt::of(sent)
    }

    fn with_headers<B>(
        &self,
        mut request: ureq::RequestBuilder<B>,
        kind: Option<&str>,
    ) -> ureq::RequestBuilder<B> {
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    fn failed(&self, call: &Call<'_>, found: String, remedy: &'static str) -> Error {
        Error::Cluster { doing: call.doing, at: self.at(call.path), found, remedy }
    }

    /// An address for messages: the nodes, and what is asked of them without its options.
    pub(crate) fn at(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        format!("{}{path}", self.nodes.join(","))
    }
}
