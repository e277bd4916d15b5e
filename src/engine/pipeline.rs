//! Reading files on all processors, in a fixed order and in bounded memory.
//!
//! Each file in flight has a channel of its own, which holds a few documents. The files are taken in their order,
//! whichever is read first, few enough are in flight at a time, and of their documents few enough bytes.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::waiting::Waiting;
use super::worker::panic_message;
use crate::corpus::{
    ChangedFile, ChunkedDocument, CorpusOptions, FileRead, FileReader, Lengths, SkipReason, Skipped,
};
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::extract::Extractor;
use crate::ids::Digest;

const THREAD: &str = "retune-read";
/// Files in flight.
const MOST_FILES: usize = 256;
/// Bytes of files in flight, but for one that is larger by itself.
const MOST_BYTES: u64 = 32 << 20;
/// Documents of a file that wait to be taken.
const MOST_DOCUMENTS: usize = 16;

/// How files are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) options: &'a CorpusOptions,
    pub(super) lengths: Lengths,
    pub(super) encoder: &'a Encoder,
    pub(super) extractor: Option<&'a Arc<dyn Extractor>>,
}

/// What reading a file gives, one after the other.
pub(super) enum Read {
    Document(ChunkedDocument),
    Skipped(Skipped),
    /// It has the content that is known, and gives nothing.
    Unchanged,
    /// It was read to its end, and has this digest. Comes last.
    Whole(Digest),
}

impl Read {
    /// The bytes of its texts.
    fn bytes(&self) -> usize {
        match self {
            Read::Document(document) => {
                document.chunks.iter().map(|chunk| chunk.title.len() + chunk.text.len()).sum()
            }
            Read::Skipped(_) | Read::Unchanged | Read::Whole(_) => 0,
        }
    }
}

/// A file that a thread is to read.
struct Job<'f> {
    file: &'f ChangedFile,
    known: Option<Digest>,
    number: usize,
    give: Sender<Read>,
}

/// Reads files on as many threads as there are processors. `known` tells with which digest a file is indexed; `take`
/// gets what each gives, file by file in their order, and `None` behind the last of a file.
///
/// # Errors
/// The first of `take`; no further file is begun then.
pub(super) fn read_all(
    files: &[ChangedFile],
    reading: Reading<'_>,
    known: &dyn Fn(&str) -> Option<Digest>,
    take: &mut dyn FnMut(&ChangedFile, Option<Read>) -> Result<()>,
) -> Result<()> {
    reading.options.validate()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    let ready = Waiting::default();
    let read = crossbeam_utils::thread::scope(|scope| {
        let (jobs, waiting) = unbounded::<Job<'_>>();
        for _ in 0..threads {
            let (waiting, ready) = (waiting.clone(), &ready);
            scope
                .builder()
                .name(THREAD.into())
                .spawn(move |_| work(reading, &waiting, ready))
                .map_err(Error::io("start the thread", Path::new(THREAD)))?;
        }
        let mut flight = Flight { rest: files.iter().enumerate(), inside: VecDeque::new(), bytes: 0 };
        let taken = flight.take_all(&jobs, &ready, known, take);
        // What no thread has begun is not read any more.
        waiting.try_iter().for_each(drop);
        taken
    });
    read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The files that threads may be reading, in their order.
struct Flight<'f> {
    rest: std::iter::Enumerate<std::slice::Iter<'f, ChangedFile>>,
    inside: VecDeque<(&'f ChangedFile, Receiver<Read>)>,
    bytes: u64,
}

impl<'f> Flight<'f> {
    fn take_all(
        &mut self,
        jobs: &Sender<Job<'f>>,
        ready: &Waiting,
        known: &dyn Fn(&str) -> Option<Digest>,
        take: &mut dyn FnMut(&ChangedFile, Option<Read>) -> Result<()>,
    ) -> Result<()> {
        let taking = ready.taking();
        for number in 0.. {
            self.fill(jobs, known);
            let Some((file, given)) = self.next() else { break };
            taking.begin(number);
            for read in given {
                taking.took(read.bytes());
                take(file, Some(read))?;
            }
            take(file, None)?;
        }
        Ok(())
    }

    fn fill(&mut self, jobs: &Sender<Job<'f>>, known: &dyn Fn(&str) -> Option<Digest>) {
        while self.inside.len() < MOST_FILES && (self.inside.is_empty() || self.bytes < MOST_BYTES) {
            let Some((number, file)) = self.rest.next() else { break };
            let (give, given) = bounded(MOST_DOCUMENTS);
            self.bytes += file.stamp.bytes;
            self.inside.push_back((file, given));
            // A thread is there as long as the sender is.
            _ = jobs.send(Job { file, known: known(&file.id), number, give });
        }
    }

    fn next(&mut self) -> Option<(&'f ChangedFile, Receiver<Read>)> {
        let next = self.inside.pop_front()?;
        self.bytes -= next.0.stamp.bytes;
        Some(next)
    }
}

fn work(reading: Reading<'_>, jobs: &Receiver<Job<'_>>, ready: &Waiting) {
    let Reading { options, lengths, encoder, extractor } = reading;
    let count = |text: &str| encoder.count_tokens(text);
    // One for all files: it remembers how many tokens words have.
    let reader = FileReader::new(options, lengths, &count, extractor.cloned());
    for Job { file, known, number, give } in jobs {
        let read = catch_unwind(AssertUnwindSafe(|| {
            reader.as_ref().map(|reader| {
                reader.read(file, known, &mut |read| {
                    let read = read.map_or_else(Read::Skipped, Read::Document);
                    ready.add(number, read.bytes());
                    match give.send(read) {
                        Ok(()) => ControlFlow::Continue(()),
                        // The run was cancelled.
                        Err(_) => ControlFlow::Break(()),
                    }
                })
            })
        }));
        let last = match read {
            Ok(Ok(FileRead::New(None))) => continue,
            Ok(Ok(FileRead::New(Some(digest)))) => Read::Whole(digest),
            Ok(Ok(FileRead::Known)) => Read::Unchanged,
            Ok(Err(error)) => Read::Skipped(unreadable(file, error)),
            // One file must not end the run.
            Err(panic) => Read::Skipped(unreadable(file, &panic_message(&*panic))),
        };
        _ = give.send(last);
    }
}

fn unreadable(file: &ChangedFile, why: &dyn std::fmt::Display) -> Skipped {
    tracing::error!(file = file.id, %why, "a file could not be read");
    Skipped::of(file.id.clone(), SkipReason::Malformed { message: why.to_string() })
}
