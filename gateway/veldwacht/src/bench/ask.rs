//! `bench ask`: mediated calls through a gateway, beside proxies that do nothing but pass them on.
//!
//! Owns: what is compared with what. One core for the proxy and one for the load, mutual TLS 1.3 on both legs, everything on
//! loopback, rounds interleaved, medians. CPU time a request counts: callers and source together need more of it than a
//! proxy, so requests a second say how fast the load is. `filtered` decides and filters and keeps no record; `audited` is
//! the gateway as it is, two durable records a call. p50 and p99 are latencies as callers see them; `added_p50` and `added_p99`, for
//! one call at a time, are what a proxy adds to asking the source directly.

mod cores;
mod load;
mod peers;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::bench::log::Row;
use crate::failure::{Doing, Failure, Outcome};
use load::{Caller, Round};
use peers::Peer;
use world::{Own, World};

const ROUNDS: usize = 5;
const SIZES: [(&str, &str); 2] = [("1kB", "Klein"), ("20kB", "Groot")];
/// Connections, and calls at once on each.
const SHAPES: [(usize, usize); 4] = [(1, 1), (1, 16), (1, 64), (64, 1)];
const HANDSHAKES: usize = 100;
/// After a round, until what goes on beside the calls is done too: tiles, views.
const AFTERWARDS: Duration = Duration::from_millis(400);
const DIRECT: &str = "direct";

/// Whose CPU time is measured.
enum Whose {
    Own,
    Process(u32),
    Nobody,
}

/// Something that calls go through.
struct Proxy {
    name: &'static str,
    whose: Whose,
    port: u16,
    callers: Vec<Caller>,
}

impl Proxy {
    fn cpu(&self) -> f64 {
        match self.whose {
            Whose::Own => cores::of_own_proxy(),
            Whose::Process(id) => cores::of_process(id),
            Whose::Nobody => 0.0,
        }
    }
}

/// One figure of one proxy: by name, size and shape, each round's.
type Figures = BTreeMap<(&'static str, String, &'static str), Vec<f64>>;

/// Measures each round for `time`; and names the peers that are not installed.
pub(crate) async fn run(dir: &Path, time: Duration) -> Outcome<(Vec<Row>, Vec<&'static str>)> {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return Err(Failure::Reach(
            "bench ask needs two cores, one for the proxy and one for the load".into(),
        ));
    }
    let folder = tempfile::tempdir_in(dir).unreachable(dir.display())?;
    let folder_path = folder.path().canonicalize().unreachable(dir.display())?;
    let world = World::new(&folder_path)?;
    let (peers, missing) = peers::start(&world.folder, world.source).await?;
    let own = [Own::start(&world, "filtered", false).await?, Own::start(&world, "audited", true).await?];
    let measured = measure(&world, &peers, &own, time).await;
    for own in own {
        own.end().await;
    }
    let World { load, .. } = world;
    load.shutdown_background();
    let names: Vec<_> = peers.iter().map(|peer| peer.name).collect();
    Ok((rows(&measured?, &names), missing))
}

