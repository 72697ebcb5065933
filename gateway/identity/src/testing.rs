//! Certificates, lists and tokens made by hand for tests: good ones, and every way to make a bad one.
//!
//! Owns: a draft of a certificate whose every part can be spoiled before it is signed. Built on DER directly, because
//! libraries that make certificates refuse to make bad ones.

pub(crate) mod der;
pub(crate) mod draft;
pub(crate) mod tokens;
pub(crate) mod world;
