//! The frame of every page: navigation by what the visitor may, language, who they are; and pages that stand for no page.
//!
//! Owns: where what stands in the navigation. A page that someone may not see is not offered; who asks for it all the
//! same is refused by `oversight`, on the record.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use oversight::Act;

use crate::fault::Fault;
use crate::form::Form;
use crate::visitor::Visitor;
use crate::words::{self, Language, Words};
use crate::{assets, show};

/// What a handler answers.
pub(crate) type Answer = Result<Response, Fault>;

/// One entry of a navigation.
pub(crate) struct Item {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) icon: &'static str,
    /// This page is it, or below it.
    pub(crate) current: bool,
    /// This page is it.
    pub(crate) exact: bool,
    pub(crate) count: u64,
}

/// The frame.
pub(crate) struct Shell {
    pub(crate) t: &'static Words,
    pub(crate) language: Language,
    pub(crate) other: Language,
    pub(crate) other_name: &'static str,
    pub(crate) base: String,
    pub(crate) title: String,
    pub(crate) who: String,
    pub(crate) roles: String,
    pub(crate) token: String,
    pub(crate) here: String,
    pub(crate) items: Vec<Item>,
    pub(crate) tabs: Vec<Item>,
}

/// The main parts: where, the right that it takes, and an icon (a path in a square of 20).
const PARTS: [(&str, Act, &str); 6] = [
    ("/", Act::LookAtPolicy, "M3 10.5 10 4l7 6.5M5 9v7.5h10V9"),
    ("/policies", Act::LookAtPolicy, "M4 4h12v12H4zM4 8h12M4 12h12M8 4v12M12 4v12"),
    ("/held", Act::ReleaseText, "M4 4h12v9H9l-4 3.500V13H4zM7 7.500h6M7 10h4"),
    ("/audit", Act::Search, "M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4zM13 13l4 4"),
    (
        "/inzage",
        Act::Inzage,
        "M10 4a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM4 16.5c.6-3 3-4.5 6-4.5s5.400 1.500 6 4.500",
    ),
    (HEALTH, Act::LookAtMachine, "M3 10.5h3.5l2-5 3 9 2-4H17"),
];

/// For who may look at the machine and not into the log; others find it there.
const HEALTH: &str = "/audit/health";

impl Shell {
    /// The frame around a page.
    pub(crate) fn new(visitor: &Visitor, title: impl Into<String>) -> Shell {
        let t = visitor.words();
        let path = visitor.here.split('?').next().unwrap_or("/");
        let label = |href: &str| match href {
            "/policies" => t.shell.policies,
            "/held" => t.shell.held,
            "/audit" => t.shell.audit,
            "/inzage" => t.shell.inzage,
            HEALTH => t.audit.health,
            _ => t.shell.overview,
        };
        let offered = |(href, act, _): &(&str, Act, &str)| {
            visitor.may(*act) && !(*href == HEALTH && visitor.may(Act::Search))
        };
        let items = PARTS.into_iter().filter(offered).map(|(href, _, icon)| {
            let within = href != "/" && path.starts_with(href);
            Item {
                href,
                label: label(href),
                icon,
                current: within || path == href,
                exact: path == href,
                count: 0,
            }
        });
        let (other, other_name) = match visitor.language {
            Language::Nl => (Language::En, "English"),
            Language::En => (Language::Nl, "Nederlands"),
        };
        let role = |role: &model::Role| match role.as_str() {
            oversight::OFFICER => t.shell.officer.to_owned(),
            oversight::AUDITOR => t.shell.auditor.to_owned(),
            oversight::BEHEERDER => t.shell.beheerder.to_owned(),
            other => show::plain(other),
        };
        Shell {
            t,
            language: visitor.language,
            other,
            other_name,
            base: assets::base(),
            title: title.into(),
            who: visitor.operator.name().to_string(),
            roles: visitor.operator.roles().map(role).collect::<Vec<_>>().join(", "),
            token: visitor.token.clone(),
            here: visitor.here.clone(),
            items: items.collect(),
            tabs: Vec::new(),
        }
    }

