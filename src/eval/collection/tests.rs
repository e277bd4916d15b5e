//! Tests with collections in every format, and with defects.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// (id, title, text) of every document, and (id, text) of every query.
type Contents = (Vec<(String, String, String)>, Vec<(String, String)>);

fn read(folder: &Path) -> Contents {
    let collection = Collection::open(folder).unwrap();
    let documents = collection.documents().unwrap().map(|document| {
        let Document { id, title, text } = document.unwrap();
        (id, title, text)
    });
    let queries = collection.queries().unwrap().map(|query| {
        let Query { id, text, .. } = query.unwrap();
        (id, text)
    });
    (documents.collect(), queries.collect())
}

fn contents(documents: &[(&str, &str, &str)], queries: &[(&str, &str)]) -> Contents {
    let documents = documents.iter().map(|(a, b, c)| (a.to_string(), b.to_string(), c.to_string()));
    let queries = queries.iter().map(|(a, b)| (a.to_string(), b.to_string()));
    (documents.collect(), queries.collect())
}

#[test]
fn cranfields_files_are_read_as_smart_meant_them() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (
                "cran.all.1400",
                ".I 1\n.T\nwings\nin a slipstream .\n.A\nbrenckman,m.\n.B\nj. ae. scs. 25, 1958, 324.\n.W\n\
                 an experimental study .\n.I 2\n.T\n.W\n.x is no field\n.I 3\n",
            ),
            ("cran.qry", ".I 001\n.W\nwhat similarity laws\nmust be obeyed .\n.I 004\n.W\nwhat problems\n"),
            ("cranqrel", "1 1 2 \n1 2 -1\n2 3 4\n"),
            ("README", "About this collection\n"),
        ],
    );
    let expected = contents(
        &[
            ("1", "wings\nin a slipstream .", "an experimental study ."),
            ("2", "", ".x is no field"),
            ("3", "", ""),
        ],
        // The judgements use positions. The queries' own numbers have gaps.
        &[("1", "what similarity laws\nmust be obeyed ."), ("2", "what problems")],
    );
    assert_eq!(read(folder.path()), expected);
    let collection = Collection::open(folder.path()).unwrap();
    assert_eq!(collection.splits(), ["cranqrel"]);
    let qrels = collection.qrels("cranqrel").unwrap();
    assert_eq!((qrels.get("1", "1"), qrels.get("1", "2"), qrels.get("2", "3")), (Some(1), Some(1), Some(1)));
    let inventory = Inventory::of(&collection, &qrels).unwrap();
    assert_eq!((inventory.documents, inventory.empty_documents, inventory.queries), (3, 1, 2));
    let odd: Vec<_> = inventory.odd().into_iter().filter(|(_, count)| *count > 0).collect();
    let readme = ("files that are not documents, queries or judgements: not read", 1);
    assert_eq!(odd, [readme, ("documents without title and text: they can't be found", 1)]);
}

#[test]
fn queries_keep_their_own_numbers_where_the_judgements_use_them() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("med.all", ".I 1\n.W\na\n"),
            ("med.qry", ".I 1\n.W\nfirst\n.I 4\n.W\nfourth\n"),
            ("qrels.text", "01 0 1 1\n04 0 1 0\n"),
        ],
    );
    let collection = Collection::open(folder.path()).unwrap();
    let ids: Vec<String> = collection.queries().unwrap().map(|query| query.unwrap().id).collect();
    assert_eq!(ids, ["1", "4"]);
    let qrels = collection.qrels(collection.splits()[0]).unwrap();
    assert_eq!((qrels.get("1", "1"), qrels.get("4", "1")), (Some(1), Some(0)));
    write(folder.path(), &[("qrels.text", "01 1410 0 0\n02 8 0 0.000000\n")]);
    let qrels = Collection::open(folder.path()).unwrap().qrels("qrels").unwrap();
    assert_eq!((qrels.get("1", "1410"), qrels.get("2", "8")), (Some(1), Some(1)));
}

#[test]
fn trecs_documents_and_topics_are_read() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (
                "ap880212",
                "<DOC>\n<DOCNO> AP880212-0001 </DOCNO>\n<FILEID>AP-NR</FILEID>\n<HEAD>Reports &amp; news</HEAD>\n\
                 <TEXT>\n One <b>bold</b>\n  word.\n</TEXT>\n<TEXT>More.</TEXT>\n</DOC>\n\
                 <DOC><DOCNO>AP-2</DOCNO>\n<P>web page</P></DOC>\n",
            ),
            (
                "topics.51-52",
                "<top>\n<head> Tipster\n<num> Number: 051\n<title> Topic: Airbus Subsidies\n\n<desc> Description: \n\
                 About it.\n<narr> Narrative: long\n</top>\n\n\
                 <top>\n<num> Number: 52 </num>\n<title>South African Sanctions</title>\n</top>\n",
            ),
            ("qrels.51-52.txt", "51 0 AP880212-0001 1\n52 0 AP-2 0\n52 0 gone 1\n53 0 AP-2 1\n"),
        ],
    );
    let expected = contents(
        &[("AP880212-0001", "Reports & news", "One bold word. More."), ("AP-2", "", "web page")],
        &[("51", "Airbus Subsidies"), ("52", "South African Sanctions")],
    );
    assert_eq!(read(folder.path()), expected);
    let collection = Collection::open(folder.path()).unwrap();
    assert_eq!(collection.splits(), ["51-52"]);
    let inventory = Inventory::of(&collection, &collection.qrels("51-52").unwrap()).unwrap();
    assert_eq!((inventory.queries, inventory.unknown_queries, inventory.unknown_documents), (2, 1, 1));
}

