//! Whose turn it is to be worked for: by organisation.
//!
//! Owns: sharing the processors. A connection is a future and each of its calls is; when one can go on it stands in its
//! organisation's line, and only the first few of a line are handed to the runtime, whose own queue is first come, first
//! served. So who has one call waits for a few of who has a thousand. Nobody is refused, who waits for something else than
//! a processor holds nothing, and who is alone gets everything.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use foldhash::fast::RandomState;
use model::Oin;

type Lines = HashMap<Oin, Arc<Mutex<Line>>, RandomState>;

/// A line for every organisation; as many as the registry has.
#[derive(Clone)]
pub(crate) struct Turns {
    at_once: usize,
    lines: Arc<Mutex<Lines>>,
}

/// The connections and calls of one organisation that are not waiting for something else.
struct Line {
    /// So many are handed to the runtime at once.
    at_once: usize,
    handed: usize,
    /// Who can go on, first come first served. Who left stays in it until it is passed over.
    ready: VecDeque<Arc<Place>>,
}

/// A call's place in line; what its future wakes.
struct Place {
    line: Arc<Mutex<Line>>,
    /// Locked for a moment, after the line or without it.
    call: Mutex<Call>,
}

struct Call {
    phase: Phase,
    /// Wakes the runtime's task.
    task: Waker,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Waits for something else.
    Waiting,
    /// Stands in line.
    Ready,
    /// Handed to the runtime.
    Handed,
    /// Being worked for; `true`: it can go on again already.
    Working(bool),
    /// Done, or given up.
    Left,
}

impl Turns {
    pub(super) fn new(at_once: usize) -> Turns {
        Turns { at_once: at_once.max(1), lines: Arc::default() }
    }

    fn line(&self, oin: Oin) -> Arc<Mutex<Line>> {
        let mut lines = lock(&self.lines);
        let empty = || Line { at_once: self.at_once, handed: 0, ready: VecDeque::new() };
        Arc::clone(lines.entry(oin).or_insert_with(|| Arc::new(Mutex::new(empty()))))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes are given after the line is let go: a task that is woken may want it.
fn hand_on(mut line: MutexGuard<'_, Line>) {
    let first = line.hand_out();
    let others: Vec<Waker> = std::iter::from_fn(|| line.hand_out()).collect();
    drop(line);
    first.into_iter().chain(others).for_each(Waker::wake);
}

impl Line {
    /// Hands the first of the line to the runtime, if there is room for it.
    fn hand_out(&mut self) -> Option<Waker> {
        while self.handed < self.at_once {
            let first = self.ready.pop_front()?;
            let mut call = lock(&first.call);
            if call.phase == Phase::Ready {
                call.phase = Phase::Handed;
                self.handed += 1;
                return Some(call.task.clone());
            }
        }
        None
    }

    fn can_go_on(&mut self, place: &Arc<Place>) {
        let mut call = lock(&place.call);
        match call.phase {
            Phase::Waiting => {
                call.phase = Phase::Ready;
                self.ready.push_back(Arc::clone(place));
            }
            Phase::Working(_) => call.phase = Phase::Working(true),
            Phase::Ready | Phase::Handed | Phase::Left => {}
        }
    }

    /// A call was worked for: its place among those handed out is free.
    fn worked(&mut self, place: &Arc<Place>) {
        self.handed -= 1;
        let was = std::mem::replace(&mut lock(&place.call).phase, Phase::Waiting);
        if was == Phase::Working(true) {
            self.can_go_on(place);
        }
    }
}

impl Wake for Place {
    fn wake(self: Arc<Place>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Place>) {
        let mut line = lock(&self.line);
        line.can_go_on(self);
        hand_on(line);
    }
}

/// A future that goes on only in its organisation's turns.
pub(crate) struct InTurn<F> {
    future: Pin<Box<F>>,
    place: Option<Arc<Place>>,
    line: Arc<Mutex<Line>>,
}

impl<F: Future> InTurn<F> {
    pub(crate) fn new(future: F, turns: &Turns, oin: Oin) -> InTurn<F> {
        InTurn { future: Box::pin(future), place: None, line: turns.line(oin) }
    }

    /// Its place in line: at first at the end of it, or at work where nobody stands before it.
    fn place(&mut self, task: &Waker) -> Arc<Place> {
        if let Some(place) = &self.place {
            return Arc::clone(place);
        }
        let call = Call { phase: Phase::Waiting, task: task.clone() };
        let place = Arc::new(Place { line: Arc::clone(&self.line), call: Mutex::new(call) });
        self.place = Some(Arc::clone(&place));
        let mut line = lock(&self.line);
        if line.ready.is_empty() && line.handed < line.at_once {
            line.handed += 1;
            lock(&place.call).phase = Phase::Handed;
        } else {
            line.can_go_on(&place);
            hand_on(line);
        }
        place
    }
}

/// Ends the work of a turn, also when the future panics.
struct Turn<'p>(&'p Arc<Place>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut line = lock(&self.0.line);
        line.worked(self.0);
        hand_on(line);
    }
}

