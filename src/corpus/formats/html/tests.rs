use proptest::prelude::*;

use super::extract;
use crate::corpus::Format;
use crate::corpus::tests::{chunks_of, count_words, seeded, titles};

fn text_of(source: &str) -> String {
    extract(source).text.into_owned()
}

/// The source bytes of a part of the text.
fn source_of<'s>(source: &'s str, part: &str) -> &'s str {
    let extracted = extract(source);
    let at = extracted.text.find(part).unwrap_or_else(|| panic!("{part:?} is not in {:?}", extracted.text));
    let place = extracted.positions.in_file(at..at + part.len());
    &source[place.start as usize..place.end as usize]
}

#[test]
fn blocks_are_lines_and_white_space_collapses() {
    let source = "<h1>A\n  title</h1><p>One <b>two</b>\n three.<p>Four<br>five<ul><li>a<li>b</ul>\
                  <table><tr><td>c</td><td>d</td></tr><tr><td>e</table>x";
    assert_eq!(text_of(source), "A title\n\nOne two three.\n\nFour\nfive\n\na\nb\n\nc\td\ne\n\nx");
}

#[test]
fn preformatted_text_keeps_its_white_space() {
    let source = "<pre>\nfn  a() {\r\n\tb\n\n\n}\n</pre><p>c";
    assert_eq!(text_of(source), "fn  a() {\n\tb\n\n\n}\n\nc");
    assert_eq!(source_of(source, "{\n\tb"), "{\r\n\tb");
    assert_eq!(text_of("<pre><span>a</span>\n  <span>b</span></pre>"), "a\n  b");
}

#[test]
fn character_references_are_decoded_and_placed() {
    let source =
        "<p>a &lt;b&gt; &amp;c caf&eacute; &#8212; &#x1F600;&nbsp;x &copy2 &unknown; &amp;amp; &notit; A&T &";
    assert_eq!(text_of(source), "a <b> &c café — 😀 x ©2 &unknown; &amp; ¬it; A&T &");
    assert_eq!(source_of(source, "<b>"), "&lt;b&gt;");
    assert_eq!(source_of(source, "é"), "&eacute;");
    assert_eq!(source_of(source, "fé —"), "f&eacute; &#8212;");
    assert_eq!(source_of(source, "😀 x"), "&#x1F600;&nbsp;x");
    assert_eq!(source_of(source, "©2 &unk"), "&copy2 &unk");
}

#[test]
fn ranges_span_the_tags_in_between_and_none_at_the_ends() {
    let source = "<div><p>The <em>quick</em> brown</p>\n<p>fox</p></div>";
    assert_eq!(source_of(source, "quick"), "quick");
    assert_eq!(source_of(source, "The quick brown"), "The <em>quick</em> brown");
    assert_eq!(source_of(source, "brown\n\nfox"), "brown</p>\n<p>fox");
}

#[test]
fn what_is_not_for_reading_is_left_out() {
    let source = "<!DOCTYPE html><html><head><title>T &amp; t</title><style>p{}</style>\
                  <script>if (a < b) document.write('<p>no</p>')</script></head><body><!-- no -->\
                  <noscript>no</noscript><template><p>no</p></template><svg><title>no</title></svg>\
                  <textarea>no</textarea><select><option>no</select><button>no</button><p>yes</p>\
                  <iframe>no</iframe><h2>Part<a href=#x>¶</a></h2></body></html>";
    let extracted = extract(source);
    assert_eq!(extracted.text, "yes\n\nPart");
    assert_eq!(extracted.title.as_deref(), Some("T & t"));
    assert_eq!(extracted.outline.headings()[0].title, "Part");
}

#[test]
fn boilerplate_of_the_page_is_left_out_but_not_that_of_the_content() {
    let source = "<header>site</header><nav><ul><li>menu</ul></nav><div role=navigation>more <div>menu</div></div>\
                  <main><article><header>by me</header><p>text</p><aside>note</aside><nav>on this page</nav></article>\
                  </main><aside>advert</aside><p hidden>shown: its end can't be relied on</p><div hidden>no</div>\
                  <div class='x navfooter'>prev</div><footer>imprint</footer>";
    assert_eq!(text_of(source), "by me\n\ntext\n\nnote\n\nshown: its end can't be relied on");
}

