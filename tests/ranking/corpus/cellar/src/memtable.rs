//! The table in memory: sorted, and as large as its keys and values.

use std::collections::BTreeMap;

/// Entries that are not in a table on disk yet. A value of `None` is a tombstone.
#[derive(Default)]
pub struct MemTable {
    entries: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl MemTable {
    pub fn new() -> MemTable {
        MemTable::default()
    }

    pub fn insert(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        if let Some(Some(old)) = self.entries.insert(key, value) {
            self.bytes -= old.len();
        }
    }

    pub fn get(&self, key: &[u8]) -> Option<&Option<Vec<u8>>> {
        self.entries.get(key)
    }

    /// Bytes held, without the tree's own.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// All entries in order; the table is empty afterwards.
    pub fn drain(&mut self) -> impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)> {
        self.bytes = 0;
        std::mem::take(&mut self.entries).into_iter()
    }
}
