//! Bytes that are missing, changed or newer.

use proptest::prelude::*;

use super::super::segment::{Part, header};
use super::*;
use crate::storage::{FileHeader, append_frame};

#[test]
fn a_torn_tail_is_cut_wherever_the_write_stopped() {
    let written = tempfile::tempdir().unwrap();
    let log = open(written.path());
    log.log_impression(impression(1, "kept"));
    log.flush().unwrap();
    let path = segments(written.path()).remove(0);
    let whole = fs::metadata(&path).unwrap().len() as usize;
    log.log_impression(impression(2, "torn"));
    log.close().unwrap();
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(3).chain([whole, whole - 1, whole + 1, 31, 32, 33]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live-0000000000000001.log");
        fs::write(&path, &bytes[..length]).unwrap();
        let reader = replay::replay(folder.path()).unwrap();
        let kept = u64::from(length >= whole);
        let ahead = if kept == 1 { whole } else { 32 };
        let torn = if length < 32 { length } else { length - ahead } as u64;
        assert_eq!(reader.damage.iter().map(|one| one.end - one.start).sum::<u64>(), torn, "cut at {length}");
        assert!(reader.damage.iter().all(|one| one.torn));
        assert_eq!(fs::metadata(&path).unwrap().len(), length as u64, "a reader changes nothing");

        let log = open(folder.path());
        let stats = log.stats();
        let told = (stats.impressions, stats.damaged_bytes, stats.torn_bytes);
        assert_eq!(told, (kept, 0, torn), "cut at {length}");
        log.append_judgement(judgement(1, "after the cut")).unwrap();
        log.close().unwrap();
        let replay = open(folder.path()).replay().unwrap();
        assert_eq!((replay.impressions.len() as u64, replay.judgements.len()), (kept, 1), "cut at {length}");
        assert!(replay.damage.is_empty());
    }
}

#[test]
fn the_segment_that_an_earlier_version_appended_to_is_gone_on_with_without_its_torn_tail() {
    let written = tempfile::tempdir().unwrap();
    let log = open(written.path());
    (0..9).for_each(|id| log.log_impression(impression(id, "q")));
    log.close().unwrap();
    let bytes = fs::read(segments(written.path()).remove(0)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("000003.log"), &bytes[..bytes.len() - 5]).unwrap();
    let appending = FeedbackLog::open(folder.path(), FeedbackOptions::default(), Role::Appending).unwrap();
    appending.log_impression(impression(9, "of a later version"));
    assert_eq!(appending.find_impression(QueryId(7)).unwrap(), Some(impression(7, "q")));
    assert!(appending.stats().torn_bytes > 0);
    appending.close().unwrap();
    let log = open(folder.path());
    assert_eq!(ids(&log.replay().unwrap()), [0, 1, 2, 3, 4, 5, 6, 7, 9]);
    assert!(log.replay().unwrap().damage.is_empty());
    assert_eq!(segments(folder.path()), [folder.path().join("000004.log")]);
}

#[test]
fn a_reader_that_has_the_segment_open_outlives_the_cut_and_the_forgetting() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    (0..200).for_each(|id| log.log_impression(impression(id, "secret")));
    log.close().unwrap();
    let path = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(&[7; 50_000]);
    fs::write(&path, &bytes).unwrap();
    let (mut frames, mut torn) = (0, 0);
    opened(&path)
        .walk(&mut |part| {
            match part {
                Part::Frame { .. } => frames += 1,
                Part::Torn(range) => torn = range.len(),
                Part::Damaged(_) => unreachable!(),
            }
            if frames == 1 {
                // If the file were shortened in place, the next page touched here would be gone.
                let log = open(folder.path());
                assert_eq!(log.stats().torn_bytes, 50_000);
                log.forget_query("secret", WAIT).unwrap();
                let left = segments(folder.path());
                assert!(left.iter().all(|path| fs::metadata(path).unwrap().len() < 500), "{left:?}");
            }
            Ok(())
        })
        .unwrap();
    assert_eq!((frames, torn), (200, 50_000));
}

#[test]
fn damage_in_the_middle_is_reported_and_stepped_over() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_small(folder.path());
    (0..30).for_each(|id| log.log_impression(impression(id, "q")));
    log.close().unwrap();
    let path = segments(folder.path()).remove(1);
    let mut frames = Vec::new();
    opened(&path)
        .walk(&mut |part| {
            if let Part::Frame { range, .. } = part {
                frames.push(range);
            }
            Ok(())
        })
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[frames[0].end - 2] ^= 4;
    fs::write(&path, &bytes).unwrap();

    let log = open_small(folder.path());
    let replay = log.replay().unwrap();
    assert_eq!(replay.impressions.len(), 29);
    let stats = log.stats();
    assert_eq!((stats.impressions, stats.damaged_bytes, stats.torn_bytes), (29, frames[0].len() as u64, 0));
    assert_eq!(stats.damage, replay.damage);
    let [damage] = &replay.damage[..] else { panic!("one damaged place: {:?}", replay.damage) };
    assert_eq!(damage.segment, path.file_name().unwrap().to_str().unwrap());
    assert_eq!(
        (damage.start, damage.end, damage.torn),
        (frames[0].start as u64, frames[0].end as u64, false)
    );
}

