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
    /// Distinct plans that they came down to.
    pub plans: usize,
    /// Rows of compiled plans that the independent checker looked at.
    pub rows: u64,
    /// Every assertion; all of them hold, or the bundle would have been refused.
    pub held: Vec<Held>,
    /// Full names of fields that nobody classified: they pass to no one, and the bundle is not finished.
    pub unclassified: Vec<String>,
    /// Reading, validating and classifying.
    pub reading: Duration,
    /// Deciding every request.
    pub deciding: Duration,
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
        self.reading + self.deciding + self.compiling + self.proving
    }

    /// Decisions a second on one core, if there was a clock. Evaluating the rules' conditions is part of it.
    pub fn decisions_per_second(&self) -> Option<f64> {
        let seconds = self.deciding.as_secs_f64();
        (seconds > 0.0).then(|| self.decisions as f64 / seconds)
    }
}

/// The report as `policy check` prints it.
impl fmt::Display for ProofReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rules and guardrails, {} routes", self.rules, self.routes)?;
        write!(f, "{} requests decided, {} distinct plans", self.decisions, self.plans)?;
        match self.decisions_per_second() {
            Some(rate) => writeln!(f, ", {:.1} million decisions a second", rate / 1e6)?,
            None => writeln!(f)?,
        }
        for held in &self.held {
            let kind = if held.never { "never" } else { "must " };
            writeln!(f, "  holds  {kind} {} ({} cells): {}", held.name, held.cells, held.sentence.en)?;
        }
        writeln!(f, "independent check of {} rows of compiled plans: no breach", self.rows)?;
        for field in &self.unclassified {
            writeln!(f, "  WITHOUT CLASS  {field}: it passes to no one; give it a class in mapping.toml")?;
        }
        if !self.took().is_zero() {
            let ms = |time: Duration| time.as_secs_f64() * 1e3;
            let (read, decided) = (ms(self.reading), ms(self.deciding));
            let (compiled, proved) = (ms(self.compiling), ms(self.proving));
            let total = ms(self.took());
            writeln!(
                f,
                "loaded in {total:.0} ms: read {read:.0}, decided {decided:.0}, compiled {compiled:.0}, proved {proved:.0}"
            )?;
            writeln!(f, "{} ns a look-up on the hot path", self.look_up.as_nanos())?;
        }
        Ok(())
    }
}
