//! Every text of the console, in Dutch and in English, side by side.
//!
//! Owns: the catalogue. One line a text, both languages in it: a text that lacks one does not compile. Pages hold no
//! text of their own; a test looks. What a bundle says (sentences of rules, titles) comes from the bundle, in both
//! languages too.

#[macro_use]
mod catalogue;

mod audit;
mod difference;
mod domain;
mod held;
mod inzage;
mod overview;
mod policies;
mod shell;

use axum::http::{HeaderMap, header};

use crate::enter::cookie;

pub(crate) use audit::Audit;
pub(crate) use difference::difference;
pub(crate) use domain::{class, decision, form, ground, kind, look, phase, reason, release_step, step};
pub(crate) use held::{Held, release_ground};
pub(crate) use inzage::Inzage;
pub(crate) use overview::Overview;
pub(crate) use policies::Policies;
pub(crate) use shell::Shell;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
}

/// The cookie that remembers the language.
pub(crate) const COOKIE: &str = "veldwacht-language";

impl Language {
    /// The language that was chosen, or else the one that the browser likes best.
    pub(crate) fn of(headers: &HeaderMap) -> Language {
        if let Some(chosen) = cookie(headers, COOKIE).and_then(Language::parse) {
            return chosen;
        }
        let liked =
            headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("nl");
        let mut liked = liked.split(',').filter_map(|one| Language::parse(one.trim().get(..2)?));
        liked.next().unwrap_or(Language::Nl)
    }

    pub(crate) fn parse(code: &str) -> Option<Language> {
        match code {
            "nl" => Some(Language::Nl),
            "en" => Some(Language::En),
            _ => None,
        }
    }

    /// The code of the language (BCP 47).
    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::Nl => "nl",
            Language::En => "en",
        }
    }

    /// One of two texts.
    pub(crate) fn pick<'t>(self, nl: &'t str, en: &'t str) -> &'t str {
        match self {
            Language::Nl => nl,
            Language::En => en,
        }
    }

    /// A sentence of the bundle.
    pub(crate) fn sentence(self, sentence: &policy::Sentence) -> &str {
        self.pick(&sentence.nl, &sentence.en)
    }

    /// All texts.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Language::Nl => &NL,
            Language::En => &EN,
        }
    }
}

impl Words {
    /// What a field is called that people type in; none for what pages put in a form themselves.
    pub(crate) fn field(&self, name: &str) -> Option<&'static str> {
        Some(match name {
            "reason" => self.shell.reason_label,
            "bsn" => self.shell.bsn,
            "text" => self.shell.text,
            "user" => self.audit.user,
            "seed" => self.audit.seed,
            "remark" => self.audit.remark,
            "document" => self.policies.document,
            "title" => self.policies.draft_title,
            "term" => self.policies.term,
            "nl" => self.policies.cell_nl,
            "en" => self.policies.cell_en,
            "ground" => self.policies.ground,
            "key" => self.policies.sign_name,
            _ => return None,
        })
    }
}

/// Every text, by page.
#[derive(Debug)]
pub(crate) struct Words {
    /// The frame of every page.
    pub(crate) shell: Shell,
    pub(crate) overview: Overview,
    pub(crate) policies: Policies,
    pub(crate) audit: Audit,
    pub(crate) held: Held,
    pub(crate) inzage: Inzage,
}

static NL: Words = Words {
    shell: Shell::NL,
    overview: Overview::NL,
    policies: Policies::NL,
    audit: Audit::NL,
    held: Held::NL,
    inzage: Inzage::NL,
};
static EN: Words = Words {
    shell: Shell::EN,
    overview: Overview::EN,
    policies: Policies::EN,
    audit: Audit::EN,
    held: Held::EN,
    inzage: Inzage::EN,
};

#[cfg(test)]
mod tests;
