//! A key-value store on the command line: `kv put name Ada`, `kv get name`.

use cellar::{Options, Store};

fn main() -> cellar::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options = Options { memtable_bytes: 1 << 20, block_bytes: 4096, cache_blocks: 16 };
    let mut store = Store::open(std::path::Path::new("kv-data"), options)?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["put", key, value] => store.put(key.as_bytes(), value.as_bytes()),
        ["get", key] => Ok(println!("{:?}", store.get(key.as_bytes())?)),
        ["delete", key] => store.delete(key.as_bytes()),
        _ => Ok(eprintln!("usage: kv put KEY VALUE | kv get KEY | kv delete KEY")),
    }
}
