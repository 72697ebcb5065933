//! The traject that the demo plays: who sends what to whom, in which order.
//!
//! Owns: the scenes. Each sends or collects as any organisation's system would; what happened is told by `tell`.

use std::time::Duration;

use model::{MessageType, Purpose};
use proto::veldwacht::consent::v1 as consent;
use proto::veldwacht::exchange::v1 as wire;
use proto::veldwacht::traject::v1 as traject;
use rust_embed::RustEmbed;

use crate::client::{Acting, Client, told};
use crate::commands::collect::Collecting;
use crate::commands::send::answer_in;
use crate::demo::Stage;
use crate::demo::tell::{Telling, Writer};
use crate::document;
use crate::failure::{Doing, Failure, Outcome};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../tests/data/documents"]
struct Documents;

/// Maaike van Rossem, who does not exist.
const CLIENT: &str = "999990019";
const GEMEENTE: &str = "00000099000000001000";
const UWV: &str = "00000099000000002000";
const GGZ: &str = "00000099000000003000";
const RIB: &str = "00000099000000004000";

/// Someone at work, with the connection of their organisation's system.
struct Person {
    client: Client,
    acting: Acting,
}

/// A document to send: from `tests/data/documents`.
struct Letter<'a> {
    document: &'a str,
    message: &'a str,
    purpose: &'a str,
    to: &'a [(&'a str, &'a str)],
}

/// Everyone who plays.
struct Cast {
    klantmanager: Person,
    arbeidsdeskundige: Person,
    verzekeringsarts: Person,
    behandelaar: Person,
    coach: Person,
    jobcreator: Person,
}

pub(crate) async fn play(stage: &Stage, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    let cast = Cast {
        klantmanager: person(stage, "gemeente", "klantmanager", "s.devries").await?,
        arbeidsdeskundige: person(stage, "uwv", "arbeidsdeskundige", "j.bakker").await?,
        verzekeringsarts: person(stage, "uwv", "verzekeringsarts", "a.yilmaz").await?,
        behandelaar: person(stage, "ggz", "behandelaar", "p.hulsman").await?,
        coach: person(stage, "rib", "coach", "k.mulder").await?,
        jobcreator: person(stage, "rib", "jobcreator", "t.dekker").await?,
    };
    registration(stage, &cast, telling).await?;
    medical_report(stage, &cast, telling).await?;
    work_plan(stage, &cast, telling).await?;
    progress_report(stage, &cast, telling).await?;
    pretender(stage, &cast, telling).await?;
    withdrawal(stage, &cast, telling).await
}

async fn registration(stage: &Stage, cast: &Cast, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    telling.scene("X05 · de gemeente meldt een cliënt aan bij het re-integratiebedrijf")?;
    let letter = Letter {
        document: "X05-aanmelding",
        message: "werkfit.v1.Aanmelding",
        purpose: "aanmelding",
        to: &[(RIB, "coach")],
    };
    send(stage, &cast.klantmanager, &letter, telling).await?;
    collect(stage, &cast.coach, telling).await
}

async fn medical_report(stage: &Stage, cast: &Cast, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    let receivers =
        [(UWV, "verzekeringsarts"), (UWV, "arbeidsdeskundige"), (GEMEENTE, "klantmanager"), (RIB, "coach")];
    let letter = Letter {
        document: "M1-medisch-verslag",
        message: "werkfit.v1.MedischVerslag",
        purpose: "beoordeling_belastbaarheid",
        to: &receivers,
    };
    telling
        .scene("De behandelaar stuurt één medisch verslag aan vier ontvangers – nog zonder toestemming")?;
    send(stage, &cast.behandelaar, &letter, telling).await?;
    telling.scene("X07 · de cliënt geeft toestemming, via de coach")?;
    for (oin, role) in receivers {
        grant(&cast.coach, oin, role, letter.purpose).await?;
    }
    telling.line(
        "Beide toestemmingen, voor elk van de vier ontvangers: het beroepsgeheim en de gezondheidsgegevens.",
    )?;
    telling.scene("Hetzelfde verslag, nu met toestemming: ieder krijgt zijn eigen deel")?;
    send(stage, &cast.behandelaar, &letter, telling).await?;
    for person in [&cast.verzekeringsarts, &cast.arbeidsdeskundige, &cast.klantmanager, &cast.coach] {
        collect(stage, person, telling).await?;
    }
    Ok(())
}

