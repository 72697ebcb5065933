//! What the configuration says of the door: `[assertions]`, `[limits]` and `[http2]`.
//!
//! Owns: these keys, their defaults – those of the crates that use them – and turning them into what the door is opened
//! with. A limit of zero is a mistake, not "none".

use std::time::Duration;

use exchange::door::{self, AssertionUse};
use serde::{Deserialize, Serialize};

/// What is asked of role assertions.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Assertions {
    /// For one call, or for a connection.
    #[serde(rename = "use")]
    used: Use,
    /// The longest life, in seconds; at most 300.
    lifetime_seconds: i64,
    /// How far the signer's clock may differ.
    clock_skew_seconds: i64,
    /// How many of one organisation are remembered at a time.
    remembered: usize,
}

/// How often one assertion may be shown.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Use {
    Call,
    Connection,
}

impl Default for Assertions {
    fn default() -> Assertions {
        let door::Assertions { rules, remembered, .. } = door::Assertions::of("");
        let (lifetime_seconds, clock_skew_seconds) = (rules.lifetime_seconds, rules.clock_skew_seconds);
        Assertions { used: Use::Call, lifetime_seconds, clock_skew_seconds, remembered }
    }
}

impl Assertions {
    /// For a gateway of this name.
    pub(crate) fn of(&self, name: &str) -> door::Assertions {
        let mut assertions = door::Assertions::of(name);
        assertions.rules.lifetime_seconds = self.lifetime_seconds;
        assertions.rules.clock_skew_seconds = self.clock_skew_seconds;
        assertions.remembered = self.remembered;
        assertions.used = match self.used {
            Use::Call => AssertionUse::Call,
            Use::Connection => AssertionUse::Connection,
        };
        assertions
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=identity::MAX_LIFETIME_SECONDS).contains(&self.lifetime_seconds) {
            return Err("assertions.lifetime_seconds: 1 to 300".into());
        }
        if !(0..=60).contains(&self.clock_skew_seconds) {
            return Err("assertions.clock_skew_seconds: 0 to 60".into());
        }
        not_zero("assertions.remembered", self.remembered)
    }
}

/// What is taken on: at once, a second, and how long.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// The longest document, in bytes.
    pub(crate) document_bytes: usize,
    /// Deliveries handed out on one stream before one is acknowledged.
    unacknowledged: usize,
    /// How long one call may take; streams of deliveries last as long as their assertion.
    call_seconds: u64,
    /// Days that what came back because of a text is kept for officers, when its sender asks for that.
    held_days: u32,
    connections: usize,
    connections_per_organisation: usize,
    connections_per_system: usize,
    connection_seconds: u64,
    handshakes: usize,
    handshakes_per_address: usize,
    handshakes_per_second_per_address: u32,
    handshake_burst_seconds: u32,
    handshake_seconds: u64,
    calls: usize,
    calls_of_a_system: usize,
    calls_per_second: u32,
    calls_per_second_of_a_system: u32,
    bytes_per_second: u64,
    bytes_per_second_of_a_system: u64,
    burst_seconds: u32,
    /// Of those who are turned away, so many are told in a minute; the rest is counted.
    told_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        let (own, door) = (exchange::Limits::default(), door::Limits::default());
        Limits {
            document_bytes: own.document_bytes,
            unacknowledged: own.unacknowledged,
            call_seconds: own.call_time.as_secs(),
            held_days: own.held_days,
            connections: door.connections,
            connections_per_organisation: door.connections_per_organisation,
            connections_per_system: door.connections_per_system,
            connection_seconds: door.connection_lifetime.as_secs(),
            handshakes: door.handshakes,
            handshakes_per_address: door.handshakes_per_address,
            handshakes_per_second_per_address: door.handshakes_per_second_per_address,
            handshake_burst_seconds: door.handshake_burst_seconds,
            handshake_seconds: door.handshake_timeout.as_secs(),
            calls: door.share.calls,
            calls_of_a_system: door.share.calls_of_a_system,
            calls_per_second: door.share.calls_per_second,
            calls_per_second_of_a_system: door.share.calls_per_second_of_a_system,
            bytes_per_second: door.share.bytes_per_second,
            bytes_per_second_of_a_system: door.share.bytes_per_second_of_a_system,
            burst_seconds: door.share.burst_seconds,
            told_per_minute: door.share.told_per_minute,
        }
    }
}

impl Limits {
    /// For one call.
    pub(crate) fn of_calls(&self) -> exchange::Limits {
        exchange::Limits {
            document_bytes: self.document_bytes,
            unacknowledged: self.unacknowledged,
            call_time: Duration::from_secs(self.call_seconds),
            held_days: self.held_days,
        }
    }

