//! `veldwacht traject open|enter|end|list`: what an organisation states about a client's traject, at a running gateway.
//!
//! Owns: calling it, and printing. Who may state what is decided by the gateway, which records it.

use std::io::Write;

use model::{Bsn, Oin, Purpose};
use proto::veldwacht::traject::v1 as wire;
use serde_json::json;

use crate::cli::{Traject, TrajectAbout as About};
use crate::client::{Acting, Client, told};
use crate::commands::send::{acting, connect};
use crate::failure::{Doing, Outcome};

/// States it, or shows what was stated.
pub(crate) async fn run(traject: &Traject, out: &mut impl Write) -> Outcome {
    match traject {
        Traject::Open { about, parties, phase } => {
            let stating = Stating::of(about).await?;
            let party_oins = parties.iter().map(Oin::to_string).collect();
            let request =
                wire::OpenRequest { client_bsn: stating.client(), party_oins, phase: u32::from(*phase) };
            let answer = stating.caller.traject().open(stating.asserted(request)?).await;
            recorded(about, answer.map_err(|status| told(&status))?.into_inner().record_index, out)
        }
        Traject::Enter { about, phase, with } => {
            let stating = Stating::of(about).await?;
            let (client_bsn, party_oin) = (stating.client(), other(*with));
            let request = wire::EnterRequest { client_bsn, phase: u32::from(*phase), party_oin };
            let answer = stating.caller.traject().enter(stating.asserted(request)?).await;
            recorded(about, answer.map_err(|status| told(&status))?.into_inner().record_index, out)
        }
        Traject::End { about, with } => {
            let stating = Stating::of(about).await?;
            let request = wire::EndRequest { client_bsn: stating.client(), party_oin: other(*with) };
            let answer = stating.caller.traject().end(stating.asserted(request)?).await;
            recorded(about, answer.map_err(|status| told(&status))?.into_inner().record_index, out)
        }
        Traject::List { about } => {
            let stating = Stating::of(about).await?;
            let request = wire::ListRequest { client_bsn: stating.client() };
            let answer = stating.caller.traject().list(stating.asserted(request)?).await;
            let listed = answer.map_err(|status| told(&status))?.into_inner().trajects;
            listed.iter().try_for_each(|one| show(about.json, one, out))
        }
    }
}

/// Someone who is connected, and about whom they speak.
struct Stating {
    caller: Client,
    acting: Acting,
    client: Bsn,
    purpose: Purpose,
}

impl Stating {
    async fn of(about: &About) -> Outcome<Stating> {
        // The text of the error does not repeat what was given.
        let client = about.client.parse().wrong("--client")?;
        let acting = acting(&about.caller)?;
        let purpose = "re-integratie".parse().wrong("a purpose")?;
        Ok(Stating { caller: connect(&about.caller).await?, acting, client, purpose })
    }

    fn client(&self) -> String {
        self.client.expose().to_owned()
    }

    fn asserted<T>(&self, request: T) -> Outcome<tonic::Request<T>> {
        self.caller.asserted(request, &self.acting, Some(&self.purpose))
    }
}

fn other(with: Option<Oin>) -> String {
    with.map(|oin| oin.to_string()).unwrap_or_default()
}

fn recorded(about: &About, record: u64, out: &mut impl Write) -> Outcome {
    let text = if about.json { json!({ "record": record }).to_string() } else { format!("record {record}") };
    writeln!(out, "{text}").unreachable("standard output")
}

fn show(as_json: bool, traject: &wire::Traject, out: &mut impl Write) -> Outcome {
    let wire::Traject { party_oins, phase, phase_nl, phase_en, since, by_oin, by_role } = traject;
    let text = if as_json {
        json!({ "parties": party_oins, "phase": phase, "nl": phase_nl, "en": phase_en,
                "since": since.map(|since| since.seconds), "by": { "oin": by_oin, "role": by_role } })
        .to_string()
    } else {
        let phase = if *phase == 0 { "ended".to_owned() } else { format!("phase {phase}, {phase_nl}") };
        format!("{phase}: {} (stated by {by_oin}:{by_role})", party_oins.join(", "))
    };
    writeln!(out, "{text}").unreachable("standard output")
}
