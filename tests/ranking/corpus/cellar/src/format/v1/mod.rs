mod block;

pub use block::*;
