//! What a well-behaved client feels beside one abuser at full speed: the time of a call, quiet and beside it, and what the
//! abuse costs the gateway in memory.
//!
//! `tests/pressure` runs it in release, longer, and holds it to twice the quiet p99. Here, in a debug build on a machine
//! that runs other tests, the bound is loose: it shows that the neighbour is served. The abuser is a process of its own
//! (`tests/python/abuser.py`) that gets the time that nobody else wants, because it would be on another machine.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use proto::veldwacht::exchange::v1 as wire;

use crate::harness::{GEMEENTE, RIB, Stage, root};
use crate::member::{Member, bytes_of, letter};

const KINDS: [&str; 7] =
    ["resets", "continuations", "settings", "header_lists", "handshakes", "slow", "calls"];
/// Memory that one abuser may cost, in kB.
const MEMORY: u64 = 256 * 1024;

/// A number that `tests/pressure` and `tests/soak` set.
pub(crate) fn asked(name: &str, otherwise: f64) -> f64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The kinds that `tests/pressure` names; all of them where it names none.
fn kinds() -> Vec<&'static str> {
    let named = std::env::var("VELDWACHT_TEST_KINDS").unwrap_or_default();
    let known = |name: &str| KINDS.into_iter().find(|kind| *kind == name);
    let kinds: Vec<_> = named
        .split_whitespace()
        .map(|name| known(name).unwrap_or_else(|| panic!("`{name}` is none of {KINDS:?}")))
        .collect();
    if kinds.is_empty() { KINDS.into() } else { kinds }
}

struct Abuser(Child);

impl Abuser {
    fn start(stage: &Stage, kind: &str) -> Abuser {
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(root().join("tests/.venv/bin/python"));
        command.arg(root().join("tests/python/abuser.py")).arg(&stage.address).arg(stage.path("pki"));
        command.args(["rib/coach", kind]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n");
        Abuser(child)
    }
}

impl Drop for Abuser {
    fn drop(&mut self) {
        let _ = self.0.kill(); // whether the test succeeds or not
        let _ = self.0.wait();
    }
}

/// How long each of so many calls took, one after the other.
async fn times(neighbour: &Member, letter: &wire::SendRequest, count: usize) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let token = neighbour.token("aanmelding", |_| ());
        let begun = Instant::now();
        neighbour.send_with(&token, letter.clone()).await.unwrap();
        times.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times.sort();
    times
}

fn at(times: &[Duration], hundredth: usize) -> f64 {
    times[(times.len() * hundredth / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_neighbours_of_an_abuser_are_served() {
    let (rounds, count) =
        (asked("VELDWACHT_TEST_ROUNDS", 1.0) as usize, asked("VELDWACHT_TEST_CALLS", 60.0) as usize);
    let factor = asked("VELDWACHT_TEST_P99", 20.0);
    let stage = Stage::start();
    let neighbour = Member::connect(&stage, "gemeente", GEMEENTE, "klantmanager").await;
    let document = bytes_of("X05-aanmelding", "werkfit.v1.Aanmelding", |_| ());
    let letter = letter("werkfit.v1.Aanmelding", document, &[(RIB, "coach")]);
    times(&neighbour, &letter, count).await; // warm
    let before = stage.memory();
    let mut over = Vec::new();
    println!(
        "{:<14} {:>9} {:>9} {:>9} {:>9} {:>6}  memory",
        "abuse", "p50 quiet", "beside", "p99 quiet", "beside", "ratio"
    );
    for kind in kinds() {
        let (mut ratios, mut figures) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let quiet = times(&neighbour, &letter, count).await;
            let abuser = Abuser::start(&stage, kind);
            tokio::time::sleep(Duration::from_millis(200)).await;
            let beside = times(&neighbour, &letter, count).await;
            drop(abuser);
            ratios.push(at(&beside, 99) / at(&quiet, 99));
            figures.push([at(&quiet, 50), at(&beside, 50), at(&quiet, 99), at(&beside, 99)]);
        }
        let figure = |index: usize| median(figures.iter().map(|figures| figures[index]).collect());
        let (ratio, grown) = (median(ratios), stage.memory().saturating_sub(before));
        let [p50, p50_beside, p99, p99_beside] = [0, 1, 2, 3].map(figure);
        println!(
            "{kind:<14} {p50:>9.2} {p50_beside:>9.2} {p99:>9.2} {p99_beside:>9.2} {ratio:>6.2}  +{} MB",
            grown / 1024
        );
        assert!(grown < MEMORY, "{kind}: {grown} kB more");
        // A loose bound is for a busy machine, where one slow disk flush makes a ratio of anything.
        let noise = factor >= 20.0 && p99_beside < 500.0;
        if ratio > factor && !noise {
            over.push(format!("{kind}: p99 {p99:.1} ms became {p99_beside:.1} ms"));
        }
    }
    assert!(over.is_empty(), "{over:?}");
}
