//! Blocks as bytes. Tables written by version 1 are still read; version 3 is written. There was no public version 2.

pub mod v1;
pub mod v3;