async fn work_plan(stage: &Stage, cast: &Cast, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    telling.scene("De coach geeft door dat het traject in fase 2 is: het werkplan")?;
    enter(&cast.coach, 2).await?;
    telling.scene("X08 · het concept werkplan gaat naar vier leden van het IDO")?;
    let letter = Letter {
        document: "X08-werkplan",
        message: "werkfit.v1.Werkplan",
        purpose: "werkplan",
        to: &[
            (GEMEENTE, "klantmanager"),
            (UWV, "arbeidsdeskundige"),
            (GGZ, "behandelaar"),
            (RIB, "jobcreator"),
        ],
    };
    send(stage, &cast.coach, &letter, telling).await?;
    for person in [&cast.klantmanager, &cast.arbeidsdeskundige, &cast.behandelaar, &cast.jobcreator] {
        collect(stage, person, telling).await?;
    }
    telling.scene("X09 · het UWV maakt bezwaar, met reden")?;
    let letter = Letter {
        document: "X09-bezwaar",
        message: "werkfit.v1.Bezwaar",
        purpose: "werkplan",
        to: &[(RIB, "coach")],
    };
    send(stage, &cast.arbeidsdeskundige, &letter, telling).await?;
    collect(stage, &cast.coach, telling).await
}

async fn progress_report(stage: &Stage, cast: &Cast, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    telling.scene("Het werkplan staat vast; het traject is in fase 3: de uitvoering")?;
    enter(&cast.coach, 3).await?;
    telling.scene("X11 · een voortgangsrapportage noemt een verslaving, en komt terug")?;
    let mut letter = Letter {
        document: "X11-voortgangsrapportage-verslaving-in-tekst",
        message: "werkfit.v1.Voortgangsrapportage",
        purpose: "voortgang",
        to: &[(GEMEENTE, "klantmanager")],
    };
    send(stage, &cast.coach, &letter, telling).await?;
    telling.scene("X11 · de coach schrijft wat de cliënt kan, en het verslag komt aan")?;
    letter.document = "X11-voortgangsrapportage-verbeterd";
    send(stage, &cast.coach, &letter, telling).await?;
    collect(stage, &cast.klantmanager, telling).await
}

async fn pretender(stage: &Stage, cast: &Cast, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    telling.scene("De gemeente noemt zich verzekeringsarts, en wordt geweigerd")?;
    let mut acting = cast.klantmanager.acting.clone();
    acting.role = "verzekeringsarts".parse().wrong("a role")?;
    acting.big = Some("19012345601".to_owned());
    match Collecting::start(&cast.klantmanager.client, &acting, None, false).await? {
        Ok(_) => Err(Failure::Reach("a gemeente was taken for a verzekeringsarts".into())),
        Err(status) => {
            telling.refused(&stage.name_of(&cast.klantmanager.client.oin()), &acting.role, &status)
        }
    }
}

async fn withdrawal(stage: &Stage, cast: &Cast, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    telling.scene("X10 · de coach vraagt de behandelaar om afstemming, met toestemming")?;
    for (oin, role) in [(GGZ, "behandelaar"), (RIB, "coach")] {
        grant(&cast.coach, oin, role, "afstemming").await?;
    }
    let question = Letter {
        document: "X10-vraag",
        message: "werkfit.v1.Afstemming",
        purpose: "afstemming",
        to: &[(GGZ, "behandelaar")],
    };
    send(stage, &cast.coach, &question, telling).await?;
    collect(stage, &cast.behandelaar, telling).await?;
    telling.scene(
        "X10 · de behandelaar antwoordt; voordat de coach ophaalt, trekt de cliënt de toestemming in",
    )?;
    let answer = Letter { document: "X10-antwoord", to: &[(RIB, "coach")], ..question };
    send(stage, &cast.behandelaar, &answer, telling).await?;
    withdraw(&cast.coach, RIB, "coach", "afstemming").await?;
    collect(stage, &cast.coach, telling).await
}

async fn person(stage: &Stage, organisation: &str, role: &str, user: &str) -> Outcome<Person> {
    let client = stage.client(organisation, role).await?;
    let role = role.parse().wrong("a role")?;
    let big = stage.proven.is_in(&role, "medisch").then(|| "19012345601".to_owned());
    Ok(Person { client, acting: Acting { role, user: user.to_owned(), big, spoed: None } })
}

