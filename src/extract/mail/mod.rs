//! Messages as they are sent (EML), boxes of them (mbox), and those that Outlook saves (MSG). What is attached goes to
//! the container's [`Members`].

mod attached;
mod letter;
mod mailbox;
mod mapi;
mod outlook;
mod rtf_body;

use mail_parser::{Address, HeaderName, Message, MessageParser, MimeHeaders, PartType};

use super::markup::{self, Syntax};
use super::reader::Members;
use super::writer::Writer;
use super::{ExtractedText, Unreadable};
use letter::Letter;
pub(super) use mailbox::read as read_mailbox;
pub(super) use outlook::read as read_outlook;

/// Reads a message; its attachments go to `members`.
pub(super) fn read(bytes: &[u8], members: &mut dyn Members) -> Result<ExtractedText, Unreadable> {
    let bytes = without_frame(bytes);
    let message = MessageParser::default().parse(bytes).filter(is_message);
    let message = message.ok_or_else(|| {
        Unreadable::Malformed(
            "expected a message, found no header of one such as From, Date or Subject".into(),
        )
    })?;
    let mut writer = Writer::default();
    letter(&message).write(&mut writer);
    for part in message.text_body.iter().filter_map(|&id| message.part(id)) {
        match &part.body {
            PartType::Text(text) => {
                let flowed = part.content_type().and_then(|kind| kind.attribute("format"));
                letter::plain(
                    text,
                    flowed.is_some_and(|format| format.eq_ignore_ascii_case("flowed")),
                    &mut writer,
                );
            }
            PartType::Html(text) => {
                markup::write(text, Syntax::Html, &mut writer);
            }
            _ => {}
        }
    }
    if attached::is_encrypted(&message) {
        members.refuse("body", Unreadable::Encrypted)?;
    }
    attached::give(&message, members)?;
    writer.finish()
}

/// A message as Apple's Mail keeps it has its length before it, and a property list behind.
fn without_frame(bytes: &[u8]) -> &[u8] {
    let line = bytes.iter().take(20).position(|&byte| byte == b'\n').unwrap_or(0);
    let length = str::from_utf8(&bytes[..line]).ok().and_then(|line| line.trim().parse::<usize>().ok());
    match length {
        Some(length) => {
            let message = &bytes[line + 1..];
            &message[..length.min(message.len())]
        }
        None => bytes,
    }
}

/// Whether it has what only messages have: any text with a colon parses as one.
fn is_message(message: &Message<'_>) -> bool {
    let known =
        [HeaderName::From, HeaderName::To, HeaderName::Subject, HeaderName::Date, HeaderName::Received];
    let known = known.into_iter().chain([HeaderName::MessageId, HeaderName::MimeVersion]);
    known.into_iter().any(|name| message.header(name).is_some())
}

fn letter(message: &Message<'_>) -> Letter {
    Letter {
        subject: message.subject().unwrap_or_default().to_owned(),
        from: people(message.from()),
        to: people(message.to()),
        copies: people(message.cc()),
        date: message.date().filter(|date| date.is_valid()).map(|date| date.to_rfc3339()),
    }
}

fn people(address: Option<&Address<'_>>) -> Vec<String> {
    let people = address.into_iter().flat_map(Address::iter);
    people
        .map(|one| letter::person(one.name().unwrap_or_default(), one.address().unwrap_or_default()))
        .collect()
}
