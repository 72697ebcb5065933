use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::note::tests::pair;
use crate::note::{Algorithm, KeyName, NoteSigner};
use crate::source::{Nodes, Unreadable};
use crate::tile::{Content, TILE_WIDTH, Tile, encode_entries, encode_hashes, tiles_to_publish};
use crate::tree::{Frontier, leaf_hash, root_of};

/// The files of a log in memory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn origin() -> KeyName {
    "log.example/werkfit".parse().unwrap()
}

pub(crate) fn trust() -> Trust {
    Trust::in_log(NoteSigner::new(&origin(), &pair(1)).verifier(Algorithm::Ed25519))
}

pub(crate) fn records(count: u64) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| format!("record {number} {}", "x".repeat((number % 7) as usize)).into_bytes())
        .collect()
}

/// Publishes these records as a log would, step by step from one size to the next.
pub(crate) fn publish(records: &[Vec<u8>]) -> Files {
    let mut files = Files::new();
    let mut frontier = Frontier::new();
    let leaves: Vec<Digest> = records.iter().map(|record| leaf_hash(record)).collect();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    for tile in tiles_to_publish(0, records.len() as u64) {
        let from = (tile.index * TILE_WIDTH) as usize;
        let to = from + usize::from(tile.width);
        let bytes = match tile.content {
            Content::Entries => encode_entries(records[from..to].iter().map(Vec::as_slice)).unwrap(),
            Content::Hashes(level) => {
                let each = 256usize.pow(u32::from(level));
                let hashes: Vec<Digest> =
                    (from..to).map(|at| root_of(&leaves[at * each..(at + 1) * each])).collect();
                encode_hashes(&hashes)
            }
        };
        files.insert(tile.to_string(), bytes);
    }
    let checkpoint = Checkpoint { origin: origin(), size: records.len() as u64, root: frontier.root() };
    let note = checkpoint.sign(&NoteSigner::new(&origin(), &pair(1))).unwrap();
    files.insert("checkpoint".into(), note.to_string().into_bytes());
    files
}

fn damage(files: &Files) -> Vec<Damage> {
    verify(files, &trust(), &mut |_, _| {}).unwrap_err().damage
}

fn text(files: &Files) -> String {
    verify(files, &trust(), &mut |_, _| {}).unwrap_err().to_string()
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(255)]
#[case(256)]
#[case(257)]
#[case(700)]
#[case(65_535)]
#[case(65_536)]
#[case(66_000)]
fn an_untouched_log_verifies_and_shows_every_record_once(#[case] size: u64) {
    let (records, mut seen) = (records(size), Vec::new());
    let files = publish(&records);
    let verified =
        verify(&files, &trust(), &mut |index, record| seen.push((index, record.to_vec()))).unwrap();
    assert_eq!(verified.checkpoint().size, size);
    assert_eq!(verified.files(), files.len() as u64);
    assert!(
        seen.iter()
            .enumerate()
            .all(|(place, (index, record))| place as u64 == *index && records[place] == *record)
    );
    assert_eq!(seen.len() as u64, size);
    let mut nodes = Nodes::new(&files, size);
    assert_eq!(
        crate::tree_root(size, |level, index| nodes.node(level, index)).unwrap(),
        verified.checkpoint().root
    );
}

#[test]
fn a_flipped_bit_in_a_record_is_named_by_file_offset_and_record() {
    let records = records(700);
    let mut files = publish(&records);
    let offset: usize = records[256..300].iter().map(|record| record.len() + 2).sum();
    files.get_mut("tile/entries/001").unwrap()[offset + 5] ^= 4;
    let path = "tile/entries/001".to_owned();
    assert_eq!(damage(&files), [Damage::Record { path, offset: offset as u64, index: 300 }]);
}

#[test]
fn a_flipped_bit_in_a_stored_hash_is_told_from_one_in_a_record() {
    for (path, offset, first, last) in [
        ("tile/0/001", 44 * 32, 300, 300),
        ("tile/0/002.p/188", 3 * 32, 515, 515),
        ("tile/1/000.p/2", 32, 256, 511),
    ] {
        let mut files = publish(&records(700));
        files.get_mut(path).unwrap()[offset + 31] ^= 1;
        let offset = offset as u64;
        assert_eq!(damage(&files), [Damage::Hash { path: path.into(), offset, first, last }]);
    }
}

