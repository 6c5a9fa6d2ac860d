use std::time::Instant;

use cellar::{Options, Store};

fn main() {
    let options = Options { memtable_bytes: 4 << 20, block_bytes: 4096, cache_blocks: 1024 };
    let mut store = Store::open(std::path::Path::new("bench-store"), options).unwrap();
    for number in 0..100_000u32 {
        store.put(&number.to_be_bytes(), b"value").unwrap();
    }
    let started = Instant::now();
    for number in (0..100_000u32).step_by(7) {
        store.get(&number.to_be_bytes()).unwrap();
    }
    println!("lookup: {:?}", started.elapsed());
}
