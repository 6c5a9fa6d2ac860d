//! What can go wrong.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub enum Error {
    Io(std::io::Error),
    ChecksumMismatch { expected: u32, found: u32 },
    UnsupportedVersion(u16),
    Locked(std::path::PathBuf),
    Empty,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => write!(out, "input or output failed: {error}"),
            Error::ChecksumMismatch { expected, found } => {
                write!(out, "block is damaged: checksum {found:08x}, expected {expected:08x}")
            }
            Error::UnsupportedVersion(version) => write!(out, "table format version {version} is not supported"),
            Error::Locked(path) => write!(out, "{} is in use by another process", path.display()),
            Error::Empty => write!(out, "a table needs at least one entry"),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::Io(error)
    }
}
