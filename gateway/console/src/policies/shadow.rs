//! The draft in the shadow of the rules in force: what it would have done otherwise with what really passed, by counts.

use std::cmp::Reverse;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use oversight::Act;

use super::shell;
use crate::pages::{App, Who};
use crate::shell::{Answer, Shell, page as made};
use crate::{show, words};

/// So many differences are shown, the most frequent first.
const SHOWN: usize = 200;

struct Told {
    summary: String,
    /// Where, what, how often.
    differences: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "shadow.html")]
struct Page {
    shell: Shell,
    told: Option<Told>,
}

/// The page.
pub(super) async fn page(State(console): App, Extension(visitor): Who) -> Answer {
    console.oversight().may(&visitor.operator, Act::LookAtPolicy).await?;
    let (t, number) = (&visitor.words().policies, |count| show::number(count, visitor.language));
    let plain = |text: &str| words::difference(text, visitor.language);
    let told = (console.setup.shadow)().map(|mut shadowed| {
        shadowed.differences.sort_by_key(|(.., count)| Reverse(*count));
        let other: u64 = shadowed.differences.iter().map(|(.., count)| count).sum();
        let differences = shadowed.differences.into_iter().take(SHOWN);
        Told {
            summary: show::fill(
                t.shadow_summary,
                &[&shadowed.number.to_string(), &number(shadowed.decisions), &number(other)],
            ),
            differences: differences
                .map(|(place, what, count)| (plain(&place), plain(&what), number(count)))
                .collect(),
        }
    });
    made(&Page { told, shell: shell(&visitor, t.shadow) })
}
