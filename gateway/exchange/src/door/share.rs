//! Every organisation's share of the gateway: calls at once and calls a second, over all its connections. (Its bytes
//! are counted below HTTP/2, in `throughput`; the processors are shared in `turns`, before all this.)
//!
//! Owns: counting calls by organisation and by system, and refusing what is over, so that one that floods is refused
//! itself and nobody else waits. A place is held until the answer has ended, streams included. Stands before every
//! service; whoever is refused here has cost a look-up and no signature. The first refusals of a minute are told.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use foldhash::fast::RandomState;
use http_body::{Frame, SizeHint};
use model::{Name, Oin, Reason, Refusal, Timestamp};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};

use super::turned_away::Report;
use super::{Clock, TurnedAway, Visitor};

/// What one organisation may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Calls at once, streams included.
    pub calls: usize,
    /// Calls at once of one system.
    pub calls_of_a_system: usize,
    /// Calls a second, in the long run.
    pub calls_per_second: u32,
    /// Calls a second of one system, in the long run.
    pub calls_per_second_of_a_system: u32,
    /// Bytes a second on all connections, both ways together, TLS not counted. Who is over waits.
    pub bytes_per_second: u64,
    /// Bytes a second of one system.
    pub bytes_per_second_of_a_system: u64,
    /// For how many seconds' worth of calls or bytes someone may run ahead.
    pub burst_seconds: u32,
    /// Of those who are turned away, at the door and for being over, so many are told in a minute; the rest is counted.
    pub told_per_minute: u32,
}

impl Default for Share {
    fn default() -> Share {
        Share {
            calls: 1_024,
            calls_of_a_system: 512,
            calls_per_second: 10_000,
            calls_per_second_of_a_system: 5_000,
            bytes_per_second: 64 << 20,
            bytes_per_second_of_a_system: 32 << 20,
            burst_seconds: 2,
            told_per_minute: 120,
        }
    }
}

/// How a refusal is told to a caller.
pub type Tell = fn(&Refusal) -> Status;

/// A layer that gives each organisation its share.
#[derive(Clone)]
pub struct Shares(Arc<Inner>);

struct Inner {
    share: Share,
    clock: Clock,
    tell: Tell,
    report: Report,
    /// Registered organisations only, so the table is as long as the registry. Locked for a look-up.
    taken: Mutex<HashMap<Oin, Taken, RandomState>>,
}

#[derive(Default)]
struct Taken {
    calls: usize,
    bucket: Bucket,
    systems: HashMap<Name, OfSystem, RandomState>,
}

#[derive(Default)]
struct OfSystem {
    calls: usize,
    bucket: Bucket,
}

/// Calls that may still be made: filled by time, emptied by calls. Empty until its first use fills it.
#[derive(Default)]
pub(super) struct Bucket {
    calls: f64,
    filled: Option<Timestamp>,
}

impl Bucket {
    pub(super) fn fill(&mut self, rate: u32, burst: u32, now: Timestamp) {
        let (rate, most) = (f64::from(rate), f64::from(rate) * f64::from(burst));
        let elapsed = self.filled.map(|at| now.unix_millis().saturating_sub(at.unix_millis()).max(0));
        // A clock that jumps far ahead fills a bucket, and no more than that.
        let gained = elapsed
            .map_or(most, |millis| f64::from(u32::try_from(millis).unwrap_or(u32::MAX)) * rate / 1000.0);
        self.calls = (self.calls + gained).min(most);
        self.filled = Some(now);
    }

    /// One of them, if there is one.
    pub(super) fn take(&mut self) -> bool {
        let there = self.calls >= 1.0;
        if there {
            self.calls -= 1.0;
        }
        there
    }

    /// Whether nothing was taken for so long that forgetting it changes nothing.
    pub(super) fn is_full(&mut self, rate: u32, burst: u32, now: Timestamp) -> bool {
        self.fill(rate, burst, now);
        self.calls >= f64::from(rate) * f64::from(burst)
    }
}

impl Shares {
    /// Shares of this size. `turned_away` is told of the first calls that are over, every minute.
    pub fn new(
        share: Share,
        clock: Clock,
        tell: Tell,
        turned_away: Arc<dyn Fn(TurnedAway) + Send + Sync>,
    ) -> Shares {
        let (report, taken) = (Report::new(share.told_per_minute, turned_away), Mutex::default());
        Shares(Arc::new(Inner { share, clock, tell, report, taken }))
    }

    /// A place for one call of this visitor.
    fn take(&self, visitor: &Visitor) -> Result<Place, Refusal> {
        let (oin, system) = visitor.known();
        let now = (self.0.clock)();
        let share = &self.0.share;
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = taken.entry(oin).or_default();
        if !taken.systems.contains_key(&system) {
            taken.systems.insert(system.clone(), OfSystem::default());
        }
        let of_system = taken.systems.get_mut(&system).ok_or(Reason::Busy)?;
        of_system.bucket.fill(share.calls_per_second_of_a_system, share.burst_seconds, now);
        taken.bucket.fill(share.calls_per_second, share.burst_seconds, now);
        let full = taken.calls >= share.calls || of_system.calls >= share.calls_of_a_system;
        if full || taken.bucket.calls < 1.0 || of_system.bucket.calls < 1.0 {
            return Err(Reason::Busy.into());
        }
        (taken.calls, of_system.calls) = (taken.calls + 1, of_system.calls + 1);
        taken.bucket.calls -= 1.0;
        of_system.bucket.calls -= 1.0;
        Ok(Place { shares: Arc::clone(&self.0), oin, system })
    }
}

/// One call's place, given back when it is dropped.
struct Place {
    shares: Arc<Inner>,
    oin: Oin,
    system: Name,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = taken.get_mut(&self.oin) {
            taken.calls = taken.calls.saturating_sub(1);
            if let Some(of_system) = taken.systems.get_mut(&self.system) {
                of_system.calls = of_system.calls.saturating_sub(1);
            }
        }
    }
}

impl<S> Layer<S> for Shares {
    type Service = Shared<S>;

    fn layer(&self, service: S) -> Shared<S> {
        Shared { service, shares: self.clone() }
    }
}

/// A service behind [`Shares`].
#[derive(Clone)]
pub struct Shared<S> {
    service: S,
    shares: Shares,
}

impl<S> Service<Request<Body>> for Shared<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = &self.shares.0;
        let taken = match request.extensions().get::<Visitor>() {
            Some(visitor) => self.shares.take(visitor).inspect_err(|refusal| {
                visitor.was_over();
                inner.report.visitor((inner.clock)(), visitor, refusal.clone());
            }),
            // Whoever did not come through the door has no share.
            None => Err(Reason::CertificateRefused.into()),
        };
        match taken {
            Ok(place) => {
                let answer = self.service.call(request);
                Box::pin(async move { Ok(answer.await?.map(|body| Body::new(Held { body, _place: place }))) })
            }
            Err(refusal) => {
                let response = (inner.tell)(&refusal).into_http();
                Box::pin(async move { Ok(response) })
            }
        }
    }
}

/// An answer that holds its place until it has ended.
struct Held {
    body: Body,
    _place: Place,
}

impl http_body::Body for Held {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
