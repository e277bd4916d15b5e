//! Reads a file by its kind, and what lies in it, and in that.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Cursor, Read, SeekFrom};
use std::path::Path;

use super::allowance::Allowance;
use super::extractor::{Content, Found};
use super::kind::{HEAD_BYTES, Kind, extension_of};
use super::reader::{MOST_DOCUMENT_BYTES, Member, Members, Reader, Source, malformed, read_bounded};
use super::readers::reader_of;
use super::text::{ExtractedText, Marker, Unreadable};
use super::zip;
use crate::place::Place;

/// Containers in containers are opened this deep.
const MOST_DEPTH: usize = 4;
/// Members of a file, however deep; one for so many of its bytes if that is more.
const MOST_MEMBERS: u64 = 100_000;
const LEAST_MEMBER_BYTES: u64 = 1 << 10;
/// All members of a file may have so many times its bytes, and [`FREE_BYTES`] in any case.
const MOST_RATIO: u64 = 200;
const FREE_BYTES: u64 = 256 << 20;

/// Takes what was found. An error ends the reading.
pub(super) type Give<'a> = &'a mut dyn FnMut(Found) -> Result<(), Unreadable>;

/// Reads a file on disk.
///
/// # Errors
/// If the file as a whole can't be read, or not to its end.
pub(super) fn file(path: &Path, give: Give<'_>) -> Result<(), Unreadable> {
    let failed = |error: std::io::Error| Unreadable::Failed(format!("could not be opened: {error}"));
    let mut file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    source(name, &mut file, Budget::of(bytes), give)
}

/// Reads a source as a file with this name.
///
/// # Errors
/// As [`file`].
pub(super) fn source(
    name: String,
    source: &mut dyn Source,
    mut budget: Budget,
    give: Give<'_>,
) -> Result<(), Unreadable> {
    let mut unpacker =
        Unpacker { prefix: String::new(), name, depth: 0, taken: HashSet::new(), budget: &mut budget, give };
    unpacker.read(source, Place::default())
}

/// What may still be unpacked of a file.
pub(super) struct Budget {
    /// Members in all.
    most: u64,
    members: u64,
    bytes: u64,
    /// What its members may give.
    allowance: Allowance,
}

impl Budget {
    /// Of a file of so many bytes.
    pub(super) fn of(bytes: u64) -> Budget {
        let most = MOST_MEMBERS.max(bytes / LEAST_MEMBER_BYTES);
        Budget {
            most,
            members: most,
            bytes: bytes.saturating_mul(MOST_RATIO).max(FREE_BYTES),
            allowance: Allowance::of(bytes),
        }
    }
}

/// Reads one file or member.
struct Unpacker<'a> {
    /// Its path in the outermost container; empty for that one.
    prefix: String,
    /// Its name.
    name: String,
    depth: usize,
    /// The paths of its members.
    taken: HashSet<String>,
    budget: &'a mut Budget,
    give: Give<'a>,
}

