//! Reflection for the gateway's own operators: what it shows is what they may call. Every method of their services is
//! called, as every kind of operator, and what is answered is held beside what was shown.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::harness::{Stage, run, veldwacht};
use crate::member::{endpoint, reason, uuid};

const SERVICES: [&str; 2] = ["veldwacht.policy.v1.PolicyService", "veldwacht.oversight.v1.HeldService"];

async fn asked(channel: &Channel, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(channel.clone());
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let ServerReflectionResponse { message_response, .. } = answers.message().await.unwrap().unwrap();
    message_response.unwrap()
}

async fn services(channel: &Channel) -> BTreeSet<String> {
    let MessageResponse::ListServicesResponse(list) =
        asked(channel, MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list of services")
    };
    list.service.into_iter().map(|service| service.name).collect()
}

/// The paths of the methods of a service that are shown; none where the service is not.
async fn shown(channel: &Channel, service: &str) -> BTreeSet<String> {
    let answer = asked(channel, MessageRequest::FileContainingSymbol(service.to_owned())).await;
    let MessageResponse::FileDescriptorResponse(file) = answer else { return BTreeSet::new() };
    let file = prost_types::FileDescriptorProto::decode(file.file_descriptor_proto[0].as_slice()).unwrap();
    let methods = file.service.iter().flat_map(|service| service.method.iter());
    methods.map(|method| format!("/{service}/{}", method.name())).collect()
}

/// A message whose texts have the form of an exchange id or a digest, so that it is not refused for its form.
fn well_formed(kind: MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(kind.clone());
    for field in kind.fields().filter(|field| field.kind() == Kind::String && !field.is_list()) {
        let text = match field.name() {
            "difference" => "0".repeat(64),
            "delivery_id" => "0".repeat(32),
            _ => uuid(),
        };
        message.set_field(&field, prost_reflect::Value::String(text));
    }
    message
}

/// Calls a method.
async fn call(channel: &Channel, path: &str, message: DynamicMessage) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<DynamicMessage, ()>::default();
    client.unary(Request::new(message), path.parse().unwrap(), codec).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_shows_an_operator_what_that_operator_may_call_and_nothing_else() {
    let mut stage = Stage::set("", "warn");
    for role in ["officer", "auditor", "beheerder"] {
        let mut issue = veldwacht();
        issue.args(["pki", "issue", "--operator", &format!("een-{role}"), "--role", role, "--dir"]);
        run(issue.arg(stage.path("pki"))).done();
    }
    stage.serve();
    let contracts = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    for (role, at_least) in [("officer", "Propose"), ("auditor", "ListEscapes"), ("beheerder", "GetRunning")]
    {
        let certificate = stage.path(&format!("pki/operators/een-{role}.pem"));
        let channel = endpoint(&stage, Some(&certificate)).connect().await.unwrap();
        let listed = services(&channel).await;
        assert!(!listed.contains("veldwacht.exchange.v1.ExchangeService"), "{role}: {listed:?}");
        let mut any = false;
        for name in SERVICES {
            let visible = shown(&channel, name).await;
            assert_eq!(listed.contains(name), !visible.is_empty(), "{role}: {name}");
            for method in contracts.get_service_by_name(name).unwrap().methods() {
                let path = format!("/{name}/{}", method.name());
                let answer = call(&channel, &path, well_formed(method.input())).await;
                let barred = answer.as_ref().is_err_and(|status| {
                    status.code() == Code::PermissionDenied && reason(status) == "ROLE_NOT_ALLOWED"
                });
                assert_eq!(visible.contains(&path), !barred, "{role}: {path}: {answer:?}");
                if !visible.contains(&path) {
                    let answer = call(&channel, &path, DynamicMessage::new(method.input())).await;
                    assert_eq!(
                        reason(&answer.unwrap_err()),
                        "ROLE_NOT_ALLOWED",
                        "{role}: {path}: the right first"
                    );
                }
                any |= visible.contains(&path) && method.name() == at_least;
            }
        }
        assert!(any, "{role} sees no {at_least}");
    }
}
