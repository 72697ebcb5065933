//! How fast one address may come back: a handshake costs the gateway more than it costs a stranger.
//!
//! Owns: a pace for each address, in handshakes a second. The table is bounded: when too many addresses come at once it
//! forgets them, and the limits on handshakes at once are what remains.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use model::Timestamp;

use super::share::Bucket;

/// So many addresses are remembered.
const MOST: usize = 16_384;

pub(super) struct Pace {
    per_second: u32,
    burst_seconds: u32,
    addresses: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Pace {
    pub(super) fn new(per_second: u32, burst_seconds: u32) -> Pace {
        Pace { per_second, burst_seconds, addresses: Mutex::default() }
    }

    /// Whether this address may begin a handshake now.
    pub(super) fn allows(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MOST && !addresses.contains_key(&address) {
            addresses.retain(|_, bucket| !bucket.is_full(self.per_second, self.burst_seconds, now));
            if addresses.len() >= MOST {
                addresses.clear();
            }
        }
        let bucket = addresses.entry(address).or_default();
        bucket.fill(self.per_second, self.burst_seconds, now);
        bucket.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000)
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn who_comes_back_too_fast_waits_and_another_address_does_not() {
        let pace = Pace::new(10, 2);
        let allowed = |count: usize, from: u32, now: i64| {
            (0..count).filter(|_| pace.allows(address(from), at(now))).count()
        };
        assert_eq!(allowed(50, 1, 0), 20);
        assert_eq!(allowed(50, 2, 0), 20);
        assert_eq!(allowed(50, 1, 1), 10);
    }

    #[test]
    fn the_table_stays_bounded_however_many_addresses_come() {
        let pace = Pace::new(10, 2);
        for number in 0..3 * MOST as u32 {
            assert!(pace.allows(address(number), at(0)));
        }
        assert!(pace.addresses.lock().unwrap().len() <= MOST);
        // An hour later everyone is forgotten who came once, when room is needed.
        let left = pace.addresses.lock().unwrap().len();
        for number in 0..=(MOST - left) as u32 {
            pace.allows(address(1 << 30 | number), at(3_600));
        }
        assert!(pace.addresses.lock().unwrap().len() <= MOST);
    }
}
