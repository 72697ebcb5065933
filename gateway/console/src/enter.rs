//! What every request passes first: who is it, does the session stand, is the form theirs.
//!
//! Owns: the order of these questions, cookies, and that nothing typed is lost when a session has ended: the form comes
//! back as it was, to be sent again. Next: the page. Its answer comes back through here for its headers.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use identity::Operator;

use crate::Console;
use crate::fault::{self, Fault};
use crate::form::{Form, TOKEN};
use crate::links::{Links, PREFIX};
use crate::session::{Presented, Session};
use crate::shell::{again_page, closed_page, fault_page};
use crate::visitor::Visitor;
use crate::words::Language;
use crate::{assets, guard};

/// How a connection came in.
#[derive(Clone)]
pub(crate) enum Door {
    /// Mutual TLS, with these certificates.
    Certificate(Presented),
    /// The loopback interface of this machine, by a one-time link.
    Loopback(Arc<Links>),
}

impl Door {
    fn is_secure(&self) -> bool {
        matches!(self, Door::Certificate(_))
    }

    /// `__Host-` cookies need TLS.
    fn cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-veldwacht" } else { "veldwacht" }
    }
}

/// The most that a form may hold, in bytes: a draft of all rules, with room.
const MOST_BYTES: usize = 4 << 20;

/// Lets a request in, or answers it.
pub(crate) async fn enter(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let Some(door) = request.extensions().get::<Door>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = if let Some(asset) = assets::answer(request.uri().path(), request.headers()) {
        asset
    } else {
        admitted(&console, &door, request, next).await
    };
    guard::set(&mut response, door.is_secure());
    response
}

async fn admitted(console: &Console, door: &Door, request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    if let Door::Loopback(links) = door {
        if !is_local(request.headers()) {
            return closed_page(language, StatusCode::FORBIDDEN);
        }
        if let Some(presented) = links.take(request.uri().path()) {
            return by_link(console, door, presented, language);
        }
        if request.uri().path().starts_with(PREFIX) {
            return closed_page(language, StatusCode::FORBIDDEN);
        }
    }
    let cookie = cookie(request.headers(), door.cookie()).map(str::to_owned);
    let now = console.oversight().now();
    let session = cookie.as_deref().and_then(|name| console.sessions.find(name, now));
    let presented = match door {
        Door::Certificate(presented) => Some(Arc::clone(presented)),
        Door::Loopback(_) => session.as_ref().and_then(|session| session.presented.clone()),
    };
    let operator = presented.and_then(|presented| operator(console, &presented));
    let Some(operator) = operator else {
        return closed_page(language, StatusCode::FORBIDDEN);
    };
    let session = session.filter(|session| session.operator == *operator.name());
    let (session, new) = match session {
        Some(session) => (session, None),
        None => match console.sessions.begin(operator.name().clone(), None, now) {
            Some((name, session)) => (session, Some(name)),
            None => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    };
    let gateway = console.setup.producer.oin;
    let here = here(&request);
    let visitor = Arc::new(Visitor { operator, token: session.token.clone(), gateway, language, here });
    let mut response = with_form(&session, Arc::clone(&visitor), request, next).await;
    if let Some(fault) = fault::of_answer(&response) {
        response = fault_page(&visitor, &fault, response.status());
    }
    if let Some(name) = new {
        set_cookie(&mut response, door, &name);
    }
    response
}

/// Reads a form, and asks whether it is of this session.
async fn with_form(session: &Session, visitor: Arc<Visitor>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let bytes = if reads { Ok(Bytes::new()) } else { to_bytes(body, MOST_BYTES).await };
    let Ok(bytes) = bytes else {
        return Fault::TooLarge.into_response();
    };
    if !reads {
        let form = Form::read(&bytes);
        if !is_same_origin(&parts.headers) {
            return StatusCode::FORBIDDEN.into_response();
        }
        if form.raw(TOKEN) != session.token {
            return again_page(&visitor, &form, parts.uri.path());
        }
        parts.extensions.insert(form);
    } else {
        parts.extensions.insert(Form::read(parts.uri.query().unwrap_or_default().as_bytes()));
    }
    parts.extensions.insert(visitor);
    next.run(Request::from_parts(parts, Body::empty())).await
}

fn by_link(console: &Console, door: &Door, presented: Presented, language: Language) -> Response {
    let Some(operator) = operator(console, &presented) else {
        return closed_page(language, StatusCode::FORBIDDEN);
    };
    let now = console.oversight().now();
    match console.sessions.begin(operator.name().clone(), Some(presented), now) {
        Some((name, _)) => {
            let mut response = Redirect::to("/").into_response();
            set_cookie(&mut response, door, &name);
            response
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn operator(console: &Console, presented: &Presented) -> Option<Operator> {
    let presented: Vec<&[u8]> = presented.iter().map(Vec::as_slice).collect();
    let operator = console.oversight().operator(&presented);
    operator.inspect_err(|refusal| tracing::info!(reason = %refusal.reason, "not let into the console")).ok()
}

fn set_cookie(response: &mut Response, door: &Door, name: &str) {
    let secure = if door.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{}={name}; Path=/; HttpOnly; SameSite=Strict{secure}", door.cookie());
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(known, value)| (known == name).then_some(value))
}

/// The page that the visitor looks at: of a form that was sent, the one that it stood on, for that can be shown again.
fn here(request: &Request) -> String {
    let referer =
        request.headers().get(header::REFERER).and_then(|from| from.to_str().ok()?.parse::<Uri>().ok());
    let from = referer.filter(|_| !matches!(*request.method(), Method::GET | Method::HEAD));
    let uri = from.as_ref().unwrap_or_else(|| request.uri());
    uri.path_and_query().map_or("/", |here| here.as_str()).to_owned()
}

/// Browsers say where a form comes from. One that says nothing is no browser of today.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST);
    match text(header::ORIGIN) {
        Some(origin) => origin.split_once("://").map(|(_, origin)| origin) == host && host.is_some(),
        None => text(header::HeaderName::from_static("sec-fetch-site")) == Some("same-origin"),
    }
}

/// Whether the address that was typed is this machine's: another name that leads here is someone else's trick.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority =
        host.and_then(|host| host.parse::<Uri>().ok()).and_then(|uri| uri.host().map(str::to_owned));
    authority.is_some_and(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]"))
}
