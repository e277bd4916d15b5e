//! The model from the Hugging Face hub.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use hf_hub::Cache;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};

use super::folder::{OPTIONAL, REQUIRED};
use super::hub_cache::repository;
use super::options::FetchOptions;
use super::progress::{Attempt, Caller, Progress, Stage};

/// The approximate size of the model's files in bytes.
const BYTES: u64 = 438_700_000;
/// Bytes between two progress reports.
const REPORT_EVERY: u64 = 1 << 18;

enum Message {
    Connected,
    Bytes(u64),
    Finished(Attempt<()>),
}

/// Downloads the model into `building` and returns its folder there.
///
/// The hub's client has no timeouts, so it runs on its own thread, which is abandoned when it stops reporting. Such a
/// thread ends with its connection. It writes only to a temporary folder, which the next fetch removes.
pub(super) fn download(options: &FetchOptions, building: &Path, caller: &mut Caller<'_>) -> Attempt<PathBuf> {
    let endpoint =
        options.hub.clone().ok_or("not asked: HF_HUB_OFFLINE is set, or the hub is switched off")?;
    let model = building.join("model");
    let token = options.hugging_face_cache.clone().and_then(|cache| Cache::new(cache).token());
    let (sender, receiver) = unbounded();
    let job = Job {
        endpoint: endpoint.trim_end_matches('/').to_string(),
        token,
        private_cache: building.join("hub"),
        model: model.clone(),
        connect_timeout: options.connect_timeout,
    };
    thread::Builder::new()
        .name("retune-hub".into())
        .spawn(move || {
            let result = job.run(&sender);
            // An error means that nobody is waiting any more.
            let _ = sender.send(Message::Finished(result));
        })
        .map_err(|e| format!("could not start a thread: {e}"))?;
    follow(&receiver, options, &endpoint, caller).map(|()| model)
}

/// Forwards the thread's reports until it finishes or stalls.
fn follow(
    receiver: &Receiver<Message>,
    options: &FetchOptions,
    endpoint: &str,
    caller: &mut Caller<'_>,
) -> Attempt<()> {
    // This wait includes the DNS lookup, so it is longer than the connection timeout alone.
    let mut patience = options.connect_timeout + Duration::from_secs(1);
    let mut done = 0;
    loop {
        match receiver.recv_timeout(patience) {
            Ok(Message::Connected) => patience = options.stall_timeout,
            Ok(Message::Bytes(more)) => {
                done += more;
                caller.tell(Progress { stage: Stage::Hub, done, total: Some(BYTES.max(done)) })?;
            }
            Ok(Message::Finished(result)) => return result.map_err(|reason| format!("{endpoint}: {reason}")),
            Err(RecvTimeoutError::Timeout) => {
                return Err(format!("{endpoint}: no answer for {} seconds", patience.as_secs()));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(format!("{endpoint}: the hub's client panicked"));
            }
        }
    }
}

/// Input of the download thread.
struct Job {
    endpoint: String,
    token: Option<String>,
    /// A private cache: nothing unchecked or unfinished enters the user's.
    private_cache: PathBuf,
    model: PathBuf,
    connect_timeout: Duration,
}

impl Job {
    fn run(&self, sender: &Sender<Message>) -> Attempt<()> {
        if !behind_proxy() {
            probe(&self.endpoint, self.connect_timeout)?;
        }
        let _ = sender.send(Message::Connected);
        let api = ApiBuilder::from_cache(Cache::new(self.private_cache.clone()))
            .with_endpoint(self.endpoint.clone())
            .with_token(self.token.clone())
            .with_progress(false)
            .with_user_agent("retune", env!("CARGO_PKG_VERSION"))
            .build()
            .map_err(|e| e.to_string())?;
        let repository = api.repo(repository());
        for name in REQUIRED {
            self.take(&repository, name, sender)?;
        }
        for name in OPTIONAL {
            if let Err(reason) = self.take(&repository, name, sender) {
                tracing::debug!(name, reason, "the hub does not have an optional file");
            }
        }
        Ok(())
    }

    fn take(&self, repository: &ApiRepo, name: &str, sender: &Sender<Message>) -> Attempt<()> {
        let meter = Meter { sender: sender.clone(), unsent: 0 };
        let told = |e: &dyn std::fmt::Display| format!("{name}: {e}");
        let fetched = repository.download_with_progress(name, meter).map_err(|e| told(&e))?;
        // In the client's cache the file is a symbolic link to a blob.
        let blob = fetched.canonicalize().map_err(|e| told(&e))?;
        let path = self.model.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.model)).map_err(|e| told(&e))?;
        fs::hard_link(&blob, &path).or_else(|_| fs::copy(&blob, &path).map(drop)).map_err(|e| told(&e))
    }
}

/// Reports bytes from the hub's client.
struct Meter {
    sender: Sender<Message>,
    unsent: u64,
}

impl Meter {
    fn send(&mut self) {
        let _ = self.sender.send(Message::Bytes(std::mem::take(&mut self.unsent)));
    }
}

impl hf_hub::api::Progress for Meter {
    fn init(&mut self, _size: usize, _name: &str) {}

    fn update(&mut self, size: usize) {
        self.unsent += size as u64;
        if self.unsent >= REPORT_EVERY {
            self.send();
        }
    }

    fn finish(&mut self) {
        self.send();
    }
}

/// With a proxy, only the proxy knows whether the hub can be reached.
fn behind_proxy() -> bool {
    ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Connects once, so that a machine without a network finds out within seconds.
fn probe(endpoint: &str, timeout: Duration) -> Attempt<()> {
    let (host, port) =
        host_and_port(endpoint).ok_or("not an address that starts with http:// or https://")?;
    let addresses = (host, port).to_socket_addrs().map_err(|e| format!("could not look up {host}: {e}"))?;
    let mut reason = format!("{host} has no address");
    for address in addresses.take(3) {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return Ok(()),
            Err(e) => reason = format!("could not connect to {address}: {e}"),
        }
    }
    Err(reason)
}

fn host_and_port(endpoint: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = endpoint.split_once("://")?;
    let default = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.strip_prefix('[') {
        Some(six) => six.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = if port.is_empty() { default } else { port.strip_prefix(':')?.parse().ok()? };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_host_and_port_of_an_endpoint() {
        assert_eq!(host_and_port("https://huggingface.co"), Some(("huggingface.co", 443)));
        assert_eq!(host_and_port("http://user:pw@mirror:8080/hf?x=1"), Some(("mirror", 8080)));
        assert_eq!(host_and_port("http://[::1]:81/"), Some(("::1", 81)));
        assert_eq!(host_and_port("http://[::1]"), Some(("::1", 80)));
        for bad in ["", "mirror:8080", "ftp://mirror", "http://", "http://mirror:port"] {
            assert_eq!(host_and_port(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_closed_port_and_an_unknown_host_are_known_at_once() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let start = std::time::Instant::now();
        assert!(probe(&format!("http://{free}"), Duration::from_secs(4)).is_err());
        assert!(start.elapsed() < Duration::from_secs(4));
        assert!(probe("https://no-such-host.invalid", Duration::from_secs(4)).is_err());
    }
}
