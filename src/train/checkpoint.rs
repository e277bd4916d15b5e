//! Resumes a training that a crash interrupted from its last checkpoint, to the same weights.
//!
//! A checkpoint has the trainable parameters, their two moments and the number of finished steps: 12 bytes a parameter,
//! 1.3 GB for all-mpnet-base-v2. Batches and masks are not stored: they follow from examples, guide and options, and
//! the checkpoint has a digest of those. docs/format.md has the layout.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mask::Masked;
use super::monitor::Measured;
use super::optimizer::AdamW;
use super::step::StepReport;
use crate::encoder::TrainableEncoder;
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::storage::{FileHeader, HEADER_LEN, write_large};

const MAGIC: [u8; 8] = *b"RETUNECP";
const VERSION: u32 = 1;
/// Bytes read or written at a time.
const BLOCK: usize = 1 << 18;

/// The round that a checkpoint belongs to: what is known of it before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// When the round read the log, in milliseconds since the Unix epoch.
    pub(crate) started_ms: u64,
    /// The length of the log at that time.
    pub(crate) impressions: usize,
    pub(crate) judgements: usize,
    /// The serving encoder, where training started.
    pub(crate) weights: Digest,
    /// The round's options.
    pub(crate) options: Digest,
    /// The version of this crate: another version may compute differently.
    pub(crate) program: String,
}

/// Where and how often checkpoints are written.
#[derive(Clone, Copy)]
pub(crate) struct Checkpoints<'a> {
    pub(crate) path: &'a Path,
    /// Training time between two checkpoints. `None`: none is written.
    pub(crate) interval: Option<Duration>,
    pub(crate) origin: &'a Origin,
}

/// The state of a training.
#[derive(Debug, Clone, Default)]
pub(super) struct Done {
    pub(super) steps: Vec<StepReport>,
    pub(super) masked: Masked,
    /// Time spent on steps alone.
    pub(super) spent: Duration,
    pub(super) measured: Measured,
    /// Time spent on measurements alone.
    pub(super) measuring: Duration,
}

#[derive(Serialize, Deserialize)]
struct Head {
    origin: Origin,
    /// Digest of everything that determines the steps.
    plan: Digest,
    steps: Vec<StepReport>,
    masked: Masked,
    spent_s: f64,
    measured: Measured,
    measuring_s: f64,
}

/// Reads which round the checkpoint at `path` belongs to; `None` if there is no checkpoint.
///
/// # Errors
/// [`Error::Damaged`] or [`Error::Version`] if it can't be read.
pub(crate) fn read_origin(path: &Path) -> Result<Option<Origin>> {
    match File::open(path) {
        Ok(file) => Ok(Some(read_head(path, &mut BufReader::new(file))?.0.origin)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("open", path)(e)),
    }
}

