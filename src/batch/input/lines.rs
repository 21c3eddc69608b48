//! Lines of any number and length, read with a buffer that doesn't grow with them.

use std::io::{self, BufRead};

/// A conversation of eight hours is a tenth of this.
pub const LINE_BYTES_MAX: usize = 16 << 20;

#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    TooLong {
        bytes: u64,
    },
}

/// The next line, and how many bytes were read for it; `None` at the end.
pub fn next(reader: &mut impl BufRead, bytes_max: usize) -> io::Result<Option<(Line, u64)>> {
    let mut line = Vec::new();
    let mut read: u64 = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            if read == 0 {
                return Ok(None);
            }
            break;
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(buffer.len());
        // One byte more than may stay shows that the line is too long.
        let room = (bytes_max + 1).saturating_sub(line.len());
        line.extend_from_slice(&buffer[..taken.min(room)]);
        let consumed = taken + usize::from(end.is_some());
        reader.consume(consumed);
        read += consumed as u64;
        if end.is_some() {
            break;
        }
    }
    if line.len() > bytes_max {
        return Ok(Some((Line::TooLong { bytes: read }, read)));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some((Line::Whole(line), read)))
}

pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], buffer: usize, bytes_max: usize) -> (Vec<Line>, u64) {
        let mut reader = io::BufReader::with_capacity(buffer, bytes);
        let (mut lines, mut total) = (Vec::new(), 0);
        while let Some((line, read)) = next(&mut reader, bytes_max).expect("memory doesn't fail") {
            lines.push(line);
            total += read;
        }
        (lines, total)
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_bytes(
            text in "[a\r\n]{0,60}", buffer in 1_usize..9, bytes_max in 1_usize..20,
        ) {
            let (lines, total) = all(text.as_bytes(), buffer, bytes_max);
            prop_assert_eq!(total, text.len() as u64);
            let mut expected: Vec<&str> = text.split('\n').collect();
            if expected.last() == Some(&"") {
                expected.pop();
            }
            prop_assert_eq!(lines.len(), expected.len());
            for (line, expected) in lines.iter().zip(expected) {
                match line {
                    Line::Whole(bytes) => {
                        let without = expected.strip_suffix('\r').unwrap_or(expected);
                        prop_assert_eq!(bytes.as_slice(), without.as_bytes());
                    }
                    Line::TooLong { .. } => prop_assert!(expected.len() > bytes_max),
                }
            }
        }
    }
}