impl<F: Future> Future for InTurn<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let place = self.place(cx.waker());
        {
            let mut call = lock(&place.call);
            call.task.clone_from(cx.waker());
            if call.phase != Phase::Handed {
                return Poll::Pending;
            }
            call.phase = Phase::Working(false);
        }
        let _turn = Turn(&place);
        let waker = Waker::from(Arc::clone(&place));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

impl<F> Drop for InTurn<F> {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        let mut line = lock(&place.line);
        let was = std::mem::replace(&mut lock(&place.call).phase, Phase::Left);
        if was == Phase::Handed {
            line.handed -= 1;
            hand_on(line);
        }
    }
}

/// Starts work that goes on beside a call, in the turns of its organisation; without turns, at once.
pub(crate) fn spawn_in_turn(turn: Option<(Turns, Oin)>, work: impl Future<Output = ()> + Send + 'static) {
    match turn {
        Some((turns, oin)) => tokio::spawn(InTurn::new(work, &turns, oin)),
        None => tokio::spawn(work),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn oin(number: u32) -> Oin {
        format!("0000009900000000{number}000").parse().unwrap()
    }

    /// Goes on in the next turn. (tokio's `yield_now` waits for some rounds of the runtime.)
    async fn next_turn() {
        let mut waited = false;
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// So many steps, each one a turn.
    async fn steps(count: usize, told: Arc<Mutex<Vec<u32>>>, who: u32) {
        for _ in 0..count {
            told.lock().unwrap().push(who);
            next_turn().await;
        }
    }

    #[tokio::test]
    async fn who_has_one_call_waits_for_a_few_turns_of_who_has_many() {
        let (turns, told) = (Turns::new(1), Arc::new(Mutex::new(Vec::new())));
        let crowd: Vec<_> = (0..200)
            .map(|_| tokio::spawn(InTurn::new(steps(20, Arc::clone(&told), 1), &turns, oin(1))))
            .collect();
        tokio::task::yield_now().await;
        let alone = tokio::spawn(InTurn::new(steps(20, Arc::clone(&told), 2), &turns, oin(2)));
        alone.await.unwrap();
        let told_so_far = told.lock().unwrap().clone();
        let first = told_so_far.iter().position(|who| *who == 2).unwrap();
        let beside = told_so_far[first..].iter().filter(|who| **who == 1).count();
        assert!(beside < 20 * 4, "{beside} turns of others between 20 of its own");
        for call in crowd {
            call.await.unwrap();
        }
        assert_eq!(told.lock().unwrap().len(), 200 * 20 + 20, "everyone was worked for");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_turn_is_lost_by_calls_that_are_given_up_or_panic() {
        let turns = Turns::new(2);
        let ended = Arc::new(AtomicUsize::new(0));
        let calls: Vec<_> = (0..300_u32)
            .map(|number| {
                let ended = Arc::clone(&ended);
                let work = async move {
                    for _ in 0..50 {
                        next_turn().await;
                    }
                    assert!(number % 7 != 0, "a call that panics");
                    ended.fetch_add(1, Ordering::SeqCst);
                };
                tokio::spawn(InTurn::new(work, &turns, oin(number % 5)))
            })
            .collect();
        for (number, call) in calls.iter().enumerate() {
            if number % 3 == 0 {
                call.abort();
            }
        }
        for call in calls {
            let _ = call.await; // given up, panicked, or done
        }
        for line in lock(&turns.lines).values() {
            let line = lock(line);
            assert_eq!((line.handed, line.ready.len()), (0, 0));
        }
        assert!(ended.load(Ordering::SeqCst) >= 100);
    }
}
