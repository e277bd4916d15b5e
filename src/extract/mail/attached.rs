//! What is attached to a message.

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

use crate::place::Place;

use super::super::Unreadable;
use super::super::reader::{Member, Members};

/// Kinds that say nothing to a reader: signatures.
const SIGNATURES: [&str; 3] = ["pgp-signature", "pkcs7-signature", "x-pkcs7-signature"];

/// Gives the attachments to `members`. Pictures within the text and signatures are parts of the message, not files.
pub(super) fn give(message: &Message<'_>, members: &mut dyn Members) -> Result<(), Unreadable> {
    for (part, number) in message.attachments().zip(1..) {
        let kind = part.content_type();
        let subtype = kind.and_then(|kind| kind.subtype()).unwrap_or_default();
        let image = kind.is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"));
        let inline = image && matches!(part.body, PartType::InlineBinary(_));
        if inline || SIGNATURES.iter().any(|signature| subtype.eq_ignore_ascii_case(signature)) {
            continue;
        }
        let (bytes, extension) = content(message, part);
        let path = match part.attachment_name().map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => name.to_owned(),
            None => format!("attachment-{number}{extension}"),
        };
        members.take(Member { path: &path, place: Place::default(), bytes })?;
    }
    Ok(())
}

/// The bytes of a part, and the extension of a file of its kind.
fn content<'m>(message: &'m Message<'_>, part: &'m MessagePart<'_>) -> (&'m [u8], &'static str) {
    match &part.body {
        PartType::Text(text) => (text.as_bytes(), ".txt"),
        PartType::Html(text) => (text.as_bytes(), ".html"),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => (bytes, ""),
        // Its own bytes if it was encoded, else those between the offsets in this one.
        PartType::Message(inner) => (inner.raw_message(), ".eml"),
        PartType::Multipart(_) => {
            let range = part.offset_header as usize..part.offset_end as usize;
            (message.raw_message().get(range).unwrap_or_default(), ".eml")
        }
    }
}

/// Whether the text of a message can be read by its receiver only (S/MIME, PGP).
pub(super) fn is_encrypted(message: &Message<'_>) -> bool {
    message.parts.iter().filter_map(|part| part.content_type()).any(|kind| {
        let subtype = kind.subtype().unwrap_or_default();
        let enveloped = kind.attribute("smime-type").is_none_or(|kind| kind.contains("enveloped"));
        subtype.eq_ignore_ascii_case("encrypted") || subtype.ends_with("pkcs7-mime") && enveloped
    })
}
