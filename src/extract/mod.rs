//! Formats that are not text: each file of this room reads one of them.
//!
//! A reader takes bytes that nobody vouches for and gives an [`ExtractedText`], or says why it can't. What lies in a
//! container goes to [`reader::Members`], one at a time.

#![allow(dead_code, reason = "nothing asks for these formats yet")]

mod docx;
mod epub;
mod kind;
mod mail;
mod markup;
mod odf;
mod ole;
mod ooxml;
mod package;
mod pptx;
mod reader;
mod rtf;
mod sheets;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod writer;
mod xml;

pub(crate) use text::{ExtractedText, Heading, Marker, Unreadable};

use kind::Kind;
use reader::Reader;

/// What reads a kind of file; `None` if nothing does.
fn reader_of(kind: Kind) -> Option<Reader> {
    Some(match kind {
        Kind::Docx => Reader::Document(docx::read),
        Kind::Epub => Reader::Document(epub::read),
        Kind::Mail => Reader::WithAttachments(mail::read),
        Kind::Mailbox => Reader::Container(mail::read_mailbox),
        Kind::OpenDocument => Reader::Document(odf::read),
        Kind::OutlookMessage => Reader::WithAttachments(mail::read_outlook),
        Kind::Pptx => Reader::Document(pptx::read),
        Kind::Rtf => Reader::Document(rtf::read),
        Kind::Workbook => Reader::Document(sheets::read),
        Kind::Doc | Kind::Gzip | Kind::Pdf | Kind::Ppt | Kind::Tar | Kind::Xz | Kind::Zip | Kind::Zstd => {
            return None;
        }
    })
}
