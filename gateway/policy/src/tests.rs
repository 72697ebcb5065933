//! What the crate promises, on a small bundle of its own; the shipped bundle has its tests in `tests/`.

mod change;
mod loading;
mod proof;
mod shipped;
mod signing;
pub(crate) mod small;
mod tools;
mod trajects;
mod traps;
