//! gRPC's framing: one byte that says whether a message is compressed, four for its length, the message
//! (`PROTOCOL-HTTP2.md` of gRPC).
//!
//! Owns: finding messages in chunks of bytes, with a limit that is checked before anything is kept, and putting the
//! frame around one. A message that lies whole in one chunk is not copied. Compression (gzip) is agreed on for each leg;
//! the limit holds for what comes out of it.

use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use http_body::Body as _;
use tonic::body::Body;

const HEAD: usize = 5;

/// Why no message could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is over the limit.
    TooLarge,
    /// It is compressed, and the sender was not told that it may be.
    Compressed,
    /// It is no frame, or it ends halfway.
    Malformed,
    /// The stream was reset, or its connection is gone.
    Gone,
}

/// Where chunks come from.
pub(crate) trait Chunks {
    /// The next chunk, nothing when there is no more.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Unread>>>;
}

impl Chunks for Body {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Unread>>> {
        loop {
            match ready!(Pin::new(&mut *self).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => return Poll::Ready(Some(Ok(data))),
                    Err(_) => continue, // trailers of a request: gRPC has none
                },
                Some(Err(_)) => return Poll::Ready(Some(Err(Unread::Gone))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Chunks for h2::RecvStream {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Unread>>> {
        let chunk = ready!(self.poll_data(cx));
        Poll::Ready(chunk.map(|chunk| {
            let chunk = chunk.map_err(|_| Unread::Gone)?;
            self.flow_control().release_capacity(chunk.len()).map_err(|_| Unread::Gone)?;
            Ok(chunk)
        }))
    }
}

/// The messages of one direction of a call.
pub(crate) struct Messages<C> {
    chunks: C,
    /// The last chunk, as far as it is not read.
    chunk: Bytes,
    /// The begin of a message that continues in the next chunk.
    begun: BytesMut,
    limit: usize,
    /// Whether messages may be compressed.
    inflates: bool,
}

impl<C: Chunks> Messages<C> {
    pub(crate) fn new(chunks: C, limit: usize) -> Messages<C> {
        Messages { chunks, chunk: Bytes::new(), begun: BytesMut::new(), limit, inflates: false }
    }

    /// The same, with messages that may be compressed.
    pub(crate) fn inflating(self, inflates: bool) -> Messages<C> {
        Messages { inflates, ..self }
    }

    /// The next message, nothing after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Unread> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(Some(message));
            }
            match poll_fn(|cx| self.chunks.poll_chunk(cx)).await {
                Some(chunk) => self.take(chunk?),
                None if self.begun.is_empty() && self.chunk.is_empty() => return Ok(None),
                None => return Err(Unread::Malformed),
            }
        }
    }

    /// What the chunks came from.
    pub(crate) fn chunks(&mut self) -> &mut C {
        &mut self.chunks
    }

    fn take(&mut self, chunk: Bytes) {
        if self.begun.is_empty() && self.chunk.is_empty() {
            self.chunk = chunk;
            return;
        }
        if self.begun.is_empty() {
            let length = length(&self.chunk).map_or(0, |(_, length)| length);
            self.begun.reserve(HEAD + length.min(self.limit));
            self.begun.put(std::mem::take(&mut self.chunk));
        }
        self.begun.put(chunk);
    }

