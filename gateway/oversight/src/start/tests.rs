//! What a start takes, whatever moment the stop chose; and a shelf that gives back what was put on it, or says that it is
//! not that.

use std::path::Path;

use journal::Options;
use policy::Proven;

use super::*;

fn shipped(number: u64) -> Files {
    fn add(files: &mut Files, folder: &Path, prefix: &str) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                add(files, &path, &format!("{name}/"));
            } else if [".toml", ".cedar", ".cedarschema", ".tsv", ".txt", ".proto"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Files::new();
    add(&mut files, &root.join("policies"), "");
    for contracts in ["proto/werkfit", "proto/veldwacht"] {
        let prefix = contracts.replace("proto", "contracts") + "/";
        add(&mut files, &root.join(contracts), &prefix);
    }
    files.retain(|name, _| {
        !name.starts_with("contracts/veldwacht/") || name == "contracts/veldwacht/klasse.proto"
    });
    let header = format!("number = {number}\nguardrails = 1\nname = \"werkfit\"\n");
    files.insert("bundle.toml".into(), header.into_bytes());
    files
}

const NOW: Timestamp = Timestamp::from_unix_millis(1_795_000_000_000);

fn open(folder: &Path) -> (Journal, Shelf) {
    let options = Options::new(folder.join("data"), b"a master secret of tests".as_slice());
    (Journal::open(options).unwrap(), Shelf::open(&folder.join("bundles")).unwrap())
}

async fn number_of(journal: &Journal, shelf: &Shelf, configured: Files) -> Result<u64, String> {
    let started = start(journal, shelf, &Trust::Draft, configured, NOW).await;
    started.map(|bundle| bundle.proven.number()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_log_alone_says_what_decides_also_when_a_crash_came_before_the_swap() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, shelf) = open(folder.path());
    assert_eq!(
        number_of(&journal, &shelf, shipped(1)).await,
        Ok(1),
        "the first bundle is the configuration's"
    );
    assert_eq!(
        number_of(&journal, &shelf, shipped(7)).await,
        Ok(1),
        "another one in the configuration is not"
    );

    // An activation that was recorded, and no swap after it.
    let second = shipped(2);
    shelf.put(&second).unwrap();
    let about = bundle_ref(&Proven::load(&second, &Trust::Draft).unwrap());
    let event = Event::Bundle(BundleChange::new(Act::Activated, about));
    let leaf = Leaf {
        v: Version::default(),
        time: NOW,
        exchange: ExchangeId::new(NOW, [7; 10]),
        trace: None,
        bundle: about,
        activity: None,
        client: None,
        event,
    };
    let _ = journal.commit(Commit::of(leaf)).await.unwrap();
    drop(journal);
    let (journal, shelf) = open(folder.path());
    assert_eq!(number_of(&journal, &shelf, shipped(1)).await, Ok(2));

    // A damaged or missing bundle is said so, and no older one is taken instead.
    let path = folder.path().join("bundles").join(format!("{}.bundle", about.digest));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("werkfit.v1.Aanmelding", "werkfit.v1.Aanmeldinh")).unwrap();
    assert!(
        number_of(&journal, &shelf, shipped(1)).await.unwrap_err().contains("not the bundle that was stored")
    );
    std::fs::write(&path, text.get(..text.len() / 2).unwrap()).unwrap();
    assert!(
        number_of(&journal, &shelf, shipped(1)).await.unwrap_err().contains("not the bundle that was stored")
    );
    std::fs::remove_file(&path).unwrap();
    assert!(number_of(&journal, &shelf, shipped(1)).await.unwrap_err().contains("bundle 2"));
    assert_eq!(number_of(&journal, &shelf, second).await, Ok(2), "brought again by the configuration");
}

#[test]
fn a_bundle_that_was_half_written_when_the_power_went_is_as_if_never_put() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path()).unwrap();
    let files =
        Files::from([("a.toml".to_owned(), b"text".to_vec()), ("b".to_owned(), vec![0, 159, 146, 150])]);
    let digest = digest_of_all(&files);
    std::fs::write(folder.path().join(format!("{digest}.new")), b"{ half").unwrap();
    assert!(shelf.get(digest).unwrap().is_none());
    assert_eq!(shelf.put(&files).unwrap(), digest);
    assert_eq!(shelf.get(digest).unwrap(), Some(files), "text and bytes come back as they were");
}
