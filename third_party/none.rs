// Cargo wants a target. Nothing is ever built from here; see Cargo.toml.
