//! gRPC server reflection (grpc/grpc doc/server-reflection.md), v1 and v1alpha: for tools such as grpcurl.
//!
//! Owns: the protocol, twice, because both versions have types of their own. What there is to be seen depends on who
//! asks: with an assertion, what that role may use; without one, what the organisation may use in any of its roles. An
//! operator of the gateway sees the operators' services.

use std::sync::Arc;

use model::Refusal;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::ask::Asks;
use crate::gateway::Gateway;
use crate::line::accept::Arrived;
use crate::reflection::{Caller, Seen};
use crate::status::status;

/// The service on a gateway.
#[derive(Clone)]
pub(crate) struct Reflection {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) asks: Arc<Asks>,
}

/// What is asked, in either version.
enum Question {
    File(String),
    Symbol(String),
    ExtensionNumbers(String),
    Services,
    Other,
}

/// What is answered, in either version.
enum Answer {
    File(Vec<u8>),
    ExtensionNumbers(String),
    Services(Vec<String>),
    No(Code, &'static str),
}

impl Seen {
    fn answer(&self, question: Question) -> Answer {
        let found = |file: Option<Vec<u8>>| {
            file.map_or(Answer::No(Code::NotFound, "there is no such thing for you here"), Answer::File)
        };
        match question {
            Question::File(name) => found(self.file(&name)),
            Question::Symbol(name) => found(self.file_of(&name)),
            // Tools ask this of every message; none of ours can be extended.
            Question::ExtensionNumbers(name) => Answer::ExtensionNumbers(name),
            Question::Services => Answer::Services(self.services().map(str::to_owned).collect()),
            Question::Other => Answer::No(Code::Unimplemented, "not served here"),
        }
    }
}

impl Reflection {
    async fn seen<M>(&self, arrived: &Arrived<M>) -> Result<Seen, Status> {
        if let Ok(operator) = arrived.operator() {
            return Ok(Seen::by_operator(&operator));
        }
        let told = |refusal: Refusal| status(&refusal, Vec::new());
        let actor = self.gateway.identified(arrived, None).await.map_err(told)?;
        let rules = self.gateway.rules();
        let Some(organisation) = rules.proven().organisation(&actor.oin()) else {
            return Ok(Seen::default());
        };
        let roles = match actor.user() {
            Some(_) => vec![actor.role().clone()],
            None => arrived.roles(),
        };
        let caller = Caller { kind: organisation.kind.clone(), roles };
        Ok(Seen::by(&caller, &rules, &self.asks.routes()))
    }
}

/// Questions and answers in the types of one version.
macro_rules! speaks {
    ($version:ident) => {
        mod $version {
            use tonic_reflection::pb::$version as wire;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            use tonic_reflection::server::$version::ServerReflection;

            use super::*;

            impl From<Option<MessageRequest>> for Question {
                fn from(request: Option<MessageRequest>) -> Question {
                    match request {
                        Some(MessageRequest::FileByFilename(name)) => Question::File(name),
                        Some(MessageRequest::FileContainingSymbol(name)) => Question::Symbol(name),
                        Some(MessageRequest::AllExtensionNumbersOfType(name)) => {
                            Question::ExtensionNumbers(name)
                        }
                        Some(MessageRequest::ListServices(_)) => Question::Services,
                        Some(MessageRequest::FileContainingExtension(_)) | None => Question::Other,
                    }
                }
            }

            impl From<Answer> for MessageResponse {
                fn from(answer: Answer) -> MessageResponse {
                    match answer {
                        Answer::File(file) => {
                            MessageResponse::FileDescriptorResponse(wire::FileDescriptorResponse {
                                file_descriptor_proto: vec![file],
                            })
                        }
                        Answer::ExtensionNumbers(base_type_name) => {
                            MessageResponse::AllExtensionNumbersResponse(wire::ExtensionNumberResponse {
                                base_type_name,
                                extension_number: Vec::new(),
                            })
                        }
                        Answer::Services(names) => {
                            let service = names.into_iter().map(|name| wire::ServiceResponse { name });
                            MessageResponse::ListServicesResponse(wire::ListServiceResponse {
                                service: service.collect(),
                            })
                        }
                        Answer::No(code, why) => MessageResponse::ErrorResponse(wire::ErrorResponse {
                            error_code: code as i32,
                            error_message: why.to_owned(),
                        }),
                    }
                }
            }

            #[tonic::async_trait]
            impl ServerReflection for Reflection {
                type ServerReflectionInfoStream =
                    ReceiverStream<Result<wire::ServerReflectionResponse, Status>>;

                async fn server_reflection_info(
                    &self,
                    request: Request<Streaming<wire::ServerReflectionRequest>>,
                ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
                    let arrived = Arrived::accept(request, self.gateway.now(), self.gateway.random_bytes());
                    let seen = self.seen(&arrived).await?;
                    let (_, mut questions) = arrived.split();
                    let (answers, stream) = mpsc::channel(1);
                    tokio::spawn(async move {
                        while let Ok(Some(request)) = questions.message().await {
                            let answer = seen.answer(request.message_request.clone().into());
                            let response = wire::ServerReflectionResponse {
                                valid_host: request.host.clone(),
                                original_request: Some(request),
                                message_response: Some(answer.into()),
                            };
                            if answers.send(Ok(response)).await.is_err() {
                                return;
                            }
                        }
                    });
                    Ok(Response::new(ReceiverStream::new(stream)))
                }
            }
        }
    };
}

speaks!(v1);
speaks!(v1alpha);