#[test]
fn json_lines_are_read_under_other_names_and_gzipped() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (
                "queries.train.jsonl",
                "{\"qid\": 7, \"query\": \"what\"}\n{\"qid\": 7, \"query\": \"again\"}\n\
                 {\"qid\": 8, \"query\": \" \"}\n",
            ),
            ("qrels/dev.tsv", "7\td1\t1\n8\td1\t1\n"),
            ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n7\td2\t2\n"),
        ],
    );
    let file = fs::File::create(folder.path().join("docs.jsonl.gz")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(
        b"{\"docno\": \"d1\", \"contents\": \"a\"}\n{\"id\": \"d1\", \"body\": \"b\", \"title\": \"t\"}\n",
    )
    .unwrap();
    gzip.finish().unwrap();
    let expected =
        contents(&[("d1", "", "a"), ("d1", "t", "b")], &[("7", "what"), ("7", "again"), ("8", " ")]);
    assert_eq!(read(folder.path()), expected);
    let collection = Collection::open(folder.path()).unwrap();
    assert_eq!(collection.splits(), ["dev", "test"]);
    assert_eq!(collection.qrels("dev").unwrap().get("7", "d1"), Some(1));
    let inventory = Inventory::of(&collection, &collection.qrels("test").unwrap()).unwrap();
    assert_eq!((inventory.documents, inventory.duplicate_documents, inventory.duplicate_queries), (1, 1, 1));
    assert_eq!((inventory.queries, inventory.empty_queries), (1, 0));
    let dev = Inventory::of(&collection, &collection.qrels("dev").unwrap()).unwrap();
    assert_eq!((dev.queries, dev.empty_queries), (2, 1));
    assert!(inventory.holds("d1") && !inventory.holds("d2"));
    // A truncated gzip file must be an error, not a short collection.
    let whole = fs::read(folder.path().join("docs.jsonl.gz")).unwrap();
    fs::write(folder.path().join("docs.jsonl.gz"), &whole[..whole.len() - 9]).unwrap();
    let error = collection.documents().unwrap().find_map(|document| document.err()).unwrap();
    assert!(error.to_string().contains("docs.jsonl.gz:"), "{error}");
}

#[test]
fn of_several_names_for_a_field_the_first_counts() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (
                "corpus.jsonl",
                "{\"id\": 3.5, \"body\": {}, \"_id\": \"d1\", \"text\": \"a\", \"title\": null}\n\
                 {\"docno\": \"d2\", \"_id\": null, \"text\": null, \"body\": \"c\"}\n",
            ),
            ("queries.jsonl", "{\"query\": \"no\", \"qid\": 9, \"_id\": \"q1\", \"text\": \"yes\"}\n"),
            ("qrels/test.tsv", "q1\td1\t1\n"),
        ],
    );
    assert_eq!(read(folder.path()), contents(&[("d1", "", "a"), ("d2", "", "c")], &[("q1", "yes")]));
    for (line, expected) in [
        ("{\"text\": \"a\"}", "missing field `_id` (or id, doc_id, docid, docno)"),
        ("{\"id\": 3.5, \"text\": \"a\"}", "id is neither a string nor an integer"),
        ("{\"_id\": \"d\", \"_id\": \"e\"}", "duplicate field `_id`"),
        ("{\"docid\": \" \"}", "docid is blank or longer than 4096 bytes"),
        ("{\"_id\": \"d\", \"body\": {}}", "body is not a string"),
    ] {
        write(folder.path(), &[("corpus.jsonl", line)]);
        let error =
            Collection::open(folder.path()).unwrap().documents().unwrap().next().unwrap().unwrap_err();
        let error = error.to_string();
        assert!(error.contains("corpus.jsonl:1") && error.contains(expected), "{error}");
    }
}