impl Unpacker<'_> {
    fn read(&mut self, source: &mut dyn Source, place: Place) -> Result<(), Unreadable> {
        let unreadable = |error| malformed("the file", &error);
        let mut head = Vec::new();
        source.take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(unreadable)?;
        source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let kind = match Kind::of(&head, &extension_of(&self.name)) {
            Some(Kind::Zip) => zip::kind_inside(source),
            kind => kind,
        };
        let Some(kind) = kind else { return self.text(source, &head) };
        let reader = reader_of(kind).ok_or_else(|| Unreadable::Unsupported(kind.name().into()))?;
        let extracted = match reader {
            Reader::Container(_) if self.depth > MOST_DEPTH => {
                return Err(Unreadable::TooLarge(format!(
                    "more than {MOST_DEPTH} containers inside each other"
                )));
            }
            Reader::Container(read) => return read(source, self),
            Reader::Document(read) => read(&self.whole(source)?)?,
            Reader::WithAttachments(read) => {
                let bytes = self.whole(source)?;
                let mut later = Attachments { found: Vec::new() };
                let extracted = read(&bytes, &mut later)?;
                drop(bytes);
                self.give(Content::Extracted(placed(extracted, &place)))?;
                return later.found.into_iter().try_for_each(|one| self.attachment(one));
            }
        };
        self.give(Content::Extracted(placed(extracted, &place)))
    }

    fn attachment(&mut self, attachment: Attachment) -> Result<(), Unreadable> {
        match attachment {
            Attachment::File { path, place, bytes } => {
                self.take(Member { path: &path, place, bytes: &bytes })
            }
            Attachment::Refused { path, why } => self.refuse(&path, why),
        }
    }

    fn whole(&self, source: &mut dyn Source) -> Result<Vec<u8>, Unreadable> {
        read_bounded(source, "a document", MOST_DOCUMENT_BYTES)
    }

    fn text(&mut self, source: &mut dyn Source, head: &[u8]) -> Result<(), Unreadable> {
        let is_utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
        if head.contains(&0) && !is_utf16 {
            return Err(Unreadable::Binary);
        }
        let bytes = self.whole(source)?;
        self.give(Content::Text(bytes))
    }

    fn give(&mut self, content: Content) -> Result<(), Unreadable> {
        self.budget.allowance.take(&content)?;
        (self.give)(Found { path: self.prefix.clone(), content })
    }

    /// The path of a member in the outermost container. `None` for those that are hidden.
    fn path_of(&mut self, path: &str) -> Result<Option<String>, Unreadable> {
        let path = if path.is_empty() { stem(&self.name) } else { path };
        let path = path.replace('\\', "/");
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            return Err(Unreadable::Malformed("its path leads out of the archive".into()));
        }
        if parts.iter().any(|part| part.starts_with('.') || *part == "__MACOSX") || parts.is_empty() {
            return Ok(None);
        }
        let path: String = parts.join("/").chars().filter(|one| !one.is_control()).collect();
        let mut unique = path.clone();
        for number in 2.. {
            if self.taken.insert(unique.clone()) {
                break;
            }
            unique = numbered(&path, number);
        }
        Ok(Some(if self.prefix.is_empty() { unique } else { format!("{}/{unique}", self.prefix) }))
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Unreadable> {
        self.budget.allowance.check()?;
        let too_large = |bound: String| Err(Unreadable::TooLarge(bound));
        let Some(members) = self.budget.members.checked_sub(1) else {
            return too_large(format!("more than {} files", self.budget.most));
        };
        let Some(left) = self.budget.bytes.checked_sub(bytes) else {
            return too_large(format!("files that unpack to more than {MOST_RATIO} times its size"));
        };
        (self.budget.members, self.budget.bytes) = (members, left);
        Ok(())
    }
}

impl Members for Unpacker<'_> {
    fn take(&mut self, member: Member<'_>) -> Result<(), Unreadable> {
        self.spend(member.bytes.len() as u64)?;
        let prefix = match self.path_of(member.path) {
            Ok(Some(path)) => path,
            Ok(None) => return Ok(()),
            Err(why) => {
                return (self.give)(Found {
                    path: shown(&self.prefix, member.path),
                    content: Content::Unreadable(why),
                });
            }
        };
        let name = prefix.rsplit('/').next().unwrap_or_default().to_owned();
        let (budget, give) = (&mut *self.budget, &mut *self.give);
        let mut inner = Unpacker {
            prefix: prefix.clone(),
            name,
            depth: self.depth + 1,
            taken: HashSet::new(),
            budget,
            give,
        };
        match inner.read(&mut Cursor::new(member.bytes), member.place) {
            Ok(()) => Ok(()),
            Err(why) => (self.give)(Found { path: prefix, content: Content::Unreadable(why) }),
        }
    }

    fn refuse(&mut self, path: &str, why: Unreadable) -> Result<(), Unreadable> {
        self.spend(0)?;
        match self.path_of(path) {
            Ok(Some(path)) => (self.give)(Found { path, content: Content::Unreadable(why) }),
            Ok(None) => Ok(()),
            Err(why) => {
                (self.give)(Found { path: shown(&self.prefix, path), content: Content::Unreadable(why) })
            }
        }
    }
}

