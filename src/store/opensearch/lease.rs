//! The leases of whoever makes generations serve, and of whoever runs a round of learning: one of each at a time.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::beating::{Beating, LONGEST, holder};
use super::client::Client;
use super::manifest::Names;
use super::versioned::{Version, Versioned, beat};
use crate::error::{Error, Result};

/// What makes a generation serve, and drops others.
const WRITER: (&str, &str) = ("lease", "take the lease of the index at");
/// What runs a round. Documents may change meanwhile: each change takes the other lease.
const LEARNER: (&str, &str) = ("learner", "begin a round of learning for the index at");
const LOOK: Duration = Duration::from_millis(500);
/// When nobody thinks any more of a round that was killed.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// A lease, held until it is dropped.
pub(crate) struct Lease {
    beating: Beating,
    holder: String,
    at: String,
}

impl Lease {
    /// Takes the lease, once who has it is dead.
    ///
    /// # Errors
    /// [`Error::Cluster`] if somebody alive has it.
    pub(crate) fn take(client: &Arc<Client>, names: &Names) -> Result<Lease> {
        Lease::take_within(document(client, names, WRITER), Duration::ZERO)
    }

    /// Takes the lease, once who has it is dead or done.
    ///
    /// # Errors
    /// [`Error::Cluster`] if somebody alive has it all that time.
    pub(crate) fn wait(client: &Arc<Client>, names: &Names, patience: Duration) -> Result<Lease> {
        Lease::take_within(document(client, names, WRITER), patience)
    }

    /// Takes the lease of whoever runs a round, once who has it is dead.
    ///
    /// # Errors
    /// [`Error::Cluster`] if somebody alive has it.
    pub(crate) fn learn(client: &Arc<Client>, names: &Names) -> Result<Lease> {
        Lease::take_within(document(client, names, LEARNER), Duration::ZERO)
    }

    /// Who runs a round. `None` too for one who was killed an hour ago or longer, by the clocks: what he has left is
    /// for nobody. Should his clock be so wrong, his round still has its lease.
    pub(crate) fn learner(client: &Arc<Client>, names: &Names) -> Result<Option<String>> {
        Lease::learner_within(client, names, FORGOTTEN)
    }

    /// As [`learner`](Lease::learner), with the time after which somebody is taken for dead.
    pub(crate) fn learner_within(
        client: &Arc<Client>,
        names: &Names,
        longest: Duration,
    ) -> Result<Option<String>> {
        let read = document(client, names, LEARNER).read()?;
        let alive = read.filter(|(_, body)| {
            let beat = body["beat"].as_u64().unwrap_or(0);
            crate::clock::now_ms().saturating_sub(beat) < longest.as_millis() as u64
        });
        Ok(alive.and_then(|(_, body)| body["holder"].as_str().map(str::to_string)))
    }

    fn take_within(document: Versioned, patience: Duration) -> Result<Lease> {
        let holder = holder();
        let (version, begun) = take(&document, &holder, patience)?;
        let at = document.client.at(&format!("/{}", document.index));
        let beating = Beating::begin(document, version, begun, {
            let holder = holder.clone();
            move || beat(&holder)
        })?;
        Ok(Lease { beating, holder, at })
    }

    /// Who has it, by a name that no other holder has had.
    pub(crate) fn holder(&self) -> &str {
        &self.holder
    }

    /// Fails if somebody else has taken the lease over, or may have: no write has succeeded for nearly as long as
    /// others wait, and none does for two minutes more.
    pub(crate) fn check(&self) -> Result<()> {
        match self.beating.lasting_doubt() {
            None => Ok(()),
            Some(doubt) => Err(Error::Cluster {
                doing: "go on with the index at",
                at: self.at.clone(),
                found: format!("its lease {doubt}"),
                remedy: "see whether another migration or round is at work, then try again",
            }),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.beating.end();
    }
}

fn document(client: &Arc<Client>, names: &Names, (id, doing): (&str, &'static str)) -> Versioned {
    Versioned { client: Arc::clone(client), index: names.state(), id: id.into(), doing }
}

/// The version that was written, and when that began.
fn take(document: &Versioned, holder: &str, patience: Duration) -> Result<(Version, Instant)> {
    let asked = Instant::now();
    let (mut seen, mut since) = (None, asked);
    loop {
        let Some((version, body)) = document.read()? else {
            let begun = Instant::now();
            match document.write(None, &beat(holder))? {
                Some(version) => return Ok((version, begun)),
                None => continue,
            }
        };
        let is_alive = seen.is_some_and(|seen| seen != version);
        if is_alive && asked.elapsed() >= patience {
            return Err(Error::Cluster {
                doing: document.doing,
                at: document.client.at(&format!("/{}", document.index)),
                found: format!(
                    "it held by {}, which is at work",
                    body["holder"].as_str().unwrap_or("somebody")
                ),
                remedy: "wait for that one, or end it",
            });
        }
        if seen != Some(version) {
            (seen, since) = (Some(version), Instant::now());
        }
        let begun = Instant::now();
        if since.elapsed() >= LONGEST
            && let Some(version) = document.write(Some(version), &beat(holder))?
        {
            return Ok((version, begun));
        }
        thread::sleep(LOOK);
    }
}

/// What others see of the lease of a round: whether its holder is alive.
pub(crate) struct LearnerWatch {
    document: Versioned,
    seen: Option<Version>,
    since: Instant,
}

impl LearnerWatch {
    pub(crate) fn new(client: &Arc<Client>, names: &Names) -> LearnerWatch {
        LearnerWatch { document: document(client, names, LEARNER), seen: None, since: Instant::now() }
    }

    /// Whether this holder has it, and has written it within the time that others wait.
    pub(crate) fn is_held_by(&mut self, holder: &str) -> Result<bool> {
        let Some((version, body)) = self.document.read()? else { return Ok(false) };
        if self.seen != Some(version) {
            (self.seen, self.since) = (Some(version), Instant::now());
        }
        Ok(body["holder"] == holder && self.since.elapsed() < LONGEST)
    }
}
