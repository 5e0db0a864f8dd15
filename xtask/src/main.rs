//! The thin entry of `cargo xtask`.

fn main() {}
