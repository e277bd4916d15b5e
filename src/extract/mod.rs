//! Formats that are not text: each file of this room reads one of them.
//!
//! A reader takes bytes that nobody vouches for and gives an [`ExtractedText`], or says why it can't. What lies in a
//! container goes to `reader::Members`, one at a time. [`ChildProcess`] keeps all of it out of the application:
//! [`serve`] is what runs in the child.

mod child;
mod compressed;
mod extractor;
mod frames;
mod kind;
mod pdf;
mod reader;
mod serve;
mod tar;
mod text;
mod unpack;
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
        Kind::Gzip => Reader::Container(compressed::read_gzip),
        Kind::Pdf => Reader::Document(pdf::read),
        Kind::Tar => Reader::Container(tar::read),
        Kind::Xz => Reader::Container(compressed::read_xz),
        Kind::Zip => Reader::Container(zip::read),
        Kind::Zstd => Reader::Container(compressed::read_zstd),
        Kind::Doc
        | Kind::Docx
        | Kind::Epub
        | Kind::Mail
        | Kind::Mailbox
        | Kind::OpenDocument
        | Kind::OutlookMessage
        | Kind::Ppt
        | Kind::Pptx
        | Kind::Rtf
        | Kind::Workbook => return None,
    })
}
