use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::corpus::scan::Seen;
use crate::error::Error;
use crate::ids::Digest;

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        put(folder.path(), name, bytes);
    }
    folder
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

struct Outcome {
    changed: Vec<ChunkedDocument>,
    unchanged: usize,
    skipped: Vec<(String, SkipReason)>,
    seen: Seen,
}

impl Outcome {
    fn ids(&self) -> Vec<&str> {
        self.changed.iter().map(|document| document.id.as_str()).collect()
    }

    fn reason(&self, document: &str) -> Option<&SkipReason> {
        self.skipped.iter().find(|(skipped, _)| skipped == document).map(|(_, reason)| reason)
    }
}

fn scan_with(
    root: &Path,
    excluded: &[PathBuf],
    options: &CorpusOptions,
    known: &HashMap<String, Digest>,
) -> Outcome {
    let extractor = Some(Arc::new(crate::extract::InProcess) as _);
    let reader = FileReader::new(options, Lengths::DEFAULT, &count_words, extractor).unwrap();
    let mut scan = Scan::start(options, root, excluded, &|_, _| false).unwrap();
    let (mut files, mut changed, mut unchanged, mut skipped) = (Vec::new(), Vec::new(), 0, Vec::new());
    for scanned in &mut scan {
        match scanned {
            Scanned::Changed(file) => files.push(file),
            Scanned::Unchanged(_) => unchanged += 1,
            Scanned::Skipped(one) => skipped.push((one.document, one.reason)),
        }
    }
    let mut seen = scan.into_seen().unwrap();
    for file in files {
        let same = reader.read(&file, known.get(&file.id).copied(), &mut |read| match read {
            Ok(document) => {
                seen.read(&document.id);
                changed.push(document);
                ControlFlow::Continue(())
            }
            Err(one) => {
                seen.turned_out(&one);
                skipped.push((one.document, one.reason));
                ControlFlow::Continue(())
            }
        });
        if same == FileRead::Known {
            unchanged += 1;
            seen.unchanged(&file.id);
        }
    }
    Outcome { changed, unchanged, skipped, seen }
}

fn scan(root: &Path) -> Outcome {
    scan_with(root, &[], &CorpusOptions::default(), &HashMap::new())
}

#[test]
fn files_come_in_order_with_relative_ids() {
    let folder = folder(&[
        ("b.txt", b"b"),
        ("a/z.md", b"# z\n\nz"),
        ("a.txt", b"a"),
        ("a/b/c.rs", b"fn c() {}"),
        ("README", b"read me"),
    ]);
    let outcome = scan(folder.path());
    assert_eq!(outcome.ids(), ["README", "a/b/c.rs", "a/z.md", "a.txt", "b.txt"]);
    let formats: Vec<_> = outcome.changed.iter().map(|document| document.format).collect();
    assert_eq!(formats, [Format::Text, Format::Code, Format::Markdown, Format::Text, Format::Text]);
    assert_eq!(outcome.changed[1].chunks[0].title, "c.rs > fn c");
    assert_eq!(outcome.skipped, []);
}

#[test]
fn a_text_in_a_container_has_the_limit_of_texts() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &b"The rope is tarred. ".repeat(100)).unwrap();
    let folder = folder(&[("long.txt.gz", &packed.finish().unwrap())]);
    let with_limit = |bytes| {
        let options = CorpusOptions::default().with_max_file_bytes(bytes);
        scan_with(folder.path(), &[], &options, &HashMap::new())
    };
    let reason = SkipReason::TooLarge { bytes: 2000, limit: 1000 };
    assert_eq!(with_limit(1000).reason("long.txt.gz/long.txt"), Some(&reason));
    assert_eq!(with_limit(2000).ids(), ["long.txt.gz/long.txt"]);
}

#[test]
fn hidden_and_ignored_files_are_passed_over_without_a_repository() {
    let folder = folder(&[
        (".gitignore", b"/build/\n*.log\n"),
        (".hidden.txt", b"x"),
        (".retune/segment.txt", b"x"),
        ("build/a.txt", b"x"),
        ("b.log", b"x"),
        ("sub/.gitignore", b"!c.log\nd.txt\n"),
        ("sub/c.log", b"x"),
        ("sub/d.txt", b"x"),
        ("sub/build/e.txt", b"x"),
    ]);
    let outcome = scan(folder.path());
    assert_eq!(outcome.ids(), ["sub/build/e.txt", "sub/c.log"]);
    assert_eq!(outcome.skipped, []);
}

