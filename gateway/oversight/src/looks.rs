//! Looking: into the log, and at what decides. Whoever looks at records is recorded, before anything is shown.
//!
//! Owns: the kinds of looks, each with its right and its name in the log. What the answers say is `ledger`'s and `policy`'s.

use identity::Operator;
use journal::{Criteria, Opened};
use ledger::{Access, BundleChange, BundleRef, Event, Kind, Leaf, SealedPart};
use model::{Bsn, ClientPseudonym, Reason, Refusal};

use crate::oversight::{Oversight, unreadable};
use crate::rights::Act;

/// What someone looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// Records that meet criteria.
    Search,
    /// One record, with what is sealed in it.
    Record,
    /// Who got what about one client (AVG 15).
    Inzage,
    /// Who has a value that was wrong (AVG 19).
    Receivers,
    /// A sample that an auditor draws.
    Sample,
    /// Records for another system: FSC logging.
    ExportFsc,
    /// Logboek Dataverwerkingen.
    ExportLdv,
    /// Authorization Decision Log.
    ExportAdl,
    /// NEN 7513.
    ExportNen7513,
    /// A table.
    ExportCsv,
    /// A text that was held back.
    HeldText,
    /// The emergencies that were called.
    Escapes,
    /// What another lexicon would have stopped: texts are screened, none is shown.
    PastTexts,
}

impl Look {
    /// The right that it takes.
    pub const fn act(self) -> Act {
        match self {
            Look::Search | Look::Record | Look::Escapes => Act::Search,
            Look::Inzage | Look::Receivers => Act::Inzage,
            Look::HeldText | Look::PastTexts => Act::ReleaseText,
            _ => Act::Export,
        }
    }

    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Look::Search => "search",
            Look::Record => "record",
            Look::Inzage => "inzage",
            Look::Receivers => "receivers",
            Look::Sample => "sample",
            Look::ExportFsc => "export-fsc",
            Look::ExportLdv => "export-ldv",
            Look::ExportAdl => "export-adl",
            Look::ExportNen7513 => "export-nen7513",
            Look::ExportCsv => "export-csv",
            Look::HeldText => "held-text",
            Look::Escapes => "escapes",
            Look::PastTexts => "past-texts",
        }
    }
}

impl Oversight {
    /// Checks that someone may look, and records that they do: call it with what will be shown, before it is. `reason`, in
    /// their own words, is sealed.
    ///
    /// # Errors
    /// `ROLE_NOT_ALLOWED`, recorded; or the log cannot be written: show nothing.
    pub async fn look(
        &self,
        who: &Operator,
        look: Look,
        records: u64,
        client: Option<ClientPseudonym>,
        reason: Option<&str>,
    ) -> Result<(), Refusal> {
        let permitted = self.permit(who, look.act()).await?;
        let what = look.name().parse().map_err(|_| Reason::RequestInvalid)?;
        let access = Access { by: permitted.by.clone(), what, records };
        let mut sealed = SealedPart::default();
        sealed.reason = reason.map(str::to_owned);
        let leaf = self.leaf(Event::Access(access));
        self.commit_sealed(&permitted, leaf, client, sealed).await
    }

    /// Records that meet all criteria, oldest first, after the record `after`, at most `limit`; with what is sealed in
    /// them where `opened` says so.
    ///
    /// # Errors
    /// As [`Oversight::look`].
    pub async fn search(
        &self,
        who: &Operator,
        criteria: &Criteria,
        reason: Option<&str>,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Opened>, Refusal> {
        // Whoever may not look learns nothing from how long the search takes.
        self.may(who, Act::Search).await?;
        let found = self.find(criteria, after, limit)?;
        self.look(who, Look::Search, found.len() as u64, criteria.client, reason).await?;
        Ok(found)
    }

    /// The records of one client, for the answer to the client ([`ledger::inzage`]), and that of the client's erasure.
    ///
    /// # Errors
    /// As [`Oversight::look`].
    pub async fn inzage(
        &self,
        who: &Operator,
        client: &Bsn,
        reason: Option<&str>,
    ) -> Result<(Vec<Leaf>, Option<Leaf>), Refusal> {
        self.may(who, Act::Inzage).await?;
        let client = self.journal().pseudonym(client);
        let tombstone = self.journal().erased(client).map_err(|error| unreadable(&error))?;
        let criteria = Criteria { client: Some(client), ..Criteria::default() };
        let found = self.find(&criteria, tombstone, usize::MAX)?;
        let erased = tombstone.map(|index| self.journal().open_record(index)).transpose();
        let erased = erased.map_err(|error| unreadable(&error))?.map(|opened| opened.leaf);
        // A client of whom nothing is known gets no key for having asked.
        let about = Some(client).filter(|_| !found.is_empty());
        self.look(who, Look::Inzage, found.len() as u64, about, reason).await?;
        Ok((found.into_iter().map(|opened| opened.leaf).collect(), erased))
    }

    /// The emergencies that were called, the newest first, at most `most`: an officer looks at each.
    ///
    /// # Errors
    /// As [`Oversight::look`].
    pub async fn escapes(&self, who: &Operator, most: usize) -> Result<Vec<Opened>, Refusal> {
        self.may(who, Look::Escapes.act()).await?;
        let criteria = Criteria { kind: Some(Kind::Escape), ..Criteria::default() };
        let journal = self.journal();
        let found = journal.search(&criteria, None, usize::MAX).map_err(|error| unreadable(&error))?;
        let opened = found.into_iter().rev().take(most).map(|index| journal.open_record(index));
        let opened: Vec<Opened> = opened.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
        self.look(who, Look::Escapes, opened.len() as u64, None, None).await?;
        Ok(opened)
    }

    /// Every bundle that decided, oldest first.
    ///
    /// # Errors
    /// `ROLE_NOT_ALLOWED`.
    pub async fn history(&self, who: &Operator) -> Result<Vec<BundleRef>, Refusal> {
        self.may(who, Act::LookAtPolicy).await?;
        self.bundles().await
    }

    pub(crate) async fn bundles(&self) -> Result<Vec<BundleRef>, Refusal> {
        let criteria = Criteria { kind: Some(Kind::Bundle), ..Criteria::default() };
        let of_bundle = |opened: Opened| match opened.leaf.event {
            Event::Bundle(change) if BundleChange::holds(&change) => Some(change.about),
            _ => None,
        };
        Ok(self.find(&criteria, None, usize::MAX)?.into_iter().filter_map(of_bundle).collect())
    }

    fn find(&self, criteria: &Criteria, after: Option<u64>, limit: usize) -> Result<Vec<Opened>, Refusal> {
        let journal = self.journal();
        let found = journal.search(criteria, after, limit).map_err(|error| unreadable(&error))?;
        let opened = found.into_iter().map(|index| journal.open_record(index));
        opened.collect::<Result<_, _>>().map_err(|error| unreadable(&error))
    }
}
