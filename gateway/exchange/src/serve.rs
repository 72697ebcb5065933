//! Serving: the door, the services behind it, and the work that goes on beside the calls.
//!
//! Owns: putting tonic's services on the door's connections, expiring what was never collected, recording who was turned away, and
//! stopping in order: no new calls, calls in flight to their end, then the journal.

use std::sync::Arc;
use std::time::Duration;

use journal::Commit;
use ledger::{Carried, Event, Party};
use model::Role;
use oversight::Oversight;
use proto::veldwacht::audit::v1::audit_service_server::AuditServiceServer;
use proto::veldwacht::consent::v1::consent_service_server::ConsentServiceServer;
use proto::veldwacht::exchange::v1::exchange_service_server::ExchangeServiceServer;
use proto::veldwacht::oversight::v1::held_service_server::HeldServiceServer;
use proto::veldwacht::policy::v1::policy_service_server::PolicyServiceServer;
use proto::veldwacht::screening::v1::screening_service_server::ScreeningServiceServer;
use proto::veldwacht::traject::v1::traject_service_server::TrajectServiceServer;
use screening::LONGEST_TEXT;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_reflection::server::{v1, v1alpha};
use tower::Layer as _;

use crate::ask::{Asks, Front};
use crate::door::{self, Guard, Http2, Stage, TurnedAway};
use crate::gateway::Gateway;
use crate::line::record::{self, Circumstances};
use crate::services::{
    audit::Audit, consent::Consents, exchange::Exchange, held::Held, policy::Policy, reflection::Reflection,
    screening::Screening, traject::Trajects,
};
use crate::status::status;

/// The longest bundle that operators propose or get, in bytes.
const BUNDLE_BYTES: usize = 32 << 20;
/// How often deliveries are looked at that were never collected.
const EXPIRY_ROUND: Duration = Duration::from_secs(10);
/// How many refusals at the door may wait to be recorded; more are counted, not kept.
const WAITING_REFUSALS: usize = 1024;

/// A service of ours, with gzip where it is configured. tonic has no trait for it.
macro_rules! of_gzip {
    ($on:expr, $service:expr) => {{
        let service = $service;
        if $on {
            service.accept_compressed(CompressionEncoding::Gzip).send_compressed(CompressionEncoding::Gzip)
        } else {
            service
        }
    }};
}

/// Serves the gateway's own services, and by `asks` those of source organisations, until `stop` resolves, and then until the calls in flight have ended.
#[expect(clippy::too_many_arguments, reason = "what a gateway is made of, each part once")]
pub async fn serve(
    gateway: Arc<Gateway>,
    oversight: Arc<Oversight>,
    asks: Arc<Asks>,
    listener: TcpListener,
    guard: Arc<Guard>,
    limits: door::Limits,
    http2: Http2,
    stop: impl Future<Output = ()>,
) {
    let (turned_away, refusals) = mpsc::channel(WAITING_REFUSALS);
    let tell = Arc::new(move |refusal: TurnedAway| {
        if turned_away.try_send(refusal).is_err() {
            tracing::warn!("more was refused at the door than can be recorded at once");
        }
    });
    let clock = gateway.clock();
    let shares = door::Shares::new(
        limits.share.clone(),
        Arc::clone(&clock),
        |refusal| status(refusal, Vec::new()),
        tell.clone(),
    );
    let connections = door::open(listener, guard, limits, clock, tell);
    let beside = [
        tokio::spawn(expire(Arc::clone(&gateway))),
        tokio::spawn(record_turned_away(Arc::clone(&gateway), refusals)),
    ];
    let bytes = gateway.limits().document_bytes.saturating_add(64 << 10);
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<ExchangeServiceServer<Exchange>>().await;
    let own = Routes::new(health_service)
        .add_service(of_gzip!(
            http2.compression,
            ExchangeServiceServer::new(Exchange(Arc::clone(&gateway)))
                .max_decoding_message_size(bytes)
                .max_encoding_message_size(bytes)
        ))
        .add_service(of_gzip!(
            http2.compression,
            ConsentServiceServer::new(Consents(Arc::clone(&gateway))).max_decoding_message_size(64 << 10)
        ))
        .add_service(of_gzip!(
            http2.compression,
            TrajectServiceServer::new(Trajects(Arc::clone(&gateway))).max_decoding_message_size(64 << 10)
        ))
        .add_service(of_gzip!(
            http2.compression,
            AuditServiceServer::new(Audit(Arc::clone(&gateway))).max_decoding_message_size(64 << 10)
        ))
        .add_service(of_gzip!(
            http2.compression,
            ScreeningServiceServer::new(Screening(Arc::clone(&gateway)))
                .max_decoding_message_size(LONGEST_TEXT + (64 << 10))
        ))
        .add_service(of_gzip!(
            http2.compression,
            HeldServiceServer::new(Held { gateway: Arc::clone(&gateway), oversight: Arc::clone(&oversight) })
                .max_decoding_message_size(BUNDLE_BYTES)
                .max_encoding_message_size(bytes)
        ))
        .add_service(of_gzip!(
            http2.compression,
            PolicyServiceServer::new(Policy { gateway: Arc::clone(&gateway), oversight })
                .max_decoding_message_size(BUNDLE_BYTES)
                .max_encoding_message_size(BUNDLE_BYTES)
        ));
    let reflection = Reflection { gateway: Arc::clone(&gateway), asks: Arc::clone(&asks) };
    let own = own
        .add_service(v1::ServerReflectionServer::new(reflection.clone()))
        .add_service(v1alpha::ServerReflectionServer::new(reflection));
    let front = Front::new(own.prepare(), gateway, asks);
    door::serve(connections, http2, shares.layer(front), stop).await;
    beside.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Lets go of what was never collected, with a record each.
async fn expire(gateway: Arc<Gateway>) {
    let mut round = tokio::time::interval(EXPIRY_ROUND);
    loop {
        round.tick().await;
        if let Err(error) = gateway.journal().expire(gateway.now()).await {
            tracing::error!(%error, "what was not collected in time could not be recorded as expired");
        }
    }
}

/// A certificate without rights is a refusal like any other: it stands in the log.
async fn record_turned_away(gateway: Arc<Gateway>, mut refusals: mpsc::Receiver<TurnedAway>) {
    while let Some(turned_away) = refusals.recv().await {
        // Strangers are the door's affair; who has a certificate and no rights is the log's.
        let (Some(refusal), Stage::WithoutRights) = (turned_away.refusal, turned_away.stage) else {
            continue;
        };
        let rules = gateway.rules();
        let exchange = gateway.new_exchange_id(turned_away.at);
        let circumstances = Circumstances { now: turned_away.at, exchange, trace: None, rules: &rules };
        let from = turned_away.oin.map(|oin| Party { oin, role: Role::systeem() });
        let carried = Carried { from, reason: Some(refusal.reason), ..Carried::default() };
        let leaf = circumstances.leaf(None, Event::Refused(carried));
        // Nobody waits for this answer; a journal that cannot write has said so itself.
        let _ = record::write(gateway.journal(), Commit::of(leaf)).await;
    }
}
