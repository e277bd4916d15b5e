use std::fs;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::error::Error;
use crate::lexical::sums::{seal, unseal};
use crate::storage;

#[test]
fn a_commit_survives_reopening_with_its_payload_and_language() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexical");
    let index = LexicalIndex::create(&path, Language::German).unwrap();
    assert_eq!(index.payload().unwrap(), "");
    let mut writer = index.writer().unwrap();
    writer.add(&chunk(1, "", "alpha")).unwrap();
    writer.commit("{\"next\": 2}").unwrap();
    writer.add(&chunk(2, "", "never committed")).unwrap();
    drop(writer);
    drop(index);
    let index = LexicalIndex::open(&path).unwrap();
    assert_eq!(index.language(), Language::German);
    assert_eq!(index.payload().unwrap(), "{\"next\": 2}");
    assert_eq!(index.snapshot().unwrap().payload(), "{\"next\": 2}");
    assert_eq!(numbers(&index.snapshot().unwrap().live_chunks()), [1]);
    assert_eq!(index.damaged_files().unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn the_payload_alone_may_change() {
    let fixture = Fixture::new();
    // A new writer continues from the opstamp of the last commit, so the opstamp alone does not identify a commit.
    for payload in ["one", "two", "three"] {
        let mut writer = fixture.index.writer().unwrap();
        writer.commit(payload).unwrap();
        assert_eq!(fixture.snapshot().payload(), payload);
        assert_eq!(LexicalIndex::open(&fixture.path()).unwrap().snapshot().unwrap().payload(), payload);
    }
}

#[test]
fn a_snapshot_keeps_its_view_while_the_index_moves_on() {
    let fixture = Fixture::new();
    fixture.add(&[of_document(1, "a", 0), of_document(2, "b", 0)]);
    let old = fixture.snapshot();
    let other_process = LexicalIndex::open(&fixture.path()).unwrap();
    let old_there = other_process.snapshot().unwrap();
    // Enough commits to have the old segments merged and their files deleted.
    for round in 0..12 {
        fixture.change(|writer| {
            writer.delete_document("a");
            writer.add(&of_document(10 + round, "a", round as u32)).unwrap();
        });
    }
    for snapshot in [&old, &old_there] {
        assert_eq!(numbers(&snapshot.live_chunks()), [1, 2]);
        assert_eq!(snapshot.get(ChunkId(1)).unwrap().unwrap().document, "a");
        assert_eq!(ids(&snapshot.search("part", 10, None).unwrap()), [1, 2]);
        assert!(snapshot.documents().unwrap().contains_key("a"));
    }
    for index in [&fixture.index, &other_process] {
        assert_eq!(numbers(&index.snapshot().unwrap().live_chunks()), [2, 21]);
    }
}

#[test]
fn a_rollback_forgets_and_the_writer_goes_on() {
    let fixture = Fixture::new();
    let mut writer = fixture.index.writer().unwrap();
    writer.add(&of_document(1, "a", 0)).unwrap();
    writer.commit("one").unwrap();
    writer.add(&of_document(2, "b", 0)).unwrap();
    writer.delete_document("a");
    writer.rollback().unwrap();
    assert!(matches!(fixture.index.writer(), Err(Error::Locked { .. })), "the lock is kept");
    writer.add(&of_document(3, "c", 0)).unwrap();
    writer.commit("two").unwrap();
    assert_eq!(numbers(&fixture.snapshot().live_chunks()), [1, 3]);
    assert_eq!(fixture.snapshot().payload(), "two");
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let fixture = Fixture::new();
    let first = fixture.index.writer().unwrap();
    let other = LexicalIndex::open(&fixture.path()).unwrap();
    assert!(matches!(other.writer(), Err(Error::Locked { .. })));
    first.close().unwrap();
    // The lock file stays. Only the lock on it matters.
    assert!(fixture.path().join(".tantivy-writer.lock").exists());
    other.writer().unwrap();
    assert!(matches!(other.writer_with_heap(1 << 20), Err(Error::Invalid { .. })));
}

#[test]
fn what_a_killed_writer_left_behind_is_removed() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "alpha")]);
    let files = || {
        let names = fs::read_dir(fixture.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let before = files();
    // Simulate a killed writer: registered files, and a half-written temporary one.
    let orphan = "0123456789abcdef0123456789abcdef.store";
    let list = fixture.path().join(".managed.json");
    let mut managed: Vec<String> =
        serde_json::from_slice(&unseal(fs::read(&list).unwrap()).unwrap()).unwrap();
    managed.push(orphan.to_owned());
    fs::write(&list, seal(&serde_json::to_vec(&managed).unwrap())).unwrap();
    fs::write(fixture.path().join(orphan), b"half").unwrap();
    fs::write(fixture.path().join(".tmpAbC123"), b"half").unwrap();
    // A reader does not remove them: the writer may be alive in another process.
    let index = LexicalIndex::open(&fixture.path()).unwrap();
    assert!(fixture.path().join(orphan).exists() && fixture.path().join(".tmpAbC123").exists());
    index.writer().unwrap().close().unwrap();
    assert_eq!(files(), before);
    assert_eq!(numbers(&index.snapshot().unwrap().live_chunks()), [1]);
}

#[test]
fn creation_is_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexical");
    assert!(matches!(LexicalIndex::open(&path), Err(Error::NotFound { .. })));
    // Simulate a creation that was killed.
    fs::create_dir(folder.path().join("lexical.new")).unwrap();
    fs::write(folder.path().join("lexical.new/meta.json"), b"{").unwrap();
    LexicalIndex::create(&path, Language::None).unwrap();
    assert!(!folder.path().join("lexical.new").exists());
    assert!(matches!(LexicalIndex::create(&path, Language::None), Err(Error::Invalid { .. })));
    LexicalIndex::open(&path).unwrap();
}