#[test]
fn ignore_files_above_count_only_in_a_repository() {
    let folder = folder(&[(".gitignore", b"*\n"), ("docs/a.txt", b"a")]);
    assert_eq!(scan(&folder.path().join("docs")).ids(), ["a.txt"]);
    fs::create_dir(folder.path().join(".git")).unwrap();
    assert_eq!(scan(&folder.path().join("docs")).ids(), [""; 0]);
}

#[test]
fn excluded_folders_are_not_entered() {
    let folder = folder(&[("a.txt", b"a"), ("index/meta.json", b"{}"), ("index2/b.txt", b"b")]);
    let excluded = [folder.path().join("index")];
    let outcome = scan_with(folder.path(), &excluded, &CorpusOptions::default(), &HashMap::new());
    assert_eq!(outcome.ids(), ["a.txt", "index2/b.txt"]);
}

#[test]
fn every_file_that_is_not_read_has_its_reason() {
    let utf32: Vec<u8> = "\u{feff}héllo".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let folder = folder(&[
        ("a-empty.txt", b""),
        ("b-blank.md", b" \n\t\r\n\xc2\xa0"),
        ("c-bom.txt", b"\xef\xbb\xbf\n"),
        ("d-binary.txt", b"abc\0def"),
        ("e-late-binary.dat", &[&[b'x'; 9000][..], &[0, 1, 2, 3].repeat(100)].concat()),
        ("f-utf32.txt", &utf32),
        ("g-latin1.txt", b"caf\xe9"),
        ("h-latin1.unknown", b"caf\xe9"),
        ("h-random.txt", b"\xf8\x13\xd9\x81\x02\xc7\x1e\xff\x90\x05"),
        ("h-random.unknown", b"\xf8\x13\xd9\x81\x02\xc7\x1e\xff\x90\x05"),
        ("i-large.txt", &[b'x'; 10_001]),
        ("j-paper.PDF", b"%PDF-1.7"),
        ("k-empty.html", b"<html><script>var x = 1;</script></html>"),
        ("l-fine.unknown", "café".as_bytes()),
        ("m-page.docx", b"PK\x03\x04"),
        ("m-book.mobi", b"BOOKMOBI"),
    ]);
    let options = CorpusOptions::default().with_max_file_bytes(10_000);
    let outcome = scan_with(folder.path(), &[], &options, &HashMap::new());
    assert_eq!(outcome.ids(), ["f-utf32.txt", "g-latin1.txt", "h-latin1.unknown", "l-fine.unknown"]);
    let of = |name| outcome.reason(name).unwrap().clone();
    for blank in ["a-empty.txt", "b-blank.md", "c-bom.txt", "k-empty.html"] {
        assert_eq!(of(blank), SkipReason::Empty, "{blank}");
    }
    for binary in ["d-binary.txt", "e-late-binary.dat", "h-random.unknown"] {
        assert_eq!(of(binary), SkipReason::Binary, "{binary}");
    }
    assert_eq!(of("i-large.txt"), SkipReason::TooLarge { bytes: 10_001, limit: 10_000 });
    assert!(of("h-random.txt").to_string().contains("from byte 0"));
    assert!(matches!(of("j-paper.PDF"), SkipReason::Malformed { .. }), "{:?}", of("j-paper.PDF"));
    assert!(matches!(of("m-page.docx"), SkipReason::Malformed { .. }), "{:?}", of("m-page.docx"));
    assert!(of("m-book.mobi").to_string().contains("is a Kindle book, which retune can't read"));
    assert_eq!(outcome.skipped.len(), 12);
}

#[test]
fn only_the_extensions_asked_for_are_read() {
    let folder = folder(&[("a.md", b"a"), ("b.txt", b"b"), ("c", b"c")]);
    let options = CorpusOptions::default().with_extensions(["MD", ""]);
    let outcome = scan_with(folder.path(), &[], &options, &HashMap::new());
    assert_eq!(outcome.ids(), ["a.md", "c"]);
    assert_eq!(outcome.reason("b.txt"), Some(&SkipReason::NotSelected));
}

#[test]
fn a_root_that_cannot_be_listed_is_an_error() {
    let folder = folder(&[("a.txt", b"a")]);
    let start =
        |path: &Path| Scan::start(&CorpusOptions::default(), path, &[], &|_, _| false).map(drop).unwrap_err();
    assert!(matches!(start(&folder.path().join("none")), Error::Io { .. }));
    assert!(matches!(start(&folder.path().join("a.txt")), Error::Invalid { .. }));
}

