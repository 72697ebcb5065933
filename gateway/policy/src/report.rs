//! What a load proved, in figures.

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofReport {
    /// Rules and guardrails.
    pub rules: usize,
    /// Declared routes: exchange × sender × receiver.
    pub routes: usize,
    /// Requests that were decided.
    pub decisions: u64,
    /// Distinct plans that they came down to.
    pub plans: usize,
    /// Full names of fields that nobody classified: they pass to no one, and the bundle is not finished.
    pub unclassified: Vec<String>,
}