    /// The same with sections of this part of the console.
    pub(crate) fn with_tabs(mut self, tabs: impl IntoIterator<Item = (&'static str, &'static str)>) -> Shell {
        let path = self.here.split('?').next().unwrap_or("/");
        let tabs: Vec<_> = tabs.into_iter().collect();
        // The section that says most about where this is.
        let at = tabs
            .iter()
            .map(|(href, _)| *href)
            .filter(|href| path.starts_with(href))
            .max_by_key(|href| href.len());
        let tab = |(href, label)| {
            let current = at == Some(href);
            Item { href, label, icon: "", current, exact: current && path == href, count: 0 }
        };
        self.tabs = if tabs.len() > 1 { tabs.into_iter().map(tab).collect() } else { Vec::new() };
        self
    }
}

/// A page.
pub(crate) fn page(template: &impl Template) -> Answer {
    Ok(Html(template.render()?).into_response())
}

#[derive(Template)]
#[template(path = "bare.html")]
struct Bare {
    t: &'static Words,
    language: Language,
    base: String,
    title: &'static str,
    text: &'static str,
}

fn bare(language: Language, title: &'static str, text: &'static str) -> Response {
    let bare = Bare { t: language.words(), language, base: assets::base(), title, text };
    page(&bare).unwrap_or_else(IntoResponse::into_response)
}

/// For who has no certificate of an operator, and no session.
pub(crate) fn closed_page(language: Language, status: StatusCode) -> Response {
    let t = &language.words().shell;
    (status, bare(language, t.closed, t.closed_help)).into_response()
}

/// After signing out.
pub(crate) fn left_page(language: Language) -> Response {
    let t = &language.words().shell;
    bare(language, t.left, t.left_help)
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage {
    shell: Shell,
    text: String,
    places: Vec<(String, String)>,
    recorded: bool,
}

/// Why there is no page, as a page.
pub(crate) fn fault_page(visitor: &Visitor, fault: &Fault, status: StatusCode) -> Response {
    let t = &visitor.words().shell;
    let (title, text, places, recorded) = match fault {
        Fault::NotFound => (t.not_found, t.not_found_help.to_owned(), Vec::new(), false),
        Fault::TooLarge => (t.too_large, t.too_large_help.to_owned(), Vec::new(), false),
        Fault::Broken => (t.broken, t.broken_help.to_owned(), Vec::new(), false),
        Fault::Refused(refusal) => {
            let text = sentence(words::reason(refusal.reason, visitor.language));
            let places =
                refusal.violations.iter().map(|at| (at.field.clone(), at.description.clone())).collect();
            (t.refused, text, places, refusal.reason.fault() != model::Fault::Gateway)
        }
    };
    let made = page(&FaultPage { shell: Shell::new(visitor, title), text, places, recorded });
    (status, made.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())).into_response()
}

/// With a capital, and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", characters.as_str())
}

#[derive(Template)]
#[template(path = "again.html")]
struct Again {
    shell: Shell,
    action: String,
    /// What was typed: name, what the field is called, value.
    typed: Vec<(String, &'static str, String)>,
    /// What the page itself put in the form.
    hidden: Vec<(String, String)>,
}

/// A form of a session that has ended: everything as it was typed, to be sent again.
pub(crate) fn again_page(visitor: &Visitor, form: &Form, action: &str) -> Response {
    let shell = Shell::new(visitor, visitor.words().shell.again);
    let (mut typed, mut hidden) = (Vec::new(), Vec::new());
    for (name, value) in form.typed() {
        match visitor.words().field(&name) {
            Some(label) => typed.push((name, label, value)),
            None => hidden.push((name, value)),
        }
    }
    let again = Again { shell, action: action.to_owned(), typed, hidden };
    let made = page(&again).unwrap_or_else(IntoResponse::into_response);
    let mut response = (StatusCode::CONFLICT, made).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
