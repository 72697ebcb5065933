//! The comparison of `veldwacht bench fields`, without building the binary around it: one line a comparison.

#![allow(clippy::print_stdout, missing_docs)]

#[path = "../../veldwacht/src/bench/fields.rs"]
mod comparison;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    for row in comparison::run().unwrap_or_default() {
        let comparison::Row { name, value, unit, peer, peer_value, ratio } = row;
        println!("{name:<32} {value:>12.3} {unit:<3} {peer:<38} {peer_value:>12.3} {ratio:>8.2}x");
    }
}
