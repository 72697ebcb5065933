//! From a refusal to what the caller is told: a gRPC status with `google.rpc` details.
//!
//! Owns: codes, detail messages and retry hints. Comes after the record: whoever makes a `Status` here has
//! already written the refusal to the log, or says that the log cannot be written. Never holds a value.

use model::{Fault, Reason, Refusal};
use prost::{Message, Name};
use tonic::{Code, Status};
use tonic_types::pb;

/// The `google.rpc.ErrorInfo.domain` of every refusal.
const DOMAIN: &str = "veldwacht";

/// Tells a refusal, with any further details that belong to it.
pub(crate) fn status(refusal: &Refusal, further: Vec<prost_types::Any>) -> Status {
    let mut details = vec![packed("google.rpc.ErrorInfo", &error_info(refusal))];
    if !refusal.violations.is_empty() {
        details.push(packed("google.rpc.BadRequest", &bad_request(refusal)));
    }
    let retry = retry_after(refusal.reason);
    if let Some(seconds) = retry {
        let delay = prost_types::Duration { seconds, nanos: 0 };
        details.push(packed("google.rpc.RetryInfo", &pb::RetryInfo { retry_delay: Some(delay) }));
    }
    details.extend(further);
    let code = Code::from_i32(refusal.reason.status());
    let message = refusal.reason.advice().to_owned();
    let encoded = pb::Status { code: code as i32, message: message.clone(), details }.encode_to_vec();
    let mut status = Status::with_details(code, message, encoded.into());
    if let Some(Ok(millis)) = retry.map(|seconds| format!("{}", seconds * 1000).parse()) {
        // What gRPC clients that try again by themselves go by (gRFC A6).
        status.metadata_mut().insert("grpc-retry-pushback-ms", millis);
    }
    status
}

/// Tells a refusal that has no details of its own.
pub(crate) fn told(refusal: Refusal) -> Status {
    status(&refusal, Vec::new())
}

/// A message of our own contracts as a detail.
pub(crate) fn detail<M: Message + Name>(message: &M) -> prost_types::Any {
    packed(&M::full_name(), message)
}

fn packed(name: &str, message: &impl Message) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value: message.encode_to_vec() }
}

fn error_info(refusal: &Refusal) -> pb::ErrorInfo {
    let fault = match refusal.reason.fault() {
        Fault::Caller => "caller",
        Fault::Policy => "policy",
        Fault::Gateway => "gateway",
    };
    pb::ErrorInfo {
        reason: refusal.reason.name().to_owned(),
        domain: DOMAIN.to_owned(),
        metadata: [("fault".to_owned(), fault.to_owned())].into(),
    }
}

fn bad_request(refusal: &Refusal) -> pb::BadRequest {
    let violation = |found: &model::FieldViolation| pb::bad_request::FieldViolation {
        field: found.field.clone(),
        description: found.description.clone(),
        reason: found.class.map(|class| class.name().to_owned()).unwrap_or_default(),
        ..Default::default()
    };
    pb::BadRequest { field_violations: refusal.violations.iter().map(violation).collect() }
}

/// Seconds after which trying again makes sense, for refusals that pass by themselves.
fn retry_after(reason: Reason) -> Option<i64> {
    match reason {
        Reason::Busy => Some(1),
        Reason::LogUnavailable | Reason::UpstreamUnavailable => Some(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{DataClass, FieldViolation};
    use tonic_types::StatusExt;

    #[test]
    fn every_refusal_says_whose_fault_it_is_and_what_to_do() {
        for reason in Reason::ALL {
            let told = status(&Refusal::from(*reason), Vec::new());
            assert_ne!(told.code(), Code::Ok);
            assert_ne!(told.code(), Code::Unknown);
            let info = told.get_error_details().error_info().unwrap().clone();
            assert_eq!(info.reason, reason.name());
            assert!(info.metadata.contains_key("fault"));
            assert!(told.message().starts_with(|first: char| first.is_lowercase()), "{}", told.message());
        }
    }

    #[test]
    fn what_passes_by_itself_says_when_to_come_back_to_people_and_to_libraries() {
        let busy = status(&Refusal::from(Reason::Busy), Vec::new());
        let delay = busy.get_error_details().retry_info().unwrap().retry_delay.unwrap();
        assert_eq!(delay.as_secs(), 1);
        assert_eq!(busy.metadata().get("grpc-retry-pushback-ms").unwrap(), "1000");
        let malformed = status(&Refusal::from(Reason::DocumentMalformed), Vec::new());
        assert!(malformed.get_error_details().retry_info().is_none());
        assert!(malformed.metadata().get("grpc-retry-pushback-ms").is_none());
    }

    #[test]
    fn a_violation_keeps_its_place_and_its_class() {
        let place = FieldViolation {
            field: "toelichting".into(),
            description: "say what the client can do".into(),
            class: Some(DataClass::MedischVerslaving),
            rule: None,
            span: None,
        };
        let told = status(&Refusal::at(Reason::TextHeldBack, vec![place]), Vec::new());
        let bad = told.get_error_details().bad_request().unwrap().clone();
        assert_eq!(bad.field_violations[0].field, "toelichting");
        assert_eq!(told.code(), Code::FailedPrecondition);
    }
}
