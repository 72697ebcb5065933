//! Any text: no panic, and every finding is a place of the text. Any bytes as a list: refused or read, no panic.
#![no_main]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use screening::{Screener, default_against};

fn lexicon() -> BTreeMap<String, Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../policies/lexicon");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}

fuzz_target!(|data: &[u8]| {
    static SCREENER: OnceLock<Screener> = OnceLock::new();
    let screener = SCREENER.get_or_init(|| Screener::build(&lexicon()).unwrap());
    let text = String::from_utf8_lossy(data);
    for finding in screener.screen(&text, default_against()).findings {
        assert!(text.get(finding.start..finding.end).is_some_and(|place| !place.is_empty()));
    }
    let list = |name: &str, content: &[u8]| (name.to_owned(), content.to_vec());
    let files = [
        list("termen-a.tsv", b"griep\tmedisch.diagnose\teigen\n"),
        list("nederlands.txt", b"0een\n"),
        list("zinnen-a.tsv", data),
        list("verzamelingen.tsv", data),
    ];
    let _ = Screener::build(&BTreeMap::from(files));
});
