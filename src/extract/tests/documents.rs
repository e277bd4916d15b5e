//! Texts and books.

use super::super::{doc, docx, epub, odf, rtf};
use super::{contents, field, fixture, headings, places, zipped};

/// What LibreOffice's text says, in whatever format it was saved. `box_first`: in RTF a box stands before its
/// paragraph.
fn expected(comment: &str, box_first: bool) -> String {
    let (box_, after) = ("Boxed advice: keep matches dry.", "After the box.");
    let (first, second) = if box_first { (box_, after) } else { (after, box_) };
    format!(
        "Keeping a lighthouse\n\nContents\n\nThe lamp\t1\n\nOil\t1\n\nThe lamp\n\n\
         Clean the glass each morning before noon. See the manual.\n\nChalk and spirit do it.\n\n{comment}\n\n\
         Oil\n\n- Colza\n  - twice pressed\n- Paraffin\n\n\
         Oil: Colza; Place: cellar; Litres: 40\nOil: Colza; Place: tower; Litres: 5\n\n\
         {first}\n\n{second}\n\nwick = trim(\n    every=6)"
    )
}

#[test]
fn a_text_of_libreoffice_reads_the_same_in_all_its_formats() {
    let comment = "Ivar: Is spirit still sold?";
    let odt = odf::read(&fixture("libreoffice.odt")).unwrap();
    let docx = docx::read(&fixture("libreoffice.docx")).unwrap();
    let rtf = rtf::read(&fixture("libreoffice.rtf")).unwrap();
    assert_eq!(odt.text, expected(comment, false));
    assert_eq!(docx.text, expected(comment, false));
    assert_eq!(rtf.text, expected("Is spirit still sold?", true));
    for text in [&odt, &docx, &rtf] {
        assert_eq!(headings(text), [(1, "Keeping a lighthouse"), (1, "The lamp"), (2, "Oil")]);
        assert_eq!(contents(text), ["Contents\n\nThe lamp\t1\n\nOil\t1"]);
        assert_eq!(text.title.as_deref(), Some("Keeping a lighthouse"));
        assert_eq!(field(text, "author"), ["Gro Hagen"]);
        assert!(field(text, "date")[0].starts_with("2022-02-03"));
        assert!(text.markers.is_empty());
    }
    assert_eq!(field(&odt, "tags"), ["light", "sea"]);
}

#[test]
fn an_old_text_of_word_has_its_words_rows_and_notes() {
    let text = doc::read(&fixture("libreoffice.doc")).unwrap().text;
    assert!(text.starts_with("Keeping a lighthouse\n\nContents\n\nThe lamp\t1"), "{text}");
    assert!(
        text.contains("Oil: Colza; Place: cellar; Litres: 40\nPlace: tower; Litres: 5\n\nAfter the box."),
        "{text}"
    );
    // Instructions of fields and headers are no text.
    assert!(
        text.contains(" See the manual.\n\n")
            && !text.contains("HYPERLINK")
            && !text.contains("RUNNING HEAD")
    );
    assert!(
        text.ends_with("Chalk and spirit do it.\n\nIs spirit still sold?\n\nBoxed advice: keep matches dry.")
    );
}

#[test]
fn blocks_begin_at_paragraphs_items_and_rows() {
    let text = odf::read(&fixture("libreoffice.odt")).unwrap();
    let blocks: Vec<&str> = text.blocks.iter().map(|&at| text.text[at..].lines().next().unwrap()).collect();
    assert!(blocks.contains(&"  - twice pressed"));
    assert!(blocks.contains(&"Oil: Colza; Place: tower; Litres: 5"));
    assert!(blocks.contains(&"wick = trim("));
    assert!(!blocks.contains(&"    every=6)"));
}

#[test]
fn texts_of_pandoc_have_lists_tables_code_and_notes() {
    for text in [docx::read(&fixture("pandoc.docx")).unwrap(), rtf::read(&fixture("pandoc.rtf")).unwrap()] {
        let body = &text.text;
        assert!(
            body.contains("Bees keep it at 35 °C. See the keeper’s guide.\n\nMeasured in July.\n\n"),
            "{body}"
        );
        assert!(
            body.contains("Month: May; Honey: 3 kg; Note: rape\nMonth: July; Honey: 9 kg; Note: lime"),
            "{body}"
        );
        assert!(body.contains("def weigh(hive):\n"), "{body}");
        assert!(headings(&text).ends_with(&[(1, "The hive"), (2, "Tools")]));
    }
    let text = docx::read(&fixture("pandoc.docx")).unwrap();
    assert!(text.text.contains("- gloves\n  - leather ones"));
    assert_eq!(field(&text, "tags"), ["bees", "honey"]);
}

#[test]
fn a_text_of_odfpy_is_read() {
    let text = odf::read(&fixture("odfpy.odt")).unwrap();
    assert_eq!(text.text, "Wells\n\nDug by hand.");
}

#[test]
fn books_have_chapters_and_their_list_is_no_passage() {
    let book = epub::read(&fixture("ebooklib.epub")).unwrap();
    assert_eq!(book.title.as_deref(), Some("Knots of the north"));
    assert_eq!(field(&book, "author"), ["Dee Fjord"]);
    assert_eq!(field(&book, "date"), ["2019-05-01"]);
    assert_eq!(field(&book, "tags"), ["ropes"]);
    assert_eq!(contents(&book), ["Knots of the north\n\n- Bowline\n- Hitches"]);
    assert_eq!(headings(&book), [(1, "Bowline"), (1, "Hitches"), (2, "Clove hitch")]);
    let expected = [("chapter 1", "Knots of the north"), ("chapter 2", "Bowline"), ("chapter 3", "Hitches")];
    assert_eq!(places(&book), expected.map(|(place, line)| (place.to_owned(), line)));
    assert!(book.text.ends_with("Two half hitches.\n\nRope: Hemp; Load: 200 kg\n\nover\nunder"));
    assert!(book.text.contains("It holds a ship & comes undone."));

    let book = epub::read(&fixture("pandoc.epub")).unwrap();
    assert!(book.text.contains("Bees keep it at 35 °C. See the keeper’s guide."), "{}", book.text);
}

#[test]
fn a_chapter_without_a_heading_has_the_title_of_the_contents() {
    let book = epub::read(&zipped(&[
        ("META-INF/container.xml", "<container><rootfile full-path='a/book.xml'/></container>"),
        (
            "a/book.xml",
            "<package><manifest><item id='t' href='toc.ncx' media-type='application/x-dtbncx+xml'/>\
             <item id='c' href='one%20two.html'/></manifest><spine toc='t'><itemref idref='c'/></spine></package>",
        ),
        (
            "a/toc.ncx",
            "<ncx><navMap><navPoint><navLabel><text>First</text></navLabel><content src='one%20two.html#x'/>\
             </navPoint></navMap></ncx>",
        ),
        ("a/one two.html", "<p>Words.<script>no</script></p>"),
    ]));
    let book = book.unwrap();
    assert_eq!(book.text, "First\n\nWords.");
    assert_eq!(headings(&book), [(1, "First")]);
}
