//! Files that survive: atomic replacement, durable folders, the writer's lock, checksummed frames.
//!
//! This is the only room that renames or syncs. Whoever needs a durable change asks for it here, so that the order
//! write → sync file → sync folder → rename → sync parent stands in one place.

mod atomic;
mod envelope;
mod frame;
mod header;
mod lock;

pub(crate) use atomic::{
    publish_folder, remove_file, remove_folder, remove_unfinished, sync_file, sync_folder, sync_open_file,
    write_atomic, write_large,
};
pub(crate) use envelope::{read_envelope, rebuild, write_envelope};
pub(crate) use frame::{Scanned, append_frame, scan_frames};
pub(crate) use header::{FileHeader, HEADER_LEN};
pub(crate) use lock::WriterLock;
