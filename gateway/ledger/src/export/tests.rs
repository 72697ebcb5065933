use model::Consent;
use serde_json::{Value, json};

use super::*;
use crate::leaf::tests::{party, sent};
use crate::leaf::{Carried, ClientIdentifier, ConsentChange, ConsentKind, Event};

const BSN: &str = "999990019";
const USER: &str = "j.jansen@ggz.example";

fn producer() -> Producer {
    Producer {
        oin: "00000099000000009000".parse().unwrap(),
        name: "gateway.example".into(),
        version: "0.1.0".into(),
        activity: "https://register.example/gateway".into(),
    }
}

fn record() -> Record {
    let client = vec![ClientIdentifier { kind: "bsn".into(), value: BSN.into() }];
    let sealed = SealedPart {
        user: Some(USER.into()),
        responsible: None,
        reason: None,
        client,
        delivered: Vec::new(),
    };
    Record { index: 41, leaf: sent(), sealed: Some(sealed) }
}

fn json_lines(format: Format, record: &Record) -> Vec<Value> {
    format.lines(record, &producer()).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn consent() -> Leaf {
    Leaf {
        activity: None,
        event: Event::Consent(ConsentChange {
            by: party(4, "coach"),
            kind: ConsentKind::Gezondheidsgegevens,
            state: Consent::Geweigerd,
            receiver: party(2, "arbeidsdeskundige"),
            purpose: "re-integratie".parse().unwrap(),
            until: None,
        }),
        ..sent()
    }
}

#[test]
fn users_and_clients_stand_in_nen_7513_and_nowhere_else() {
    for format in Format::ALL {
        let text = format.lines(&record(), &producer()).concat();
        assert!(!text.is_empty());
        assert_eq!(text.contains(USER), format.shows_users(), "{}", format.name());
        assert_eq!(text.contains(BSN), format.shows_users(), "{}", format.name());
    }
}

#[test]
fn fsc_rows_hold_the_fields_of_the_standard() {
    let row = &json_lines(Format::Fsc, &record())[0];
    assert_eq!(row["transaction_id"], json!(sent().exchange));
    assert_eq!(row["direction"], "DIRECTION_INCOMING");
    assert_eq!(row["source"], json!({ "type": "SOURCE_TYPE_SOURCE", "outway_peer_id": party(3, "x").oin }));
    assert_eq!(row["destination"]["service_peer_id"], "00000099000000009000");
    assert_eq!(row["service_name"], "werkfit.v1.MedischVerslag");
    assert_eq!(row["created_at"], 1_795_000_000);
    assert_eq!(row["trace_id"].as_str().unwrap().len(), 32);
    assert!(row["grant_hash"].as_str().unwrap().starts_with("bundle:12:"));
}

#[test]
fn a_mediated_call_is_two_fsc_rows_under_one_transaction() {
    let Event::Sent(carried) = sent().event else { unreachable!() };
    let asked = Carried { to: carried.to[..1].to_vec(), ..carried };
    let record = Record { leaf: Leaf { event: Event::Ask(asked), ..sent() }, ..record() };
    let rows = json_lines(Format::Fsc, &record);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["transaction_id"], rows[1]["transaction_id"]);
    assert_eq!(
        (&rows[0]["direction"], &rows[1]["direction"]),
        (&json!("DIRECTION_INCOMING"), &json!("DIRECTION_OUTGOING"))
    );
    assert_eq!(rows[0]["source"]["outway_peer_id"], json!(party(4, "coach").oin), "who asks comes in");
    assert_eq!(
        rows[1]["destination"]["service_peer_id"],
        json!(party(3, "x").oin),
        "the source is gone out to"
    );
}

#[test]
fn ldv_has_one_row_a_client_and_none_where_no_client_is_concerned() {
    let rows = json_lines(Format::Ldv, &record());
    assert_eq!(rows.len(), 1);
    let attributes = &rows[0]["attributes"];
    assert_eq!(
        attributes["dpl.core.processing_activity_id"],
        "https://register.example/werkfit/aanmelding/3"
    );
    assert_eq!(attributes["dpl.core.data_subject_id"], json!(sent().client.unwrap().link));
    assert_eq!(rows[0]["status"], "Unset");
    assert_eq!(rows[0]["start_time"], 1_795_000_000_123_i64);
    let of_gateway = Record { leaf: consent(), ..record() };
    let row = &json_lines(Format::Ldv, &of_gateway)[0];
    assert_eq!(row["attributes"]["dpl.core.processing_activity_id"], "https://register.example/gateway");
    let nobody = Record { leaf: Leaf { client: None, ..sent() }, ..record() };
    assert!(Format::Ldv.lines(&nobody, &producer()).is_empty());
}

