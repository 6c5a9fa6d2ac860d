//! The write-ahead log: what was promised to be durable before it is in a table.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::path::Path;

use crate::error::{Error, Result};

type Entry = (Vec<u8>, Option<Vec<u8>>);

/// An append-only file of records, each with its checksum.
pub struct Wal {
    file: File,
}

impl Wal {
    /// Opens the log and reads every whole record; a torn one at the end is cut off.
    pub fn recover(path: &Path) -> Result<(Wal, Vec<Entry>)> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut reader = BufReader::new(file.try_clone()?);
        let mut entries = Vec::new();
        let mut good = 0u64;
        loop {
            match read_record(&mut reader) {
                Ok(Some((entry, length))) => {
                    entries.push(entry);
                    good += length;
                }
                Ok(None) => break,
                Err(Error::ChecksumMismatch { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        file.set_len(good)?;
        Ok((Wal { file }, entries))
    }

    /// Appends a record and waits until it is on disk.
    pub fn append(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let record = encode_record(key, value);
        self.file.write_all(&record)?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Forgets everything: it is in a table now.
    pub fn truncate(&mut self) -> Result<()> {
        self.file.set_len(0)?;
        Ok(())
    }
}

fn encode_record(key: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let mut body = (key.len() as u32).to_le_bytes().to_vec();
    body.extend_from_slice(key);
    body.push(value.is_some() as u8);
    body.extend_from_slice(value.unwrap_or_default());
    let mut record = (body.len() as u32).to_le_bytes().to_vec();
    record.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    record.extend(body);
    record
}

fn read_record(reader: &mut impl Read) -> Result<Option<(Entry, u64)>> {
    let mut head = [0u8; 8];
    if reader.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let length = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
    let expected = u32::from_le_bytes(head[4..].try_into().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let found = crc32fast::hash(&body);
    if found != expected {
        return Err(Error::ChecksumMismatch { expected, found });
    }
    let key_end = 4 + u32::from_le_bytes(body[..4].try_into().unwrap()) as usize;
    let value = (body[key_end] == 1).then(|| body[key_end + 1..].to_vec());
    Ok(Some(((body[4..key_end].to_vec(), value), 8 + length as u64)))
}
