//! What the crate promises, on a small bundle of its own; the shipped bundle has its tests in `tests/`.

mod loading;
mod small;
