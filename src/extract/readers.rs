//! The table of readers.

use super::kind::Kind;
use super::reader::Reader;
use super::{compressed, doc, docx, epub, mail, odf, pdf, pptx, rtf, sheets, tar, zip};

/// What reads a kind of file; `None` if nothing does.
pub(super) fn reader_of(kind: Kind) -> Option<Reader> {
    Some(match kind {
        Kind::Doc => Reader::Document(doc::read),
        Kind::Docx => Reader::Document(docx::read),
        Kind::Epub => Reader::Document(epub::read),
        Kind::Gzip => Reader::Container(compressed::read_gzip),
        Kind::Mail => Reader::WithAttachments(mail::read),
        Kind::Mailbox => Reader::Container(mail::read_mailbox),
        Kind::OpenDocument => Reader::Document(odf::read),
        Kind::OutlookMessage => Reader::WithAttachments(mail::read_outlook),
        Kind::Pdf => Reader::Document(pdf::read),
        Kind::Pptx => Reader::Document(pptx::read),
        Kind::Rtf => Reader::Document(rtf::read),
        Kind::Tar => Reader::Container(tar::read),
        Kind::Workbook => Reader::Document(sheets::read),
        Kind::Xz => Reader::Container(compressed::read_xz),
        Kind::Zip => Reader::Container(zip::read),
        Kind::Zstd => Reader::Container(compressed::read_zstd),
        Kind::Ppt => return None,
    })
}
