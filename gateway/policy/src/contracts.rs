//! The contracts of a bundle: `.proto` files and descriptor sets, compiled in memory to descriptors.
//!
//! Owns: finding imports among the bundle's own files, and reading the class options. A sender's own descriptor
//! never comes here. Options survive only in a pool decoded from protox's bytes; `prost_types` would lose them.

use std::collections::BTreeMap;

use model::{DataClass, FieldKind, MessageType};
use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, Value};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use crate::bundle::Files;
use crate::problem::{LoadError, Problem, Stage};

const FOLDER: &str = "contracts/";

/// Every message type that the bundle knows.
#[derive(Debug, Clone)]
pub(crate) struct Contracts {
    pools: Vec<DescriptorPool>,
}

impl Contracts {
    /// Compiles the files below `contracts/`: `.proto` together, each `.binpb` descriptor set by itself.
    pub(crate) fn read(files: &Files) -> Result<Contracts, LoadError> {
        let mut sources = BTreeMap::new();
        let mut pools = Vec::new();
        let mut problems = Vec::new();
        for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with(FOLDER)) {
            let inner = name.trim_start_matches(FOLDER);
            if inner.ends_with(".proto") {
                match std::str::from_utf8(bytes) {
                    Ok(source) => drop(sources.insert(inner.to_owned(), source.to_owned())),
                    Err(_) => problems.push(Problem::new(Stage::Contract, name, "not UTF-8 text")),
                }
            } else if inner.ends_with(".binpb") {
                match DescriptorPool::decode(bytes.as_slice()) {
                    Ok(pool) => pools.push(pool),
                    Err(error) => problems.push(Problem::new(Stage::Contract, name, error)),
                }
            } else {
                let what = "only `.proto` files and descriptor sets `.binpb` belong here";
                problems.push(Problem::new(Stage::Contract, name, what));
            }
        }
        if !sources.is_empty() {
            match compile(sources) {
                Ok(pool) => pools.insert(0, pool),
                Err(problem) => problems.push(problem),
            }
        }
        LoadError::unless(problems, Contracts { pools })
    }

    /// All contracts as one `FileDescriptorSet`, if they were compiled together.
    pub(crate) fn encoded(&self) -> Option<Vec<u8>> {
        match self.pools.as_slice() {
            [pool] => Some(pool.encode_to_vec()),
            _ => None,
        }
    }

    /// The message of this name, unless two contracts both declare it.
    pub(crate) fn message(&self, name: &MessageType) -> Result<MessageDescriptor, Problem> {
        let mut found = self.pools.iter().filter_map(|pool| pool.get_message_by_name(name.as_str()));
        match (found.next(), found.next()) {
            (Some(message), None) => Ok(message),
            (None, _) => {
                Err(Problem::new(Stage::Contract, name, "no contract of the bundle has this message"))
            }
            (Some(_), Some(_)) => {
                Err(Problem::new(Stage::Contract, name, "two contracts declare this message; keep one"))
            }
        }
    }
}

/// Resolves imports among the bundle's sources; the well-known types come from protox.
struct Sources(BTreeMap<String, String>);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let source = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, source)
    }
}

fn compile(sources: BTreeMap<String, String>) -> Result<DescriptorPool, Problem> {
    let names: Vec<String> = sources.keys().cloned().collect();
    let mut resolver = ChainFileResolver::new();
    resolver.add(Sources(sources));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    for name in &names {
        // The `Debug` of a protox error is its report, with the place in the source.
        compiler.open_file(name).map_err(|error| {
            Problem::new(Stage::Contract, format!("{FOLDER}{name}"), format!("{error:?}"))
        })?;
    }
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice())
        .map_err(|error| Problem::new(Stage::Contract, FOLDER, error))
}

/// What the contract itself proposes for a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) class: Option<DataClass>,
    pub(crate) subject: Option<DataClass>,
    pub(crate) kind: Option<FieldKind>,
}

/// Reads the options `veldwacht.klasse`, `.onderwerp` and `.soort` of a field.
pub(crate) fn proposal(field: &FieldDescriptor) -> Proposal {
    let class = |name| option(field, name).and_then(DataClass::from_number);
    let kind = match option(field, "veldwacht.soort") {
        Some(1) => Some(FieldKind::Datum),
        Some(2) => Some(FieldKind::Leeftijd),
        Some(3) => Some(FieldKind::Postcode),
        Some(4) => Some(FieldKind::Uren),
        Some(5) => Some(FieldKind::Identificatie),
        _ => None,
    };
    Proposal { class: class("veldwacht.klasse"), subject: class("veldwacht.onderwerp"), kind }
}

fn option(field: &FieldDescriptor, name: &str) -> Option<i32> {
    let extension = field.parent_pool().get_extension_by_name(name)?;
    let options = field.options();
    match options.has_extension(&extension).then(|| options.get_extension(&extension))?.as_ref() {
        Value::EnumNumber(number) => Some(*number),
        _ => None,
    }
}
