//! In which encoding the bytes of each font are.

use std::collections::HashMap;

use encoding_rs::{Encoding, WINDOWS_1252};

/// The fonts of a document, by their numbers.
#[derive(Debug)]
pub(super) struct Fonts {
    by_number: HashMap<i32, &'static Encoding>,
    /// What the document as a whole is in.
    pub default: &'static Encoding,
}

impl Default for Fonts {
    fn default() -> Self {
        Self { by_number: HashMap::new(), default: WINDOWS_1252 }
    }
}

impl Fonts {
    /// Font `number` has the character set that Windows calls `charset`.
    pub(super) fn charset(&mut self, number: i32, charset: i32) {
        let page = match charset {
            77 => 10_000,
            128 => 932,
            129 => 949,
            134 => 936,
            136 => 950,
            161 => 1253,
            162 => 1254,
            163 => 1258,
            177 => 1255,
            178 => 1256,
            186 => 1257,
            204 => 1251,
            222 => 874,
            238 => 1250,
            // The document's own.
            _ => return,
        };
        self.page(number, page);
    }

    /// Font `number` is in this code page.
    pub(super) fn page(&mut self, number: i32, page: i32) {
        if let Some(encoding) = encoding_of(page) {
            self.by_number.insert(number, encoding);
        }
    }

    /// The encoding of font `number`.
    pub(super) fn encoding(&self, number: i32) -> &'static Encoding {
        self.by_number.get(&number).copied().unwrap_or(self.default)
    }
}

/// The encoding of a code page.
pub(super) fn encoding_of(page: i32) -> Option<&'static Encoding> {
    codepage::to_encoding(u16::try_from(page).ok()?)
}
