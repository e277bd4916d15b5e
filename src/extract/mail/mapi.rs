//! The properties of messages as Outlook keeps them: each a stream, or eight bytes in a table (MS-OXMSG).

use std::borrow::Cow;
use std::io::Cursor;

use cfb::CompoundFile;
use encoding_rs::{Encoding, WINDOWS_1252};

use super::super::Unreadable;
use super::super::reader::read_bounded;

/// Of one property: a body, an attachment.
const LARGEST: u64 = 256 << 20;

/// A compound file with a message in it.
pub(super) type File<'b> = CompoundFile<Cursor<&'b [u8]>>;

/// A message, an attachment or a receiver: a storage of the file.
pub(super) struct Object {
    /// Ends with `/`.
    path: String,
    /// Tag and value of those with a fixed size.
    fixed: Vec<(u32, u64)>,
}

impl Object {
    /// The object at `path`. `header` is how many bytes of its table come before the first property.
    pub(super) fn open(file: &mut File<'_>, path: &str, header: usize) -> Result<Self, Unreadable> {
        let path = format!("{}/", path.trim_end_matches('/'));
        let table = stream(file, &format!("{path}__properties_version1.0"))?.unwrap_or_default();
        let entries = table.get(header..).unwrap_or_default().chunks_exact(16);
        let fixed = entries.filter_map(|entry| {
            let (tag, rest) = entry.split_first_chunk()?;
            Some((u32::from_le_bytes(*tag), u64::from_le_bytes(*rest.last_chunk()?)))
        });
        Ok(Self { path, fixed: fixed.collect() })
    }

    /// A property of a fixed size.
    pub(super) fn number(&self, id: u16) -> Option<u64> {
        self.fixed.iter().find(|(tag, _)| tag >> 16 == u32::from(id)).map(|(_, value)| *value)
    }

    /// A text; empty if there is none. `encoding` is for those that are not UTF-16.
    pub(super) fn text(
        &self,
        file: &mut File<'_>,
        id: u16,
        encoding: &'static Encoding,
    ) -> Result<String, Unreadable> {
        if let Some(bytes) = self.stream(file, id, 0x001f)? {
            return Ok(encoding_rs::UTF_16LE
                .decode_without_bom_handling(&bytes)
                .0
                .trim_end_matches('\0')
                .to_owned());
        }
        let bytes = self.stream(file, id, 0x001e)?.unwrap_or_default();
        // Some programs write UTF-8 whatever they say.
        let text = str::from_utf8(&bytes).map_or_else(|_| encoding.decode(&bytes).0, Cow::Borrowed);
        Ok(text.trim_end_matches('\0').to_owned())
    }

    /// Bytes.
    pub(super) fn bytes(&self, file: &mut File<'_>, id: u16) -> Result<Option<Vec<u8>>, Unreadable> {
        self.stream(file, id, 0x0102)
    }

    /// The path of an object that is a property.
    pub(super) fn inner(&self, file: &File<'_>, id: u16) -> Option<String> {
        let path = format!("{}__substg1.0_{id:04X}000D", self.path);
        file.is_storage(&path).then_some(path)
    }

    /// Paths of the storages below that begin with `name`, in their order.
    pub(super) fn children(&self, file: &File<'_>, name: &str) -> Vec<String> {
        let entries = file.read_storage(&self.path).into_iter().flatten();
        let names = entries.filter(|entry| entry.is_storage() && entry.name().starts_with(name));
        let mut paths: Vec<String> = names.map(|entry| format!("{}{}", self.path, entry.name())).collect();
        paths.sort();
        paths
    }

    /// What its texts are in that are not UTF-16, and its HTML.
    pub(super) fn encoding(&self) -> &'static Encoding {
        let pages = [0x3fde, 0x3ffd].into_iter().filter_map(|id| self.number(id));
        let mut encodings =
            pages.filter_map(|page| codepage::to_encoding(u16::try_from(page & 0xffff_ffff).ok()?));
        encodings.next().unwrap_or(WINDOWS_1252)
    }

    fn stream(&self, file: &mut File<'_>, id: u16, kind: u16) -> Result<Option<Vec<u8>>, Unreadable> {
        stream(file, &format!("{}__substg1.0_{id:04X}{kind:04X}", self.path))
    }
}

fn stream(file: &mut File<'_>, path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
    if !file.is_stream(path) {
        return Ok(None);
    }
    let mut stream = file.open_stream(path).map_err(|error| super::super::reader::malformed(path, &error))?;
    read_bounded(&mut stream, path, LARGEST).map(Some)
}
