//! Durable files: atomic replacement, folders, the writer's lock, checksummed frames.
//!
//! Only this room renames or syncs, so that one place defines the order: write → sync file → sync folder → rename →
//! sync parent.

mod atomic;
mod envelope;
mod frame;
mod header;
mod lock;

pub(crate) use atomic::{
    copy_folder, is_writable, publish_folder, remove_file, remove_folder, remove_unfinished, rename_file,
    replace_folder, restore_folder, share_with_writers, sync_file, sync_folder, sync_open_file, write_atomic,
    write_folder, write_large, write_private,
};
pub(crate) use envelope::{
    open_envelope, read_envelope, rebuild, write_compact_envelope, write_envelope, write_private_envelope,
};
pub(crate) use frame::{FRAME_OVERHEAD, Scanned, append_frame, scan_frames};
pub(crate) use header::{FileHeader, HEADER_LEN};
pub(crate) use lock::WriterLock;
