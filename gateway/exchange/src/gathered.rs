//! A connection that works once for all who wake it, and then writes once: HTTP/2 wakes its connection for every frame that a
//! call sends, and asks to flush after every DATA frame. Taken at its word, each call costs turns of the connection, a TLS
//! record and a system call of its own.
//!
//! Owns: when a connection's turn comes – after the calls that can go on have gone on, which is when tokio wakes who
//! yielded –, and keeping what is written until the turn is over, so that all of it goes in one piece. Bounded: what is over
//! waits for the socket, as it would without this. What comes from the socket is worked for at once. Knows nothing of HTTP/2.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::yield_now;

/// So many bytes are read from a socket at once: TLS libraries ask for a few thousand at a time.
pub(crate) const READ_AT_ONCE: usize = 32 << 10;
/// So many bytes wait for the end of the turn; more go at once.
const MOST: usize = 64 << 10;

/// A stream whose writes are gathered until its [`Driver`] lets them go.
pub struct Gathered<S>(Arc<Mutex<Inner<S>>>);

/// Who moves a [`Gathered`] stream: there is no writing without it.
pub struct Driver<S>(Arc<Mutex<Inner<S>>>);

struct Inner<S> {
    stream: S,
    waiting: Vec<u8>,
    /// How much of `waiting` is written.
    written: usize,
    /// The stream has bytes that it has not flushed.
    unflushed: bool,
    /// What the stream wakes: the task itself, not [`Called`].
    task: Waker,
    /// Why nothing more can be written; who reads or writes next is told.
    failed: Option<io::ErrorKind>,
}

