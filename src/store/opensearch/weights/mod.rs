//! The weights that rounds have trained, on the cluster and in a cache of this machine.
//!
//! A file is cut into parts, and each part is a document whose id is its SHA-256: so the same bytes are sent once,
//! whichever generation or file has them, and a request that is made again changes nothing. The manifest of a
//! generation names the files of its encoder with their parts.

mod assemble;
mod cache;
mod download;
mod parts;
mod stored;

pub(super) use cache::Cache;
pub(crate) use parts::Parts;
pub(crate) use stored::StoredEncoder;
