//! Boxes of messages one after the other (mbox): read line by line, one message in memory at a time.

use std::io::{BufRead, BufReader, Read};

use crate::place::Place;

use super::super::Unreadable;
use super::super::reader::{Member, Members, Source, malformed};

/// A message with its attachments. Mail servers refuse larger ones.
const LARGEST_MESSAGE: usize = 64 << 20;

/// Lines of more bytes are read in pieces.
const LONGEST_LINE: u64 = 1 << 16;

/// Gives each message to `members`, by its number. Those that Thunderbird shows no more are left out.
pub(in super::super) fn read(source: &mut dyn Source, members: &mut dyn Members) -> Result<(), Unreadable> {
    let mut reader = BufReader::new(source);
    let mut message = Pending::default();
    let (mut line, mut blank, mut begins) = (Vec::new(), true, true);
    loop {
        line.clear();
        let mut limited = reader.by_ref().take(LONGEST_LINE);
        let read = limited.read_until(b'\n', &mut line).map_err(|error| malformed("the mailbox", &error))?;
        if read == 0 {
            break;
        }
        if begins && blank && is_separator(&line) {
            message.give(members)?;
            message.number += 1;
        } else if message.number > 0 {
            message.push(if begins { unescaped(&line) } else { &line });
        } else if !line.trim_ascii().is_empty() {
            let found = String::from_utf8_lossy(&line[..line.len().min(40)]).trim().to_owned();
            return Err(Unreadable::Malformed(format!(
                "expected a line such as From ada@example.org, found {found}"
            )));
        }
        blank = begins && line.trim_ascii().is_empty();
        begins = line.ends_with(b"\n");
    }
    message.give(members)?;
    match message.number {
        0 => Err(Unreadable::NoText),
        _ => Ok(()),
    }
}

/// The message that is being read.
#[derive(Default)]
struct Pending {
    /// Counts from 1; 0 before the first.
    number: u32,
    bytes: Vec<u8>,
    too_large: bool,
}

impl Pending {
    fn push(&mut self, line: &[u8]) {
        self.too_large |= self.bytes.len() + line.len() > LARGEST_MESSAGE;
        if !self.too_large {
            self.bytes.extend_from_slice(line);
        }
    }

    /// Gives it away and makes room for the next.
    fn give(&mut self, members: &mut dyn Members) -> Result<(), Unreadable> {
        let path = format!("{:06}.eml", self.number);
        let place = Place { message: Some(self.number), ..Place::default() };
        if self.too_large {
            let bound = format!("a message of more than {} MiB", LARGEST_MESSAGE >> 20);
            members.refuse(&path, Unreadable::TooLarge(bound))?;
        } else if !self.bytes.is_empty() && !is_expunged(&self.bytes) {
            members.take(Member { path: &path, place, bytes: &self.bytes })?;
        }
        self.bytes.clear();
        self.too_large = false;
        Ok(())
    }
}

/// `From ada@example.org Sat Jan  3 01:05:34 1996`. A sentence that begins with From has no time of day.
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    rest.windows(4)
        .any(|at| at[0].is_ascii_digit() && at[1] == b':' && at[2..].iter().all(u8::is_ascii_digit))
}

/// Lines of a message that look like a separator have `>` before them.
fn unescaped(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
    match quotes > 0 && line[quotes..].starts_with(b"From ") {
        true => &line[1..],
        false => line,
    }
}

/// Whether the reader of the mail deleted it: Thunderbird keeps it in the file until it cleans up.
fn is_expunged(message: &[u8]) -> bool {
    let lines = message.split(|&byte| byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    let status = lines.filter_map(|line| line.strip_prefix(b"X-Mozilla-Status:")).next();
    let status = status.and_then(|status| str::from_utf8(status.trim_ascii()).ok());
    status.and_then(|status| u16::from_str_radix(status, 16).ok()).is_some_and(|status| status & 8 != 0)
}
