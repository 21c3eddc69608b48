//! Server-sent events, parsed as the HTML standard says (§9.2.6). Bytes in, events out.

/// No event of ours is near this; a server that sends more without a line end isn't one.
const LONGEST_LINE_BYTES: usize = 16 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The last id that the stream gave, also by an earlier event: where to resume.
    pub id: Option<String>,
    pub data: String,
}

/// Takes chunks cut anywhere.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    last_was_return: bool,
    begun: bool,
    id: Option<String>,
    data: Option<String>,
}

impl SseParser {
    pub fn last_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Forgets an unfinished event, for a new connection. The last id stays.
    pub fn reconnect(&mut self) {
        let id = self.id.take();
        *self = Self { id, ..Self::default() };
    }

    pub fn push(&mut self, chunk: &[u8]) -> Vec<SseEvent> {
        let mut events = Vec::new();
        for &byte in chunk {
            let after_return = std::mem::replace(&mut self.last_was_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.take_line(&String::from_utf8_lossy(&line)));
                }
                _ if self.line.len() < LONGEST_LINE_BYTES => self.line.push(byte),
                _ => {}
            }
        }
        events
    }

    fn take_line(&mut self, line: &str) -> Option<SseEvent> {
        let line = if self.begun { line } else { line.strip_prefix('\u{feff}').unwrap_or(line) };
        self.begun = true;
        if line.is_empty() {
            let data = self.data.take()?;
            return Some(SseEvent { id: self.id.clone(), data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A line that begins with a colon is a comment; event and retry aren't used.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, data: &str) -> SseEvent {
        SseEvent { id: id.map(str::to_owned), data: data.to_owned() }
    }

    const STREAM: &str = "\u{feff}: hello\n\nid: 4\ndata: {\"a\":1}\n\ndata:x\r\ndata: y\r\n\r\nid: 5\n\nretry: 9\rdata\r\rdata: unfinished\n";

    fn expected() -> Vec<SseEvent> {
        vec![event(Some("4"), "{\"a\":1}"), event(Some("4"), "x\ny"), event(Some("5"), "")]
    }

    #[test]
    fn reads_what_the_standard_allows() {
        let mut parser = SseParser::default();
        assert_eq!(parser.push(STREAM.as_bytes()), expected());
        assert_eq!(parser.last_id(), Some("5"));
        parser.reconnect();
        assert_eq!(parser.push(b"\ndata: z\n\n"), [event(Some("5"), "z")]);
    }

    #[test]
    fn cuts_do_not_matter() {
        let mut parser = SseParser::default();
        let events: Vec<_> =
            STREAM.as_bytes().iter().flat_map(|byte| parser.push(&[*byte])).collect();
        assert_eq!(events, expected());
    }
}
