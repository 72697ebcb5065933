//! A bundle with more rules than it has: for measuring how a load grows.
//!
//! Owns: repeating the rules of a bundle under other ids. What passes stays the same, so every check still holds.

use crate::bundle::Files;

/// The bundle with its rules repeated until there are at least this many; guardrails and assertions stay as they are.
pub fn with_rules(files: &Files, at_least: usize) -> Files {
    let mut more = files.clone();
    let rules: Vec<(&String, &str)> = files
        .iter()
        .filter(|(name, _)| name.starts_with("rules/") && name.ends_with(".cedar"))
        .filter_map(|(name, bytes)| Some((name, std::str::from_utf8(bytes).ok()?)))
        .collect();
    let has: usize = rules.iter().map(|(_, text)| text.matches("@id(\"").count()).sum();
    let copies = if has == 0 { 0 } else { at_least.saturating_sub(has).div_ceil(has) };
    for copy in 1..=copies {
        for (name, text) in &rules {
            let again = text.replace("@id(\"", &format!("@id(\"k{copy}-"));
            more.insert(name.replace(".cedar", &format!("-{copy}.cedar")), again.into_bytes());
        }
    }
    more
}
