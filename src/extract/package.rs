//! Zipped formats: the parts of a document, each within bounds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::reader::{malformed, read_bounded};
use super::{Unreadable, ole};

/// Of one part. A text of a thousand pages has a few MiB of XML.
const LARGEST_PART: u64 = 64 << 20;

/// Of all parts of one document that are read. They are not in memory together.
const MOST_BYTES: u64 = 1 << 30;

/// A zipped document.
pub(super) struct Package<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    /// Bytes that may still be unzipped.
    left: u64,
}

/// What one part of an Office document refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    /// Last segment of the type: `styles`, `slide`.
    pub kind: String,
    /// The part's name.
    pub target: String,
}

impl<'b> Package<'b> {
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, Unreadable> {
        // How Office encrypts: the zip lies in a stream.
        if ole::has(bytes, "/EncryptedPackage") {
            return Err(Unreadable::Encrypted);
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refused("the archive", error))?;
        Ok(Self { zip, left: MOST_BYTES })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// A part that must be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, Unreadable> {
        self.part(name)?.ok_or_else(|| Unreadable::Malformed(format!("there is no {name} in it")))
    }

    /// The text of a part, if there is such a part.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some(bytes) = self.bytes(name)? else { return Ok(None) };
        // UTF-16 by its mark, else UTF-8.
        Ok(Some(encoding_rs::UTF_8.decode(&bytes).0.into_owned()))
    }

    fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        let Some(mut entry) = self.entry(name)? else { return Ok(None) };
        let bytes = read_bounded(&mut entry, name, LARGEST_PART)?;
        drop(entry);
        self.spend(bytes.len() as u64)?;
        Ok(Some(bytes))
    }

    /// Makes sure that no part of XML or of binary records unzips to more than `largest(name)` bytes, nor all to more
    /// than is allowed: for libraries that believe the archive. Nothing is kept in memory.
    pub(super) fn check(&mut self, largest: impl Fn(&str) -> u64) -> Result<(), Unreadable> {
        let names: Vec<String> = self.zip.file_names().filter_map(Result::ok).map(Cow::into_owned).collect();
        let read = |name: &String| [".xml", ".rels", ".bin"].iter().any(|end| name.ends_with(end));
        for name in names.into_iter().filter(read) {
            let Some(entry) = self.entry(&name)? else { continue };
            let largest = largest(&name);
            let unzipped = io::copy(&mut entry.take(largest + 1), &mut io::sink());
            let unzipped = unzipped.map_err(|error| malformed(&name, &error))?;
            if unzipped > largest {
                return Err(Unreadable::TooLarge(format!("{name} of more than {} MiB", largest >> 20)));
            }
            self.spend(unzipped)?;
        }
        Ok(())
    }

    fn entry(&mut self, name: &str) -> Result<Option<ZipFile<'_, Cursor<&'b [u8]>>>, Unreadable> {
        match self.zip.by_name(name) {
            Err(ZipError::FileNotFound) => Ok(None),
            entry => entry.map(Some).map_err(|error| refused(name, error)),
        }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Unreadable> {
        self.left = (self.left.checked_sub(bytes)).ok_or_else(|| {
            Unreadable::TooLarge(format!("parts of more than {} GiB together", MOST_BYTES >> 30))
        })?;
        Ok(())
    }

    /// What a part refers to, by id. `""` for the document as a whole.
    pub(super) fn relations(&mut self, part: &str) -> Result<BTreeMap<String, Relation>, Unreadable> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let path = resolve(folder, &format!("_rels/{name}.rels"));
        let Some(text) = self.part(&path)? else { return Ok(BTreeMap::new()) };
        let xml = super::xml::parse(&text)?;
        let relations = xml.root_element().children().filter_map(|node| {
            let attribute = |name| super::xml::attribute(node, name);
            if attribute("TargetMode") == Some("External") {
                return None;
            }
            let kind = attribute("Type")?.rsplit('/').next()?.to_owned();
            Some((
                attribute("Id")?.to_owned(),
                Relation { kind, target: resolve(folder, attribute("Target")?) },
            ))
        });
        Ok(relations.collect())
    }

    /// The part that `part` refers to as `kind`.
    pub(super) fn related(&mut self, part: &str, kind: &str) -> Result<Option<String>, Unreadable> {
        let relations = self.relations(part)?;
        Ok(relations.into_values().find(|relation| relation.kind == kind).map(|relation| relation.target))
    }
}

/// The name of the part that `target` means, said in a part of `folder`.
pub(super) fn resolve(folder: &str, target: &str) -> String {
    let (folder, target) = target.strip_prefix('/').map_or((folder, target), |target| ("", target));
    let mut path: Vec<&str> = Vec::new();
    for segment in folder.split('/').chain(target.split('/')) {
        match segment {
            "" | "." => {}
            ".." => drop(path.pop()),
            segment => path.push(segment),
        }
    }
    path.join("/")
}

fn refused(what: &str, error: ZipError) -> Unreadable {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            Unreadable::Encrypted
        }
        error => Unreadable::Malformed(format!("{what} can't be unpacked: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zipped(name: &str, chunk: &[u8], times: usize) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        (0..times).for_each(|_| zip.write_all(chunk).unwrap());
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_part_that_unzips_to_too_much_is_refused() {
        let bomb = zipped("word/document.xml", &[b' '; 1 << 20], 65);
        let found = Package::open(&bomb).unwrap().part("word/document.xml");
        assert_eq!(found, Err(Unreadable::TooLarge("word/document.xml of more than 64 MiB".into())));
    }

    #[test]
    fn utf_16_is_read_by_its_mark() {
        let utf_16: Vec<u8> = "\u{feff}<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bytes = zipped("a.xml", &utf_16, 1);
        assert_eq!(Package::open(&bytes).unwrap().part("a.xml").unwrap().as_deref(), Some("<a/>"));
        assert_eq!(Package::open(&bytes).unwrap().part("b.xml"), Ok(None));
    }

    #[test]
    fn targets_are_relative_to_the_folder_or_absolute() {
        assert_eq!(resolve("ppt/slides", "../notes/n1.xml"), "ppt/notes/n1.xml");
        assert_eq!(resolve("ppt", "/docProps/./core.xml"), "docProps/core.xml");
        assert_eq!(resolve("", "../../x"), "x");
    }
}
