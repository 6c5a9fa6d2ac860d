//! An embedded key-value store: writes go to a log and a table in memory, which is written out when it is full.

mod bloom;
mod cache;
mod compaction;
mod error;
mod format;
mod memtable;
mod sstable;
mod wal;

pub use cache::BlockCache;
pub use compaction::{CompactionPolicy, Compactor};
pub use error::{Error, Result};
pub use memtable::MemTable;
pub use sstable::{SsTable, SsTableBuilder};
pub use wal::Wal;

use std::path::Path;

/// A store in one directory. One process opens it at a time.
pub struct Store {
    log: Wal,
    active: MemTable,
    tables: Vec<SsTable>,
    cache: BlockCache,
    options: Options,
}

/// What can be tuned.
#[derive(Clone, Debug)]
pub struct Options {
    pub memtable_bytes: usize,
    pub block_bytes: usize,
    pub cache_blocks: usize,
}

impl Store {
    /// Opens the store, replaying what the log holds beyond the tables.
    pub fn open(directory: &Path, options: Options) -> Result<Store> {
        let (log, entries) = Wal::recover(&directory.join("wal"))?;
        let mut active = MemTable::new();
        for (key, value) in entries {
            active.insert(key, value);
        }
        let tables = sstable::open_all(directory)?;
        Ok(Store { log, active, tables, cache: BlockCache::new(options.cache_blocks), options })
    }

    /// The value of a key: from memory, else from the newest table that has it.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        if let Some(value) = self.active.get(key) {
            return Ok(value.clone());
        }
        for table in self.tables.iter().rev() {
            if let Some(value) = table.get(key, &mut self.cache)? {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// Writes a key, durably once this returns.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.log.append(key, Some(value))?;
        self.active.insert(key.to_vec(), Some(value.to_vec()));
        if self.active.size() > self.options.memtable_bytes {
            self.flush()?;
        }
        Ok(())
    }

    /// Deletes a key by writing a tombstone.
    pub fn delete(&mut self, key: &[u8]) -> Result<()> {
        self.log.append(key, None)?;
        self.active.insert(key.to_vec(), None);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let table = SsTableBuilder::new(self.options.block_bytes).write(self.active.drain())?;
        self.tables.push(table);
        self.log.truncate()
    }
}