    /// The next message, if all of it is here.
    fn whole(&mut self) -> Result<Option<Bytes>, Unread> {
        let here: &[u8] = if self.begun.is_empty() { &self.chunk } else { &self.begun };
        let Some((compressed, length)) = length(here) else { return Ok(None) };
        match compressed {
            1 if !self.inflates => return Err(Unread::Compressed),
            0 | 1 if length > self.limit => return Err(Unread::TooLarge),
            0 | 1 => {}
            _ => return Err(Unread::Malformed),
        }
        if here.len() < HEAD + length {
            return Ok(None);
        }
        let message = if self.begun.is_empty() {
            self.chunk.advance(HEAD);
            self.chunk.split_to(length)
        } else {
            self.begun.advance(HEAD);
            self.begun.split_to(length).freeze()
        };
        if compressed == 0 { Ok(Some(message)) } else { inflate(&message, self.limit).map(Some) }
    }
}

/// What comes out of a compressed message; no more of it than the limit is ever made.
fn inflate(message: &[u8], limit: usize) -> Result<Bytes, Unread> {
    let mut whole = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(message).take(most).read_to_end(&mut whole);
    match read {
        Ok(length) if length > limit => Err(Unread::TooLarge),
        Ok(_) => Ok(whole.into()),
        Err(_) => Err(Unread::Malformed),
    }
}

/// The head of a frame: the first byte, and how long the message is.
fn length(bytes: &[u8]) -> Option<(u8, usize)> {
    let (flag, rest) = bytes.split_first()?;
    let length = rest.first_chunk().map(|length| u32::from_be_bytes(*length))?;
    Some((*flag, usize::try_from(length).unwrap_or(usize::MAX - HEAD)))
}

/// A message in its frame.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEAD + message.len());
    frame.put_u8(0);
    // The limit on messages is far below 4 GB.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// A message in its frame, compressed.
pub(crate) fn framed_small(message: &[u8]) -> Bytes {
    let mut deflating = GzEncoder::new(Vec::with_capacity(message.len() / 2), Compression::fast());
    // A vector takes all it is given.
    let deflated = deflating.write_all(message).and_then(|()| deflating.finish());
    let Ok(deflated) = deflated else { return framed(message) };
    let mut frame = BytesMut::from(framed(&deflated).as_ref());
    if let Some(flag) = frame.first_mut() {
        *flag = 1;
    }
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pieces(Vec<Bytes>);

    impl Chunks for Pieces {
        fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Unread>>> {
            Poll::Ready(if self.0.is_empty() { None } else { Some(Ok(self.0.remove(0))) })
        }
    }

    fn cut(bytes: &[u8], size: usize) -> Messages<Pieces> {
        Messages::new(Pieces(bytes.chunks(size).map(Bytes::copy_from_slice).collect()), 1000)
    }

    #[tokio::test]
    async fn messages_come_out_as_they_went_in_however_they_are_cut() {
        let sent: [&[u8]; 5] = [b"", b"a", &[7; 300], b"", &[8; 1000]];
        let bytes: Vec<u8> = sent.iter().flat_map(|message| framed(message)).collect();
        for size in 1..=bytes.len() {
            let mut messages = cut(&bytes, size);
            for message in sent {
                assert_eq!(messages.next().await.unwrap().as_deref(), Some(message), "cut in {size}");
            }
            assert_eq!(messages.next().await, Ok(None));
        }
    }

    #[tokio::test]
    async fn a_message_over_the_limit_is_refused_by_its_head() {
        let head = [0, 0, 0, 3, 0xe9];
        assert_eq!(cut(&head, 5).next().await, Err(Unread::TooLarge));
        let head = [0, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(cut(&head, 2).next().await, Err(Unread::TooLarge));
    }

    #[tokio::test]
    async fn what_was_compressed_comes_out_whole_and_never_more_of_it_than_the_limit() {
        let read = |frame: Bytes| async move { cut(&frame, 7).inflating(true).next().await };
        assert_eq!(read(framed_small(&[7; 1000])).await.unwrap().unwrap(), vec![7; 1000]);
        assert_eq!(read(framed_small(&[7; 1001])).await, Err(Unread::TooLarge));
        assert_eq!(read(framed_small(&vec![0; 50 << 20])).await, Err(Unread::TooLarge));
        assert_eq!(read(Bytes::from_static(&[1, 0, 0, 0, 3, 1, 2, 3])).await, Err(Unread::Malformed));
        assert_eq!(cut(&framed_small(b"abc"), 7).next().await, Err(Unread::Compressed));
    }

    #[tokio::test]
    async fn what_ends_halfway_or_is_no_frame_is_malformed() {
        assert_eq!(cut(&framed(b"abc")[..6], 4).next().await, Err(Unread::Malformed));
        assert_eq!(cut(&[0, 0], 4).next().await, Err(Unread::Malformed));
        assert_eq!(cut(&[9, 0, 0, 0, 0], 5).next().await, Err(Unread::Malformed));
        assert_eq!(cut(&[1, 0, 0, 0, 0], 5).next().await, Err(Unread::Compressed));
    }
}
