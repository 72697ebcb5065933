//! Whose bundle this is: Ed25519 signatures by enough of the right people, and a number that never goes back.
//!
//! Owns: what is signed, by whom, and the rule against replay. Rules and guardrails are signed by different people over
//! different statements. Keys come from the operator, never from the bundle; a bundle without signatures is refused
//! like one with wrong ones. The highest number seen is the caller's to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::Name;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::bundle::{
    Digest, Files, Header, SIGNATURES, digest_of_all, digest_of_guardrails, parse_toml, text,
};
use crate::problem::{LoadError, Problem, Stage};
use crate::proven::Proven;

/// Whether a bundle has to be signed, and by whom.
#[derive(Debug, Clone)]
pub enum Trust {
    /// A draft on an officer's desk: to check, simulate and compare, never to serve.
    Draft,
    /// A bundle to serve.
    Signed(Keys),
}

/// Who may sign, and what was seen before.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The signers of bundles.
    pub policies: Signers,
    /// The signers of guardrails; none of them may be among the others.
    pub guardrails: Signers,
    /// The last bundle that was accepted.
    pub seen: Seen,
}

/// Some people, and how many of them are enough.
#[derive(Debug, Clone)]
pub struct Signers {
    /// At least one.
    pub threshold: usize,
    /// Ed25519 public keys (RFC 8032) by the name of their holder.
    pub keys: BTreeMap<Name, [u8; 32]>,
}

/// The highest numbers that were accepted, with the digest they had. The caller stores it durably.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bundle number and digest.
    pub bundle: Option<(u64, Digest)>,
    /// Number and digest of the guardrails.
    pub guardrails: Option<(u64, Digest)>,
}

/// Which of the two statements is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole bundle, and the matrix that it compiles to.
    Policies,
    /// The guardrails alone.
    Guardrails,
}

/// `signatures.toml`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Signatures {
    /// Digest of the matrix that the policy signers saw, in hexadecimal.
    #[serde(default)]
    matrix: String,
    #[serde(default)]
    policies: Vec<Signature>,
    #[serde(default)]
    guardrails: Vec<Signature>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    key: Name,
    /// 64 bytes in hexadecimal.
    signature: String,
}

/// The text that is signed: short, and readable by who signs it.
fn statement(part: Part, header: &Header, files: &Files, matrix: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match part {
        Part::Policies => {
            let digest = digest_of_all(files);
            writeln!(
                text,
                "veldwacht bundle v1\nname {}\nnumber {}\nfiles {digest}\nmatrix {matrix}",
                header.name, header.number
            )
        }
        Part::Guardrails => {
            let digest = digest_of_guardrails(files);
            writeln!(
                text,
                "veldwacht guardrails v1\nname {}\nnumber {}\nfiles {digest}",
                header.name, header.guardrails
            )
        }
    };
    text
}

/// Checks signatures and numbers, before anything in the bundle is believed. Returns the matrix that was signed.
pub(crate) fn admit(files: &Files, header: &Header, trust: &Trust) -> Result<Option<String>, LoadError> {
    let Trust::Signed(keys) = trust else { return Ok(None) };
    check_keys(keys)?;
    if !files.contains_key(SIGNATURES) {
        let what = "there are no signatures; a bundle whose signatures were taken off is not a bundle";
        return Err(Problem::new(Stage::Signature, SIGNATURES, what).into());
    }
    let signatures: Signatures = parse_toml(SIGNATURES, text(files, SIGNATURES)?)?;
    let mut problems = Vec::new();
    let bundle = statement(Part::Policies, header, files, &signatures.matrix);
    problems.extend(enough("the bundle", &keys.policies, &signatures.policies, &bundle));
    let guardrails = statement(Part::Guardrails, header, files, "");
    problems.extend(enough("the guardrails", &keys.guardrails, &signatures.guardrails, &guardrails));
    problems.extend(not_older("bundle", keys.seen.bundle, header.number, digest_of_all(files)));
    problems.extend(not_older(
        "guardrails",
        keys.seen.guardrails,
        header.guardrails,
        digest_of_guardrails(files),
    ));
    LoadError::unless(problems, Some(signatures.matrix))
}

