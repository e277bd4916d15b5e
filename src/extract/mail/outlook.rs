//! Messages that Outlook saves (MSG). A message within is part of the text, other attachments are files.

use time::OffsetDateTime;

use crate::place::Place;

use super::super::markup::{self, Syntax};
use super::super::reader::{Member, Members};
use super::super::writer::Writer;
use super::super::{ExtractedText, Unreadable, ole, rtf};
use super::letter::{self, Letter};
use super::mapi::{File, Object};
use super::rtf_body;

// Properties, by MS-OXPROPS.
const SUBJECT: u16 = 0x0037;
const SUBMITTED: u16 = 0x0039;
const SENDER: u16 = 0x0c1a;
const SENDER_ADDRESS: u16 = 0x0c1f;
const SENDER_SMTP: u16 = 0x5d01;
const RECEIVER_KIND: u16 = 0x0c15;
const DELIVERED: u16 = 0x0e06;
const BODY: u16 = 0x1000;
const RTF: u16 = 0x1009;
const HTML: u16 = 0x1013;
const NAME: u16 = 0x3001;
const ADDRESS: u16 = 0x3003;
const SMTP: u16 = 0x39fe;
const DATA: u16 = 0x3701;
const SHORT_FILE_NAME: u16 = 0x3704;
const FILE_NAME: u16 = 0x3707;
const FLAGS: u16 = 0x3714;

/// Of the flags of an attachment: it is shown within the HTML.
const SHOWN_INSIDE: u64 = 4;

/// A message in a message in a message.
const DEEPEST: usize = 8;

/// Reads a message; its attachments go to `members`.
pub(in super::super) fn read(bytes: &[u8], members: &mut dyn Members) -> Result<ExtractedText, Unreadable> {
    let mut file =
        ole::open(bytes).filter(|file| file.is_stream("/__properties_version1.0")).ok_or_else(|| {
            Unreadable::Malformed("expected a message of Outlook, found another kind of file".into())
        })?;
    let mut writer = Writer::default();
    Outlook { file: &mut file, members, writer: &mut writer }.message("/", 0)?;
    writer.finish()
}

struct Outlook<'a, 'b> {
    file: &'a mut File<'b>,
    members: &'a mut dyn Members,
    writer: &'a mut Writer,
}

impl Outlook<'_, '_> {
    fn message(&mut self, path: &str, depth: usize) -> Result<(), Unreadable> {
        let message = Object::open(self.file, path, if depth == 0 { 32 } else { 24 })?;
        let letter = self.letter(&message)?;
        match u8::try_from(depth) {
            Ok(0) | Err(_) => letter.write(self.writer),
            Ok(depth) => letter.write_head(depth + 1, self.writer),
        }
        self.body(&message)?;
        for path in message.children(self.file, "__attach_version1.0_") {
            self.attachment(&path, depth, message.encoding())?;
        }
        Ok(())
    }

    fn letter(&mut self, message: &Object) -> Result<Letter, Unreadable> {
        let encoding = message.encoding();
        let mut text = |object: &Object, id| object.text(self.file, id, encoding);
        let address = match text(message, SENDER_SMTP)? {
            none if none.is_empty() => text(message, SENDER_ADDRESS)?,
            address => address,
        };
        let mut letter = Letter {
            subject: text(message, SUBJECT)?,
            from: vec![letter::person(&text(message, SENDER)?, readable(&address))],
            date: [SUBMITTED, DELIVERED].into_iter().find_map(|id| message.number(id)).and_then(date),
            ..Letter::default()
        };
        letter.from.retain(|person| !person.is_empty());
        for path in message.children(self.file, "__recip_version1.0_") {
            let receiver = Object::open(self.file, &path, 8)?;
            let mut text = |id| receiver.text(self.file, id, encoding);
            let address = match text(SMTP)? {
                none if none.is_empty() => text(ADDRESS)?,
                address => address,
            };
            let person = letter::person(&text(NAME)?, readable(&address));
            match receiver.number(RECEIVER_KIND).map(|kind| kind & 15) {
                Some(2 | 3) => letter.copies.push(person),
                _ => letter.to.push(person),
            }
        }
        Ok(letter)
    }

    /// The plain text, else the HTML, else the RTF.
    fn body(&mut self, message: &Object) -> Result<(), Unreadable> {
        let encoding = message.encoding();
        let plain = message.text(self.file, BODY, encoding)?;
        if !plain.trim().is_empty() {
            letter::plain(&plain, false, self.writer);
            return Ok(());
        }
        let html = match message.bytes(self.file, HTML)? {
            Some(bytes) => encoding.decode(&bytes).0.into_owned(),
            None => message.text(self.file, HTML, encoding)?,
        };
        if !html.trim().is_empty() {
            markup::write(&html, Syntax::Html, self.writer);
            return Ok(());
        }
        match message.bytes(self.file, RTF)? {
            Some(packed) if !packed.is_empty() => rtf::write(&rtf_body::decompressed(&packed)?, self.writer),
            _ => Ok(()),
        }
    }

    fn attachment(
        &mut self,
        path: &str,
        depth: usize,
        encoding: &'static encoding_rs::Encoding,
    ) -> Result<(), Unreadable> {
        let attachment = Object::open(self.file, path, 8)?;
        if let Some(inner) = attachment.inner(self.file, DATA) {
            if self.file.is_stream(format!("{inner}/__properties_version1.0")) {
                return match depth < DEEPEST {
                    true => self.message(&inner, depth + 1),
                    false => Err(Unreadable::TooLarge(format!("messages more than {DEEPEST} deep"))),
                };
            }
            let why = Unreadable::Malformed("an object of another program, not a file".into());
            return self.members.refuse(&file_name(path), why);
        }
        if attachment.number(FLAGS).is_some_and(|flags| flags & SHOWN_INSIDE != 0) {
            return Ok(());
        }
        let mut name = String::new();
        for id in [FILE_NAME, SHORT_FILE_NAME, NAME] {
            if name.trim().is_empty() {
                name = attachment.text(self.file, id, encoding)?;
            }
        }
        if name.trim().is_empty() {
            name = file_name(path);
        }
        match attachment.bytes(self.file, DATA)? {
            Some(bytes) => self.members.take(Member { path: &name, place: Place::default(), bytes: &bytes }),
            None => {
                self.members.refuse(&name, Unreadable::Malformed("a link to a file, not the file".into()))
            }
        }
    }
}

/// A name for what has none.
fn file_name(path: &str) -> String {
    format!("attachment-{}", path.rsplit('#').next().unwrap_or_default())
}

/// Addresses within Exchange are no addresses to people.
fn readable(address: &str) -> &str {
    if address.starts_with('/') { "" } else { address }
}

/// From tenths of microseconds since 1601, as RFC 3339.
fn date(since_1601: u64) -> Option<String> {
    let seconds = i64::try_from(since_1601 / 10_000_000).ok()? - 11_644_473_600;
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let (hour, minute, second) = time.to_hms();
    Some(format!("{}T{hour:02}:{minute:02}:{second:02}Z", time.date()))
}
