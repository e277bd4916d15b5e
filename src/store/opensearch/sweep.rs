//! Drops what no reader needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alias::live;
use super::client::Client;
use super::generations::existing;
use super::indices::{drop_index, maker_of};
use super::jobs::Job;
use super::lease::Lease;
use super::manifest::{Manifest, Names};
use super::weights::{Parts, StoredEncoder};
use crate::error::{Error, Result};
use crate::ids::GenerationId;

/// What a sweep leaves.
pub(crate) struct Swept {
    /// The generation that serves, and the one that it replaced, if they are there.
    pub(crate) kept: Vec<Manifest>,
    /// The number of the next generation, which no other has had.
    pub(crate) next: GenerationId,
}

/// The number of the next generation, which no other has had.
pub(crate) fn next(client: &Client, names: &Names) -> Result<GenerationId> {
    after(existing(client, names)?, client, names)
}

fn after(existing: Vec<GenerationId>, client: &Client, names: &Names) -> Result<GenerationId> {
    let highest = Manifest::highest(client, names)?.into_iter().chain(existing).max();
    Ok(GenerationId(highest.map_or(1, |highest| highest.0 + 1)))
}

/// A round whose holder sweeps.
#[derive(Clone, Copy)]
pub(crate) struct OwnRound<'a> {
    /// Who has the lease of the round.
    pub(crate) holder: &'a str,
    /// The index that its job has filled, if it is needed.
    pub(crate) filled: Option<GenerationId>,
}

/// Drops generations that were never finished, and those before the one that the serving one replaced, which stays for
/// a way back, with their manifests; what has been left of jobs; and the parts of weights that neither of the two
/// needs, nor `next`, the encoder of the next generation. What another holder's round works with stays: the index that
/// it fills, that of the passages which it has encoded, and all parts. The holder of the lease calls it.
///
/// # Errors
/// [`Error::Cluster`] without the lease, or if `serving` no longer serves: then nothing more is dropped.
pub(crate) fn sweep(
    client: &Arc<Client>,
    names: &Names,
    lease: &Lease,
    serving: &str,
    own: Option<OwnRound<'_>>,
    next: Option<&StoredEncoder>,
) -> Result<Swept> {
    let existing = existing(client, names)?;
    let mut kept = Vec::new();
    let mut named = names.id_of(serving);
    // After a way back the one before is gone, and its manifest with it.
    while let Some(id) = named.filter(|id| kept.is_empty() || kept.len() < 2 && existing.contains(id)) {
        let manifest = Manifest::read(client, names, id)?;
        named = manifest.replaces;
        kept.push(manifest);
    }
    let others = Lease::learner(client, names)?.filter(|holder| own.is_none_or(|own| own.holder != holder));
    let job = match others {
        Some(_) => Job::find(client, names)?,
        None => Job::withdraw_all(client, names).map(|()| None)?,
    };
    let needed = kept.iter().flat_map(|manifest| [manifest.generation, manifest.passages()]);
    let needed = needed.chain(own.and_then(|own| own.filled)).chain(job.map(|found| found.job.source));
    let needed: BTreeSet<GenerationId> = needed.collect();
    let following = after(existing.clone(), client, names)?;
    for id in existing.into_iter().filter(|id| !needed.contains(id)) {
        let index = names.generation(id);
        if others.is_some() && maker_of(client, &index)? == others {
            continue;
        }
        check(client, names, lease, serving)?;
        drop_index(client, &index)?;
        if names.id_of(serving).is_some_and(|serving| id < serving) {
            Manifest::delete(client, names, id)?;
        }
    }
    check(client, names, lease, serving)?;
    if others.is_none() {
        let encoders = kept.iter().filter_map(|manifest| manifest.encoder.as_ref()).chain(next);
        Parts::of(client, names).keep(&encoders.flat_map(StoredEncoder::ids).collect())?;
    }
    Ok(Swept { kept, next: following })
}

/// Whether what is about to be dropped is still what nobody needs.
fn check(client: &Client, names: &Names, lease: &Lease, serving: &str) -> Result<()> {
    lease.check()?;
    let now = live(client, names)?;
    match now.as_deref() == Some(serving) {
        true => Ok(()),
        false => Err(Error::Cluster {
            doing: "drop earlier generations of the index at",
            at: client.at(&format!("/{}", names.alias())),
            found: format!("{} serving, where {serving} did", now.unwrap_or("nothing".into())),
            remedy: "see who has moved the alias, then migrate again",
        }),
    }
}