/// The files of a message, until its own text was given.
struct Attachments {
    found: Vec<Attachment>,
}

enum Attachment {
    File { path: String, place: Place, bytes: Vec<u8> },
    Refused { path: String, why: Unreadable },
}

impl Members for Attachments {
    fn take(&mut self, Member { path, place, bytes }: Member<'_>) -> Result<(), Unreadable> {
        self.found.push(Attachment::File { path: path.into(), place, bytes: bytes.into() });
        Ok(())
    }

    fn refuse(&mut self, path: &str, why: Unreadable) -> Result<(), Unreadable> {
        self.found.push(Attachment::Refused { path: path.into(), why });
        Ok(())
    }
}

/// Adds the place in the container to each place in the member.
fn placed(mut extracted: ExtractedText, place: &Place) -> ExtractedText {
    if place.message.is_none() {
        return extracted;
    }
    if extracted.markers.first().is_none_or(|first| first.start > 0) {
        extracted.markers.insert(0, Marker { start: 0, place: Place::default() });
    }
    extracted.markers.iter_mut().for_each(|marker| marker.place.message = place.message);
    extracted
}

/// A path that leads nowhere, as it is shown.
fn shown(prefix: &str, path: &str) -> String {
    let path: String = path.chars().filter(|one| !one.is_control()).take(200).collect();
    if prefix.is_empty() { path } else { format!("{prefix}/{path}") }
}