impl Checkpoints<'_> {
    /// Whether this round's training was interrupted and can go on.
    pub(crate) fn have_begun(&self) -> bool {
        matches!(read_origin(self.path), Ok(Some(origin)) if origin == *self.origin)
    }

    /// Restores model and optimiser from the checkpoint of this training. `None` if there is none. A checkpoint of
    /// another training, or a damaged one, is skipped with a log message.
    ///
    /// # Errors
    /// [`Error::Io`] if reading fails half-way: the model is then unusable.
    pub(super) fn resume(
        &self,
        plan: Digest,
        model: &mut TrainableEncoder,
        optimizer: &mut AdamW,
    ) -> Result<Option<Done>> {
        let head = match self.sound(plan, optimizer) {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(None),
            Err(error) => {
                tracing::warn!(%error, "training starts over: its checkpoint can't be used");
                return Ok(None);
            }
        };
        self.load(head.steps.len(), model, optimizer).map_err(Error::io("read", self.path))?;
        tracing::info!(step = head.steps.len(), "training resumes from its checkpoint");
        let time = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let Head { steps, masked, measured, .. } = head;
        let (spent, measuring) = (time(head.spent_s), time(head.measuring_s));
        Ok(Some(Done { steps, masked, spent, measured, measuring }))
    }

    /// Returns the head of a checkpoint of this training with a valid checksum.
    fn sound(&self, plan: Digest, optimizer: &AdamW) -> Result<Option<Head>> {
        let file = match File::open(self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("open", self.path)(e)),
        };
        let mut file = BufReader::with_capacity(BLOCK, file);
        let (head, numbers) = read_head(self.path, &mut file)?;
        let expected: usize = optimizer.moments().map(|(first, _)| 3 * first.len()).sum();
        if head.origin != *self.origin || head.plan != plan || numbers != expected as u64 {
            tracing::info!("training starts over: the checkpoint belongs to other examples");
            return Ok(None);
        }
        let (mut hasher, mut left) = (crc32fast::Hasher::new(), 4 * numbers);
        let mut block = vec![0; BLOCK];
        while left > 0 {
            let part = &mut block[..BLOCK.min(left as usize)];
            file.read_exact(part).map_err(Error::io("read", self.path))?;
            hasher.update(part);
            left -= part.len() as u64;
        }
        let mut crc = [0; 4];
        file.read_exact(&mut crc).map_err(Error::io("read", self.path))?;
        let (found, expected) = (u32::from_le_bytes(crc), hasher.finalize());
        match found == expected {
            true => Ok(Some(head)),
            false => Err(damaged(self.path, format!("checksum {expected:08x}"), format!("{found:08x}"))),
        }
    }

    /// Reads the numbers of a valid checkpoint.
    fn load(&self, steps: usize, model: &mut TrainableEncoder, optimizer: &mut AdamW) -> io::Result<()> {
        let mut file = BufReader::with_capacity(BLOCK, File::open(self.path)?);
        let mut start = [0; HEADER_LEN];
        file.read_exact(&mut start)?;
        io::copy(&mut (&mut file).take(json_length(&start).into()), &mut io::sink())?;
        let mut read = Ok(());
        let updated = model.update(|parameters, _| {
            read = optimizer.restore(steps, |index, first, second| {
                let numbers = &mut parameters[index][..];
                // Parameters without moments are not trained.
                let moving = if first.is_empty() { &mut [] } else { numbers };
                [moving, first, second].into_iter().try_for_each(|numbers| read_numbers(&mut file, numbers))
            });
        });
        updated.map_err(io::Error::other)?;
        read
    }

    /// Replaces the checkpoint.
    pub(super) fn write(
        &self,
        plan: Digest,
        model: &TrainableEncoder,
        optimizer: &AdamW,
        done: &Done,
    ) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        let head = Head {
            origin: self.origin.clone(),
            plan,
            steps: done.steps.clone(),
            masked: done.masked,
            spent_s: done.spent.as_secs_f64(),
            measured: done.measured.clone(),
            measuring_s: done.measuring.as_secs_f64(),
        };
        let json =
            serde_json::to_vec(&head).map_err(|e| Error::io("serialise", self.path)(io::Error::from(e)))?;
        let parameters = model.parameters()?;
        let arrays = || {
            parameters.iter().zip(optimizer.moments()).flat_map(|(numbers, (first, second))| {
                [&numbers[..first.len().min(numbers.len())], first, second]
            })
        };
        let count: usize = arrays().map(<[f32]>::len).sum();
        let mut extra = [0; 16];
        extra[..4].copy_from_slice(&(json.len() as u32).to_le_bytes());
        extra[4..8].copy_from_slice(&crc32fast::hash(&json).to_le_bytes());
        extra[8..].copy_from_slice(&(count as u64).to_le_bytes());
        let header = FileHeader { magic: MAGIC, version: VERSION, extra }.to_bytes();
        write_large(self.path, &mut |file| {
            file.write_all(&header)?;
            file.write_all(&json)?;
            let mut hasher = crc32fast::Hasher::new();
            for numbers in arrays().flat_map(|numbers| numbers.chunks(BLOCK / 4)) {
                let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
                hasher.update(&bytes);
                file.write_all(&bytes)?;
            }
            file.write_all(&hasher.finalize().to_le_bytes())
        })
    }
}

/// Reads the head, up to the start of the numbers. Returns it with their count.
fn read_head(path: &Path, file: &mut impl Read) -> Result<(Head, u64)> {
    let mut start = Vec::new();
    let mut part = |length: u64, into: &mut Vec<u8>| {
        file.take(length).read_to_end(into).map(drop).map_err(Error::io("read", path))
    };
    part(HEADER_LEN as u64, &mut start)?;
    let FileHeader { extra, .. } = FileHeader::parse(path, &start, MAGIC, VERSION)?;
    let mut json = Vec::new();
    part(json_length(&start).into(), &mut json)?;
    let crc = crc32fast::hash(&json).to_le_bytes();
    if extra[4..8] != crc {
        return Err(damaged(
            path,
            format!("checksum {crc:02x?} of its head"),
            format!("{:02x?}", &extra[4..8]),
        ));
    }
    let head = serde_json::from_slice(&json)
        .map_err(|error| damaged(path, error.to_string(), "the head of a checkpoint".into()))?;
    let count = extra[8..].iter().rev().fold(0, |count, byte| count << 8 | u64::from(*byte));
    Ok((head, count))
}

/// Returns the length of the head's JSON, from the file's header.
fn json_length(header: &[u8]) -> u32 {
    header[12..16].iter().rev().fold(0, |length, byte| length << 8 | u32::from(*byte))
}

fn read_numbers(file: &mut impl Read, numbers: &mut [f32]) -> io::Result<()> {
    let mut bytes = vec![0; BLOCK];
    for part in numbers.chunks_mut(BLOCK / 4) {
        let bytes = &mut bytes[..4 * part.len()];
        file.read_exact(bytes)?;
        part.iter_mut().zip(bytes.as_chunks().0).for_each(|(x, bytes)| *x = f32::from_le_bytes(*bytes));
    }
    Ok(())
}

fn damaged(path: &Path, found: String, expected: String) -> Error {
    let remedy = "no action needed: the round starts over";
    Error::Damaged { path: path.to_path_buf(), found, expected, remedy }
}
