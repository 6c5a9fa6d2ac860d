//! Bees and what they bring home.

use std::collections::HashMap;
use std::fmt;

pub const FRAMES: usize = 10;
static mut COUNT: u32 = 0;

/// Honey in grams.
pub type Honey = f64;

/// A hive with its frames.
#[derive(Debug, Clone)]
pub struct Hive<'a> {
    name: &'a str,
    frames: HashMap<usize, Honey>,
}

pub enum Bee {
    Queen,
    Worker { age: u8 },
}

pub trait Keeper {
    fn open(&self, hive: &Hive) -> Result<(), String>;
    fn smoke(&self) {
        println!("puff");
    }
}

impl<'a> Hive<'a> {
    /// An empty hive.
    pub fn new(name: &'a str) -> Self {
        Hive { name, frames: HashMap::new() }
    }

    #[must_use]
    pub fn total(&self) -> Honey {
        let mut sum = 0.0;
        for honey in self.frames.values() {
            sum += honey;
        }
        sum
    }
}

impl<'a> fmt::Display for Hive<'a> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} frames", self.name, self.frames.len())
    }
}

macro_rules! hive {
    ($name:expr) => {
        Hive::new($name)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_hive_has_no_honey() {
        assert_eq!(Hive::new("linden").total(), 0.0);
    }
}