#[test]
fn boilerplate_stays_if_there_is_nothing_else_or_its_end_is_unknown() {
    assert_eq!(text_of("<nav>only <b>this</b></nav>"), "only this");
    assert_eq!(text_of("<nav>menu<p>the page"), "menu\n\nthe page");
    assert_eq!(text_of("<div><nav>menu<p>the page</div>x"), "menu\n\nthe page\nx");
}

#[test]
fn headings_give_paths() {
    let filler = "word ".repeat(40);
    let source = format!(
        "<title>Site: Guide</title><h1>Guide</h1><p>{filler}<h2>Install <code>it</code></h2><h3>Note</h3><p>{filler}\
         <h3>Linux</h3><p>{filler}<h2>Use</h2>{filler}"
    );
    let chunks = chunks_of(&source, Format::Html, 50);
    assert_eq!(titles(&chunks), ["Guide", "Guide > Install it", "Guide > Install it > Linux", "Guide > Use"]);
    assert!(chunks[1].text.starts_with("Install it\n\nNote\n\nword"));
    let several = format!("<title>Site</title><h1>A</h1>{filler}<h1>B</h1>{filler}");
    assert_eq!(titles(&chunks_of(&several, Format::Html, 50)), ["Site > A", "Site > B"]);
    assert_eq!(titles(&chunks_of("<title>Site</title>text", Format::Html, 50)), ["Site"]);
}

#[test]
fn malformed_input_is_read_to_the_end() {
    for (source, text) in [
        ("a < b and b > c", "a < b and b > c"),
        ("<p>one<p", "one"),
        ("one<!-- never closed", "one"),
        ("</div></p></b>one</nav>", "one"),
        ("<b><i>one</b> two</i>", "one two"),
        ("<p title=\"x>y\">one", "one"),
        ("<h1>never closed<p>one", "never closed\n\none"),
        ("one<script>never closed", "one"),
        ("<xmp>a &amp; <b></xmp>", "a &amp; <b>"),
        ("<p/>one<br/>two<div/>three", "one\ntwo\nthree"),
        ("&", "&"),
        ("&#;&#x;&#0;", "&#;&#x;\u{fffd}"),
    ] {
        assert_eq!(text_of(source), text, "{source:?}");
    }
}

#[test]
fn deep_and_unbalanced_nesting_takes_linear_time() {
    let deep = format!("{}deep{}", "<div>".repeat(200_000), "</div>".repeat(200_000));
    assert_eq!(text_of(&deep), "deep");
    let unbalanced =
        format!("{}{}x{}", "<p>".repeat(50_000), "<div>".repeat(50_000), "</p></a></td>".repeat(50_000));
    assert_eq!(text_of(&unbalanced), "x");
}

fn soup() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zé漢]{1,8}",
        2 => prop::sample::select(vec![" ", "\n", "\r\n", "\u{a0}", "\t "]).prop_map(str::to_owned),
        4 => "</?(p|div|b|a|pre|h1|h2|li|td|nav|script|title|xmp|main|svg|br)( class=.headerlink.| hidden)?/?>",
        2 => "&(amp|lt|nbsp|eacute|copy|#8212|#x41|#13|notin|acE);?",
        1 => "[<>&\"'=/!-]{1,4}",
        1 => "\\PC{1,3}",
        1 => Just("<!--".to_owned()),
        1 => Just("-->".to_owned()),
    ];
    prop::collection::vec(part, 0..80).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(seeded(1000))]

    #[test]
    fn any_soup_has_chunks_with_ordered_ranges_in_it(source in soup()) {
        let chunks = chunks_of(&source, Format::Html, 8);
        let mut last = 0;
        for chunk in &chunks {
            prop_assert!(chunk.start >= last && chunk.end > chunk.start, "{last} {chunk:?}");
            prop_assert!(source.get(chunk.start as usize..chunk.end as usize).is_some(), "{chunk:?}");
            prop_assert!(count_words(&chunk.text) <= 8);
            last = chunk.end;
        }
    }

    /// Each word is inside the byte range of its chunk, and in no other.
    #[test]
    fn words_lie_where_their_chunk_says(
        parts in prop::collection::vec("( |\n|\r\n|<p>|<b>|</b>|<li>|<br>|&amp;|&mdash;|é|<pre>|</pre>){1,3}", 1..60)
    ) {
        let word = |n: usize| format!("w{n}w");
        let source: String = parts.iter().enumerate().map(|(n, part)| format!("{part}{}", word(n))).collect();
        let chunks = chunks_of(&source, Format::Html, 8);
        for n in 0..parts.len() {
            let holding: Vec<_> = chunks.iter().filter(|chunk| chunk.text.contains(&word(n))).collect();
            prop_assert_eq!(holding.len(), 1, "{} in {:?}", word(n), source);
            let place = &source[holding[0].start as usize..holding[0].end as usize];
            prop_assert!(place.contains(&word(n)));
            let words = |text: &str| (0..parts.len()).filter(|&n| text.contains(&word(n))).collect::<Vec<_>>();
            prop_assert_eq!(words(place), words(&holding[0].text));
        }
    }
}

