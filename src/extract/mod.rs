//! Formats that are not text: each file of this room reads one of them.
//!
//! A reader takes bytes that nobody vouches for and gives an [`ExtractedText`], or says why it can't.

mod text;

pub(crate) use text::{ExtractedText, Heading, Marker, Unreadable};
