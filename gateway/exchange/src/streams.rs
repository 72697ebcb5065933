//! HTTP/2 connections and streams as both legs use them, towards callers and towards sources.
//!
//! Owns: sending within the other side's window, and finding out that a peer is silent. Knows no gRPC.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

/// Sends bytes as the other side has room for them.
pub(crate) async fn send(stream: &mut h2::SendStream<Bytes>, mut data: Bytes) -> Result<(), h2::Error> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let room = poll_fn(|cx| stream.poll_capacity(cx)).await;
        let room = room.ok_or(h2::Error::from(h2::Reason::CANCEL))??;
        stream.send_data(data.split_to(room.min(data.len())), false)?;
    }
    Ok(())
}

/// Resolves when the other side does not answer any more.
pub(crate) async fn stays_silent(pings: Option<h2::PingPong>, every: Duration, within: Duration) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        tokio::time::sleep(every).await;
        match timeout(within, pings.ping(h2::Ping::opaque())).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return std::future::pending().await, // the connection ends by itself
            Err(_) => return,
        }
    }
}