#[test]
fn adl_has_one_row_a_decision_and_a_denial_is_no_error() {
    let row = &json_lines(Format::Adl, &record())[0];
    assert_eq!(row["event_name"], "adl.access_evaluations", "two receivers, one call");
    let body = &row["body"];
    assert_eq!(body["adl.core.request"]["evaluations"].as_array().unwrap().len(), 2);
    assert_eq!(body["adl.core.response"]["evaluations"][0]["decision"], true);
    assert_eq!(body["adl.core.response"]["evaluations"][1]["decision"], false);
    assert_eq!(row["status"], "Unset");
    assert_eq!(row["attributes"]["adl.core.policies"]["bundle"]["number"], 12);
    let by_reference = row["attributes"].as_object().unwrap().keys();
    assert!(by_reference.into_iter().all(|key| body.get(key).is_none()), "never both");

    let carried = Carried { reason: Some(Reason::RoleNotAllowed), ..Carried::default() };
    let refused = Record { leaf: Leaf { event: Event::Refused(carried), ..sent() }, ..record() };
    let row = &json_lines(Format::Adl, &refused)[0];
    assert_eq!((&row["event_name"], &row["status"]), (&json!("adl.access_evaluation"), &json!("Unset")));
    assert_eq!(
        row["body"]["adl.core.response"],
        json!({ "decision": false, "context": { "reason": "ROLE_NOT_ALLOWED" } })
    );

    let carried = Carried { reason: Some(Reason::UpstreamUnavailable), ..Carried::default() };
    let failed = Record { leaf: Leaf { event: Event::Ask(carried), ..sent() }, ..record() };
    assert_eq!(json_lines(Format::Adl, &failed)[0]["status"], "Error");
    assert!(Format::Adl.lines(&Record { leaf: consent(), ..record() }, &producer()).is_empty());
}

#[test]
fn nen_7513_names_user_client_role_purpose_and_emergency() {
    let row = &json_lines(Format::Nen7513, &record())[0];
    assert_eq!(row["users"][0]["userID"], USER);
    assert_eq!(row["users"][0]["roleIDCode"], "behandelaar");
    assert_eq!(row["users"][0]["purposeOfUse"], "re-integratie");
    assert_eq!(row["users"].as_array().unwrap().len(), 3);
    assert_eq!(row["participants"][0]["participantObjectID"], BSN);
    assert_eq!(row["noodprocedure"], true);
    assert_eq!(row["EventOutcomeIndicator"], 4, "one receiver's part went back");
    let erased = Record { sealed: None, ..record() };
    let row = &json_lines(Format::Nen7513, &erased)[0];
    assert_eq!(row["participants"][0]["participantObjectIDTypeCode"], "gewist-of-niet-geopend");
    assert_eq!(row["users"][0]["userID"], Value::Null);
}

#[test]
fn the_table_has_a_line_a_receiver_and_as_many_cells_as_columns() {
    let columns = Format::Csv.header().unwrap().split(',').count();
    let lines = Format::Csv.lines(&record(), &producer());
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.split(',').count() == columns), "{lines:?}");
    assert!(lines[0].contains("functioneel.uren:urenband:2") && lines[0].contains("onbekend:1"));
    assert!(lines[1].contains("TEXT_HELD_BACK") && lines[1].contains("verslaving-middel"));
    assert_eq!(Format::Csv.lines(&Record { leaf: consent(), ..record() }, &producer()).len(), 1);
}

#[test]
fn a_call_without_a_trace_has_the_same_trace_in_every_export() {
    let record = Record { leaf: Leaf { trace: None, ..sent() }, ..record() };
    let rows: Vec<Value> = [Format::Fsc, Format::Ldv, Format::Adl, Format::Nen7513]
        .map(|format| json_lines(format, &record).remove(0))
        .into();
    assert!(rows.windows(2).all(|pair| pair[0]["trace_id"] == pair[1]["trace_id"]));
    assert!(rows.windows(2).all(|pair| pair[0]["span_id"] == pair[1]["span_id"]));
    assert_eq!(rows[0]["span_id"].as_str().unwrap().len(), 16);
}

#[test]
fn every_format_is_found_by_its_name() {
    assert!(Format::ALL.iter().all(|format| format.name().parse() == Ok(*format)));
}
