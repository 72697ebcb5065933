//! What happens while a page is open: how many records there are, as server-sent events.
//!
//! Tells a number and nothing else, at most once a second; a page asks for what it shows itself.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio_stream::{Stream, StreamExt as _, wrappers::WatchStream};

use crate::pages::App;

/// The stream. It ends with the connection.
pub(crate) async fn stream(State(console): App) -> Response {
    Sse::new(sizes(&console)).keep_alive(KeepAlive::default()).into_response()
}

fn sizes(console: &crate::Console) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let sizes = WatchStream::new(console.oversight().journal().sizes());
    sizes
        .throttle(Duration::from_secs(1))
        .map(|size| Ok(Event::default().event("records").data(size.to_string())))
}