#[test]
fn a_second_scan_tells_unchanged_changed_and_vanished() {
    let folder = folder(&[("a.txt", b"a"), ("b.txt", b"b"), ("c.txt", b"c"), ("d.txt", b"d")]);
    let first = scan(folder.path());
    let known: HashMap<_, _> = first.changed.iter().map(|d| (d.id.clone(), d.digest)).collect();
    put(folder.path(), "b.txt", b"b, changed");
    put(folder.path(), "d.txt", b"\0");
    put(folder.path(), "e.txt", b"e");
    fs::remove_file(folder.path().join("c.txt")).unwrap();
    let second = scan_with(folder.path(), &[], &CorpusOptions::default(), &known);
    assert_eq!(second.unchanged, 1);
    assert_eq!(second.ids(), ["b.txt", "e.txt"]);
    assert_eq!(second.seen.len(), 3);
    let vanished: Vec<_> = ["a.txt", "b.txt", "c.txt", "d.txt"].map(|id| second.seen.has_vanished(id)).into();
    assert_eq!(vanished, [false, false, true, true], "what is no text any more is gone, too");
}

#[test]
fn a_file_with_a_known_stamp_is_not_opened() {
    let folder = folder(&[("a.txt", b"a"), ("b.zip/c.txt", b"c")]);
    let known = |id: &str, stamp: &Stamp| id == "a.txt" && stamp.bytes == 1;
    let mut scan = Scan::start(&CorpusOptions::default(), folder.path(), &[], &known).unwrap();
    let found: Vec<Scanned> = scan.by_ref().collect();
    assert_eq!(found[0], Scanned::Unchanged("a.txt".into()));
    assert!(matches!(&found[1], Scanned::Changed(file) if file.id == "b.zip/c.txt" && file.stamp.bytes == 1));
    let mut seen = scan.into_seen().unwrap();
    assert!(!seen.has_vanished("a.txt/inside") && seen.has_vanished("b.zip"));
    seen.unchanged("b.zip");
    assert!(!seen.has_vanished("b.zip/other.txt"), "what lies in a container that was not read stays");
}

