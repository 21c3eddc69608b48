//! Lines of any number and length, read with a buffer that doesn't grow with them.

use std::io::{self, BufRead, Read as _};

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
    // One byte more than may stay, and the end of the line.
    let most = bytes_max as u64 + 2;
    let mut read = reader.by_ref().take(most).read_until(b'\n', &mut line)? as u64;
    if read == 0 {
        return Ok(None);
    }
    let is_whole = line.last() == Some(&b'\n');
    if is_whole {
        line.pop();
    } else if read == most {
        read += reader.skip_until(b'\n')? as u64;
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