#[test]
fn another_layout_is_refused() {
    let fixture = Fixture::new();
    let marker = fixture.path().join("retune-lexical.json");
    storage::write_envelope(&marker, "lexical", 5, &json!({"language": "english"})).unwrap();
    assert!(matches!(LexicalIndex::open(&fixture.path()), Err(Error::Version { found: 5, .. })));
    storage::write_envelope(&marker, "lexical", 3, &json!({"language": "klingon"})).unwrap();
    assert!(matches!(LexicalIndex::open(&fixture.path()), Err(Error::Damaged { .. })));
    fs::remove_file(&marker).unwrap();
    let error = LexicalIndex::open(&fixture.path()).unwrap_err().to_string();
    assert!(error.contains("index the documents again"), "{error}");
}

/// Opens the index and reads everything in it.
fn read_everything(path: &std::path::Path) -> crate::error::Result<()> {
    let index = LexicalIndex::open(path)?;
    let snapshot = index.snapshot()?;
    let live = snapshot.live_chunks();
    snapshot.search("part text", 10, Some(&snapshot.matching(&Filter::range("n", 1..))?))?;
    snapshot.score("part text", &live)?;
    snapshot.documents()?;
    snapshot.chunks_of("a")?;
    snapshot.all_chunks(&mut |_| Ok(()))
}

