//! A worker: a process that encodes passages for rounds of learning on another machine.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Cluster;
use super::slices::{Hand, Moment};
use crate::encoder::Encoder;
use crate::error::Result;
use crate::ids::Digest;
use crate::store::opensearch::{Job, LearnerWatch, Presence, Standing, Version};

/// How often it is looked whether there is a job, and whether the one that is worked at is still there.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked how far the others are: there may be many workers, and only people read it.
const REPORT: Duration = Duration::from_secs(30);
/// How long a worker waits after the cluster could not be asked.
const RETRY: Duration = Duration::from_secs(5);
/// How often it is asked meanwhile whether to go on.
const ASK: Duration = Duration::from_millis(200);

/// What a worker does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WorkerProgress {
    /// It looks for passages to encode.
    Waiting,
    /// It encodes.
    Encoding {
        /// Passages that have their vectors, from all workers.
        done: u64,
        /// All passages of the job.
        total: u64,
    },
    /// A job that it has worked at has ended.
    Ended(WorkerReport),
}

/// What a worker has done for one job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WorkerReport {
    /// The name of the index on the cluster.
    pub name: String,
    /// SHA-256 of the weights that it has encoded with.
    pub weights: Digest,
    /// Passages that it has encoded.
    pub passages: u64,
    /// Slices of the job that it has brought to their end.
    pub slices: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Cluster {
    /// Encodes passages for rounds of learning on another machine
    /// ([`Engine::learn_from_cluster`](crate::Engine::learn_from_cluster)), until `progress` breaks: looks for jobs,
    /// loads the encoder of each, and takes slices of it beside any number of other workers. `progress` is called
    /// several times a second, except while an encoder is loaded or a batch is encoded. What it has taken is given back
    /// when it ends; what a process that is killed had taken is taken over by others after 12 s.
    ///
    /// If the cluster can't be asked for a while, it goes on afterwards.
    ///
    /// # Errors
    /// [`Error::Cluster`](crate::Error::Cluster) if the cluster does not let this process work.
    pub fn encode_for_rounds(
        &self,
        progress: &mut dyn FnMut(WorkerProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut worker = Worker {
            cluster: self,
            presence: Presence::begin(&self.client, &self.names)?,
            learner: LearnerWatch::new(&self.client, &self.names),
            encoder: None,
            over: None,
        };
        loop {
            let pause = match worker.turn(progress) {
                Ok(ControlFlow::Break(())) => return Ok(()),
                Ok(ControlFlow::Continue(())) => LOOK,
                Err(error) => {
                    tracing::warn!(%error, "trying again in {} s", RETRY.as_secs());
                    RETRY
                }
            };
            let begun = Instant::now();
            while begun.elapsed() < pause {
                if progress(WorkerProgress::Waiting).is_break() {
                    return Ok(());
                }
                thread::sleep(ASK);
            }
        }
    }
}

struct Worker<'c> {
    cluster: &'c Cluster,
    presence: Presence,
    learner: LearnerWatch,
    /// Of the last job.
    encoder: Option<Arc<Encoder>>,
    /// The job that is done.
    over: Option<Version>,
}

impl Worker<'_> {
    /// Works at the job that is there, if there is one.
    fn turn(
        &mut self,
        progress: &mut dyn FnMut(WorkerProgress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let Cluster { client, names, .. } = self.cluster;
        if self.presence.is_over() {
            self.presence = Presence::begin(client, names)?;
        }
        let Some(found) = Job::find(client, names)?.filter(|found| self.over != Some(found.version)) else {
            return Ok(ControlFlow::Continue(()));
        };
        // Whoever has put it up may be dead.
        if !self.learner.is_held_by(&found.holder)? {
            return Ok(ControlFlow::Continue(()));
        }
        let (job, begun) = (&found.job, Instant::now());
        let encoder = self.encoder(job)?;
        let hand = Hand::new(client, names, &self.presence.holder, job, &encoder, REPORT);
        let (mut looked, mut ended) = (Instant::now(), false);
        let learner = &mut self.learner;
        let worked = hand.work(&mut |moment, standing: &Standing| {
            let (done, total) = (standing.passages, job.passages);
            if progress(WorkerProgress::Encoding { done, total }).is_break() {
                ended = true;
                return Ok(false);
            }
            // One that is taken after the job has ended would be worked at in vain.
            if moment == Moment::Batch && looked.elapsed() < LOOK {
                return Ok(true);
            }
            looked = Instant::now();
            Ok(Job::is_there(client, names, found.version)? && learner.is_held_by(&found.holder)?)
        });
        if matches!(worked, Ok(true)) {
            self.over = Some(found.version);
        }
        let report = WorkerReport {
            name: names.alias().to_string(),
            weights: encoder.weights(),
            passages: hand.sent(),
            slices: hand.finished(),
            seconds: begun.elapsed().as_secs_f64(),
        };
        let stops = report.passages > 0 && progress(WorkerProgress::Ended(report)).is_break();
        if ended || stops {
            return Ok(ControlFlow::Break(()));
        }
        match worked {
            // What is refused once the job has ended says only that.
            Err(error) if Job::is_there(client, names, found.version)? => Err(error),
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    fn encoder(&mut self, job: &Job) -> Result<Arc<Encoder>> {
        let loaded = self.encoder.take().filter(|encoder| {
            encoder.weights() == job.encoder.weights
                && encoder.backend().precisions.documents == job.precision
        });
        let encoder = match loaded {
            Some(encoder) => encoder,
            None => self.cluster.following.encoders().of_passages(&job.encoder, job.precision)?,
        };
        self.encoder = Some(Arc::clone(&encoder));
        Ok(encoder)
    }
}
