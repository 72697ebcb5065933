//! What the neighbours of an abuser feel: the time of a call, quiet and beside someone at full speed.
//!
//! Prints its figures (`cargo test -p exchange neighbours -- --nocapture`). The bound that it asserts is loose, because
//! abuser, neighbour and gateway share the processors of the machine that runs the tests.

use std::time::Instant;

use tokio::io::AsyncWriteExt as _;

use super::super::*;
use super::abuse::{Raw, check, serving};
use super::world::*;

/// Times of calls one after the other, sorted.
async fn times(raw: &mut Raw, streams: std::ops::Range<u32>) -> Vec<Duration> {
    let mut times = Vec::new();
    for stream in streams.step_by(2) {
        let started = Instant::now();
        check(raw, stream).await;
        times.push(started.elapsed());
    }
    times.sort();
    times
}

fn p99(times: &[Duration]) -> Duration {
    times[times.len() * 99 / 100]
}

#[derive(Debug, Clone, Copy)]
enum Abuse {
    /// Starts streams and resets them, and comes back when it is cut off.
    Resets,
    /// Opens connections and says nothing, and others with a certificate of its own making.
    Handshakes,
    /// Calls as often as it can.
    Calls,
}

async fn abuse(kind: Abuse, address: SocketAddr, client: Arc<Client>, stranger: Arc<Client>) {
    let mut silent = Vec::new();
    loop {
        match kind {
            Abuse::Resets => {
                let mut raw = Raw::connect(address, &client).await;
                let mut stream = 1;
                while raw.0.write_all(&super::abuse::reset(stream)).await.is_ok() {
                    stream += 2;
                }
            }
            Abuse::Handshakes => {
                silent.push(TcpStream::connect(address).await);
                silent.drain(..silent.len().saturating_sub(200));
                drop(stranger.connect(address).await);
            }
            Abuse::Calls => {
                let mut raw = Raw::connect(address, &client).await;
                for stream in (1..2_000).step_by(2) {
                    check(&mut raw, stream).await;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_neighbours_of_an_abuser_are_served() {
    let limits = Limits {
        handshake_timeout: Duration::from_millis(500),
        // Time stands still in this world: nobody would be given room again.
        handshakes_per_second_per_address: 1_000_000,
        ..Limits::default()
    };
    let (address, client) = super::abuse::serving_within(limits, Http2::default()).await;
    let (_, other) = serving(Http2::default()).await;
    let (client, stranger) = (Arc::new(client), Arc::new(other));
    for kind in [Abuse::Resets, Abuse::Handshakes, Abuse::Calls] {
        // It was there before: at the door itself, someone at the same address would have to queue.
        let mut neighbour = Raw::connect(address, &client).await;
        let quiet = p99(&times(&mut neighbour, 1..601).await);
        let abuser = tokio::spawn(abuse(kind, address, Arc::clone(&client), Arc::clone(&stranger)));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let beside = p99(&times(&mut neighbour, 601..1201).await);
        abuser.abort();
        // What it left half open has to time out before its address has handshakes again.
        tokio::time::sleep(Duration::from_millis(700)).await;
        println!("{kind:?}: p99 quiet {quiet:?}, beside the abuser {beside:?}");
        assert!(
            beside < (quiet * 20).max(Duration::from_millis(500)),
            "{kind:?}: {quiet:?} became {beside:?}"
        );
    }
}
