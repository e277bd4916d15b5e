//! Which generation searches read, while the one that serves changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::serving::serving;
use crate::error::{Error, Result};
use crate::store::Store as _;
use crate::store::opensearch::{Client, ClusterState, Encoders, Names};

/// How long a reader goes on without a look at which generation serves.
const LOOK: Duration = Duration::from_millis(500);
/// How long it goes on with the generation that is open, after another one could not be opened.
const RETRY: Duration = Duration::from_secs(5);

/// The generation that searches read.
///
/// Where the one that is open has its encoder loaded, another one is read only when its own is loaded too: a thread
/// does that, so that no search waits for weights. Until then both encoders are in memory.
pub(super) struct Following {
    client: Arc<Client>,
    names: Names,
    encoders: Arc<Encoders>,
    current: ArcSwap<ClusterState>,
    /// Whether encoders are loaded before anybody needs them.
    loads: bool,
    looked: Mutex<Looked>,
    /// Held while another generation is opened: when the last look began that opens what it finds.
    opening: Mutex<Instant>,
    /// Whether a thread does.
    at_work: AtomicBool,
}

/// When it was looked last which generation serves, and when another one could not be opened.
struct Looked {
    at: Instant,
    failed: Option<Instant>,
}

/// A thread that opens a generation is at work until this is dropped.
struct AtWork(Arc<Following>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.store(false, Ordering::Release);
    }
}

impl Following {
    /// Opens the generation that serves: with its encoder, if it `loads` that.
    pub(super) fn open(
        client: &Arc<Client>,
        names: &Names,
        encoders: Encoders,
        loads: bool,
    ) -> Result<Arc<Following>> {
        let (encoders, now) = (Arc::new(encoders), Instant::now());
        let state = ClusterState::open(client, names, serving(client, names)?, &encoders)?;
        if loads && state.coverage().encoded > 0 {
            state.encoder()?;
        }
        Ok(Arc::new(Following {
            loads,
            client: Arc::clone(client),
            names: names.clone(),
            encoders,
            current: ArcSwap::from_pointee(state),
            looked: Mutex::new(Looked { at: now, failed: None }),
            opening: Mutex::new(now),
            at_work: AtomicBool::new(false),
        }))
    }

    /// The generation that the next search reads, as far as it was looked.
    pub(super) fn current(&self) -> Arc<ClusterState> {
        self.current.load_full()
    }

    /// Where encoders come from.
    pub(super) fn encoders(&self) -> &Arc<Encoders> {
        &self.encoders
    }

    /// The generation to search. One search in a while looks which generation serves; others don't wait for it.
    pub(super) fn state(self: &Arc<Self>) -> Arc<ClusterState> {
        let looked = match self.looked.try_lock() {
            Ok(looked) => Some(looked),
            Err(TryLockError::Poisoned(looked)) => Some(looked.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut looked) = looked.filter(|looked| looked.at.elapsed() >= LOOK)
            && let Err(error) = self.look(&mut looked)
        {
            // The generation that is open may be there all the same: the search will tell.
            tracing::warn!(%error, "could not look which generation serves");
        }
        self.current()
    }

    /// Asks the generation that serves; another one, if it was dropped meanwhile.
    pub(super) fn ask<T>(self: &Arc<Self>, question: impl Fn(&ClusterState) -> Result<T>) -> Result<T> {
        let state = self.state();
        let begun = Instant::now();
        match question(&state) {
            Err(error @ Error::Cluster { .. }) => match self.instead_of(&state, begun) {
                Some(now) => question(&now),
                None => Err(error),
            },
            answered => answered,
        }
    }

    /// The generation to search instead of one that could not answer a question of this moment: that may have been
    /// dropped. `None` if it still serves, or none can be opened.
    fn instead_of(&self, failed: &ClusterState, begun: Instant) -> Option<Arc<ClusterState>> {
        let current = self.current();
        if current.generation() != failed.generation() {
            return Some(current);
        }
        // Else waiting for the next one does not help.
        if !failed.is_gone() {
            return None;
        }
        if let Err(error) = self.follow(begun) {
            tracing::warn!(%error, "the generation that serves could not be opened");
        }
        let now = self.current();
        (now.generation() != failed.generation()).then_some(now)
    }

    /// Whether an encoder has to be loaded before searches may read `next`.
    fn has_to_load(&self, current: &ClusterState, next: &ClusterState) -> bool {
        let is_loaded = current.has_encoder() && next.encodes_as(current);
        (self.loads || current.has_encoder()) && next.coverage().encoded > 0 && !is_loaded
    }

    fn look(self: &Arc<Self>, looked: &mut Looked) -> Result<()> {
        let serving = serving(&self.client, &self.names);
        looked.at = Instant::now();
        let (serving, current) = (serving?, self.current());
        let waits = looked.failed.is_some_and(|failed| failed.elapsed() < RETRY);
        if serving == current.generation() || waits || self.at_work.load(Ordering::Acquire) {
            return Ok(());
        }
        let opened = ClusterState::open(&self.client, &self.names, serving, &self.encoders);
        let opened = opened.and_then(|state| match self.has_to_load(&current, &state) {
            true => self.follow_beside(),
            false => self.follow(Instant::now()),
        });
        looked.failed = opened.is_err().then(Instant::now);
        opened
    }

    /// Has a thread open the generation that serves.
    fn follow_beside(self: &Arc<Self>) -> Result<()> {
        if self.at_work.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let at_work = AtWork(Arc::clone(self));
        let thread = thread::Builder::new().name("retune-follow".into()).spawn(move || {
            let AtWork(following) = &at_work;
            if let Err(error) = following.follow(Instant::now()) {
                let open = following.current().generation();
                tracing::warn!(%error, "generation {open} goes on: the one that serves could not be opened");
                let mut looked = following.looked.lock().unwrap_or_else(PoisonError::into_inner);
                looked.failed = Some(Instant::now());
            }
        });
        let path = std::path::PathBuf::from("retune-follow");
        thread.map(drop).map_err(Error::io("start the thread", &path))
    }

    /// Opens the generation that serves, unless somebody has looked since this moment. What was opened meanwhile by
    /// others is waited for.
    pub(super) fn follow(&self, since: Instant) -> Result<()> {
        let mut last = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if *last > since {
            return Ok(());
        }
        *last = Instant::now();
        let (current, serving) = (self.current(), serving(&self.client, &self.names)?);
        if serving == current.generation() {
            return Ok(());
        }
        let state = ClusterState::open(&self.client, &self.names, serving, &self.encoders)?;
        if (self.loads || current.has_encoder()) && state.coverage().encoded > 0 {
            state.encoder()?;
        }
        self.current.store(Arc::new(state));
        Ok(())
    }
}