#[test]
fn every_flipped_bit_and_every_cut_is_an_error_that_names_the_file() {
    let fixture = Fixture::new();
    let record =
        |i: u64| ChunkRecord { metadata: Map::from_iter([("n".into(), json!(i))]), ..of_document(i, "a", 1) };
    fixture.add(&(0..300).map(record).collect::<Vec<_>>());
    fixture.change(|writer| writer.delete_chunk(ChunkId(7)));
    read_everything(&fixture.path()).unwrap();
    let paths: Vec<PathBuf> =
        fs::read_dir(fixture.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut damaged = 0;
    for path in paths {
        let good = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if good.is_empty() {
            continue;
        }
        let mut refused = |name: &str| {
            // The list of files is made anew.
            if name == ".managed.json" {
                return read_everything(&fixture.path()).unwrap();
            }
            damaged += 1;
            let error = read_everything(&fixture.path()).expect_err(name).to_string();
            assert!(error.contains("index the documents again"), "{name}: {error}");
            assert!(error.contains(name), "{name}: {error}");
        };
        fs::remove_file(&path).unwrap();
        refused(&name);
        for _ in 0..30 {
            let at = random.random_range(0..good.len());
            fs::write(&path, &good[..at]).unwrap();
            refused(&name);
            // tantivy's footer begins with its version, which nothing but a check of versions reads.
            let footer = good.windows(11).rposition(|bytes| bytes == br#"{"version":"#).unwrap_or(good.len());
            let at = random.random_range(0..footer);
            let mut flipped = good.clone();
            flipped[at] ^= 1 << random.random_range(0..8);
            fs::write(&path, &flipped).unwrap();
            refused(&name);
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(damaged >= 9 * 61, "{damaged}");
    read_everything(&fixture.path()).unwrap();
}

#[test]
fn damage_to_an_open_index_is_found_when_it_is_asked_for() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "alpha")]);
    let _snapshot = fixture.snapshot();
    let store = fs::read_dir(fixture.path()).unwrap().map(|entry| entry.unwrap().path());
    let store = store.into_iter().find(|path| path.extension().is_some_and(|end| end == "store")).unwrap();
    let mut flipped = fs::read(&store).unwrap();
    flipped[3] ^= 1;
    fs::write(&store, flipped).unwrap();
    let name = PathBuf::from(store.file_name().unwrap());
    assert_eq!(fixture.index.damaged_files().unwrap(), [name]);
}

#[cfg(unix)]
#[test]
fn whoever_can_read_one_file_can_read_all() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "alpha")]);
    let mode = |name: &str| fs::metadata(fixture.path().join(name)).unwrap().permissions().mode();
    fs::write(fixture.path().join("plain"), b"").unwrap();
    for name in ["meta.json", ".managed.json", "retune-lexical.json"] {
        assert_eq!(mode(name), mode("plain"), "{name}");
    }
}

#[test]
fn what_a_lost_list_of_files_named_is_still_removed() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "alpha")]);
    let orphan = fixture.path().join("0123456789abcdef0123456789abcdef.store");
    fs::write(&orphan, b"half").unwrap();
    fs::write(fixture.path().join("notes.txt"), b"not ours").unwrap();
    let list = fixture.path().join(".managed.json");
    let cut = fs::read(&list).unwrap()[1..].to_vec();
    fs::write(&list, cut).unwrap();
    LexicalIndex::open(&fixture.path()).unwrap().writer().unwrap().close().unwrap();
    assert!(!orphan.exists() && fixture.path().join("notes.txt").exists());
    assert_eq!(numbers(&fixture.snapshot().live_chunks()), [1]);
}

#[test]
fn a_snapshot_always_has_the_payload_of_its_own_commit() {
    let fixture = Fixture::new();
    let path = fixture.path();
    let writing = std::thread::spawn(move || {
        let mut writer = LexicalIndex::open(&path).unwrap().writer().unwrap();
        for count in 1..=40_u64 {
            writer.add(&chunk(count, "", "alpha")).unwrap();
            writer.commit(&count.to_string()).unwrap();
        }
    });
    let reader = LexicalIndex::open(&fixture.path()).unwrap();
    while !writing.is_finished() {
        let snapshot = reader.snapshot().unwrap();
        let count: u64 = snapshot.payload().parse().unwrap_or(0);
        assert_eq!(snapshot.chunk_count(), count);
        assert_eq!(snapshot.live_chunks().len() as u64, count);
    }
    writing.join().unwrap();
    assert_eq!(reader.snapshot().unwrap().payload(), "40");
}