    /// For the door.
    pub(crate) fn of_door(&self) -> door::Limits {
        door::Limits {
            handshake_timeout: Duration::from_secs(self.handshake_seconds),
            handshakes: self.handshakes,
            handshakes_per_address: self.handshakes_per_address,
            handshakes_per_second_per_address: self.handshakes_per_second_per_address,
            handshake_burst_seconds: self.handshake_burst_seconds,
            connections: self.connections,
            connections_per_organisation: self.connections_per_organisation,
            connections_per_system: self.connections_per_system,
            connection_lifetime: Duration::from_secs(self.connection_seconds),
            share: door::Share {
                calls: self.calls,
                calls_of_a_system: self.calls_of_a_system,
                calls_per_second: self.calls_per_second,
                calls_per_second_of_a_system: self.calls_per_second_of_a_system,
                bytes_per_second: self.bytes_per_second,
                bytes_per_second_of_a_system: self.bytes_per_second_of_a_system,
                burst_seconds: self.burst_seconds,
                told_per_minute: self.told_per_minute,
            },
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let small = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let large = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let all = [
            ("document_bytes", self.document_bytes),
            ("unacknowledged", self.unacknowledged),
            ("call_seconds", large(self.call_seconds)),
            ("held_days", small(self.held_days)),
            ("connections", self.connections),
            ("connections_per_organisation", self.connections_per_organisation),
            ("connections_per_system", self.connections_per_system),
            ("connection_seconds", large(self.connection_seconds)),
            ("handshakes", self.handshakes),
            ("handshakes_per_address", self.handshakes_per_address),
            ("handshakes_per_second_per_address", small(self.handshakes_per_second_per_address)),
            ("handshake_burst_seconds", small(self.handshake_burst_seconds)),
            ("handshake_seconds", large(self.handshake_seconds)),
            ("calls", self.calls),
            ("calls_of_a_system", self.calls_of_a_system),
            ("calls_per_second", small(self.calls_per_second)),
            ("calls_per_second_of_a_system", small(self.calls_per_second_of_a_system)),
            ("bytes_per_second", large(self.bytes_per_second)),
            ("bytes_per_second_of_a_system", large(self.bytes_per_second_of_a_system)),
            ("burst_seconds", small(self.burst_seconds)),
            ("told_per_minute", small(self.told_per_minute)),
        ];
        all.into_iter().try_for_each(|(key, number)| not_zero(&format!("limits.{key}"), number))
    }
}

/// What one connection may do.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http2 {
    streams: u32,
    header_bytes: u32,
    pending_resets: usize,
    error_resets: usize,
    stream_window: u32,
    connection_window: u32,
    keepalive_seconds: u64,
    keepalive_timeout_seconds: u64,
    connection_age_seconds: u64,
    compression: bool,
}

impl Default for Http2 {
    fn default() -> Http2 {
        let door = door::Http2::default();
        Http2 {
            streams: door.streams,
            header_bytes: door.header_bytes,
            pending_resets: door.pending_resets,
            error_resets: door.error_resets,
            stream_window: door.stream_window,
            connection_window: door.connection_window,
            keepalive_seconds: door.keepalive_interval.as_secs(),
            keepalive_timeout_seconds: door.keepalive_timeout.as_secs(),
            connection_age_seconds: door.connection_age.as_secs(),
            compression: door.compression,
        }
    }
}

impl Http2 {
    /// For the door.
    pub(crate) fn of_door(&self) -> door::Http2 {
        door::Http2 {
            streams: self.streams,
            header_bytes: self.header_bytes,
            pending_resets: self.pending_resets,
            error_resets: self.error_resets,
            stream_window: self.stream_window,
            connection_window: self.connection_window,
            keepalive_interval: Duration::from_secs(self.keepalive_seconds),
            keepalive_timeout: Duration::from_secs(self.keepalive_timeout_seconds),
            connection_age: Duration::from_secs(self.connection_age_seconds),
            compression: self.compression,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        // RFC 9113, 6.9.1: a window has at most 31 bits.
        let windows = [("stream_window", self.stream_window), ("connection_window", self.connection_window)];
        for (key, window) in windows {
            if !(65_535..=0x7fff_ffff).contains(&window) {
                return Err(format!("http2.{key}: 65535 to 2147483647"));
            }
        }
        if self.header_bytes < 4_096 {
            return Err("http2.header_bytes: at least 4096; an assertion takes about 700".into());
        }
        let times = [
            ("keepalive_seconds", self.keepalive_seconds),
            ("keepalive_timeout_seconds", self.keepalive_timeout_seconds),
            ("connection_age_seconds", self.connection_age_seconds),
            ("streams", self.streams.into()),
        ];
        let mut times = times.into_iter();
        times.try_for_each(|(key, number)| {
            not_zero(&format!("http2.{key}"), usize::try_from(number).unwrap_or(1))
        })
    }
}

fn not_zero(key: &str, number: usize) -> Result<(), String> {
    if number == 0 { Err(format!("{key}: more than zero")) } else { Ok(()) }
}
