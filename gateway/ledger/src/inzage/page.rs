//! An inzage as a page of HTML: Dutch, complete in itself, fit to print and to be read aloud.
//!
//! Owns: the markup, and the one function through which every text goes. A name from a registry is a text like
//! any other: it is escaped.

use std::fmt::Write;

use super::words::{class, decision, form, grondslag, organisation, plain};
use super::{Inzage, InzageEvent, InzageReceiver};
use crate::moment::dutch;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}\
    h1{font-size:1.6rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}table{border-collapse:collapse;width:100%;margin:.5rem 0}\
    th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left;vertical-align:top}ul{margin:0;padding-left:1.1rem}\
    section{break-inside:avoid}@media print{body{margin:0;max-width:none}}";

pub(super) fn page(inzage: &Inzage) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Overzicht van uw gegevens</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Overzicht van uw gegevens</h1>\n\
         <p>Dit overzicht laat zien welke organisaties gegevens over u hebben gekregen, wanneer, waarvoor en op \
         welke grondslag (AVG artikel 15). Gemaakt op {}.</p>\n",
        dutch(inzage.made)
    );
    if let Some(erased) = inzage.erased {
        let _ = writeln!(
            page,
            "<p>Uw gegevens zijn gewist op {}. Wat daarvoor is vastgelegd, is niet meer tot u te herleiden.</p>",
            dutch(erased)
        );
    }
    if inzage.events.is_empty() {
        page.push_str("<p>Er is niets over u vastgelegd.</p>\n");
    }
    inzage.events.iter().for_each(|event| section(&mut page, event));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

// Writing to a `String` cannot fail, so the results below have nothing to tell.
fn section(page: &mut String, event: &InzageEvent) {
    let _ = writeln!(page, "<section>\n<h2>{}</h2>\n<p>{}</p>", dutch(event.time), escape(&event.sentence));
    page.push_str("<ul>\n");
    let mut item = |label: &str, text: Option<String>| {
        if let Some(text) = text {
            let _ = writeln!(page, "<li>{label}: {}</li>", escape(&text));
        }
    };
    item("Van", event.from.as_ref().map(organisation));
    item("Doel", event.purpose.as_ref().map(|purpose| plain(purpose.as_str())));
    item("Grondslag", event.grondslag.map(|ground| grondslag(ground).to_owned()));
    item("Soort uitwisseling", event.declared.as_ref().map(ToString::to_string));
    item("Versie van het beleid", Some(event.bundle.to_string()));
    item("Kenmerk", Some(event.exchange.clone()));
    page.push_str("</ul>\n");
    if !event.receivers.is_empty() {
        page.push_str(
            "<table>\n<caption>Wie wat heeft gekregen</caption>\n<thead><tr><th scope=\"col\">Ontvanger</th>\
             <th scope=\"col\">Besluit</th><th scope=\"col\">Gekregen</th><th scope=\"col\">Niet gekregen</th></tr></thead>\n\
             <tbody>\n",
        );
        event.receivers.iter().for_each(|receiver| row(page, receiver));
        page.push_str("</tbody>\n</table>\n");
    }
    page.push_str("</section>\n");
}

fn row(page: &mut String, receiver: &InzageReceiver) {
    let passed =
        receiver.passed.iter().map(|(what, how, _)| format!("{} ({})", class(Some(*what)), form(*how)));
    let mut withheld: Vec<String> =
        receiver.withheld.iter().map(|(what, _, _)| class(*what).to_owned()).collect();
    withheld.dedup();
    let _ = writeln!(
        page,
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape(&organisation(&receiver.to)),
        decision(receiver.decision),
        list(passed),
        list(withheld.into_iter())
    );
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("<li>{}</li>", escape(&item))).collect();
    if items.is_empty() { "niets".to_owned() } else { format!("<ul>{items}</ul>") }
}

/// A text that can stand in an element or in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