async fn measure(world: &World, peers: &[Peer], own: &[Own; 2], time: Duration) -> Outcome<Figures> {
    let [filtered, audited] = own;
    let mut all = vec![
        ("filtered", Whose::Own, filtered.port),
        ("audited", Whose::Own, audited.port),
        (DIRECT, Whose::Nobody, world.source),
    ];
    all.extend(peers.iter().map(|peer| (peer.name, Whose::Process(peer.id()), peer.port)));
    let mut figures = Figures::new();
    let mut proxies = Vec::new();
    for (name, whose, port) in all {
        let tls = if name == DIRECT { world.direct_tls()? } else { world.caller_tls()? };
        let mut callers = Vec::new();
        let connections = SHAPES.iter().map(|(connections, _)| *connections).max().unwrap_or(1);
        for _ in 0..connections {
            let (bearer, tls) = (world.bearer()?, tls.clone());
            let connecting =
                async move { Caller::connect(port, &tls, "Klein", &bearer, World::question()).await };
            callers.push(world.load.spawn(connecting).await.unreachable("the load")??);
        }
        proxies.push(Proxy { name, whose, port, callers });
    }
    for round in 0..=ROUNDS {
        for (size, method) in SIZES {
            for (connections, streams) in SHAPES {
                for proxy in &proxies {
                    let callers = proxy.callers.iter().take(connections);
                    let callers = callers.map(|caller| caller.asking(method)).collect::<Outcome<Vec<_>>>()?;
                    let before = proxy.cpu();
                    let asking = world.load.spawn(Round::run(callers, streams, time));
                    let asked = asking.await.unreachable("the load")??;
                    if proxy.name == "audited" {
                        tokio::time::sleep(AFTERWARDS).await;
                    }
                    let cpu = proxy.cpu() - before;
                    if round == 0 {
                        continue; // everyone warms up once
                    }
                    let mut add = |what, value| {
                        let key = (proxy.name, format!("{size}/{connections}x{streams}"), what);
                        figures.entry(key).or_default().push(value);
                    };
                    add("cpu", cpu / asked.answers);
                    add("rps", asked.answers / asked.seconds);
                    add("p50", asked.at(50));
                    add("p99", asked.at(99));
                }
            }
        }
        for proxy in proxies.iter().filter(|proxy| proxy.name != DIRECT && proxy.name != "audited") {
            let (tls, port, before) = (world.caller_tls()?, proxy.port, proxy.cpu());
            let shaking = world.load.spawn(async move {
                for _ in 0..HANDSHAKES {
                    load::shake_hands(port, &tls).await?;
                }
                Outcome::Ok(())
            });
            shaking.await.unreachable("the load")??;
            tokio::time::sleep(Duration::from_millis(20)).await;
            if round > 0 {
                let cpu = (proxy.cpu() - before) / HANDSHAKES as f64;
                figures.entry((proxy.name, "handshake".into(), "cpu")).or_default().push(cpu);
            }
        }
    }
    Ok(figures)
}

fn rows(figures: &Figures, peers: &[&'static str]) -> Vec<Row> {
    let median = |name: &'static str, place: &str, what: &'static str| {
        let mut values = figures.get(&(name, place.to_owned(), what))?.clone();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let mut rows = Vec::new();
    let mut push =
        |name: String, ours: Option<f64>, peer: &'static str, theirs: Option<f64>, unit: &'static str| {
            if let (Some(value), Some(peer_value)) = (ours, theirs) {
                let ratio = if unit == "rps" { value / peer_value } else { peer_value / value };
                rows.push(Row { name, value, unit, peer, peer_value, ratio });
            }
        };
    let places: std::collections::BTreeSet<_> = figures
        .keys()
        .filter(|(_, place, _)| place != "handshake")
        .map(|(_, place, _)| place.clone())
        .collect();
    for place in places {
        for ours in ["filtered", "audited"] {
            for (what, peer) in ["cpu", "rps", "p50", "p99"]
                .into_iter()
                .flat_map(|what| peers.iter().map(move |peer| (what, *peer)))
            {
                let unit = if what == "rps" { "rps" } else { "µs" };
                push(
                    format!("ask/{place}/{ours}/{what}"),
                    median(ours, &place, what),
                    peer,
                    median(peer, &place, what),
                    unit,
                );
                if place.ends_with("/1x1") && what.starts_with('p') {
                    let direct = median(DIRECT, &place, what);
                    // Less than nothing is noise.
                    let added =
                        |name| Some(median(name, &place, what)? - direct?).filter(|added| *added > 0.0);
                    push(format!("ask/{place}/{ours}/added_{what}"), added(ours), peer, added(peer), unit);
                }
            }
        }
    }
    for peer in peers {
        let of = |name| median(name, "handshake", "cpu");
        push("ask/handshake/cpu".to_owned(), of("filtered"), peer, of(peer), "µs");
    }
    rows
}
