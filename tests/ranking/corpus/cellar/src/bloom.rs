//! A Bloom filter: says for certain that a key is absent, and otherwise perhaps.

pub struct BloomFilter {
    bits: Vec<u64>,
    hashes: u32,
}

impl BloomFilter {
    /// For `keys` keys; ten bits a key give about one false positive in a hundred.
    pub fn with_capacity(keys: usize) -> BloomFilter {
        BloomFilter { bits: vec![0; (keys * 10).div_ceil(64).max(1)], hashes: 7 }
    }

    pub fn insert(&mut self, key: &[u8]) {
        for bit in self.positions(key) {
            self.bits[bit / 64] |= 1 << (bit % 64);
        }
    }

    pub fn may_contain(&self, key: &[u8]) -> bool {
        self.positions(key).all(|bit| self.bits[bit / 64] & (1 << (bit % 64)) != 0)
    }

    /// Double hashing: two hashes give as many positions as are wanted.
    fn positions(&self, key: &[u8]) -> impl Iterator<Item = usize> {
        let (first, second) = (fnv1a(key, 0), fnv1a(key, 0x9e37_79b9));
        let size = self.bits.len() * 64;
        (0..self.hashes).map(move |round| (first.wrapping_add(second.wrapping_mul(round as u64)) % size as u64) as usize)
    }
}

fn fnv1a(key: &[u8], seed: u64) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ *byte as u64).wrapping_mul(0x100_0000_01b3))
}