#[test]
fn two_damages_are_both_named() {
    let mut files = publish(&records(700));
    files.get_mut("tile/entries/000").unwrap()[3] ^= 1;
    files.get_mut("tile/0/001").unwrap()[0] ^= 1;
    let found = damage(&files);
    assert!(
        matches!(&found[..], [Damage::Record { index: 0, .. }, Damage::Hash { first: 256, .. }]),
        "{found:?}"
    );
}

#[rstest]
#[case("tile/entries/000", "tile/entries/001", "tile/entries/000: not one of records 0 to 255")]
#[case("tile/0/000", "tile/0/001", "tile/0/000: every hash is wrong")]
fn a_swapped_tile_is_named(#[case] one: &str, #[case] other: &str, #[case] said: &str) {
    let mut files = publish(&records(700));
    let (first, second) = (files.remove(one).unwrap(), files.remove(other).unwrap());
    files.insert(one.into(), second);
    files.insert(other.into(), first);
    let text = text(&files);
    assert!(text.contains(said) && text.contains(other) && text.lines().count() == 3, "{text}");
}

#[test]
fn the_same_record_at_another_place_is_noticed() {
    let mut changed = records(700);
    let mut files = publish(&changed);
    changed.swap(0, 7);
    let bytes = encode_entries(changed[..256].iter().map(Vec::as_slice)).unwrap();
    files.insert("tile/entries/000".into(), bytes);
    assert!(matches!(damage(&files)[..], [Damage::Record { index: 0, .. }]));
}

#[test]
fn a_log_rewritten_with_all_its_tiles_does_not_fit_what_was_signed() {
    let mut changed = records(700);
    let signed = publish(&changed).remove("checkpoint").unwrap();
    changed[3] = b"another record".to_vec();
    let mut files = publish(&changed);
    files.insert("checkpoint".into(), signed);
    assert!(matches!(damage(&files)[..], [Damage::Root { .. }]));
}

#[test]
fn a_checkpoint_of_another_log_or_key_is_refused() {
    let files = publish(&records(5));
    let stranger = NoteSigner::new(&"other.example".parse().unwrap(), &pair(1)).verifier(Algorithm::Ed25519);
    let error = verify(&files, &Trust::in_log(stranger), &mut |_, _| {}).unwrap_err();
    assert!(matches!(&error.damage[..], [Damage::Untrusted(Untrusted::OtherLog { .. })]));
    let rotated = NoteSigner::new(&origin(), &pair(2)).verifier(Algorithm::Ed25519);
    assert!(verify(&files, &Trust::in_log(rotated), &mut |_, _| {}).is_err());
}

#[test]
fn a_log_may_be_ahead_of_its_checkpoint_and_its_partial_tiles_may_be_gone() {
    let small = publish(&records(700));
    let mut files = publish(&records(1_000));
    files.insert("checkpoint".into(), small["checkpoint"].clone());
    files.insert("tile/1/000.p/2".into(), small["tile/1/000.p/2"].clone());
    let verified = verify(&files, &trust(), &mut |_, _| {}).unwrap();
    assert_eq!(verified.checkpoint().size, 700, "tile/0/002 stands in for tile/0/002.p/188");
}

#[test]
fn a_checkpoint_kept_from_an_earlier_day_shows_that_the_log_only_grew() {
    let mut all = records(700);
    let read = |files: &Files| read_checkpoint(files, &trust()).unwrap().checkpoint().clone();
    let (earlier, files) = (read(&publish(&all[..300])), publish(&all));
    assert_eq!(verify_growth(&files, &earlier, &read(&files)), Ok(()));
    all[3] = b"rewritten since".to_vec();
    let rewritten = publish(&all);
    assert!(verify(&rewritten, &trust(), &mut |_, _| {}).is_ok(), "in itself it is whole");
    assert!(verify_growth(&rewritten, &earlier, &read(&rewritten)).is_err());
    assert!(verify_growth(&publish(&all[..200]), &earlier, &read(&publish(&all[..200]))).is_err());
}

