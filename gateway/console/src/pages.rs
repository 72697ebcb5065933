//! Which address is which page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::enter::{cookie, enter};
use crate::fault::Fault;
use crate::form::Form;
use crate::shell::{Answer, left_page};
use crate::visitor::Visitor;
use crate::words::{COOKIE, Language};
use crate::{Console, audit, held, inzage, live, overview, policies};

/// What handlers ask for.
pub(crate) type App = State<Arc<Console>>;
pub(crate) type Who = Extension<Arc<Visitor>>;
pub(crate) type Typed = Extension<Form>;

/// Every page, behind the check of who asks.
pub(crate) fn router(console: &Arc<Console>) -> Router {
    Router::new()
        .route("/", get(overview::page))
        .route("/live", get(live::stream))
        .route("/language", get(language))
        .route("/leave", post(leave))
        .route("/inzage", get(inzage::page).post(inzage::answer))
        .merge(held::router())
        .merge(policies::router())
        .merge(audit::router())
        .fallback(|| async { Fault::NotFound })
        .layer(middleware::from_fn_with_state(Arc::clone(console), enter))
        .with_state(Arc::clone(console))
}

/// Remembers a language, and goes back.
async fn language(Extension(query): Typed) -> Answer {
    let language = Language::parse(query.get("to")).ok_or(Fault::NotFound)?;
    let mut response = Redirect::to(own_path(query.get("back"))).into_response();
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Strict", language.code());
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Fault::NotFound)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// A path of this console; the overview for anything else.
fn own_path(path: &str) -> &str {
    let own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if own { path } else { "/" }
}

/// Ends the session.
async fn leave(State(console): App, Extension(visitor): Who, request: Request) -> Response {
    for name in ["__Host-veldwacht", "veldwacht"] {
        if let Some(session) = cookie(request.headers(), name) {
            console.sessions.end(session);
        }
    }
    left_page(visitor.language)
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn going_back_never_leads_to_another_site() {
        assert_eq!(own_path("/audit?kind=sent"), "/audit?kind=sent");
        for elsewhere in
            ["https://evil.example/", "//evil.example", "/\\evil.example", "audit", "", "/a\r\nSet-Cookie: x"]
        {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere}");
        }
    }
}