#[test]
fn the_index_of_a_book_is_no_passage_and_other_lists_of_words_are() {
    let entries: String =
        (0..30).map(|n| format!("<dt>word{n}, <a href=\"a.html#w{n}\">Chapter {n}</a></dt>")).collect();
    let page = |title: &str| format!("<title>{title}</title><h1>{title}</h1><h3>W</h3><dl>{entries}</dl>");
    assert!(chunks_of(&page("Index"), Format::Html, 100).is_empty());
    assert!(!chunks_of(&page("Glossary"), Format::Html, 100).is_empty());
}

#[test]
fn what_a_page_says_about_itself_becomes_fields() {
    let page = "<html lang=de><head><meta charset=utf-8><meta name=Author content='Ada; Bo'><meta \
        content=\"2024-05-31T10:00\" \
                property=article:published_time><meta name=keywords content='a, b'></head><p>Text.</p>";
    let fields = crate::corpus::formats::extract("a.html", page, Format::Html).unwrap().fields;
    let fields: Vec<_> =
        fields.into_iter().map(|(name, values)| format!("{name}={}", values.join("|"))).collect();
    assert_eq!(fields, ["author=Ada|Bo", "date=2024-05-31", "language=de", "tags=a|b"]);
}

#[test]
fn tables_of_links_are_no_passage_and_tables_of_data_are() {
    let passages = |html: &str| {
        let html = format!("<p>It begins here.</p>{html}<p>It ends here.</p>");
        chunks_of(&html, Format::Html, 100).into_iter().map(|chunk| chunk.text).collect::<Vec<_>>().join("|")
    };
    let gone = "It begins here.|It ends here.";
    let row = |cells: &[&str]| format!("<tr><td>{}</td></tr>", cells.join("</td><td>"));
    let link = |name: &str| format!("<a href='{name}.html'>{name} of the station</a>");
    for table in [
        format!("<table>{}</table>", row(&[&link("Reset"), &link("Gates"), &link("Lamps")])),
        format!(
            "<table>{}{}</table>",
            row(&["1.1", &link("Reset"), "5"]),
            row(&["1.2", &link("Gates"), "7"])
        ),
        // A menu, under a title of its own.
        format!(
            "<table><tr><th>Menu</th></tr><tr><td><ul><li>{}<li>{}</ul></td></tr></table>",
            link("A"),
            link("B")
        ),
        format!("<table><tr><th>{}</th><th>{}</th></tr></table>", link("Reset"), link("Gates")),
    ] {
        assert_eq!(passages(&table), gone, "{table}");
    }
    for table in [
        format!(
            "<table><tr><th>Place</th><th>Part</th></tr>{}</table>",
            row(&[&link("Reset"), &link("Gates")])
        ),
        format!(
            "<table>{}{}</table>",
            row(&[&link("Reset"), "opens the valve"]),
            row(&[&link("Gates"), "shut it"])
        ),
        format!("<table>{}</table>", row(&[&link("A"), "1794 1802 1811", &link("B"), "1799 1805 1822"])),
        format!(
            "<table>{}</table>",
            row(&["<a href='https://x.org'>A</a>", "<a href='https://y.org'>B</a>"])
        ),
    ] {
        assert_ne!(passages(&table), gone, "{table}");
    }
    // A table that lays out the page: its menu is left out, and not its text.
    let page = format!(
        "<table>{}</table>",
        row(&[
            &format!("<ul><li>{}<li>{}</ul>", link("Reset"), link("Gates")),
            "The pump is primed by hand before it starts, and a cupful of water is enough.",
        ])
    );
    let found = passages(&page);
    assert!(found.contains("primed by hand") && !found.contains("of the station"), "{found}");
}