#[test]
fn a_damaged_header_costs_the_header_alone() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.log_impression(impression(1, "q"));
    log.close().unwrap();
    let path = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let log = open(folder.path());
    assert_eq!((log.stats().impressions, log.stats().damaged_bytes), (1, 32));
    log.forget_query("nothing", WAIT).unwrap();
    assert_eq!((log.stats().impressions, log.stats().damaged_bytes), (1, 0), "forgetting mends it");
}

#[test]
fn a_segment_of_a_newer_format_is_refused_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_small(folder.path());
    (0..30).for_each(|id| log.log_impression(impression(id, "q")));
    log.close().unwrap();
    let newer = FileHeader { magic: *b"RETUNELG", version: 2, extra: [0; 16] }.to_bytes();
    for path in segments(folder.path()) {
        let good = fs::read(&path).unwrap();
        fs::write(&path, [&newer, &good[32..]].concat()).unwrap();
        let refused = FeedbackLog::open(folder.path(), FeedbackOptions::default(), Role::Appending);
        assert!(matches!(refused, Err(Error::Version { found: 2, .. })));
        assert!(matches!(replay::replay(folder.path()), Err(Error::Version { found: 2, .. })));
        fs::write(&path, good).unwrap();
    }
}

#[test]
fn records_of_a_newer_version_are_stepped_over_and_counted_and_forgetting_refuses_to_guess() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.log_impression(impression(1, "secret"));
    log.close().unwrap();
    let path = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    append_frame(&mut bytes, b"\x02\x09\0\0\x01\0\0\0\0\0\0\0 about the secret");
    fs::write(&path, &bytes).unwrap();
    let log = open(folder.path());
    log.append_judgement(judgement(1, "d")).unwrap();
    let replay = log.replay().unwrap();
    assert_eq!((replay.impressions.len(), replay.judgements.len(), replay.unknown_records), (1, 1, 1));
    assert!(replay.damage.is_empty());
    assert_eq!((log.stats().unknown_records, log.stats().damaged_bytes), (1, 0));
    assert!(matches!(log.forget_query("secret", WAIT), Err(Error::Version { found: 2, .. })));
    assert_eq!(log.replay().unwrap(), replay);
}

/// Arbitrary bytes, frames with arbitrary payloads, and real records, in any order.
fn segment_bytes() -> impl Strategy<Value = Vec<u8>> {
    let raw = prop::collection::vec(any::<u8>(), 0..60);
    let framed = prop::collection::vec(any::<u8>(), 0..30).prop_map(|payload| {
        let mut bytes = Vec::new();
        append_frame(&mut bytes, &payload);
        bytes
    });
    let headed =
        (0u8..3, 0u8..5, prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(version, kind, json)| {
            let mut bytes = Vec::new();
            append_frame(&mut bytes, &[&[version, kind, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], &json].concat());
            bytes
        });
    let real = (0u64..9).prop_map(|id| {
        let mut bytes = Vec::new();
        let payload = record::Record::Judgement(judgement(id, "d")).encode().unwrap();
        append_frame(&mut bytes, &payload);
        bytes
    });
    prop::collection::vec(prop_oneof![raw, framed, headed, real], 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_every_byte_is_accounted_for(
        bytes in segment_bytes(), with_header in any::<bool>(),
        name in prop::sample::select(vec!["live-0123456789abcdef.log", "000001.log"]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let bytes = if with_header { [&header([0; 16])[..], &bytes].concat() } else { bytes };
        fs::write(&path, &bytes).unwrap();
        let mut at = if with_header { 32 } else { 0 };
        let mut frames = 0;
        opened(&path).walk(&mut |part| {
            frames += u64::from(matches!(part, Part::Frame { .. }));
            let (Part::Frame { range, .. } | Part::Damaged(range) | Part::Torn(range)) = part;
            assert_eq!(range.start, at);
            at = range.end;
            Ok(())
        }).unwrap();
        prop_assert_eq!(at, bytes.len());

        let replay = replay::replay(folder.path()).unwrap();
        prop_assert!(replay.damage.windows(2).all(|two| two[0].end <= two[1].start));
        let log = open(folder.path());
        log.append_judgement(judgement(77, "appended")).unwrap();
        let after = log.replay().unwrap();
        prop_assert_eq!(&after.judgements[..replay.judgements.len()], &replay.judgements[..]);
        prop_assert_eq!(after.judgements.last(), Some(&judgement(77, "appended")));
        let stays = replay.damage.iter().any(|one| !one.torn);
        prop_assert!(stays || after.damage.is_empty());
    }

    #[test]
    fn a_flipped_bit_costs_one_record_and_is_seen(bit in any::<prop::sample::Index>()) {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        (0..5).for_each(|id| log.log_impression(impression(id, "q")));
        log.close().unwrap();
        let path = segments(folder.path()).remove(0);
        let mut bytes = fs::read(&path).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes).unwrap();
        let replay = replay::replay(folder.path()).unwrap();
        prop_assert_eq!(replay.impressions.len(), if bit / 8 < 32 { 5 } else { 4 });
        prop_assert!(replay.damage.iter().any(|one| (one.start..one.end).contains(&(bit as u64 / 8))));
        prop_assert!(replay.impressions.iter().all(|one| *one == impression(one.query_id.0, "q")));
    }
}