/// The name without its last extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn numbered(path: &str, number: usize) -> String {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    match path[name..].rfind('.').filter(|&at| at > 0) {
        Some(at) => format!("{} ({number}){}", &path[..name + at], &path[name + at..]),
        None => format!("{path} ({number})"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ::zip::ZipWriter;
    use ::zip::write::SimpleFileOptions;

    use super::*;

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name)
    }

    /// What was found, in short, and the reason that the rest was not.
    fn found(path: &Path) -> (Vec<String>, Result<(), Unreadable>) {
        collected(&mut |give| file(path, give))
    }

    fn collected(
        read: &mut dyn FnMut(Give<'_>) -> Result<(), Unreadable>,
    ) -> (Vec<String>, Result<(), Unreadable>) {
        let mut all = Vec::new();
        let done = read(&mut |found| {
            all.push(match found.content {
                Content::Extracted(extracted) => {
                    format!("{}: {} letters", found.path, extracted.text.len().min(1))
                }
                Content::Text(bytes) => format!("{}: {}", found.path, String::from_utf8_lossy(&bytes).trim()),
                Content::Unreadable(why) => format!("{}: {why}", found.path),
            });
            Ok(())
        });
        (all, done)
    }

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn found_in(name: &str, bytes: &[u8]) -> (Vec<String>, Result<(), Unreadable>) {
        collected(&mut |give| {
            source(name.into(), &mut Cursor::new(bytes), Budget::of(bytes.len() as u64), give)
        })
    }

    #[test]
    fn members_are_named_hidden_ones_passed_over_and_the_others_have_reasons() {
        let (all, done) = found(&fixture("python.zip"));
        assert_eq!(done, Ok(()));
        assert_eq!(
            all,
            [
                "oil.md: # Oil\n\nThe oil is kept in the cellar.",
                "inner/notes.txt: The wick is trimmed at dusk.",
                "inner/groff.pdf: ",
                "../escape.txt: its path leads out of the archive",
                "node_modules/a/b.md: no",
                "pic.png: it is not text",
            ]
        );
    }

    #[test]
    fn compressed_archives_and_files_are_read_from_their_streams() {
        for name in ["tar.tar.gz", "tar.tar.xz", "tar.tar.zst"] {
            let (all, done) = found(&fixture(name));
            assert_eq!(done, Ok(()), "{name}");
            assert!(
                all.contains(&"inner/notes.txt: The wick is trimmed at dusk.".to_owned()),
                "{name}: {all:?}"
            );
        }
        assert_eq!(found(&fixture("xz.txt.xz")).0, ["xz.txt: The wick is trimmed at dusk."]);
    }

    #[test]
    fn what_a_name_says_is_checked_against_the_content() {
        let pdf = std::fs::read(fixture("reportlab.pdf")).unwrap();
        assert_eq!(found_in("notes.txt", &pdf).0, [": 1 letters"]);
        assert_eq!(found_in("page.pdf", b"<html>").0, [": <html>"]);
        assert_eq!(
            found_in("x.zip", b"no zip\0at all").1.unwrap_err().to_string().split(':').next(),
            Some("it is no zip archive, or is cut short")
        );
    }

    #[test]
    fn equal_names_differ_and_containers_end_at_a_depth() {
        let mut tar = ::tar::Builder::new(Vec::new());
        for text in ["one", "two"] {
            let mut header = ::tar::Header::new_gnu();
            header.set_size(3);
            header.set_cksum();
            tar.append_data(&mut header, "a/b.txt", text.as_bytes()).unwrap();
        }
        let (all, _) = found_in("same.tar", &tar.into_inner().unwrap());
        assert_eq!(all, ["a/b.txt: one", "a/b (2).txt: two"]);

        let mut nested = zipped(&[("deep.txt", b"deep")]);
        for _ in 0..8 {
            nested = zipped(&[("in.zip", &nested), ("beside.txt", b"beside")]);
        }
        let (all, done) = found_in("out.zip", &nested);
        assert_eq!(done, Ok(()));
        assert_eq!(all.iter().filter(|one| one.ends_with("beside")).count(), MOST_DEPTH + 1);
        assert!(all.iter().any(|one| one.contains("containers inside each other")), "{all:?}");
    }

    #[test]
    fn a_bomb_ends_with_a_reason() {
        let zeros = vec![b' '; 64 << 20];
        let entries: Vec<(String, &[u8])> =
            (0..8).map(|at| (format!("{at}.txt"), zeros.as_slice())).collect();
        let entries: Vec<(&str, &[u8])> =
            entries.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        let (all, done) = found_in("bomb.zip", &zipped(&entries));
        assert!(matches!(done, Err(Unreadable::TooLarge(_))), "{done:?}");
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn what_a_file_gives_in_all_is_bounded() {
        let members: Vec<(String, &[u8])> =
            (0..9).map(|at| (format!("{at}.txt"), b"12345".as_slice())).collect();
        let members: Vec<(&str, &[u8])> =
            members.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        let inner = zipped(&members);
        let bytes = zipped(&[("in.zip", &inner), ("last.txt", b"1")]);
        for (allowance, given) in [(Allowance::new(100, 22), 4), (Allowance::new(3, 100), 3)] {
            let budget = Budget { most: 100, members: 100, bytes: 10_000, allowance };
            let mut all = Vec::new();
            let done = source("many.zip".into(), &mut Cursor::new(&bytes), budget, &mut |found| {
                all.push((found.path, matches!(found.content, Content::Text(_))));
                Ok(())
            });
            assert!(matches!(done, Err(Unreadable::TooLarge(_))), "{done:?}");
            assert_eq!(all.iter().filter(|(_, is_text)| *is_text).count(), given, "{all:?}");
            assert_eq!(all.last().unwrap(), &("in.zip".to_owned(), false), "the rest is not read");
        }
    }

    #[test]
    fn cut_short_and_changed_files_are_refused_and_end() {
        for name in ["reportlab.pdf", "fpdf2.pdf", "python.zip", "tar.tar.gz", "tar.tar.xz", "tar.tar.zst"] {
            let whole = std::fs::read(fixture(name)).unwrap();
            for length in (0..whole.len()).step_by((whole.len() / 23).max(1)) {
                drop(found_in(name, &whole[..length]));
                let mut changed = whole.clone();
                changed[length] ^= 0xff;
                drop(found_in(name, &changed));
            }
        }
    }

    #[test]
    fn encrypted_and_scanned_files_are_named() {
        assert_eq!(found(&fixture("encrypted.pdf")).1, Err(Unreadable::Encrypted));
        assert_eq!(found(&fixture("scan.pdf")).1, Err(Unreadable::NoText));
    }
}
