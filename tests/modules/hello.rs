// Says hello, reads a file, and panics: what a program of Rust's own compiler (wasm32-wasip1) needs of the host.
use std::{env, fs};

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    println!("rust {:?} {:?} {:?}", words, env::var("WHO").ok(), fs::read_to_string("/d/file"));
    println!("{}", fs::read_dir("/d").unwrap().count());
    println!("{:?}", fs::write("/d/new", "x").map_err(|e| e.kind()));
    let nothing: Vec<u32> = Vec::new();
    println!("{}", nothing[words.len()]);
}
