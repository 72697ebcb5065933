//! Style, script, font and verifier: files that travel in the binary.
//!
//! Owns: their addresses, which change with their content, so that a browser keeps them and never has an old one.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.woff2"]
#[include = "*.svg"]
#[include = "*.wasm"]
struct Files;

const PREFIX: &str = "/assets/";

/// A digest over all of them: part of every address.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    for name in Files::iter() {
        if let Some(file) = Files::get(&name) {
            all.extend_from_slice(digest(&SHA256, &file.data).as_ref());
        }
    }
    hex::encode(digest(&SHA256, &all).as_ref().iter().take(6).copied().collect::<Vec<u8>>())
});

/// What stands before the name of a file in its address. A style finds its font beside it.
pub(crate) fn base() -> String {
    format!("{PREFIX}{}", *VERSION)
}

/// The file at an address; none when the address is not one of files.
pub(crate) fn answer(path: &str, headers: &HeaderMap) -> Option<Response> {
    let (version, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let Some(file) = Files::get(name) else { return Some(StatusCode::NOT_FOUND.into_response()) };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("woff2") => "font/woff2",
        Some("svg") => "image/svg+xml",
        _ => "application/wasm",
    };
    let kept = if version == VERSION.as_str() { "public, max-age=31536000, immutable" } else { "no-cache" };
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    if headers.contains_key(header::IF_NONE_MATCH) && version == VERSION.as_str() {
        return Some((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Some((head, file.data.into_owned()).into_response())
}
