//! `veldwacht ask`: one mediated call to a source organisation's own service, and its answer.

use std::io::Write;
use std::path::Path;

use model::MessageType;
use policy::Proven;
use prost_reflect::MessageDescriptor;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::cli;
use crate::client::told;
use crate::commands::send::{acting, connect, contracts};
use crate::document;
use crate::failure::{Doing, Failure, Outcome};

/// Asks once; prints the replies as JSON, one a line.
pub(crate) async fn run(ask: &cli::Ask, out: &mut impl Write) -> Outcome {
    let proven = contracts(ask.bundle.as_deref())?;
    let (request, reply) = types(&proven, ask)?;
    let path = format!("/{}", ask.service).parse().wrong("--service")?;
    let message = document::read(Path::new(&ask.file), &request)?;
    let caller = connect(&ask.caller).await?;
    let acting = acting(&ask.caller)?;
    let request = caller.asserted(message, &acting, Some(&ask.purpose))?;
    let mut client = caller.ask();
    client.ready().await.unreachable(&ask.caller.how.gateway)?;
    let answer = client.server_streaming(request, path, Raw).await;
    let mut replies = answer.map_err(|status| told(&status))?.into_inner();
    while let Some(bytes) = replies.message().await.map_err(|status| told(&status))? {
        let json = document::to_json(&bytes, &reply)?;
        writeln!(out, "{json}").unreachable("standard output")?;
    }
    Ok(())
}

/// What the method takes and gives: as was said, or as the contract declares it.
fn types(proven: &Proven, ask: &cli::Ask) -> Outcome<(MessageDescriptor, MessageDescriptor)> {
    let known = |name: &MessageType| {
        proven.message(name).ok_or_else(|| Failure::Use(format!("{name}: no contract has this type")))
    };
    if let (Some(request), Some(reply)) = (&ask.request, &ask.reply) {
        return Ok((known(request)?, known(reply)?));
    }
    let (service, method) = ask.service.split_once('/').unwrap_or_default();
    let declared = |message| {
        let pool = proven.message(message)?.parent_pool().clone();
        let found = pool.get_service_by_name(service)?.methods().find(|known| known.name() == method)?;
        Some((found.input(), found.output()))
    };
    let declared = proven.exchanges().find_map(|exchange| declared(&exchange.message));
    declared.ok_or_else(|| {
        Failure::Use(format!("{}: no contract declares it; say --request and --reply", ask.service))
    })
}

/// Messages as they are on the wire.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put_slice(to, &message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use prost::bytes::Buf as _;
        let mut message = vec![0; from.remaining()];
        from.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}
