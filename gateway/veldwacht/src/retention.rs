//! How long what identifies people is kept: never shorter than a duty, never longer than a term.
//!
//! Owns: which rules of the configuration are about a record, and the daily round in which the journal lets go. The
//! public record itself always stays; what goes is its sealed part. How that is done is `journal`'s.

use std::sync::Arc;
use std::time::Duration;

use exchange::door::Clock;
use journal::{Compacted, Journal, Published, ReadError};
use ledger::Leaf;
use model::Timestamp;
use tokio::sync::watch;

use crate::config::{Config, Keeping};

/// Duties and terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retention {
    duties: Vec<Keeping>,
    terms: Vec<Keeping>,
}

impl Retention {
    /// Those of a configuration.
    pub(crate) fn of(config: &Config) -> Retention {
        Retention { duties: config.retention_duties.clone(), terms: config.retention_terms.clone() }
    }

    /// Until when a record has to be kept, by the longest duty that is about it.
    pub(crate) fn keep_until(&self, leaf: &Leaf) -> Option<Timestamp> {
        let days = self.duties.iter().filter(|duty| is_about(duty, leaf)).map(|duty| duty.days).max()?;
        Some(after(leaf, days))
    }

    /// Whether what a record has sealed is still kept: as long as a duty says, and then until the first term is over.
    pub(crate) fn keeps(&self, leaf: &Leaf, now: Timestamp) -> bool {
        let terms = self.terms.iter().filter(|term| is_about(term, leaf)).map(|term| term.days);
        terms.min().is_none_or(|days| now < after(leaf, days))
            || self.keep_until(leaf).is_some_and(|until| now < until)
    }

    /// Lets go of what nobody needs any more, in segments of which everything is published.
    pub(crate) fn compact(
        &self,
        journal: &Journal,
        published: u64,
        now: Timestamp,
    ) -> Result<Compacted, ReadError> {
        journal.compact(published, &|leaf| self.keeps(leaf, now))
    }

    /// Does so at every `every`, until it is dropped; `clock` says which day it is.
    pub(crate) async fn compact_always(
        self,
        journal: Arc<Journal>,
        published: watch::Receiver<Published>,
        every: Duration,
        clock: Clock,
    ) {
        let mut round = tokio::time::interval(every);
        round.tick().await; // at once: a start has enough to do
        loop {
            round.tick().await;
            let (retention, journal, clock) = (self.clone(), Arc::clone(&journal), Arc::clone(&clock));
            let published = published.borrow().checkpoint.size;
            let compacted =
                tokio::task::spawn_blocking(move || retention.compact(&journal, published, clock()));
            match compacted.await {
                Ok(Ok(Compacted { segments: 0, .. })) => {}
                Ok(Ok(done)) => {
                    tracing::info!(segments = done.segments, freed = done.freed, "the journal was compacted")
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "the journal could not be compacted; it stays as it was")
                }
                Err(_) => {
                    tracing::error!("compacting the journal gave up; it is tried again at the next round")
                }
            }
        }
    }
}

/// A rule without a purpose is about every purpose; one without classes about every record, also those that carry nothing.
fn is_about(rule: &Keeping, leaf: &Leaf) -> bool {
    let carried = leaf.event.carried();
    let purpose = carried.and_then(|carried| carried.terms.purpose.as_ref());
    let mut passed = carried.into_iter().flat_map(|carried| &carried.to).flat_map(|to| &to.passed);
    rule.purpose.as_ref().is_none_or(|wanted| Some(wanted) == purpose)
        && (rule.classes.is_empty() || passed.any(|passed| rule.classes.contains(&passed.class)))
}

