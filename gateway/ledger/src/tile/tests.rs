use proptest::prelude::*;

use super::*;

fn path(content: Content, index: u64, size: u64) -> String {
    Tile::of_size(content, index, size).unwrap().to_string()
}

#[test]
fn tiles_have_the_names_of_the_specification() {
    let tile = Tile { content: Content::Hashes(0), index: 1_234_067, width: 256 };
    assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
    assert_eq!(path(Content::Entries, 5, 5 * 256 + 3), "tile/entries/005.p/3");
}

#[test]
fn a_log_of_70000_has_the_tiles_of_the_specification() {
    assert_eq!(path(Content::Hashes(0), 273, 70_000), "tile/0/273.p/112");
    assert_eq!(path(Content::Hashes(1), 0, 70_000), "tile/1/000");
    assert_eq!(path(Content::Hashes(1), 1, 70_000), "tile/1/001.p/17");
    assert_eq!(path(Content::Hashes(2), 0, 70_000), "tile/2/000.p/1");
    assert_eq!(Tile::of_size(Content::Hashes(3), 0, 70_000), None);
    let all: Vec<Tile> = tiles_to_publish(0, 70_000).collect();
    assert_eq!(all.len(), 274 + 2 + 1 + 274);
}

#[test]
fn growing_by_one_over_a_boundary_makes_the_full_tile_and_the_first_of_the_next_level() {
    let paths: Vec<String> = tiles_to_publish(255, 256).map(|tile| tile.to_string()).collect();
    assert_eq!(paths, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    assert_eq!(tiles_to_publish(256, 256).count(), 0);
}

#[test]
fn no_other_spelling_of_a_path_is_taken() {
    for bad in [
        "",
        "tile/0/1",
        "tile/00/001",
        "tile/64/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "/tile/0/001",
        "tile/0/../001",
        "tile/0/+01",
    ] {
        assert!(bad.parse::<Tile>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn every_path_is_read_back(level in 0u8..64, index: u64, width in 1u16..=256, entries: bool) {
        let content = if entries { Content::Entries } else { Content::Hashes(level) };
        let tile = Tile { content, index, width };
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
    }

    #[test]
    fn what_is_published_step_by_step_is_what_a_log_needs(sizes in prop::collection::vec(0u64..3000, 1..6)) {
        let mut sizes = sizes;
        sizes.sort();
        let mut have = std::collections::BTreeSet::new();
        let mut old = 0;
        for new in sizes {
            have.extend(tiles_to_publish(old, new).map(|tile| tile.to_string()));
            old = new;
        }
        for needed in tiles_to_publish(0, old) {
            prop_assert!(have.contains(&needed.to_string()), "{}", needed);
        }
    }

    #[test]
    fn any_bytes_are_read_as_entries_without_loss(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut seen = 0;
        for entry in entries(&bytes) {
            match entry {
                Ok((offset, entry)) => { prop_assert_eq!(offset, seen); seen += 2 + entry.len(); }
                Err(cut) => { prop_assert_eq!(cut.offset, seen); seen = bytes.len(); }
            }
        }
        prop_assert_eq!(seen, bytes.len());
    }

    #[test]
    fn entries_come_back_from_their_bundle(entries_in in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let bytes = encode_entries(entries_in.iter().map(Vec::as_slice)).unwrap();
        let out: Result<Vec<&[u8]>, CutShort> = entries(&bytes).map(|entry| entry.map(|(_, entry)| entry)).collect();
        prop_assert_eq!(out.unwrap(), entries_in.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}