/// Gathers what is written to a stream.
pub fn gathered<S>(stream: S) -> (Gathered<S>, Driver<S>) {
    let (waiting, task) = (Vec::new(), Waker::noop().clone());
    let inner = Inner { stream, waiting, written: 0, unflushed: false, task, failed: None };
    let inner = Arc::new(Mutex::new(inner));
    (Gathered(Arc::clone(&inner)), Driver(inner))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> Inner<S> {
    fn still_good(&self) -> io::Result<()> {
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl<S: AsyncWrite + Unpin> Inner<S> {
    /// Writes and flushes everything that waits.
    fn poll_drain(&mut self) -> Poll<io::Result<()>> {
        let cx = &mut Context::from_waker(&self.task);
        while let Some(rest) = self.waiting.get(self.written..).filter(|rest| !rest.is_empty()) {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            self.unflushed = true;
        }
        self.waiting.clear();
        self.written = 0;
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_room(&mut self) -> Poll<io::Result<()>> {
        self.still_good()?;
        if self.waiting.len() < MOST { Poll::Ready(Ok(())) } else { self.poll_drain() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *lock(&self.0);
        inner.still_good()?;
        Pin::new(&mut inner.stream).poll_read(&mut Context::from_waker(&inner.task), buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = lock(&self.0);
        ready!(inner.poll_room())?;
        inner.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = lock(&self.0);
        ready!(inner.poll_room())?;
        slices.iter().for_each(|slice| inner.waiting.extend_from_slice(slice));
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Promises to flush at the end of the turn.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(lock(&self.0).still_good())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *lock(&self.0);
        ready!(inner.poll_drain())?;
        Pin::new(&mut inner.stream).poll_shutdown(&mut Context::from_waker(&inner.task))
    }
}

impl<S: AsyncWrite + Unpin> Driver<S> {
    /// Whatever works on the stream, in turns that end with writing. For a task of its own.
    pub fn drive<F: Future>(self, work: F) -> Driven<F, S> {
        Driven { work: Box::pin(work), inner: self.0, called: None, yielded: false }
    }
}

/// A connection at work.
pub struct Driven<F, S> {
    work: Pin<Box<F>>,
    inner: Arc<Mutex<Inner<S>>>,
    called: Option<(Arc<Called>, Waker)>,
    /// Let the others go first; the next turn is for work.
    yielded: bool,
}

/// What the work wakes: the task, once, however many call.
struct Called {
    called: AtomicBool,
    task: Waker,
}

impl Wake for Called {
    fn wake(self: Arc<Called>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Called>) {
        if !self.called.swap(true, Ordering::AcqRel) {
            self.task.wake_by_ref();
        }
    }
}

impl<F: Future, S: AsyncWrite + Unpin> Future for Driven<F, S> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let driven = &mut *self;
        let known = driven.called.take().filter(|(called, _)| called.task.will_wake(cx.waker()));
        let (called, waker) = driven.called.insert(known.unwrap_or_else(|| {
            lock(&driven.inner).task.clone_from(cx.waker());
            let called = Arc::new(Called { called: AtomicBool::new(false), task: cx.waker().clone() });
            (Arc::clone(&called), Waker::from(called))
        }));
        if called.called.load(Ordering::Acquire) && !driven.yielded {
            driven.yielded = true;
            // Who has yielded is woken when the others have gone on, and the sockets were looked at.
            let _ = pin!(yield_now()).poll(cx);
            return Poll::Pending;
        }
        driven.yielded = false;
        called.called.swap(false, Ordering::AcqRel);
        let worked = driven.work.as_mut().poll(&mut Context::from_waker(waker));
        if worked.is_pending() {
            let mut inner = lock(&driven.inner);
            // A socket that takes not all of it wakes the task.
            if let Poll::Ready(Err(error)) = inner.poll_drain() {
                inner.failed = Some(error.kind());
                cx.waker().wake_by_ref();
            }
        }
        worked
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A stream that counts how often it is written to.
    struct Counting(tokio::io::DuplexStream, Arc<Mutex<Vec<usize>>>);

    impl AsyncRead for Counting {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Counting {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let written = ready!(Pin::new(&mut self.0).poll_write(cx, bytes))?;
            self.1.lock().unwrap().push(written);
            Poll::Ready(Ok(written))
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    #[tokio::test]
    async fn what_is_flushed_piece_by_piece_in_one_turn_is_written_once() {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let writes = Arc::<Mutex<Vec<usize>>>::default();
        let (mut gathered, driver) = gathered(Counting(near, Arc::clone(&writes)));
        for _ in 0..20 {
            gathered.write_all(&[7; 100]).await.unwrap();
            gathered.flush().await.unwrap();
        }
        assert!(writes.lock().unwrap().is_empty(), "nothing before the end of the turn");
        let reading = tokio::spawn(driver.drive(async move { gathered.read(&mut [0; 10]).await }));
        let mut all = vec![0; 2000];
        far.read_exact(&mut all).await.unwrap();
        assert_eq!(*writes.lock().unwrap(), [2000]);
        far.write_all(b"x").await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_stream_that_takes_little_at_a_time_gets_everything_in_order() {
        let (near, mut far) = tokio::io::duplex(1000);
        let (mut gathered, driver) = gathered(near);
        let sent: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let expected = sent.clone();
        let writing = tokio::spawn(driver.drive(async move {
            for piece in sent.chunks(777) {
                gathered.write_all(piece).await.unwrap();
                gathered.flush().await.unwrap();
            }
            gathered.shutdown().await.unwrap();
        }));
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        writing.await.unwrap();
        assert!(all == expected);
    }

    #[tokio::test]
    async fn a_connection_works_once_for_all_who_call_it_before_its_turn() {
        let (near, _far) = tokio::io::duplex(1000);
        let (_gathered, driver) = gathered(near);
        let (turns, waker) = (Arc::<Mutex<u32>>::default(), Arc::<Mutex<Option<Waker>>>::default());
        let (counting, told) = (Arc::clone(&turns), Arc::clone(&waker));
        let work = poll_fn(move |cx| {
            *counting.lock().unwrap() += 1;
            *told.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        });
        tokio::spawn(driver.drive(work));
        tokio::task::yield_now().await;
        let call = waker.lock().unwrap().clone().unwrap();
        let calls: Vec<_> = (0..20)
            .map(|_| {
                tokio::spawn({
                    let call = call.clone();
                    async move { call.wake() }
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        assert!(*turns.lock().unwrap() <= 2, "the first turn, and at most one");
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(*turns.lock().unwrap(), 2);
    }

    /// A stream that stays silent and takes nothing.
    struct Broken;

    impl AsyncRead for Broken {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Broken {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn who_can_no_longer_write_is_told_although_it_only_reads() {
        let (mut gathered, driver) = gathered(Broken);
        let work = driver.drive(async move {
            gathered.write_all(b"to nobody").await.unwrap();
            gathered.read(&mut [0; 10]).await
        });
        assert_eq!(work.await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
