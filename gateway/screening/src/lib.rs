//! Dutch free text to findings.
