//! A route: which service or method of which source organisation stands where, and on which terms it is asked.
//!
//! Owns: the configuration (`[[route]]`), reading the files it names, and finding the route of a path. Nothing here
//! permits anything: both directions must be declared exchanges of the bundle, whatever a route says.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use foldhash::fast::RandomState;
use ledger::Party;
use model::{MessageType, Oin, Purpose, Role};
use prost_reflect::{MethodDescriptor, ServiceDescriptor};
use serde::Deserialize;

use crate::ask::health;
use crate::ask::metadata::AllowList;
use crate::ask::tls;
use crate::ask::upstream::Upstream;
use crate::ask::voucher::{Voucher, VoucherConfig};
use crate::rules::Rules;

/// One route, as it stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// The gRPC service, `package.Service`.
    pub service: String,
    /// Only this method of it; a route for a method goes before one for its whole service.
    #[serde(default)]
    pub method: Option<String>,
    /// Type of the messages of a request. Needed, with `reply`, where no contract of the bundle declares the service.
    #[serde(default)]
    pub request: Option<MessageType>,
    /// Type of the messages of a reply.
    #[serde(default)]
    pub reply: Option<MessageType>,
    /// Which side sends many messages; read only where `request` and `reply` are given.
    #[serde(default)]
    pub streaming: Streaming,
    /// The source organisation: receives requests, sends replies.
    pub organisation: Oin,
    /// In which role it does so.
    #[serde(default = "Role::systeem")]
    pub role: Role,
    /// What it may be asked for: the purpose in the asker's assertion must be this one.
    pub purpose: Purpose,
    /// URI of the processing activity (LDV); that of the exchange in the bundle if left out.
    #[serde(default)]
    pub activity: Option<String>,
    /// Where the service stands, `host:port`; several are used in turn.
    pub upstream: Vec<String>,
    /// The name in its certificate; the host of the first upstream if left out.
    #[serde(default)]
    pub server_name: Option<String>,
    /// Authorities of its certificate (PEM). No others are believed.
    pub authorities: PathBuf,
    /// The gateway's certificate towards it (PEM, leaf first).
    pub certificate: PathBuf,
    /// The private key to that certificate (PEM).
    pub key: PathBuf,
    /// Metadata that goes to the source. It is not filtered: list no name whose value can tell of a person.
    #[serde(default)]
    pub request_metadata: Vec<String>,
    /// Metadata and trailers that go to the asker; as above.
    #[serde(default)]
    pub reply_metadata: Vec<String>,
    /// What of the source's status goes to the asker.
    #[serde(default)]
    pub status: StatusPass,
    /// What becomes of a reply that holds something which may not go to the asker.
    #[serde(default)]
    pub withheld: Withheld,
    /// This gateway's own assertions towards the source, where that is a gateway itself.
    #[serde(default)]
    pub assertion: Option<VoucherConfig>,
    /// Whether messages may be compressed (gzip), agreed on with each side by itself. Off: how well a message can be
    /// compressed tells of its content.
    #[serde(default)]
    pub compression: bool,
    /// The longest message in either direction, in bytes.
    #[serde(default = "message_bytes")]
    pub message_bytes: usize,
    /// How long a call may take; a shorter deadline of the caller wins.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    /// How long connecting to an upstream may take, TLS included.
    #[serde(default = "connect_seconds")]
    pub connect_seconds: u64,
    /// How often every upstream is asked whether it is well (`grpc.health.v1`); 0 for never.
    #[serde(default)]
    pub health_seconds: u64,
}

const fn message_bytes() -> usize {
    4 << 20
}

const fn timeout_seconds() -> u64 {
    30
}

const fn connect_seconds() -> u64 {
    5
}

/// Which side of a method sends a stream of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Streaming {
    /// Neither: one message each way.
    #[default]
    None,
    /// The caller.
    Request,
    /// The source.
    Reply,
    /// Both.
    Both,
}

/// What of a source's gRPC status reaches the asker. Text and details can tell of persons and are not filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusPass {
    /// The code; the text is the gateway's.
    #[default]
    Code,
    /// The text as well.
    Text,
    /// Text and `google.rpc` details.
    Details,
}

/// What becomes of a reply with something that may not go to the asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// It passes without that.
    #[default]
    Drop,
    /// It is refused as a whole: behind a gateway that should have dropped it, it says that something is wrong there.
    Refuse,
}

/// A route that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("route {route}: {problem}")]
pub struct RouteError {
    /// Service, or service and method.
    pub route: String,
    /// What is wrong and what to do.
    pub problem: String,
}

/// Every route, by service and method.
#[derive(Default)]
pub struct Routes {
    /// `service/method`, or `service` alone for all its methods.
    routes: HashMap<String, Arc<Route>, RandomState>,
}

impl Routes {
    /// Takes routes into use. File names are relative to `folder`. Nobody is called yet.
    ///
    /// # Errors
    /// The first route that cannot be used.
    pub fn load(configs: &[RouteConfig], folder: &Path) -> Result<Routes, RouteError> {
        let mut routes = HashMap::default();
        for config in configs {
            let place = match &config.method {
                Some(method) => format!("{}/{method}", config.service),
                None => config.service.clone(),
            };
            let route = Route::load(config, folder)
                .map_err(|problem| RouteError { route: place.clone(), problem })?;
            if routes.insert(place.clone(), Arc::new(route)).is_some() {
                return Err(RouteError { route: place, problem: "stands there twice; keep one".into() });
            }
        }
        Ok(Routes { routes })
    }

    /// Begins to ask sources whether they are well, where a route says so.
    pub(crate) fn watch(&self) {
        for route in self.routes.values().filter(|route| !route.health.is_zero()) {
            health::watch(&route.upstream, &route.service, route.health);
        }
    }

