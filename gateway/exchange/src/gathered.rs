//! A connection that writes once a turn: HTTP/2 asks to flush after every DATA frame, and each flush is a TLS record and a
//! system call.
//!
//! Owns: keeping what is written until the next turn of the task that drives the connection, so that everything that
//! became ready meanwhile goes in one piece. Bounded: what is over waits for the socket, as it would without this.
//! Knows nothing of HTTP/2 but that a turn of it begins by reading.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So many bytes are read from a socket at once: TLS libraries ask for a few thousand at a time.
pub(crate) const READ_AT_ONCE: usize = 32 << 10;
/// So many bytes wait for the next turn; more go at once.
const MOST: usize = 64 << 10;

/// A stream whose writes are gathered.
pub struct Gathered<S> {
    stream: S,
    waiting: Vec<u8>,
    /// How much of `waiting` is written.
    written: usize,
    /// The stream has bytes that it has not flushed.
    unflushed: bool,
    /// The stream took no more, or did not finish flushing: it will wake the task.
    blocked: bool,
}

impl<S: AsyncWrite + Unpin> Gathered<S> {
    /// Gathers what is written to this stream.
    pub fn new(stream: S) -> Gathered<S> {
        Gathered { stream, waiting: Vec::new(), written: 0, unflushed: false, blocked: false }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.unflushed
    }

    /// Writes and flushes everything that waits.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.blocked = true; // unless it comes to its end
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
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        (self.unflushed, self.blocked) = (false, false);
        Poll::Ready(Ok(()))
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waiting.len() < MOST { Poll::Ready(Ok(())) } else { self.poll_drain(cx) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A new turn: what an earlier one left goes out. If the stream takes not all of it, it wakes the task.
        if !self.is_empty()
            && let Poll::Ready(Err(error)) = self.poll_drain(cx)
        {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(cx))?;
        self.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(cx))?;
        slices.iter().for_each(|slice| self.waiting.extend_from_slice(slice));
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Promises to flush in the next turn, and asks for it. Only a stream that takes no more makes anyone wait.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.blocked {
            return self.poll_drain(cx);
        }
        if !self.is_empty() {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

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
        let mut gathered = Gathered::new(Counting(near, Arc::clone(&writes)));
        for _ in 0..20 {
            gathered.write_all(&[7; 100]).await.unwrap();
            gathered.flush().await.unwrap();
        }
        assert!(writes.lock().unwrap().is_empty(), "nothing before the next turn");
        let reading = tokio::spawn(async move { gathered.read(&mut [0; 10]).await });
        let mut all = vec![0; 2000];
        far.read_exact(&mut all).await.unwrap();
        assert_eq!(*writes.lock().unwrap(), [2000]);
        far.write_all(b"x").await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_stream_that_takes_little_at_a_time_gets_everything_in_order() {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut gathered = Gathered::new(near);
        let sent: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let expected = sent.clone();
        let writing = tokio::spawn(async move {
            for piece in sent.chunks(777) {
                gathered.write_all(piece).await.unwrap();
                gathered.flush().await.unwrap();
            }
            gathered.shutdown().await.unwrap();
        });
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        writing.await.unwrap();
        assert!(all == expected);
    }
}
