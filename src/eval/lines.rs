//! Reads text files line by line, plain or gzipped. Errors name the line.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Characters of a wrong line that an error shows.
const LONGEST_SHOWN: usize = 80;

/// The beginning of a text, for an error.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// An iterator over the lines of a file that are not blank, with their numbers from 1.
pub(crate) struct Lines {
    what: &'static str,
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    number: usize,
}

impl Lines {
    /// Opens a file. Detects gzip by the first bytes, not by the name.
    pub(super) fn open(path: &Path) -> Result<Lines> {
        Lines::open_as("the evaluation file", path)
    }

    /// As [`open`](Lines::open), of a file that errors call so.
    pub(crate) fn open_as(what: &'static str, path: &Path) -> Result<Lines> {
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        let mut first = Vec::new();
        file.by_ref().take(2).read_to_end(&mut first).map_err(Error::io("read", path))?;
        file.rewind().map_err(Error::io("read", path))?;
        let reader: Box<dyn BufRead + Send> = match first == GZIP_MAGIC {
            true => Box::new(BufReader::new(MultiGzDecoder::new(file))),
            false => Box::new(BufReader::new(file)),
        };
        Ok(Lines { what, path: path.to_path_buf(), reader, number: 0 })
    }

    /// The error for an invalid line.
    pub(crate) fn wrong(&self, number: usize, found: impl std::fmt::Display, expected: &str) -> Error {
        let found = short(&found.to_string());
        Error::invalid(self.what, format!("{}:{number}: {found}", self.path.display()), expected)
    }

    fn read(&mut self) -> Result<Option<(usize, String)>> {
        loop {
            let mut bytes = Vec::new();
            let read = self.reader.read_until(b'\n', &mut bytes).map_err(|source| match source.kind() {
                // The gzip file is truncated or damaged.
                ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                    self.wrong(self.number + 1, source, "a whole file, gzipped or not")
                }
                _ => Error::io("read", &self.path)(source),
            })?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let line =
                String::from_utf8(bytes).map_err(|_| self.wrong(self.number, "bytes", "UTF-8 text"))?;
            // Skip a byte order mark.
            let line = if self.number == 1 { line.trim_start_matches('\u{feff}') } else { &line };
            let line = line.trim_end_matches(['\n', '\r']);
            if !line.trim().is_empty() {
                return Ok(Some((self.number, line.to_string())));
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<(usize, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
