//! `veldwacht pki …` and `veldwacht assert`: a development CA, and assertions made with its keys.

use std::collections::BTreeSet;
use std::io::Write;

use model::{Name, Oin, Role};
use policy::{Proven, Trust};
use serde_json::json;

use crate::assert::{Asserter, Assertion};
use crate::bundle;
use crate::cli::{self, Pki as Command};
use crate::demo::issue_all;
use crate::failure::{Doing, Failure, Outcome};
use crate::gateway::now;
use crate::pki::{KeyKind, NewOrganisation, Pki};

/// Runs one of them.
pub(crate) fn run(command: &Command, out: &mut impl Write) -> Outcome {
    match command {
        Command::Init { dir, bundle, host } => {
            let files = bundle.as_deref().map_or_else(|| Ok(bundle::shipped()), bundle::read)?;
            let proven = Proven::load(&files, &Trust::Draft).wrong("the bundle")?;
            let pki = issue_all(dir, &proven, host)?;
            writeln!(out, "{}: {} certificates and keys", dir.display(), pki.list().len())
                .unreachable("standard output")
        }
        Command::Issue { dir, whom, role, kind } => {
            let mut pki = Pki::open(dir, now())?;
            let path = match (&whom.system, &whom.oin, &whom.operator, &whom.signer) {
                (Some(system), Some(oin), ..) => {
                    if let Some(name) = &whom.organisation {
                        pki.issue_organisation(&newcomer(*oin, name, kind.as_ref(), role)?)?;
                    }
                    pki.issue_system(*oin, system)?
                }
                (.., Some(operator), _) => {
                    pki.issue_operator(operator, &role.iter().cloned().collect::<BTreeSet<_>>())?
                }
                (.., Some(signer)) => pki.issue_signer(signer)?,
                _ => {
                    return Err(Failure::Use(
                        "say for whom: --oin with --system, --operator or --signer".into(),
                    ));
                }
            };
            writeln!(out, "{}", path.display()).unreachable("standard output")
        }
        Command::Revoke { dir, which } => {
            let revoked = Pki::open(dir, now())?.revoke(which)?;
            writeln!(out, "{revoked} revoked").unreachable("standard output")
        }
        Command::List { dir, json } => {
            for issued in Pki::open(dir, now())?.list() {
                let text = if *json {
                    json!({ "kind": format!("{:?}", issued.kind), "name": issued.name, "file": issued.file,
                            "serial": issued.serial, "expires": issued.expires, "revoked": issued.revoked })
                    .to_string()
                } else {
                    let state = if issued.revoked.is_some() { "revoked" } else { "" };
                    format!(
                        "{:<14} {:<40} {:<44} {state}",
                        format!("{:?}", issued.kind),
                        issued.name,
                        issued.file
                    )
                };
                writeln!(out, "{}", text.trim_end()).unreachable("standard output")?;
            }
            Ok(())
        }
    }
}

/// An organisation that no bundle brought, in a folder called after its number.
fn newcomer(oin: Oin, name: &str, kind: Option<&Name>, roles: &[Role]) -> Outcome<NewOrganisation> {
    let kind = kind.ok_or_else(|| Failure::Use("say what it is: --kind".into()))?;
    Ok(NewOrganisation {
        oin,
        name: name.to_owned(),
        kind: kind.clone(),
        folder: oin.as_str().parse().wrong("the folder")?,
        roles: roles.iter().cloned().collect(),
        big_roles: BTreeSet::new(),
        systems: Vec::new(),
        key: KeyKind::Ed25519,
    })
}

/// Makes one assertion.
pub(crate) fn assert(assert: &cli::Assert, out: &mut impl Write) -> Outcome {
    let read = |path: &std::path::Path| std::fs::read_to_string(path).wrong(path.display());
    let asserter = Asserter::new(&read(&assert.key)?, &read(&assert.cert)?)?;
    let assertion = Assertion {
        role: &assert.role,
        user: &assert.user,
        purpose: assert.purpose.as_ref(),
        big: assert.big.as_deref(),
        spoed: assert.spoed.as_ref(),
        audience: &assert.audience,
        lifetime: assert.lifetime,
    };
    writeln!(out, "{}", asserter.token(&assertion, now())?).unreachable("standard output")
}
