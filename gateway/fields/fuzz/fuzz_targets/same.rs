//! The cases of `tests/oracle`, chosen by a fuzzer: the filter and prost-reflect must see the same.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/bytes.rs"]
mod bytes;
#[path = "../../tests/oracle/check.rs"]
mod check;
#[path = "../../tests/oracle/choices.rs"]
mod choices;
#[path = "../../tests/oracle/reference.rs"]
mod reference;
#[path = "../../tests/oracle/world.rs"]
mod world;

fuzz_target!(|data: &[u8]| {
    check::check(data);
});
