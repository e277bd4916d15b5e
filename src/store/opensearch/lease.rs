//! The lease of whoever writes generations: one at a time.
//!
//! A document that its holder writes again and again. Who finds it watches: if it changes, the holder is alive; if it
//! stays as it is for longer than a holder would wait, it is taken over, by a write that fails if it has changed since.
//! So nobody's clock is compared with another's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::refused;
use super::manifest::Names;
use super::retry::Repeat;
use crate::error::{Error, Result};

const DOING: &str = "take the lease of the index at";
const EVERY: Duration = Duration::from_secs(2);
/// A holder that has not written for so long is taken for dead.
const LONGEST: Duration = Duration::from_secs(12);
const LOOK: Duration = Duration::from_millis(500);

/// The lease, held until it is dropped.
pub(crate) struct Lease {
    lost: Arc<AtomicBool>,
    /// When the last write began that has succeeded.
    renewed: Arc<Mutex<Instant>>,
    holder: String,
    stop: Option<Sender<()>>,
    beating: Option<JoinHandle<()>>,
    at: String,
}

/// A version of the document.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Version {
    number: u64,
    term: u64,
}

impl Lease {
    /// Takes the lease, once who has it is dead.
    ///
    /// # Errors
    /// [`Error::Cluster`] if somebody alive has it.
    pub(crate) fn take(client: &Arc<Client>, names: &Names) -> Result<Lease> {
        let document = Document { client: Arc::clone(client), index: names.state(), holder: holder() };
        let holder = document.holder.clone();
        let (version, begun) = document.take()?;
        let (lost, renewed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(begun)));
        let (stop, stopped) = bounded(1);
        let at = client.at(&format!("/{}", document.index));
        let beating = thread::Builder::new().name("retune-lease".into()).spawn({
            let (lost, renewed) = (Arc::clone(&lost), Arc::clone(&renewed));
            move || {
                let mut version = version;
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    let begun = Instant::now();
                    match document.write(Some(version)) {
                        Ok(Some(now)) => {
                            version = now;
                            *renewed.lock().unwrap_or_else(PoisonError::into_inner) = begun;
                        }
                        Ok(None) => return lost.store(true, Ordering::Release),
                        // Whoever takes it over will be noticed by the next write, or by the time.
                        Err(error) => tracing::warn!(%error, "the lease was not renewed"),
                    }
                }
                if let Err(error) = document.delete(version) {
                    tracing::warn!(%error, "the lease was not given back: it ends by itself");
                }
            }
        });
        let path = std::path::PathBuf::from("retune-lease");
        let beating = Some(beating.map_err(Error::io("start the thread", &path))?);
        Ok(Lease { lost, renewed, holder, stop: Some(stop), beating, at })
    }

    /// Who has it, by a name that no other holder has had.
    pub(crate) fn holder(&self) -> &str {
        &self.holder
    }

    /// Fails if somebody else has taken the lease over, or may have: no write has succeeded for nearly as long as
    /// others wait.
    pub(crate) fn check(&self) -> Result<()> {
        let since = self.renewed.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        let found = if self.lost.load(Ordering::Acquire) {
            "its lease in the hands of another process, which took this one for dead".into()
        } else if since > LONGEST - EVERY {
            format!("its lease not renewed for {} s: another process may have taken it", since.as_secs())
        } else {
            return Ok(());
        };
        Err(Error::Cluster {
            doing: "go on with the index at",
            at: self.at.clone(),
            found,
            remedy: "see whether another migration is at work, then try again",
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(Err(_)) = self.beating.take().map(JoinHandle::join) {
            tracing::warn!("the thread of the lease has panicked");
        }
    }
}

struct Document {
    client: Arc<Client>,
    index: String,
    holder: String,
}

impl Document {
    /// The version that it has written, and when that began.
    fn take(&self) -> Result<(Version, Instant)> {
        let (mut seen, mut since) = (None, Instant::now());
        loop {
            let Some((version, holder)) = self.read()? else {
                let begun = Instant::now();
                match self.write(None)? {
                    Some(version) => return Ok((version, begun)),
                    None => continue,
                }
            };
            if seen.is_some_and(|seen| seen != version) {
                return Err(Error::Cluster {
                    doing: DOING,
                    at: self.client.at(&format!("/{}", self.index)),
                    found: format!("it held by {holder}, which is at work"),
                    remedy: "wait for that one, or end it",
                });
            }
            if seen.is_none() {
                (seen, since) = (Some(version), Instant::now());
            }
            let begun = Instant::now();
            if since.elapsed() >= LONGEST
                && let Some(version) = self.write(Some(version))?
            {
                return Ok((version, begun));
            }
            thread::sleep(LOOK);
        }
    }

    fn read(&self) -> Result<Option<(Version, String)>> {
        let path = format!("/{}/_doc/lease", self.index);
        let call = self.call(Method::Get, &path, Body::None);
        match self.client.answer(&call)? {
            (200, body) => {
                let holder = body["_source"]["holder"].as_str().unwrap_or("somebody").to_string();
                let version = version(&body).map(|version| Some((version, holder)));
                version.ok_or_else(|| super::failure::unexpected(DOING, self.client.at(&path), "a version"))
            }
            (404, _) => Ok(None),
            (status, body) => Err(refused(DOING, self.client.at(&path), status, &body)),
        }
    }

    /// Writes the document, if it is still of this version, or still missing. `None` if it is not.
    fn write(&self, before: Option<Version>) -> Result<Option<Version>> {
        let path = match before {
            None => format!("/{}/_create/lease", self.index),
            Some(Version { number, term }) => {
                format!("/{}/_doc/lease?if_seq_no={number}&if_primary_term={term}", self.index)
            }
        };
        let body = json!({ "holder": self.holder, "beat": crate::clock::now_ms() });
        // A second write after one whose answer was lost fails as one after another's does: who holds it tells.
        let call = self.call(Method::Put, &path, Body::Json(&body));
        match self.client.answer(&call)? {
            (200..300, body) => Ok(version(&body)),
            (409, _) => {
                let now = self.read()?;
                Ok(now.filter(|(_, holder)| *holder == self.holder).map(|(version, _)| version))
            }
            (status, body) => Err(refused(DOING, self.client.at(&path), status, &body)),
        }
    }

    fn delete(&self, Version { number, term }: Version) -> Result<()> {
        let path = format!("/{}/_doc/lease?if_seq_no={number}&if_primary_term={term}", self.index);
        match self.client.answer(&self.call(Method::Delete, &path, Body::None))? {
            (200..300 | 404 | 409, _) => Ok(()),
            (status, body) => Err(refused(DOING, self.client.at(&path), status, &body)),
        }
    }

    fn call<'a>(&self, method: Method, path: &'a str, body: Body<'a>) -> Call<'a> {
        Call { doing: DOING, method, path, body, repeat: Repeat::Safe }
    }
}

fn version(body: &Json) -> Option<Version> {
    Some(Version { number: body["_seq_no"].as_u64()?, term: body["_primary_term"].as_u64()? })
}

/// The process, in a way that no other is called.
fn holder() -> String {
    #[cfg(unix)]
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let machine = std::env::var("COMPUTERNAME").unwrap_or_default();
    format!("process {} on {machine} ({:08x})", std::process::id(), rand::random::<u32>())
}
