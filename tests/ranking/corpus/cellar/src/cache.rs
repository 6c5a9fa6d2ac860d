//! Blocks that were read lately, the least recently used one leaving first.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;

pub type Block = Vec<(Vec<u8>, Option<Vec<u8>>)>;
type Place = (PathBuf, u64);

pub struct BlockCache {
    capacity: usize,
    blocks: HashMap<Place, Arc<Block>>,
    order: VecDeque<Place>,
}

impl BlockCache {
    pub fn new(capacity: usize) -> BlockCache {
        BlockCache { capacity, blocks: HashMap::new(), order: VecDeque::new() }
    }

    pub fn get_or_load(&mut self, path: &Path, offset: u64, load: impl FnOnce() -> Result<Block>) -> Result<Arc<Block>> {
        let place = (path.to_owned(), offset);
        if let Some(block) = self.blocks.get(&place).cloned() {
            self.touch(&place);
            return Ok(block);
        }
        let block = Arc::new(load()?);
        self.blocks.insert(place.clone(), block.clone());
        self.order.push_back(place);
        self.evict();
        Ok(block)
    }

    fn touch(&mut self, place: &Place) {
        self.order.retain(|one| one != place);
        self.order.push_back(place.clone());
    }

    /// Drops the blocks that were not used for the longest time, until the rest fits.
    fn evict(&mut self) {
        while self.order.len() > self.capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.blocks.remove(&oldest);
            }
        }
    }
}
