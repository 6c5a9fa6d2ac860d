use cellar::{Options, Store};

fn options() -> Options {
    Options { memtable_bytes: 1 << 20, block_bytes: 4096, cache_blocks: 16 }
}

#[test]
fn what_was_put_before_a_crash_is_there_after_recovery() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path(), options()).unwrap();
    store.put(b"key", b"value").unwrap();
    drop(store);
    let mut again = Store::open(directory.path(), options()).unwrap();
    assert_eq!(again.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
}

#[test]
fn a_torn_record_at_the_end_of_the_log_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    Store::open(directory.path(), options()).unwrap().put(b"a", b"1").unwrap();
    let log = directory.path().join("wal");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes.extend_from_slice(&[7, 0, 0]);
    std::fs::write(&log, bytes).unwrap();
    assert!(Store::open(directory.path(), options()).is_ok());
}
