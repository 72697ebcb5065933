//! Where bundles come from: a folder, a folder with its own contracts, or the one that travels in this binary.
//!
//! Owns: reading files into the map that `policy` takes; which files belong to a bundle. What they mean, and
//! whether they may be believed, is `policy`'s.

use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;

use crate::failure::{Doing, Failure, Outcome};

/// The files of a bundle by name, with forward slashes.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../policies"]
#[exclude = "*.md"]
struct ShippedPolicies;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../proto"]
#[include = "*.proto"]
struct ShippedContracts;

/// The bundle that travels in this binary.
pub(crate) fn shipped() -> Files {
    let policies = ShippedPolicies::iter().filter_map(|name| {
        let file = ShippedPolicies::get(&name)?;
        Some((name.into_owned(), file.data.into_owned()))
    });
    policies.chain(contracts()).collect()
}

fn contracts() -> impl Iterator<Item = (String, Vec<u8>)> {
    ShippedContracts::iter().filter(|name| is_contract(name)).filter_map(|name| {
        let file = ShippedContracts::get(&name)?;
        Some((format!("contracts/{name}"), file.data.into_owned()))
    })
}

/// Reads the bundle in `folder`. Where it brings no contracts of its own, those in `proto/` beside it join; where there are none
/// either – a draft on an officer's desk –, those that travel in this binary.
pub(crate) fn read(folder: &Path) -> Outcome<Files> {
    if !folder.join("bundle.toml").is_file() {
        let message = format!("{} is not a bundle: it has no bundle.toml", folder.display());
        return Err(Failure::Use(message));
    }
    let mut files = Files::new();
    add(&mut files, folder, "", &|name| !name.ends_with(".md"))?;
    let brings_contracts = files.keys().any(|name| name.starts_with("contracts/veldwacht/"));
    let beside = folder.canonicalize().wrong(folder.display())?.with_file_name("proto");
    if !brings_contracts && beside.is_dir() {
        add(&mut files, &beside, "contracts/", &is_contract)?;
    } else if !files.keys().any(|name| name.starts_with("contracts/")) {
        files.extend(contracts());
    }
    Ok(files)
}

/// Reads every file below `folder`, by its name there.
pub(crate) fn read_folder(folder: &Path) -> Outcome<Files> {
    let mut files = Files::new();
    add(&mut files, folder, "", &|name| !name.ends_with(".md"))?;
    Ok(files)
}

/// Writes a bundle as a folder that needs nothing beside it.
pub(crate) fn write(files: &Files, folder: &Path) -> Outcome {
    for (name, bytes) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).unreachable(parent.display())?;
        std::fs::write(&path, bytes).unreachable(path.display())?;
    }
    Ok(())
}

/// Whether a file below `proto/` is part of a contract: the gateway's own services are not.
fn is_contract(name: &str) -> bool {
    name.ends_with(".proto") && (name == "veldwacht/klasse.proto" || !name.starts_with("veldwacht/"))
}

fn add(files: &mut Files, folder: &Path, prefix: &str, wanted: &dyn Fn(&str) -> bool) -> Outcome {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).wrong(next.display())? {
            let path = entry.wrong(next.display())?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative =
                path.strip_prefix(folder).wrong(path.display())?.to_string_lossy().replace('\\', "/");
            if wanted(&relative) {
                files.insert(format!("{prefix}{relative}"), std::fs::read(&path).wrong(path.display())?);
            }
        }
    }
    Ok(())
}
