//! The words of the decoder, as raw bytes.
//!
//! CTranslate2 keeps GPT-2's printable form, in which each byte of a token stands as one letter;
//! ggml wants the bytes. The file is text with a token a line, or a JSON array of the same.

use super::ConvertError;

/// A vocabulary is below 2 MB; anything much larger is another file.
pub const MAX_BYTES: u64 = 16 << 20;

const END_OF_TEXT: &str = "<|endoftext|>";

/// The tokens before `<|endoftext|>`: whisper.cpp names the special ones behind it itself.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Vec<u8>>, ConvertError> {
    let text = std::str::from_utf8(file)
        .map_err(|error| wrong(format!("not UTF-8 after byte {}", error.valid_up_to())))?;
    if text.trim_start().starts_with('[') && text.trim_end().ends_with(']') {
        let tokens: Vec<String> =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        return words(tokens.iter().map(String::as_str));
    }
    words(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)))
}

fn words<'a>(tokens: impl Iterator<Item = &'a str>) -> Result<Vec<Vec<u8>>, ConvertError> {
    let mut words = Vec::new();
    for (line, token) in (1..).zip(tokens) {
        if token == END_OF_TEXT {
            return Ok(words);
        }
        words.push(raw_bytes(token).ok_or_else(|| {
            wrong(format!("token {line} ({token:?}) has a letter outside GPT-2's alphabet"))
        })?);
    }
    Err(wrong(format!("it has no {END_OF_TEXT}")))
}

/// Reverses GPT-2's `bytes_to_unicode`: printable Latin-1 stands for itself, the other 68 bytes, in
/// order, for U+0100 onwards.
fn raw_bytes(token: &str) -> Option<Vec<u8>> {
    token
        .chars()
        .map(|letter| match u32::from(letter) {
            code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(code).ok(),
            code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
            code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
            0x143 => Some(0xad),
            _ => None,
        })
        .collect()
}

fn wrong(problem: String) -> ConvertError {
    ConvertError::Vocabulary(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_letter() {
        let mut next = 0x100;
        for byte in 0u8..=255 {
            let printable = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
            let letter = if printable {
                char::from(byte)
            } else {
                next += 1;
                char::from_u32(next - 1).unwrap()
            };
            assert_eq!(raw_bytes(&letter.to_string()), Some(vec![byte]), "{byte:#x}");
        }
        assert_eq!(next, 0x144);
        assert_eq!(raw_bytes("\u{144}"), None);
    }

    #[test]
    fn text_and_json_give_the_same_words() {
        let expected = vec![b"a".to_vec(), b" b".to_vec(), Vec::new()];
        assert_eq!(parse("a\nĠb\n\n<|endoftext|>\n<|en|>\n".as_bytes()).unwrap(), expected);
        assert_eq!(parse(r#"["a","\u0120b","","<|endoftext|>"]"#.as_bytes()).unwrap(), expected);
        assert!(parse(b"a\nb\n").unwrap_err().to_string().contains("no <|endoftext|>"));
    }
}
