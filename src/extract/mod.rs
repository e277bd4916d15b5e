//! Formats that are not text: each file of this room reads one of them.
//!
//! A reader takes bytes that nobody vouches for and gives an [`ExtractedText`], or says why it can't. What lies in a
//! container goes to `reader::Members`, one at a time. [`ChildProcess`] keeps all of it out of the application:
//! [`serve`] is what runs in the child.

mod child;
mod compressed;
mod doc;
mod docx;
mod epub;
mod extractor;
mod frames;
mod kind;
mod mail;
mod markup;
mod odf;
mod ole;
mod ooxml;
mod package;
mod pdf;
mod pptx;
mod reader;
mod rtf;
mod serve;
mod sheets;
mod table;
mod tar;
#[cfg(test)]
mod tests;
mod text;
mod unpack;
mod writer;
mod xml;
mod zip;

pub use child::ChildProcess;
pub use extractor::{Content, Extractor, Found, InProcess};
pub(crate) use kind::{HEAD_BYTES, Kind};
pub use serve::{print, serve};
pub use text::{ExtractedText, Heading, Marker, Unreadable};

use reader::Reader;

/// What reads a kind of file; `None` if nothing does.
fn reader_of(kind: Kind) -> Option<Reader> {
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
