//! How many bytes a second an organisation, and each of its systems, may move through the door, both ways together.
//!
//! Owns: the meters, shared by all connections of an organisation. Whoever is over is not refused but waits: its
//! connections are read and written more slowly, TCP tells it, and what it has not sent costs the gateway nothing. A call
//! that is refused for being one too many counts as bytes: refusing is work too, and who goes on asking waits.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use model::{Name, Oin};
use tokio::time::{Instant, Sleep};

use super::Share;

/// Every organisation's meters; as long as the registry.
pub(super) struct Throughput {
    organisation: u64,
    system: u64,
    burst: f64,
    organisations: Mutex<HashMap<Oin, Meters>>,
}

struct Meters {
    all: Arc<Meter>,
    systems: HashMap<Name, Arc<Meter>>,
}

/// Bytes that may still be moved; under zero is a debt, paid off by waiting.
struct Meter {
    per_second: f64,
    most: f64,
    left: Mutex<(f64, Instant)>,
}

impl Throughput {
    pub(super) fn new(share: &Share) -> Throughput {
        Throughput {
            organisation: share.bytes_per_second,
            system: share.bytes_per_second_of_a_system,
            burst: f64::from(share.burst_seconds),
            organisations: Mutex::default(),
        }
    }

    /// The meters of a connection of this system.
    pub(super) fn of(&self, oin: Oin, system: &Name) -> Flow {
        let mut organisations = self.organisations.lock().unwrap_or_else(PoisonError::into_inner);
        let meters = organisations.entry(oin).or_insert_with(|| Meters {
            all: Meter::new(self.organisation, self.burst),
            systems: HashMap::new(),
        });
        let own = meters.systems.entry(system.clone()).or_insert_with(|| Meter::new(self.system, self.burst));
        Flow { meters: [Arc::clone(&meters.all), Arc::clone(own)], waits: None }
    }
}

/// What calls that are refused for being too many cost the connections of their system.
pub(super) struct Toll([Arc<Meter>; 2]);

impl Toll {
    /// For one such call.
    pub(super) fn pay(&self) {
        let now = Instant::now();
        for meter in &self.0 {
            meter.pay(meter.per_second / REFUSALS_PER_SECOND, now);
        }
    }
}

/// So many calls that are too many are refused in a second, if nothing else moves; more wait.
const REFUSALS_PER_SECOND: f64 = 500.0;

impl Meter {
    fn new(per_second: u64, burst: f64) -> Arc<Meter> {
        // A rate of more than 2^53 bytes a second is none of this machine's.
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
        let per_second = per_second.max(1) as f64;
        let most = per_second * burst.max(1.0);
        Arc::new(Meter { per_second, most, left: Mutex::new((most, Instant::now())) })
    }

    /// Takes bytes, and says how long whoever took them has to wait before it may take more.
    fn take(&self, bytes: usize, now: Instant) -> Duration {
        let left = self.pay(f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)), now);
        Duration::from_secs_f64((-left / self.per_second).clamp(0.0, LONGEST_WAIT))
    }

    /// Takes bytes, and says how many are left.
    fn pay(&self, bytes: f64, now: Instant) -> f64 {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(left.1).as_secs_f64() * self.per_second;
        *left = ((left.0 + gained).min(self.most) - bytes, now);
        left.0
    }
}

/// Longer nobody sleeps at a stretch, in seconds: then the debt is looked at again.
const LONGEST_WAIT: f64 = 1.0;

/// One direction of one connection, on the meters of its organisation and its system.
pub(super) struct Flow {
    meters: [Arc<Meter>; 2],
    waits: Option<Pin<Box<Sleep>>>,
}

impl Flow {
    /// The same meters for the other direction.
    pub(super) fn other_way(&self) -> Flow {
        Flow { meters: self.meters.clone(), waits: None }
    }

    /// What is paid on the same meters.
    pub(super) fn toll(&self) -> Toll {
        Toll(self.meters.clone())
    }

    /// Ready when bytes may be moved.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(wait) = &mut self.waits {
            ready!(wait.as_mut().poll(cx));
            self.waits = None;
            self.moved(0);
        }
        Poll::Ready(())
    }

    /// So many were moved.
    pub(super) fn moved(&mut self, bytes: usize) {
        let now = Instant::now();
        let wait = self.meters.iter().map(|meter| meter.take(bytes, now)).max().unwrap_or_default();
        if wait >= Duration::from_millis(1) {
            self.waits = Some(Box::pin(tokio::time::sleep(wait)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn move_all(flow: &mut Flow, bytes: usize) -> Duration {
        let begun = Instant::now();
        for _ in 0..bytes / 1_000 {
            poll_fn(|cx| flow.poll_ready(cx)).await;
            flow.moved(1_000);
        }
        poll_fn(|cx| flow.poll_ready(cx)).await;
        begun.elapsed()
    }

    #[tokio::test]
    async fn who_moves_more_than_its_share_of_bytes_waits_and_others_do_not() {
        let share = Share {
            bytes_per_second: 1_000_000,
            bytes_per_second_of_a_system: 500_000,
            burst_seconds: 1,
            ..Share::default()
        };
        let throughput = Throughput::new(&share);
        let (one, other) = ("00000099000000001000".parse().unwrap(), "00000099000000002000".parse().unwrap());
        let (suite, portaal) = ("suite".parse().unwrap(), "portaal".parse().unwrap());
        // Times have a lower bound only: the machine may be slow.
        let millis = Duration::from_millis;

        let mut first = throughput.of(one, &suite);
        let took = move_all(&mut first, 700_000).await;
        assert!(took >= millis(350), "a burst at once, the rest at 500 kB/s: {took:?}");
        // A second connection, and the other direction, are on the same meters.
        let mut second = throughput.of(one, &suite);
        let took = move_all(&mut second, 100_000).await + move_all(&mut first.other_way(), 100_000).await;
        assert!(took >= millis(350), "{took:?}");
        // Another system has its own meter, and shares the organisation's.
        let took = move_all(&mut throughput.of(one, &portaal), 500_000).await;
        assert!(took < millis(600), "it does not pay what the other owes: {took:?}");
        // Who is refused for asking too much pays too.
        let mut asking = throughput.of(one, &"kantoor".parse().unwrap());
        let toll = asking.toll();
        (0..750).for_each(|_| toll.pay());
        let took = move_all(&mut asking, 1_000).await;
        assert!(took >= millis(400), "750 refusals, 500 of them in the burst: {took:?}");
        let mut neighbour = throughput.of(other, &suite);
        assert!(move_all(&mut neighbour, 400_000).await < millis(300), "another organisation has its own");
    }
}
