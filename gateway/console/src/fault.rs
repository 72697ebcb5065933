//! Why there is no page: refused, not found, not understood. `enter` makes a page of it in the visitor's language.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use journal::ReadError;
use model::{Reason, Refusal};

/// Why there is no page.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// There is no such page or thing.
    NotFound,
    /// More was typed than a form may hold.
    TooLarge,
    /// Oversight said no; the no stands in the log.
    Refused(Refusal),
    /// The console itself cannot go on.
    Broken,
}

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Fault::NotFound => StatusCode::NOT_FOUND,
            Fault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::Refused(refusal) => match refusal.reason.fault() {
                model::Fault::Gateway => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::FORBIDDEN,
            },
            Fault::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why there is no page, of an answer that the server made without one: an address that cannot be read, or is none to look at.
pub(crate) fn of_answer(response: &Response) -> Option<Fault> {
    let told = response.extensions().get::<Fault>().cloned();
    let status = response.status();
    let bare =
        matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    told.or_else(|| bare.then_some(Fault::NotFound))
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        if refusal.reason == Reason::NotFound { Fault::NotFound } else { Fault::Refused(refusal) }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Fault {
        match error {
            ReadError::NotFound => Fault::NotFound,
            error => {
                tracing::error!(%error, "the journal cannot be read");
                Fault::Refused(Reason::LogUnavailable.into())
            }
        }
    }
}

impl From<askama::Error> for Fault {
    fn from(error: askama::Error) -> Fault {
        tracing::error!(%error, "a page could not be made");
        Fault::Broken
    }
}