#[test]
fn an_entry_that_is_no_record_is_named_and_the_records_around_it_are_read() {
    let kinds = crate::leaf::tests::all_kinds();
    let mut entries: Vec<Vec<u8>> = kinds.iter().map(|leaf| leaf.to_bytes().unwrap()).collect();
    let newer = String::from_utf8(entries[4].clone()).unwrap().replacen("\"v\":2", "\"v\":3", 1);
    entries[4] = newer.into_bytes();
    let mut read = Vec::new();
    let error = verify_records(&publish(&entries), &trust(), &mut |index, _| read.push(index)).unwrap_err();
    assert_eq!(error.damage, [Damage::Unreadable { index: 4, why: LeafError::OtherVersion { version: 3 } }]);
    let around: Vec<u64> = (0..entries.len() as u64).filter(|index| *index != 4).collect();
    assert_eq!(read, around);
}

#[test]
fn a_storage_that_fails_is_not_taken_for_a_damaged_log() {
    struct Broken;
    impl TileSource for Broken {
        fn read(&self, _: &str) -> Result<Vec<u8>, Unreadable> {
            Err(Unreadable::Failed("connection reset".into()))
        }
    }
    let error = verify(&Broken, &trust(), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("checkpoint: it could not be read: connection reset"), "{error}");
}

#[test]
fn many_damages_are_named_up_to_a_limit() {
    let mut files = publish(&records(20_000));
    files.retain(|path, _| !path.starts_with("tile/entries/"));
    let error = verify(&files, &trust(), &mut |_, _| {}).unwrap_err();
    assert!(error.more && error.damage.len() == MOST_NAMED);
}

/// The file at a place, so that a property can speak of any file.
fn pick(files: &Files, at: prop::sample::Index) -> String {
    files.keys().nth(at.index(files.len())).unwrap().clone()
}

/// Logs of a few shapes, built once.
fn shapes() -> &'static [Files] {
    static SHAPES: std::sync::OnceLock<Vec<Files>> = std::sync::OnceLock::new();
    SHAPES.get_or_init(|| [3, 256, 700, 1_024].map(|size| publish(&records(size))).into())
}

proptest! {
    #[test]
    fn any_flipped_bit_in_any_file_is_found_and_its_file_named(
        shape in 0usize..4, file in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>(),
    ) {
        let mut files = shapes()[shape].clone();
        let path = pick(&files, file);
        let bytes = files.get_mut(&path).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let text = text(&files);
        prop_assert!(text.contains(&path), "{} is not named: {}", path, text);
        prop_assert_eq!(text.lines().count(), 2, "one damage has one name: {}", text);
    }

    #[test]
    fn any_truncated_or_missing_file_is_found_and_named(
        shape in 0usize..4, file in any::<prop::sample::Index>(), length in any::<prop::sample::Index>(), gone: bool,
    ) {
        let mut files = shapes()[shape].clone();
        let path = pick(&files, file);
        let bytes = files.get_mut(&path).unwrap();
        bytes.truncate(length.index(bytes.len()));
        if gone { files.remove(&path); }
        let text = text(&files);
        prop_assert!(text.contains(&path), "{} is not named: {}", path, text);
    }

    #[test]
    fn any_file_in_the_place_of_another_is_found(
        shape in 0usize..4, one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let mut files = shapes()[shape].clone();
        let (one, other) = (pick(&files, one), pick(&files, other));
        let bytes = files[&other].clone();
        let same = bytes == files[&one];
        files.insert(one.clone(), bytes);
        match verify(&files, &trust(), &mut |_, _| {}) {
            Ok(_) => prop_assert!(same),
            Err(error) => prop_assert!(error.to_string().contains(&one), "{}", error),
        }
    }
}

#[test]
fn tiles_of_a_verified_size_only_are_asked_for() {
    assert_eq!(Tile::of_size(Content::Hashes(0), 0, 0), None);
    let mut nodes = Nodes::new(&shapes()[0], 3);
    assert!(nodes.node(2, 0).is_err(), "a log of three has no full subtree of four");
}