/// The matrix that the bundle compiled to has to be the one that was signed.
pub(crate) fn same_matrix(signed: Option<&str>, compiled: Digest) -> Result<(), Problem> {
    match signed {
        Some(signed) if signed != compiled.to_string() => {
            let what =
                "the bundle does not compile to the matrix that was signed; sign it again with this version";
            Err(Problem::new(Stage::Signature, SIGNATURES, what))
        }
        _ => Ok(()),
    }
}

fn check_keys(keys: &Keys) -> Result<(), Problem> {
    let problem = |what: &str| Err(Problem::new(Stage::Signature, "keys of the operator", what));
    let both = keys.policies.keys.values().any(|key| keys.guardrails.keys.values().any(|other| other == key));
    if both {
        return problem("someone may sign both rules and guardrails; that takes two people");
    }
    for signers in [&keys.policies, &keys.guardrails] {
        let distinct: BTreeSet<_> = signers.keys.values().collect();
        if signers.threshold == 0 || distinct.len() < signers.threshold {
            return problem("the threshold is 0, or higher than the number of different keys");
        }
    }
    Ok(())
}

/// Whether enough different keys signed. A signature that is wrong refuses the bundle, enough others or not.
fn enough(what: &str, signers: &Signers, signatures: &[Signature], statement: &str) -> Option<Problem> {
    let mut valid = BTreeSet::new();
    for signature in signatures {
        // Keys that are not ours say nothing, either way.
        let Some(key) = signers.keys.get(&signature.key) else { continue };
        let bytes = hex::decode(&signature.signature).unwrap_or_default();
        if UnparsedPublicKey::new(&ED25519, key).verify(statement.as_bytes(), &bytes).is_err() {
            let text = format!("the signature of `{}` over {what} is not right", signature.key);
            return Some(Problem::new(Stage::Signature, SIGNATURES, text));
        }
        valid.insert(key);
    }
    let (valid, threshold) = (valid.len(), signers.threshold);
    let text = format!("{what} is signed by {valid} of the {threshold} that are needed");
    (valid < threshold).then(|| Problem::new(Stage::Signature, SIGNATURES, text))
}

fn not_older(what: &str, seen: Option<(u64, Digest)>, number: u64, digest: Digest) -> Option<Problem> {
    let (highest, known) = seen?;
    let text = if number < highest {
        format!(
            "{what} number {number} is lower than {highest}, which was accepted before; to go back, publish the old content under a higher number"
        )
    } else if number == highest && digest != known {
        format!(
            "{what} number {number} was accepted before with other content; give this one a higher number"
        )
    } else {
        return None;
    };
    Some(Problem::new(Stage::Number, "bundle.toml", text))
}

/// Signs one part of a bundle that was proven, and returns the new `signatures.toml`.
///
/// Signatures over another matrix are dropped: they were given to something else. `seed` is the signer's secret key
/// (RFC 8032, 32 bytes).
///
/// # Errors
/// The seed is not a key, or the signatures that are there cannot be read.
pub fn sign(
    files: &Files,
    proven: &Proven,
    part: Part,
    key: &Name,
    seed: &[u8; 32],
) -> Result<Vec<u8>, LoadError> {
    let matrix = proven.matrix_digest().to_string();
    let mut signatures: Signatures = match files.contains_key(SIGNATURES) {
        true => parse_toml(SIGNATURES, text(files, SIGNATURES)?)?,
        false => Signatures::default(),
    };
    if signatures.matrix != matrix {
        signatures.policies.clear();
        signatures.matrix = matrix;
    }
    let secret = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| {
        Problem::new(Stage::Signature, key, "the secret key is not 32 bytes of an Ed25519 key")
    })?;
    let statement = statement(part, &proven.candidate.header, files, &signatures.matrix);
    let signature = hex::encode(secret.sign(statement.as_bytes()));
    let list = match part {
        Part::Policies => &mut signatures.policies,
        Part::Guardrails => &mut signatures.guardrails,
    };
    list.retain(|other| other.key != *key);
    list.push(Signature { key: key.clone(), signature });
    let text =
        toml::to_string(&signatures).map_err(|error| Problem::new(Stage::Format, SIGNATURES, error))?;
    Ok(text.into_bytes())
}