    /// Every method that a contract of the bundle declares, with what it takes and gives, what for, and who answers.
    pub(crate) fn contracts<'r>(
        &'r self,
        rules: &Rules,
    ) -> Vec<(MethodDescriptor, MessageType, MessageType, &'r Purpose, &'r Party)> {
        let mut contracts = Vec::new();
        for (place, route) in &self.routes {
            let only = place.split_once('/').map(|(_, method)| method);
            let service = route.contract(rules);
            let methods = service.iter().flat_map(|service| service.methods().collect::<Vec<_>>());
            for method in methods.filter(|method| only.is_none_or(|only| only == method.name())) {
                if let Some(taken) = route.method(rules, method.name()) {
                    let (request, reply) = (taken.request.clone(), taken.reply.clone());
                    contracts.push((method, request, reply, &route.purpose, &route.source));
                }
            }
        }
        contracts
    }

    /// The route of a path `/package.Service/Method`, with the method's name.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<(Arc<Route>, &'p str)> {
        let full = path.strip_prefix('/')?;
        let (service, method) = full.split_once('/')?;
        let route = self.routes.get(full).or_else(|| self.routes.get(service))?;
        Some((Arc::clone(route), method))
    }
}

/// A route in use.
pub(crate) struct Route {
    pub(crate) source: Party,
    pub(crate) purpose: Purpose,
    pub(crate) activity: Option<String>,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) request_metadata: AllowList,
    pub(crate) reply_metadata: AllowList,
    pub(crate) status: StatusPass,
    pub(crate) withheld: Withheld,
    pub(crate) voucher: Option<Voucher>,
    pub(crate) compression: bool,
    pub(crate) message_bytes: usize,
    pub(crate) timeout: Duration,
    health: Duration,
    service: String,
    given: Option<Arc<Method>>,
    /// As the contract of the bundle with this digest declares them.
    declared: RwLock<Declared>,
}

#[derive(Default)]
struct Declared {
    bundle: Option<policy::Digest>,
    methods: HashMap<String, Arc<Method>>,
}

/// What a method takes and gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) request: MessageType,
    pub(crate) reply: MessageType,
    pub(crate) streams_requests: bool,
    pub(crate) streams_replies: bool,
}

impl Route {
    fn load(config: &RouteConfig, folder: &Path) -> Result<Route, String> {
        let given = match (&config.request, &config.reply) {
            (Some(request), Some(reply)) => Some(Arc::new(Method {
                request: request.clone(),
                reply: reply.clone(),
                streams_requests: matches!(config.streaming, Streaming::Request | Streaming::Both),
                streams_replies: matches!(config.streaming, Streaming::Reply | Streaming::Both),
            })),
            (None, None) => None,
            _ => return Err("give both `request` and `reply`, or neither".into()),
        };
        let allow = |names| {
            AllowList::new(names).map_err(|name| format!("`{name}` cannot be passed on; leave it out"))
        };
        let first = config.upstream.first().ok_or("`upstream` is empty; say where the service stands")?;
        let host = first.rsplit_once(':').map_or(first.as_str(), |(host, _)| host);
        let name = config.server_name.as_deref().unwrap_or(host);
        let certificate = folder.join(&config.certificate);
        let tls = tls::connector(&folder.join(&config.authorities), &certificate, &folder.join(&config.key))?;
        let vouches = |config| Voucher::load(config, folder, &certificate);
        let voucher = config.assertion.as_ref().map(vouches);
        Ok(Route {
            source: Party { oin: config.organisation, role: config.role.clone() },
            purpose: config.purpose.clone(),
            activity: config.activity.clone(),
            upstream: Arc::new(Upstream::new(
                &config.upstream,
                name,
                tls,
                Duration::from_secs(config.connect_seconds),
            )?),
            request_metadata: allow(&config.request_metadata)?,
            reply_metadata: allow(&config.reply_metadata)?,
            status: config.status,
            withheld: config.withheld,
            voucher: voucher.transpose()?,
            compression: config.compression,
            message_bytes: config.message_bytes,
            timeout: Duration::from_secs(config.timeout_seconds),
            health: Duration::from_secs(config.health_seconds),
            service: config.service.clone(),
            given,
            declared: RwLock::default(),
        })
    }

    /// The service as a contract of the bundle declares it.
    fn contract(&self, rules: &Rules) -> Option<ServiceDescriptor> {
        let declared =
            |message| rules.proven().message(message)?.parent_pool().get_service_by_name(&self.service);
        rules.proven().exchanges().find_map(|exchange| declared(&exchange.message))
    }

    /// What a method takes and gives: as the route says, or else as the bundle's contract declares.
    pub(crate) fn method(&self, rules: &Rules, name: &str) -> Option<Arc<Method>> {
        if let Some(given) = &self.given {
            return Some(Arc::clone(given));
        }
        let bundle = Some(rules.proven().digest());
        let known = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        if known.bundle == bundle
            && let Some(method) = known.methods.get(name)
        {
            return Some(Arc::clone(method));
        }
        drop(known);
        let method = Arc::new(self.declared_in(rules, name)?);
        let mut known = self.declared.write().unwrap_or_else(PoisonError::into_inner);
        if known.bundle != bundle {
            *known = Declared { bundle, ..Declared::default() };
        }
        known.methods.insert(name.to_owned(), Arc::clone(&method));
        Some(method)
    }

    fn declared_in(&self, rules: &Rules, name: &str) -> Option<Method> {
        let method = self.contract(rules)?.methods().find(|method| method.name() == name)?;
        Some(Method {
            request: method.input().full_name().parse().ok()?,
            reply: method.output().full_name().parse().ok()?,
            streams_requests: method.is_client_streaming(),
            streams_replies: method.is_server_streaming(),
        })
    }
}