fn after(leaf: &Leaf, days: u32) -> Timestamp {
    leaf.time.plus_seconds(i64::from(days) * 86_400)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicI64, Ordering};

    use journal::{Commit, LogKey, Options, Publisher, PublisherThread, check};
    use ledger::{
        BundleRef, Carried, Decision, Delivery, Digest, Event, Party, Passed, SealedPart, Terms, Trust,
        Version,
    };
    use model::{DataClass, ExchangeId, Form};

    use super::*;

    const SENT: Timestamp = Timestamp::from_unix_millis(1_790_000_000_000);

    fn leaf(purpose: &str, class: DataClass) -> Leaf {
        let to = Party { oin: "00000099000000001000".parse().unwrap(), role: "coach".parse().unwrap() };
        let passed = vec![Passed { class, form: Form::Vol, count: 1 }];
        let to = vec![Delivery { passed, ..Delivery::new(to, Decision::Delivered) }];
        let terms = Terms { purpose: purpose.parse().ok(), ..Terms::default() };
        Leaf {
            v: Version::default(),
            time: SENT,
            exchange: ExchangeId::new(SENT, [1; 10]),
            trace: None,
            bundle: BundleRef { number: 1, digest: Digest([1; 32]) },
            activity: None,
            client: None,
            event: Event::Sent(Carried { terms, to, ..Carried::default() }),
        }
    }

    fn rule(purpose: Option<&str>, classes: &[DataClass], days: u32) -> Keeping {
        Keeping { purpose: purpose.map(|purpose| purpose.parse().unwrap()), classes: classes.to_vec(), days }
    }

    fn day(number: i64) -> Timestamp {
        SENT.plus_seconds(number * 86_400)
    }

    #[test]
    fn a_duty_goes_before_a_term_and_the_shortest_term_before_the_others() {
        let medical = [DataClass::MedischDiagnose];
        let retention = Retention {
            duties: vec![rule(Some("beoordeling"), &medical, 100)],
            terms: vec![rule(None, &[], 30), rule(Some("voortgang"), &[], 10)],
        };
        let keeps = |purpose, class, at| retention.keeps(&leaf(purpose, class), day(at));
        let plain = DataClass::FunctioneelUren;
        assert!(keeps("voortgang", plain, 9) && !keeps("voortgang", plain, 10), "the shorter term");
        assert!(keeps("plaatsing", plain, 29) && !keeps("plaatsing", plain, 30), "the term for all");
        assert!(keeps("beoordeling", medical[0], 99), "a duty");
        assert!(!keeps("beoordeling", medical[0], 100), "a duty that is over");
        assert!(!keeps("beoordeling", plain, 30), "a duty about another class");
        assert_eq!(retention.keep_until(&leaf("beoordeling", medical[0])), Some(day(100)));
        assert_eq!(retention.keep_until(&leaf("plaatsing", medical[0])), None);
    }

    /// A journal of small segments with `count` records, each with a user sealed in it, and a publisher.
    async fn recorded(folder: &Path, count: u64) -> (Arc<Journal>, PublisherThread) {
        let options =
            Options { segment_size: 1 << 20, ..Options::new(folder, b"a master secret of tests".as_slice()) };
        let journal = Arc::new(Journal::open(options).unwrap());
        let client = journal.pseudonym(&"999990019".parse().unwrap());
        for number in 0..count {
            let mut leaf =
                leaf(if number < count / 2 { "voortgang" } else { "plaatsing" }, DataClass::FunctioneelUren);
            leaf.exchange = ExchangeId::new(SENT, [number as u8; 10]);
            let mut sealed = SealedPart::default();
            sealed.user = Some("u".repeat(60 << 10)); // so that a few records fill a segment
            let commit = Commit { client: Some(client), sealed, ..Commit::of(leaf) };
            let _ = journal.commit(commit).await.unwrap();
        }
        // A key of tests: the seed of PKCS #8 v1 is 32 bytes of 7.
        let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        pkcs8.extend([7; 32]);
        let key = LogKey::new("log.test/retention".parse().unwrap(), &pkcs8).unwrap();
        let publisher = Publisher::open(Arc::clone(&journal), key, &[]).unwrap();
        let publisher = PublisherThread::start(publisher, Duration::from_millis(50)).unwrap();
        publisher.publish_now();
        (journal, publisher)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_daily_round_forgets_what_is_over_on_that_day_and_the_log_still_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, publisher) = recorded(folder.path(), 80).await;
        let forgotten = |journal: &Journal| {
            (0..80).filter(|index| journal.open_record(*index).unwrap().sealed.is_none()).count()
        };
        let today = Arc::new(AtomicI64::new(0));
        let clock: Clock = {
            let today = Arc::clone(&today);
            Arc::new(move || day(today.load(Ordering::Relaxed)))
        };
        let terms = vec![rule(Some("voortgang"), &[], 10), rule(None, &[], 30)];
        let retention = Retention { duties: vec![rule(Some("plaatsing"), &[], 40)], terms };
        let every = Duration::from_millis(20);
        let published = publisher.published();
        let rounds = tokio::spawn(retention.compact_always(Arc::clone(&journal), published, every, clock));
        // The newest segment is never touched: what stands there goes when it is full.
        let after_days = async |days: i64, wanted: std::ops::RangeInclusive<usize>| {
            today.store(days, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(300)).await;
            let begun = std::time::Instant::now();
            while !wanted.contains(&forgotten(&journal)) {
                assert!(begun.elapsed() < Duration::from_secs(30), "day {days}: {}", forgotten(&journal));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        after_days(9, 0..=0).await;
        after_days(10, 40..=40).await;
        after_days(39, 40..=40).await;
        after_days(40, 60..=79).await;
        rounds.abort();
        drop(publisher);
        let pkcs8 =
            [b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".as_slice(), &[7; 32]]
                .concat();
        let key = LogKey::new("log.test/retention".parse().unwrap(), &pkcs8).unwrap();
        drop(journal);
        assert!(check(folder.path(), &Trust::in_log(key.verifier())).is_ok(), "every record is still there");
    }

    #[test]
    fn without_a_term_everything_is_kept() {
        assert!(Retention::default().keeps(&leaf("voortgang", DataClass::FunctioneelUren), day(100_000)));
    }
}
