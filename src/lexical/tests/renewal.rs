use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::error::Error;

/// An index of version 1, as the release before it made it, in `folder/lexical`.
fn of_version_1(folder: &Path) -> PathBuf {
    let path = folder.join("lexical");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/earlier/lexical-1");
    fs::create_dir(&path).unwrap();
    for entry in fs::read_dir(fixture).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), path.join(entry.file_name())).unwrap();
    }
    path
}

fn found(index: &LexicalIndex, query: &str) -> Vec<String> {
    let snapshot = index.snapshot().unwrap();
    let hits = snapshot.search(query, 10, None).unwrap();
    hits.iter().map(|hit| snapshot.get(hit.0).unwrap().unwrap().document).collect()
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn an_index_of_an_earlier_version_is_made_anew_by_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = of_version_1(folder.path());
    let error = LexicalIndex::open(&path).unwrap_err().to_string();
    assert!(error.contains("open the index for writing") && error.contains("version 1"), "{error}");
    let cancelled = LexicalIndex::open_for_writing(&path, &mut |_, _| ControlFlow::Break(()));
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })), "{cancelled:?}");
    let index =
        LexicalIndex::open_for_writing(&path, &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    assert_eq!(found(&index, "C++"), ["cpp.md"]);
    assert_eq!(found(&index, "kx4401"), ["part.md"]);
    assert_eq!(found(&index, "학교"), ["korean.txt"]);
    let snapshot = index.snapshot().unwrap();
    let ids = snapshot.live_chunks();
    assert_eq!(ids.len(), 4);
    let next: u64 = index.payload().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(ids.iter().all(|id| id.0 < next), "{next} {ids:?}");
    assert_eq!(snapshot.documents().unwrap().len(), 4);
    assert_eq!(entries(folder.path()), 1, "nothing is left beside it");
    drop((snapshot, index));
    assert_eq!(found(&LexicalIndex::open(&path).unwrap(), "C++"), ["cpp.md"]);
}

#[test]
fn a_crash_while_it_is_made_anew_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = of_version_1(folder.path());
    let (replaced, draft) = (folder.path().join("lexical.replaced"), folder.path().join("lexical.new"));
    fs::rename(&path, &replaced).unwrap();
    fs::create_dir(&draft).unwrap();
    fs::write(draft.join("meta.json"), b"half").unwrap();
    let index =
        LexicalIndex::open_for_writing(&path, &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    assert_eq!(found(&index, "C++"), ["cpp.md"]);
    assert_eq!(entries(folder.path()), 1);
    assert!(
        LexicalIndex::open_for_writing(&folder.path().join("none"), &mut |_, _| ControlFlow::Continue(()))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_damaged_index_of_an_earlier_version_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = of_version_1(folder.path());
    let store = path.join("56b41d087bd4445998b23f1b3cd609b4.store");
    let good = fs::read(&store).unwrap();
    let mut flipped = good.clone();
    flipped[20] ^= 4;
    fs::write(&store, flipped).unwrap();
    let error =
        LexicalIndex::open_for_writing(&path, &mut |_, _| ControlFlow::Continue(())).unwrap_err().to_string();
    assert!(error.contains(".store") && error.contains("index the documents again"), "{error}");
    fs::write(&store, good).unwrap();
    LexicalIndex::open_for_writing(&path, &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
}

#[test]
fn version_2_lacks_words_with_dashes_and_has_checksums() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "a gasket KX\u{2013}4401")]);
    let (path, mut go_on) = (fixture.path(), |_, _| ControlFlow::Continue(()));
    let earlier = || {
        let marker = json!({"language": "english"});
        crate::storage::write_envelope(&path.join("retune-lexical.json"), "lexical", 2, &marker).unwrap();
    };
    earlier();
    assert!(LexicalIndex::open(&path).unwrap_err().to_string().contains("version 2"));
    let renewed = LexicalIndex::open_for_writing(&path, &mut go_on).unwrap().unwrap();
    assert_eq!(found(&renewed, "kx4401"), ["document-1"]);
    drop(renewed);
    LexicalIndex::open(&path).unwrap();
    earlier();
    let meta = path.join("meta.json");
    let mut bytes = fs::read(&meta).unwrap();
    bytes[10] ^= 1;
    fs::write(&meta, bytes).unwrap();
    assert!(LexicalIndex::open_for_writing(&path, &mut go_on).is_err());
}