#[test]
fn an_unfinished_scan_says_nothing_of_what_is_missing() {
    let folder = folder(&[("a.txt", b"a"), ("b.txt", b"b")]);
    let options = CorpusOptions::default();
    let mut scan = Scan::start(&options, folder.path(), &[], &|_, _| false).unwrap();
    assert!(scan.next().is_some());
    assert!(scan.into_seen().is_none());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_reported_and_not_followed() {
        let folder = folder(&[("a/b.txt", b"b")]);
        symlink(folder.path().join("a/b.txt"), folder.path().join("c.txt")).unwrap();
        symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        let outcome = scan(folder.path());
        assert_eq!(outcome.ids(), ["a/b.txt"]);
        assert_eq!(outcome.reason("c.txt"), Some(&SkipReason::SymbolicLink));
        assert_eq!(outcome.reason("a/loop"), Some(&SkipReason::SymbolicLink));
    }

    #[test]
    fn followed_links_end_at_a_loop() {
        let folder = folder(&[("a/b.txt", b"b")]);
        let outside = super::folder(&[("o.txt", b"o")]);
        symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        symlink(outside.path(), folder.path().join("out")).unwrap();
        symlink(folder.path().join("nowhere"), folder.path().join("broken.txt")).unwrap();
        let options = CorpusOptions::default().with_follow_links(true);
        let outcome = scan_with(folder.path(), &[], &options, &HashMap::new());
        assert_eq!(outcome.ids(), ["a/b.txt", "out/o.txt"]);
        assert_eq!(outcome.reason("a/loop"), Some(&SkipReason::LinkLoop));
        assert!(matches!(outcome.reason("broken.txt"), Some(SkipReason::Unreadable { .. })));
        assert!(!outcome.seen.has_vanished("broken.txt"), "it may come back");
        assert_eq!(outcome.skipped.len(), 2);
    }

    #[test]
    fn a_linked_root_is_its_target() {
        let target = folder(&[("a.txt", b"a")]);
        let links = tempfile::tempdir().unwrap();
        symlink(target.path(), links.path().join("link")).unwrap();
        assert_eq!(scan(&links.path().join("link")).ids(), ["a.txt"]);
    }

    #[test]
    fn unreadable_files_and_folders_are_reported_and_kept() {
        let folder = folder(&[("a.txt", b"a"), ("b.txt", b"b"), ("sub/c.txt", b"c")]);
        let lock = |name: &str, mode| {
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        lock("a.txt", 0);
        lock("sub", 0);
        if fs::read(folder.path().join("a.txt")).is_ok() {
            return; // root reads everything
        }
        let outcome = scan(folder.path());
        lock("sub", 0o755);
        assert_eq!(outcome.ids(), ["b.txt"]);
        assert!(matches!(outcome.reason("a.txt"), Some(SkipReason::Unreadable { .. })));
        assert!(matches!(outcome.reason("sub"), Some(SkipReason::Unreadable { .. })));
        assert!(!outcome.seen.has_vanished("a.txt") && !outcome.seen.has_vanished("sub/c.txt"));
        assert!(outcome.seen.has_vanished("gone.txt"));
    }

    #[test]
    fn sockets_and_odd_names_are_reported() {
        let folder = folder(&[("a.txt", b"a")]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
        let odd_is_possible = fs::write(folder.path().join(odd), b"x").is_ok();
        let outcome = scan(folder.path());
        assert_eq!(outcome.ids(), ["a.txt"]);
        assert_eq!(outcome.reason("socket"), Some(&SkipReason::NotAFile));
        if odd_is_possible {
            assert_eq!(outcome.reason("caf\u{fffd}.txt"), Some(&SkipReason::PathNotUtf8));
        }
    }
}

#[test]
fn a_name_that_is_decomposed_is_shown_composed_and_keeps_its_id() {
    let folder = folder(&[("cafe\u{301}.txt", b"The panel is reset so.")]);
    let outcome = scan(folder.path());
    let [id] = outcome.ids()[..] else { panic!("one file") };
    assert_eq!(outcome.changed[0].chunks[0].title, "caf\u{e9}.txt");
    assert!(id == "cafe\u{301}.txt" || cfg!(target_os = "macos"));
}

#[test]
fn what_lies_in_containers_is_read_in_step_with_them() {
    let fixture = |name: &str| {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name)).unwrap()
    };
    let folder = folder(&[
        ("a.zip", &fixture("python.zip")),
        ("book.pdf", &fixture("reportlab.pdf")),
        ("locked.pdf", &fixture("encrypted.pdf")),
        ("text.pdf", b"The lamp burns."),
    ]);
    let outcome = scan(folder.path());
    assert_eq!(outcome.ids(), ["a.zip/oil.md", "a.zip/inner/notes.txt", "book.pdf", "text.pdf"]);
    assert_eq!(outcome.changed[0].format, Format::Markdown);
    assert_eq!(outcome.changed[0].digest, outcome.changed[1].digest, "that of the archive");
    let book = &outcome.changed[2];
    assert_eq!(book.fields["author"], ["Ada Keeper"]);
    assert!(book.modified.is_some());
    let last = book.chunks.last().unwrap();
    assert!(last.text.contains("garden") && last.place.page.is_some(), "{last:?}");
    assert_eq!(outcome.reason("locked.pdf"), Some(&SkipReason::Encrypted));
    let group = SkipReason::LeftOut { group: "dependencies".into() };
    assert_eq!(outcome.reason("a.zip/node_modules/a/b.md"), Some(&group));
    assert!(matches!(outcome.reason("a.zip/../escape.txt"), Some(SkipReason::Malformed { .. })));
    assert!(!outcome.seen.has_vanished("a.zip/oil.md"));
    assert!(outcome.seen.has_vanished("a.zip/gone.md"));

    let known = HashMap::from([("a.zip".to_owned(), outcome.changed[0].digest)]);
    let again = scan_with(folder.path(), &[], &CorpusOptions::default(), &known);
    assert_eq!(again.unchanged, 1);
    assert!(!again.seen.has_vanished("a.zip/oil.md"), "the archive was not read again");
}

#[test]
fn without_an_extractor_what_is_not_text_is_skipped_with_the_reason() {
    let folder = folder(&[("a.pdf", b"%PDF-1.7"), ("b.txt", b"b")]);
    let reader = FileReader::new(&CorpusOptions::default(), Lengths::DEFAULT, &count_words, None).unwrap();
    let scan = Scan::start(&CorpusOptions::default(), folder.path(), &[], &|_, _| false).unwrap();
    let mut read = Vec::new();
    for scanned in scan {
        let Scanned::Changed(file) = scanned else { panic!("{scanned:?}") };
        reader.read(&file, None, &mut |one| {
            read.push(one);
            ControlFlow::Continue(())
        });
    }
    assert!(matches!(&read[0], Err(Skipped { reason: SkipReason::NeedsExtractor { .. }, .. })), "{read:?}");
    assert!(matches!(&read[1], Ok(document) if document.id == "b.txt"), "{read:?}");
}
