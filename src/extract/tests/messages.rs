//! Messages and boxes of them.

use std::io::Cursor;

use super::super::{Unreadable, mail};
use super::{Kept, contents, field, fixture, headings};

#[test]
fn a_message_has_a_head_plain_text_and_attachments() {
    let mut kept = Kept::default();
    let text = mail::read(&fixture("python.eml"), &mut kept).unwrap();
    assert_eq!(
        text.text,
        "Réunion sur le pont\n\nFrom: Ada Moss <ada@example.org>\nTo: bo@example.org, Cy Dahl <cy@example.org>\n\n\
         Hello Bo,\n\nthe bridge needs paint — see the list.\n\n> Which colour?\nGreen."
    );
    assert_eq!(text.title.as_deref(), Some("Réunion sur le pont"));
    assert_eq!(field(&text, "from"), ["Ada Moss <ada@example.org>"]);
    assert_eq!(field(&text, "to"), ["bo@example.org", "Cy Dahl <cy@example.org>"]);
    assert_eq!(field(&text, "date"), ["2024-03-01T09:30:00+01:00"]);
    assert!(contents(&text).is_empty());

    let [(list, _, bytes), (inner, _, message)] = &kept.taken[..] else { panic!("two attachments") };
    assert_eq!(
        (list.as_str(), bytes.as_slice()),
        ("liste à faire.csv", &b"item,litres\ngreen paint,12\nprimer,5\n"[..])
    );
    assert_eq!(inner, "attachment-2.eml");
    let inner = mail::read(message, &mut Kept::default()).unwrap();
    assert_eq!(
        inner.text,
        "Old question\n\nFrom: cy@example.org\nTo: ada@example.org\n\nIs the bridge open?"
    );
}

#[test]
fn a_message_of_html_has_what_it_shows() {
    let text = mail::read(&fixture("html.eml"), &mut Kept::default()).unwrap();
    assert_eq!(
        text.text,
        "日本\n\nFrom: x@example.org\n\nTimetable\n\nFrom May on:\n\nTrain: R1; Leaves: 6:10\nTrain: R2; Leaves: 7:40"
    );
    assert_eq!(headings(&text), [(1, "日本"), (1, "Timetable")]);
}

#[test]
fn what_only_its_receiver_can_read_is_told() {
    let message = b"Subject: Secret\r\nFrom: a@example.org\r\n\
        Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nxyz";
    let mut kept = Kept::default();
    assert_eq!(mail::read(message, &mut kept).unwrap().title.as_deref(), Some("Secret"));
    assert_eq!(kept.refused, [("body".to_owned(), Unreadable::Encrypted)]);
}

#[test]
fn each_message_of_a_box_is_a_member() {
    let mut kept = Kept::default();
    mail::read_mailbox(&mut Cursor::new(fixture("python.mbox")), &mut kept).unwrap();
    let paths: Vec<_> =
        kept.taken.iter().map(|(path, place, _)| (path.as_str(), place.message.unwrap())).collect();
    assert_eq!(paths, [("000001.eml", 1), ("000002.eml", 2), ("000003.eml", 3)]);
    let second = mail::read(&kept.taken[1].2, &mut Kept::default()).unwrap();
    assert_eq!(second.title.as_deref(), Some("Letter 2"));
    assert!(second.text.ends_with("This is letter 2.\n\nFrom here on the text is quoted: 12:30."));
}

#[test]
fn a_box_leaves_out_what_thunderbird_deleted_and_refuses_what_is_none() {
    let mbox = "From - Mon Jan  1 10:00:00 2024\nX-Mozilla-Status: 0009\nSubject: gone\n\nx\n\n\
                From - Mon Jan  1 11:00:00 2024\nX-Mozilla-Status: 0001\nSubject: kept\n\nFrom now on.\n";
    let mut kept = Kept::default();
    mail::read_mailbox(&mut Cursor::new(mbox), &mut kept).unwrap();
    assert_eq!(kept.taken.len(), 1);
    assert_eq!(kept.taken[0].0, "000002.eml");
    let found = mail::read_mailbox(&mut Cursor::new("Dear all"), &mut Kept::default());
    assert!(matches!(found, Err(Unreadable::Malformed(_))));
}

#[test]
fn a_message_of_a_box_that_is_too_large_is_refused_and_the_next_one_read() {
    let line = format!("{}\n", "x".repeat(1 << 20));
    let mbox = format!("From - 10:00\nSubject: a\n\n{}\nFrom - 11:00\nSubject: b\n\ny\n", line.repeat(65));
    let mut kept = Kept::default();
    mail::read_mailbox(&mut Cursor::new(mbox), &mut kept).unwrap();
    let bound = Unreadable::TooLarge("a message of more than 64 MiB".into());
    assert_eq!(kept.refused, [("000001.eml".to_owned(), bound)]);
    assert_eq!(kept.taken.len(), 1);
}

#[test]
fn a_message_of_outlook_has_attachments_and_the_message_within() {
    let mut kept = Kept::default();
    let text = mail::read_outlook(&fixture("extract-msg.msg"), &mut kept).unwrap();
    assert_eq!(
        text.text,
        "Quotes for the mast\n\nFrom: Dee Fjord <dee@example.org>\nTo: Eli Vang <eli@example.org>\n\
         Cc: Flo Grau <flo@example.org>\n\nDear Eli,\n\nthe larch mast costs 900 €.\n\nDee\n\n\
         Torn sail\n\nFrom: Flo Grau\n\nThe sail is torn.\n\nMend it."
    );
    assert_eq!(headings(&text), [(1, "Quotes for the mast"), (2, "Torn sail")]);
    assert_eq!(field(&text, "date"), ["2024-05-06T07:08:09Z"]);
    assert_eq!(field(&text, "from"), ["Dee Fjord <dee@example.org>"]);
    assert_eq!(kept.taken.len(), 1);
    assert_eq!(kept.taken[0].0, "mast prices.csv");
    assert_eq!(kept.taken[0].2, b"wood,price\nlarch,900\nspruce,700\n");
}
