//! Single compressed files: gzip, xz, Zstandard. A tar archive inside is read as if it lay there unpacked.

use std::io::{BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use super::reader::{MOST_DOCUMENT_BYTES, Member, Members, Source, malformed, read_bounded};
use super::tar;
use super::text::Unreadable;

/// What a decoder may hold: the largest windows that `xz -9` and `zstd --ultra` make.
const MOST_WINDOW_BYTES: u64 = 128 << 20;

pub(super) fn read_gzip(source: &mut dyn Source, members: &mut dyn Members) -> Result<(), Unreadable> {
    unpack(&mut MultiGzDecoder::new(BufReader::new(source)), members)
}

pub(super) fn read_xz(source: &mut dyn Source, members: &mut dyn Members) -> Result<(), Unreadable> {
    let limit = (MOST_WINDOW_BYTES >> 10) as u32 + (1 << 10);
    unpack(&mut XzReader::new_mem_limit(BufReader::new(source), true, limit), members)
}

pub(super) fn read_zstd(source: &mut dyn Source, members: &mut dyn Members) -> Result<(), Unreadable> {
    let decoder = StreamingDecoder::new_with_max_window_size(BufReader::new(source), MOST_WINDOW_BYTES);
    let mut decoder =
        decoder.map_err(|error| Unreadable::Malformed(format!("it can't be unpacked: {error}")))?;
    unpack(&mut decoder, members)
}

fn unpack(stream: &mut dyn Read, members: &mut dyn Members) -> Result<(), Unreadable> {
    let mut head = Vec::new();
    stream.take(512).read_to_end(&mut head).map_err(|error| malformed("the file", &error))?;
    let is_tar = tar::begins(&head);
    let mut stream = Cursor::new(head).chain(stream);
    if is_tar {
        return tar::read_stream(&mut stream, members);
    }
    let bytes = read_bounded(&mut stream, "a file", MOST_DOCUMENT_BYTES)?;
    members.take(Member { path: "", place: Default::default(), bytes: &bytes })
}
