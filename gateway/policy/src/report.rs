//! What a load proved, in figures and in words.

use std::fmt;
use std::time::Duration;

use crate::assertions::Held;

/// What was proved. Times are zero unless the caller gave a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofReport {
    /// Rules and guardrails.
    pub rules: usize,
    /// Declared routes: exchange × sender × receiver.
    pub routes: usize,
    /// Requests that were decided, each a receiver, a form, a field and its circumstances.
    pub decisions: u64,
    /// Conditions of rules that Cedar evaluated for them.
    pub evaluations: u64,
    /// Distinct plans that they came down to.
    pub plans: usize,
    /// Rows of compiled plans that the independent checker looked at.
    pub rows: u64,
    /// Every assertion that holds.
    pub held: Vec<Held>,
    /// Full names of fields that nobody classified: they pass to no one, and the bundle is not finished.
    pub unclassified: Vec<String>,
    /// Reading, validating and classifying.
    pub reading: Duration,
    /// Deciding every request, without the evaluations.
    pub deciding: Duration,
    /// The evaluations.
    pub evaluating: Duration,
    /// Compiling the plans.
    pub compiling: Duration,
    /// Assertions and the independent check.
    pub proving: Duration,
    /// One look-up on the hot path, on average.
    pub look_up: Duration,
}

impl ProofReport {
    /// Whether nothing is left to do: an unclassified field is withheld, and fails a check all the same.
    pub fn is_complete(&self) -> bool {
        self.unclassified.is_empty()
    }

    /// The whole load.
    pub fn took(&self) -> Duration {
        self.reading + self.evaluating + self.deciding + self.compiling + self.proving
    }

    /// Decisions a second on one core, if there was a clock. Every condition is evaluated once before, at a cost of its
    /// own (`evaluating`).
    pub fn decisions_per_second(&self) -> Option<f64> {
        let seconds = self.deciding.as_secs_f64();
        (seconds > 0.0).then(|| self.decisions as f64 / seconds)
    }
}

/// The report as `policy check` prints it.
impl fmt::Display for ProofReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProofReport { decisions, evaluations, plans, .. } = self;
        writeln!(f, "{} rules and guardrails, {} routes", self.rules, self.routes)?;
        write!(
            f,
            "{decisions} requests decided, {evaluations} conditions evaluated, {plans} distinct plans"
        )?;
        match self.decisions_per_second() {
            Some(rate) => writeln!(f, "; {:.1} million decisions a second", rate / 1e6)?,
            None => writeln!(f)?,
        }
        for held in &self.held {
            let kind = if held.never { "never" } else { "must " };
            writeln!(f, "  holds  {kind} {} ({} cells): {}", held.name, held.cells, held.sentence.en)?;
        }
        writeln!(f, "independent check of {} rows of compiled plans", self.rows)?;
        for field in &self.unclassified {
            writeln!(f, "  WITHOUT CLASS  {field}: it passes to no one; give it a class in mapping.toml")?;
        }
        if self.took().is_zero() { Ok(()) } else { self.times(f) }
    }
}

impl ProofReport {
    fn times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        writeln!(
            f,
            "loaded in {:.0} ms: read {:.0}, evaluated {:.0}, decided {:.0}, compiled {:.0}, proved {:.0}",
            ms(self.took()),
            ms(self.reading),
            ms(self.evaluating),
            ms(self.deciding),
            ms(self.compiling),
            ms(self.proving),
        )?;
        writeln!(f, "{} ns a look-up on the hot path", self.look_up.as_nanos())
    }
}
