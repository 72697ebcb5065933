//! What goes along with messages: metadata, deadlines, the transaction, the trace.
//!
//! Owns: which headers cross in which direction. Metadata is not filtered and not screened, so nothing crosses but the
//! names that a route lists; values, those of `-bin` too, go as they came. The caller's assertion never crosses.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use ledger::Trace;
use model::ExchangeId;

/// FSC's header for the transaction that both organisations' logs name (Logius fsc-core).
pub(crate) const TRANSACTION: &str = "fsc-transaction-id";
const TIMEOUT: &str = "grpc-timeout";
/// Names that belong to one connection or to the gateway, and never cross.
const NEVER: [&str; 8] = [
    "authorization",
    "connection",
    "content-type",
    "content-length",
    "host",
    "te",
    "traceparent",
    "user-agent",
];

/// Names that cross.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowList(Vec<HeaderName>);

impl AllowList {
    /// Takes the names of a route; gives the one that cannot be listed.
    pub(crate) fn new(names: &[String]) -> Result<AllowList, String> {
        let name = |text: &String| {
            let own = text.starts_with("grpc-") || text.starts_with("fsc-") || NEVER.contains(&text.as_str());
            let name = if own { None } else { HeaderName::from_lowercase(text.as_bytes()).ok() };
            name.ok_or_else(|| text.clone())
        };
        names.iter().map(name).collect::<Result<_, _>>().map(AllowList)
    }

    /// Copies what may cross.
    pub(crate) fn cross(&self, from: &HeaderMap, to: &mut HeaderMap) {
        for name in &self.0 {
            for value in from.get_all(name) {
                to.append(name.clone(), value.clone());
            }
        }
    }
}

/// What goes to the source beside the caller's own metadata. `left`: what remains of the deadline.
pub(crate) fn onward(to: &mut HeaderMap, exchange: &ExchangeId, trace: Option<&Trace>, left: Duration) {
    to.insert("te", HeaderValue::from_static("trailers"));
    to.insert(http::header::CONTENT_TYPE, GRPC);
    to.insert(
        http::header::USER_AGENT,
        HeaderValue::from_static(concat!("veldwacht/", env!("CARGO_PKG_VERSION"))),
    );
    let millis = left.as_millis().clamp(1, 99_999_999);
    if let Ok(mut value) = HeaderValue::try_from(format!("{millis}m")) {
        value.set_sensitive(true); // as in `named`: it seldom is the same
        to.insert(HeaderName::from_static(TIMEOUT), value);
    }
    if let Some(value) = named(exchange) {
        to.insert(HeaderName::from_static(TRANSACTION), value);
    }
    if let Some(trace) = trace {
        let (id, span) = (hex::encode(trace.trace_id.0), hex::encode(trace.span_id.0));
        if let Ok(mut value) = HeaderValue::try_from(format!("00-{id}-{span}-01")) {
            value.set_sensitive(true); // as in `named`
            to.insert(HeaderName::from_static("traceparent"), value);
        }
    }
}

/// A transaction as the value of a header. No call has another's: so HPACK is told not to keep it (RFC 7541, 7.1.3), or it
/// would fill its table with values that never come back, and look through them at every call.
pub(crate) fn named(exchange: &ExchangeId) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(exchange.to_string()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What a message may be compressed with (`grpc-encoding`).
pub(crate) const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// What the other side takes.
pub(crate) const ACCEPTS: HeaderName = HeaderName::from_static("grpc-accept-encoding");
pub(crate) const GZIP: HeaderValue = HeaderValue::from_static("gzip");
pub(crate) const IDENTITY_AND_GZIP: HeaderValue = HeaderValue::from_static("identity,gzip");

/// Whether messages that come with these headers may be compressed with gzip.
pub(crate) fn is_gzip(headers: &HeaderMap) -> bool {
    headers.get(ENCODING).is_some_and(|encoding| encoding == "gzip")
}

/// Whether who sent these headers takes gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let taken = headers.get_all(ACCEPTS).iter().filter_map(|value| value.to_str().ok());
    taken.flat_map(|names| names.split(',')).any(|name| name.trim() == "gzip")
}

/// The content type of gRPC.
pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Whether a content type is one of gRPC with protobuf.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let value = headers.get(http::header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    value
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest, b"" | b"+proto") || rest.starts_with(b";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_names_cross_and_bytes_go_as_they_came() {
        let list = AllowList::new(&["x-kenmerk".into(), "x-spoor-bin".into()]).unwrap();
        let mut from = HeaderMap::new();
        from.insert("x-kenmerk", "1".parse().unwrap());
        from.append("x-spoor-bin", "AAECAw".parse().unwrap());
        from.append("x-spoor-bin", "BAU=".parse().unwrap());
        from.insert("x-diagnose", "f33".parse().unwrap());
        from.insert("authorization", "Bearer x".parse().unwrap());
        let mut to = HeaderMap::new();
        list.cross(&from, &mut to);
        assert_eq!(to.len(), 3);
        assert_eq!(to.get_all("x-spoor-bin").iter().count(), 2);
        assert!(!to.contains_key("x-diagnose") && !to.contains_key("authorization"));
    }

    #[test]
    fn what_belongs_to_the_gateway_cannot_be_listed() {
        for name in ["authorization", "grpc-status", "fsc-transaction-id", "traceparent", "Not-Lower", "te"] {
            assert_eq!(AllowList::new(&[name.to_owned()]).unwrap_err(), name);
        }
    }
}
