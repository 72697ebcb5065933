//! What the condition of a rule speaks of, so that it need not be evaluated for every request anew.
//!
//! Owns: reading a rule's `when` and `unless`. When in doubt the answer is "everything": that costs time, never
//! truth.

use cedar_policy::Policy;
use serde_json::Value;

use crate::problem::{Problem, Stage};

/// The parts of a request that a condition mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    pub(crate) principal: bool,
    pub(crate) action: bool,
    pub(crate) resource: bool,
    /// Exchange, purpose, or ground: all settled by the exchange.
    pub(crate) exchange: bool,
    pub(crate) sender: bool,
    pub(crate) beroepsgeheim: bool,
    pub(crate) gezondheidsgegevens: bool,
    pub(crate) spoed: bool,
    conditional: bool,
}

impl Usage {
    /// Reads a rule. A constant condition (`when { 1 == 1 }`) still counts as one, so that its errors show.
    pub(crate) fn of(policy: &Policy) -> Result<Usage, Problem> {
        let json = policy.to_json().map_err(|error| Problem::new(Stage::Rule, policy.id(), error))?;
        let mut usage = Usage::default();
        for condition in json.get("conditions").and_then(Value::as_array).into_iter().flatten() {
            usage.conditional = true;
            usage.read(condition);
        }
        Ok(usage)
    }

    pub(crate) const fn is_unconditional(self) -> bool {
        !self.conditional
    }

    /// Whether it mentions the field and nothing that is known only later: neither form nor circumstances.
    pub(crate) const fn is_settled_by_field(self) -> bool {
        self.resource && !self.action && !self.circumstances()
    }

    /// Whether it mentions the form, or the field together with circumstances.
    pub(crate) const fn stays_open(self) -> bool {
        self.action || (self.resource && self.circumstances())
    }

    const fn circumstances(self) -> bool {
        self.exchange || self.sender || self.beroepsgeheim || self.gezondheidsgegevens || self.spoed
    }

    fn read(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(name) = members.get("Var").and_then(Value::as_str) {
                    self.variable(name);
                } else if let Some(attribute) = members.get(".").and_then(attribute_of_context) {
                    self.attribute(attribute);
                } else {
                    members.values().for_each(|member| self.read(member));
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            _ => {}
        }
    }

    fn variable(&mut self, name: &str) {
        match name {
            "principal" => self.principal = true,
            "action" => self.action = true,
            "resource" => self.resource = true,
            // The context as a whole.
            _ => {
                let names = ["uitwisseling", "verzender", "beroepsgeheim", "gezondheidsgegevens", "spoed"];
                names.into_iter().for_each(|name| self.attribute(name));
            }
        }
    }

    fn attribute(&mut self, name: &str) {
        match name {
            "uitwisseling" | "doel" => self.exchange = true,
            // An emergency has a ground of its own.
            "grondslag" => (self.exchange, self.spoed) = (true, true),
            "verzender" => self.sender = true,
            "beroepsgeheim" => self.beroepsgeheim = true,
            "gezondheidsgegevens" => self.gezondheidsgegevens = true,
            "spoed" => self.spoed = true,
            _ => self.variable("context"),
        }
    }
}

/// `context.name` and nothing else.
fn attribute_of_context(access: &Value) -> Option<&str> {
    let is_context = access.get("left")?.get("Var")?.as_str()? == "context";
    if is_context { access.get("attr")?.as_str() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(condition: &str) -> Usage {
        let text = format!("permit (principal, action, resource) {condition};");
        Usage::of(&Policy::parse(None, text).unwrap()).unwrap()
    }

    #[test]
    fn a_condition_is_known_by_what_it_speaks_of() {
        assert!(usage("").is_unconditional());
        let spoed = usage("when { context.spoed }");
        assert_eq!(spoed, Usage { spoed: true, conditional: true, ..Usage::default() });
        let both = usage(r#"when { context.doel == Doel::"a" } unless { resource in Dataklasse::"tekst" }"#);
        assert!(both.exchange && both.resource && !both.spoed && !both.principal);
        let ground = usage(r#"when { context.grondslag == Grondslag::"toestemming" }"#);
        assert!(ground.exchange && ground.spoed);
    }

    #[test]
    fn in_doubt_a_condition_speaks_of_everything_in_the_context() {
        for condition in
            ["when { context has spoed }", "when { context == context }", r#"when { context["x"] }"#]
        {
            let all = usage(condition);
            assert!(all.exchange && all.sender && all.beroepsgeheim && all.spoed, "{condition}");
        }
        assert!(!usage("when { 1 == 1 }").is_unconditional(), "a constant may still fail");
    }
}
