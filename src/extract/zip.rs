//! Zip archives.

use std::io::SeekFrom;

use zip::ZipArchive;
use zip::result::ZipError;

use super::kind::Kind;
use super::reader::{MOST_DOCUMENT_BYTES, Member, Members, Source, read_bounded};
use super::text::Unreadable;

/// What a file is that begins as a zip archive: office documents are such archives. It is read from its start again.
pub(super) fn kind_inside(source: &mut dyn Source) -> Option<Kind> {
    let kind = ZipArchive::new(&mut *source).ok().and_then(|mut archive| {
        let has = |name: &str| archive.index_for_name(name).is_some();
        if has("word/document.xml") {
            return Some(Kind::Docx);
        }
        if has("ppt/presentation.xml") {
            return Some(Kind::Pptx);
        }
        if has("xl/workbook.xml") || has("xl/workbook.bin") {
            return Some(Kind::Workbook);
        }
        let mut entry = archive.by_name("mimetype").ok()?;
        let bytes = read_bounded(&mut entry, "its type", 200).ok()?;
        let media_type = String::from_utf8_lossy(&bytes).into_owned();
        let of_open_document = media_type.trim().strip_prefix("application/vnd.oasis.opendocument.");
        match of_open_document {
            Some(kind) if kind.starts_with("spreadsheet") => Some(Kind::Workbook),
            Some(kind) if kind.starts_with("text") || kind.starts_with("presentation") => {
                Some(Kind::OpenDocument)
            }
            _ if media_type.trim() == "application/epub+zip" => Some(Kind::Epub),
            _ => None,
        }
    });
    // Where it fails, so will what reads from here.
    let _ = source.seek(SeekFrom::Start(0));
    Some(kind.unwrap_or(Kind::Zip))
}

pub(super) fn read(source: &mut dyn Source, members: &mut dyn Members) -> Result<(), Unreadable> {
    let damaged =
        |error: ZipError| Unreadable::Malformed(format!("it is no zip archive, or is cut short: {error}"));
    let mut archive = ZipArchive::new(source).map_err(damaged)?;
    for index in 0..archive.len() {
        let listed = archive.name_for_index(index).and_then(Result::ok).map(std::borrow::Cow::into_owned);
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                members.refuse(&listed.unwrap_or_default(), refusal(&error))?;
                continue;
            }
        };
        if !entry.is_file() {
            continue;
        }
        let name = listed.unwrap_or_else(|| String::from_utf8_lossy(entry.name_raw()).into_owned());
        match read_bounded(&mut entry, "an entry", MOST_DOCUMENT_BYTES) {
            Ok(bytes) => members.take(Member { path: &name, place: Default::default(), bytes: &bytes })?,
            Err(why) => members.refuse(&name, why)?,
        }
    }
    Ok(())
}

fn refusal(error: &ZipError) -> Unreadable {
    match error {
        ZipError::UnsupportedArchive(what) if *what == ZipError::PASSWORD_REQUIRED => Unreadable::Encrypted,
        other => Unreadable::Malformed(format!("it can't be unpacked: {other}")),
    }
}
