//! Has a buoy torn loose from its anchor?

pub struct Position {
    pub north_m: f64,
    pub east_m: f64,
}

impl Position {
    /// Metres between two positions, as the gull flies.
    pub fn distance(&self, other: &Position) -> f64 {
        (self.north_m - other.north_m).hypot(self.east_m - other.east_m)
    }
}

/// A buoy further from its anchor than its chain is long is adrift.
pub fn is_adrift(anchor: &Position, seen: &Position, chain_m: f64) -> bool {
    anchor.distance(seen) > chain_m * 1.1
}
