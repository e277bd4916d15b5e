//! Formats that are not text: each file of this room reads one of them.
//!
//! A reader takes bytes that nobody vouches for and gives an [`ExtractedText`], or says why it can't. What lies in a
//! container goes to `reader::Members`, one at a time. [`ChildProcess`] keeps all of it out of the application:
//! [`serve`] is what runs in the child.

mod allowance;
mod child;
#[cfg(feature = "formats")]
mod compressed;
#[cfg(feature = "formats")]
mod doc;
#[cfg(feature = "formats")]
mod docx;
#[cfg(feature = "formats")]
mod epub;
mod extractor;
mod frames;
#[cfg(feature = "formats")]
mod in_process;
mod kind;
#[cfg(feature = "formats")]
mod mail;
#[cfg(feature = "formats")]
mod markup;
#[cfg(feature = "formats")]
mod odf;
#[cfg(feature = "formats")]
mod ole;
#[cfg(feature = "formats")]
mod ooxml;
#[cfg(feature = "formats")]
mod package;
#[cfg(feature = "formats")]
mod pdf;
#[cfg(feature = "formats")]
mod pptx;
#[cfg(feature = "formats")]
mod reader;
#[cfg(feature = "formats")]
mod readers;
#[cfg(feature = "formats")]
mod rtf;
#[cfg(feature = "formats")]
mod serve;
#[cfg(feature = "formats")]
mod sheets;
#[cfg(feature = "formats")]
mod table;
#[cfg(feature = "formats")]
mod tar;
#[cfg(test)]
#[cfg(feature = "formats")]
mod tests;
mod text;
#[cfg(feature = "formats")]
mod unpack;
#[cfg(feature = "formats")]
mod writer;
#[cfg(feature = "formats")]
mod xml;
#[cfg(feature = "formats")]
mod zip;

pub(crate) use allowance::Allowance;
pub use child::ChildProcess;
pub use extractor::{Content, Extractor, Found};
#[cfg(feature = "formats")]
pub use in_process::InProcess;
pub(crate) use kind::{HEAD_BYTES, Kind, extension_of, file_name_of};
#[cfg(feature = "formats")]
pub use serve::{print, serve};
#[cfg(feature = "formats")]
pub(crate) use table::row_text;
pub use text::{ExtractedText, Heading, Marker, Unreadable};
