//! Presentations.

use super::super::{odf, pptx};
use super::{field, fixture, headings, places};

#[test]
fn slides_of_powerpoint_have_title_text_notes_and_tables() {
    let text = pptx::read(&fixture("python-pptx.pptx")).unwrap();
    assert_eq!(
        text.text,
        "Why a new quay\n\n- Ships have grown\n- The old quay sinks\n\nSay how much it sinks each year.\n\n\
         Costs\n\nPart: Piles; Price: 4,100\nPart: Cranes; Price: 9,900\n\nPrices in thousands"
    );
    assert_eq!(headings(&text), [(1, "Why a new quay"), (1, "Costs")]);
    assert_eq!(places(&text), [("slide 1".to_owned(), "Why a new quay"), ("slide 2".to_owned(), "Costs")]);
    assert_eq!(text.title.as_deref(), Some("Harbour plan"));
    assert_eq!(field(&text, "author"), ["Bo Lind"]);
}

#[test]
fn slides_of_impress_read_alike() {
    let text = odf::read(&fixture("libreoffice.odp")).unwrap();
    assert_eq!(
        text.text,
        "Tides\n\n- Spring tides\n- Neap tides\n\nMention the moon.\n\n\
         Table\n\nPort: Brest; Height: 6.9 m\nPort: Kiel; Height: 0.1 m"
    );
    assert_eq!(places(&text), [("slide 1".to_owned(), "Tides"), ("slide 2".to_owned(), "Table")]);
}