async fn send(
    stage: &Stage,
    sender: &Person,
    letter: &Letter<'_>,
    telling: &mut Telling<'_, impl Writer>,
) -> Outcome {
    let message: MessageType = letter.message.parse().wrong("a message type")?;
    let contract = stage.proven.message(&message);
    let contract = contract.ok_or_else(|| Failure::Use(format!("{message}: no such contract")))?;
    let file = format!("{}.json", letter.document);
    let json = Documents::get(&file).ok_or_else(|| Failure::Use(format!("{file} is not in this binary")))?;
    let document =
        document::from_json(&json.data, &contract).map_err(|why| Failure::Use(format!("{file}: {why}")))?;
    let party = |(oin, role): &(&str, &str)| wire::Party { oin: (*oin).into(), role: (*role).into() };
    let request = wire::SendRequest {
        client_bsn: CLIENT.into(),
        message_type: letter.message.into(),
        document: document.into(),
        receivers: letter.to.iter().map(party).collect(),
        explain: true,
        ..Default::default()
    };
    let purpose: Purpose = letter.purpose.parse().wrong("a purpose")?;
    let request = sender.client.asserted(request, &sender.acting, Some(&purpose))?;
    match sender.client.exchange().send(request).await {
        Ok(answer) => telling.sent(stage, &answer.into_inner()),
        Err(status) => match answer_in(&status) {
            Some(answer) => telling.sent(stage, &answer),
            None => Err(told(&status)),
        },
    }
}

/// Collects and acknowledges everything that waits for someone.
async fn collect(stage: &Stage, receiver: &Person, telling: &mut Telling<'_, impl Writer>) -> Outcome {
    let started = Collecting::start(&receiver.client, &receiver.acting, None, false).await?;
    let mut stream = started.map_err(|status| told(&status))?;
    let mut nothing = true;
    while let Some(delivery) = stream.next().await? {
        nothing = false;
        stream.acknowledge(&delivery.delivery_id).await?;
        telling.received(stage, &receiver.client.oin(), &receiver.acting.role, &delivery)?;
    }
    if nothing {
        telling.nothing_handed_out(&stage.name_of(&receiver.client.oin()), &receiver.acting.role)?;
    }
    Ok(())
}

async fn enter(by: &Person, phase: u32) -> Outcome {
    let request = traject::EnterRequest { client_bsn: CLIENT.into(), phase, party_oin: String::new() };
    let purpose = "re-integratie".parse().wrong("a purpose")?;
    let request = by.client.asserted(request, &by.acting, Some(&purpose))?;
    by.client.traject().enter(request).await.map(|_| ()).map_err(|status| told(&status))
}

fn scope(oin: &str, role: &str, purpose: &str) -> consent::Scope {
    consent::Scope { receiver_oin: oin.into(), receiver_role: role.into(), purpose: purpose.into() }
}

async fn grant(by: &Person, oin: &str, role: &str, purpose: &str) -> Outcome {
    let in_a_year =
        crate::gateway::now().plus_seconds(Duration::from_secs(365 * 86_400).as_secs().cast_signed());
    let request = consent::GrantRequest {
        client_bsn: CLIENT.into(),
        kinds: vec![consent::Kind::Beroepsgeheim as i32, consent::Kind::Gezondheidsgegevens as i32],
        scope: Some(scope(oin, role, purpose)),
        expires_at: Some(prost_types::Timestamp { seconds: in_a_year.unix_seconds(), nanos: 0 }),
    };
    let purpose = "toestemming".parse().wrong("a purpose")?;
    let request = by.client.asserted(request, &by.acting, Some(&purpose))?;
    by.client.consent().grant(request).await.map(|_| ()).map_err(|status| told(&status))
}

async fn withdraw(by: &Person, oin: &str, role: &str, purpose: &str) -> Outcome {
    let request = consent::WithdrawRequest {
        client_bsn: CLIENT.into(),
        kinds: Vec::new(),
        scope: Some(scope(oin, role, purpose)),
    };
    let purpose = "toestemming".parse().wrong("a purpose")?;
    let request = by.client.asserted(request, &by.acting, Some(&purpose))?;
    by.client.consent().withdraw(request).await.map(|_| ()).map_err(|status| told(&status))
}
