//! Version 1: keys in full, no compression.

use std::fs::File;

use crate::cache::Block;
use crate::error::{Error, Result};

pub const VERSION: u16 = 1;

/// Reads a block of version 1, for migration.
pub fn decode_block(file: &File, offset: u64) -> Result<Block> {
    let _ = (file, offset);
    Err(Error::UnsupportedVersion(VERSION))
}
