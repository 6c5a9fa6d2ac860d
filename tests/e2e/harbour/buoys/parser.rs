//! Sentences that buoys send: `$BUOY,17,53.87,8.71*3F`.

#[derive(Debug, PartialEq)]
pub enum SentenceError {
    NoChecksum,
    WrongChecksum { stated: u8, computed: u8 },
}

/// Exclusive or over everything between the dollar and the star.
pub fn checksum(body: &str) -> u8 {
    body.bytes().fold(0, |sum, byte| sum ^ byte)
}

/// The fields of a sentence whose checksum is right.
pub fn parse_sentence(line: &str) -> Result<Vec<&str>, SentenceError> {
    let (body, stated) = line.trim_start_matches('$').split_once('*').ok_or(SentenceError::NoChecksum)?;
    let stated = u8::from_str_radix(stated, 16).map_err(|_| SentenceError::NoChecksum)?;
    let computed = checksum(body);
    if stated != computed {
        return Err(SentenceError::WrongChecksum { stated, computed });
    }
    Ok(body.split(',').collect())
}