#[test]
fn a_wrong_line_of_any_form_is_named() {
    let wrong = |files: &[(&str, &str)], what: &str| {
        let folder = tempfile::tempdir().unwrap();
        let rest = [
            ("corpus.txt", ".I 1\n.W\na\n"),
            ("topics", "<top>\n<num> 1\n<title> a\n</top>\n"),
            ("qrels", "1 0 1 1\n"),
        ];
        write(folder.path(), &rest);
        write(folder.path(), files);
        let collection = Collection::open(folder.path()).unwrap();
        let documents = collection.documents().unwrap().find_map(|document| document.err());
        let error =
            documents.or_else(|| collection.queries().unwrap().find_map(|query| query.err())).unwrap();
        assert!(error.to_string().contains(what), "{error}");
    };
    wrong(&[("corpus.txt", ".I 1\n.W\na\n.I \n")], "corpus.txt:4:");
    wrong(&[("corpus.txt", "<DOC>\n<TEXT>no number</TEXT>\n</DOC>\n")], "corpus.txt:1:");
    wrong(&[("corpus.txt", "<DOC>\n<DOCNO>1</DOCNO>\n</DOC>\n<DOC>\n<DOCNO>2</DOCNO>\n")], "corpus.txt:4:");
    wrong(&[("corpus.txt", "<DOC>\n<DOCNO>1</DOCNO>\n<DOC>\n</DOC>\n")], "corpus.txt:3:");
    wrong(&[("corpus.txt", "<DOC>\n<DOCNO>1</DOCNO>\n</DOC>\nloose text\n")], "corpus.txt:4:");
    wrong(&[("topics", "<top>\n<num> Number: 1\n</top>\n")], "topics:1:");
    wrong(&[("topics", "<top>\n<num> Number: 1 2\n<title> a\n</top>\n")], "topics:1:");
}

#[test]
fn a_folder_that_lacks_a_part_is_refused_with_what_it_lacks() {
    let refused = |files: &[(&str, &str)], what: &str| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), files);
        let error = Collection::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    let (documents, queries, qrels) = (("docs", ".I 1\n"), ("qry", ".I 1\n"), ("rel", "1 0 1 1\n"));
    refused(&[], "documents");
    refused(&[documents, queries], "judgements");
    refused(&[documents, qrels], "queries");
    refused(&[documents, queries, qrels, ("qry2", ".I 1\n")], "one file of queries");
    refused(
        &[documents, queries, ("qrels.test", "1 0 1 1\n"), ("qrels/test.tsv", "1\t1\t1\n")],
        "split test",
    );
}

#[test]
fn a_file_is_read_or_refused_or_named_as_none_of_the_collections() {
    let folder = tempfile::tempdir().unwrap();
    let sound = [
        ("a.xml", "<?xml version='1.0'?>\n<docs>\n<DOC id='1'>\n<DOCNO>1</DOCNO>\nfirst\n</DOC>\n</docs>\n"),
        ("b.txt", ".I 2\n.W\nsecond\n.Introduction is a text\n"),
        ("topics", "<top>\n<num> 1\n<title> a\n</top>\n"),
        ("qrels", "1 0 1 1\n"),
        ("README", "The collection of 2020\n"),
        ("picture", "\u{0}\n"),
    ];
    write(folder.path(), &sound);
    fs::write(folder.path().join("binary"), b"\xff\xfe\n").unwrap();
    let documents = [("1", "", "first"), ("2", "", "second\n.Introduction is a text")];
    assert_eq!(read(folder.path()), contents(&documents, &[("1", "a")]));
    let collection = Collection::open(folder.path()).unwrap();
    let inventory = Inventory::of(&collection, &collection.qrels("qrels").unwrap()).unwrap();
    assert_eq!(inventory.passed_over, ["README", "binary", "picture"]);
    let cut = [0x1f, 0x8b, 8, 0];
    for (name, line, bytes) in [
        ("more.jsonl", 1, &b"\"_id\": 3}\n{\"_id\": 4}\n"[..]),
        ("more.sgml", 2, b"<DOK>\n<DOCNO>3</DOCNO>\n</DOK>\n"),
        ("qrels.dev", 1, b"1 0 a good\n"),
        ("more.jsonl.gz", 1, &cut),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let error = Collection::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("{name}:{line}:")), "{error}");
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let after = "<DOC>\n<DOCNO>3</DOCNO>\n</DOC>\n<DOK>\n<DOCNO>4</DOCNO>\n</DOK>\n";
    write(folder.path(), &[("c.xml", after)]);
    let mut documents = Collection::open(folder.path()).unwrap().documents().unwrap();
    let error = documents.find_map(|document| document.err()).unwrap().to_string();
    assert!(error.contains("c.xml:5:"), "{error}");
}

#[test]
fn a_folder_of_other_files_is_refused_in_a_short_line() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..300).map(|number| format!("note{number:03}.txt")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "Some note.\n")).collect();
    write(folder.path(), &files);
    let error = Collection::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("note004.txt and 295 more)") && error.len() < 450, "{error}");
}
