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
mod in_process;
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
mod readers;
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
pub use extractor::{Content, Extractor, Found};
pub use in_process::InProcess;
pub(crate) use kind::{HEAD_BYTES, Kind};
pub use serve::{print, serve};
pub use text::{ExtractedText, Heading, Marker, Unreadable};
