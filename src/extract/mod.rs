//! Formats that are not text: each file of this room reads one of them.
//!
//! A reader takes bytes that nobody vouches for and gives an [`ExtractedText`], or says why it can't. What lies in a
//! container goes to [`reader::Members`], one at a time.

mod kind;
mod reader;
mod text;

pub(crate) use text::{ExtractedText, Heading, Marker, Unreadable};

use kind::Kind;
use reader::Reader;

/// What reads a kind of file; `None` if nothing does.
fn reader_of(kind: Kind) -> Option<Reader> {
    match kind {
        Kind::Docx
        | Kind::Doc
        | Kind::Epub
        | Kind::Gzip
        | Kind::Mail
        | Kind::Mailbox
        | Kind::OpenDocument
        | Kind::OutlookMessage
        | Kind::Pdf
        | Kind::Ppt
        | Kind::Pptx
        | Kind::Rtf
        | Kind::Tar
        | Kind::Workbook
        | Kind::Xz
        | Kind::Zip
        | Kind::Zstd => None,
    }
}
