//! The part of SIP that a recording server needs: messages to and from bytes (RFC 3261).

use std::fmt::Write as _;
use std::net::IpAddr;

/// No message may be longer, head and body together.
pub const MESSAGE_MAX_BYTES: usize = 64 << 10;
const HEAD_MAX_BYTES: usize = 16 << 10;
const HEADERS_MAX: usize = 200;

/// Why bytes are no SIP message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SipError {
    #[error("the message has no end of its headers")]
    NoHead,
    #[error("the first line is neither a request nor a response of SIP/2.0")]
    NoStartLine,
    #[error("a header has no name or there are too many")]
    Header,
    #[error("the body is shorter than Content-Length says")]
    Length,
    #[error("the message is larger than {} KiB", MESSAGE_MAX_BYTES >> 10)]
    TooLarge,
    #[error("the message's headers are larger than {} KiB", HEAD_MAX_BYTES >> 10)]
    HeadTooLarge,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    Request { method: String, uri: String },
    Response { status: u16, reason: String },
}

/// One request or response. Header names are kept in their long form and in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub start: Start,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one datagram.
    ///
    /// # Errors
    /// See [`SipError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SipError> {
        if bytes.len() > MESSAGE_MAX_BYTES {
            return Err(SipError::TooLarge);
        }
        let (head, body) = split_head(bytes).ok_or(SipError::NoHead)?;
        let mut message = Self::parse_head(head)?;
        let length = message.content_length()?.unwrap_or(body.len());
        message.body = body.get(..length).ok_or(SipError::Length)?.to_vec();
        Ok(message)
    }

    fn parse_head(head: &[u8]) -> Result<Self, SipError> {
        if head.len() > HEAD_MAX_BYTES {
            return Err(SipError::HeadTooLarge);
        }
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let start = parse_start(lines.next().unwrap_or_default()).ok_or(SipError::NoStartLine)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with([' ', '\t']) {
                // A header goes on in the next line.
                let (_, value) = headers.last_mut().ok_or(SipError::Header)?;
                let _ = write!(value, " {}", line.trim());
                continue;
            }
            let (name, value) = line.split_once(':').ok_or(SipError::Header)?;
            let name = long_name(name.trim());
            if name.is_empty() || headers.len() == HEADERS_MAX {
                return Err(SipError::Header);
            }
            headers.push((name, value.trim().to_owned()));
        }
        Ok(Self { start, headers, body: Vec::new() })
    }

    fn content_length(&self) -> Result<Option<usize>, SipError> {
        let length = self.header("content-length").map(str::parse).transpose();
        length.map_err(|_| SipError::Length)
    }

    /// The first header of this name (long, lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(named, _)| named == name);
        named.map(|(_, value)| value.as_str())
    }

    pub fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// Number and method of `CSeq`.
    pub fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("cseq")?.split_once(' ')?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// A parameter of the header's value, such as the tag of `From`.
    pub fn parameter(&self, header: &str, name: &str) -> Option<&str> {
        parameter(self.header(header)?, name)
    }

    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    /// With the length of its body.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = match &self.start {
            Start::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response { status, reason } => format!("SIP/2.0 {status} {reason}\r\n"),
        };
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "content-length") {
            let _ = write!(head, "{}: {value}\r\n", shown_name(name));
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// A response to this request, with what every response repeats of it.
    pub fn response(&self, status: u16, reason: &str) -> Self {
        let start = Start::Response { status, reason: reason.to_owned() };
        let repeated = ["via", "from", "to", "call-id", "cseq"];
        let headers = self.headers.iter();
        let headers = headers.filter(|(name, _)| repeated.contains(&name.as_str())).cloned();
        Self { start, headers: headers.collect(), body: Vec::new() }
    }

    pub fn set(&mut self, name: &str, value: String) {
        if let Some((_, old)) = self.headers.iter_mut().find(|(named, _)| named == name) {
            *old = value;
        }
    }
}

/// The topmost `Via`: where responses go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    pub port: Option<u16>,
    pub branch: Option<String>,
    /// RFC 3581: answer to the port that the request came from.
    pub rport: bool,
}

impl Via {
    pub fn topmost(message: &Message) -> Option<Self> {
        let value = first_of_list(message.header("via")?);
        let (protocol, rest) = value.split_once(char::is_whitespace)?;
        if !protocol.to_ascii_uppercase().starts_with("SIP/2.0/") {
            return None;
        }
        let sent_by = rest.trim().split(';').next()?.trim();
        let port = match sent_by.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => port.parse().ok(),
            _ => None,
        };
        Some(Self {
            port,
            branch: parameter(value, "branch").map(str::to_owned),
            rport: value.split(';').skip(1).any(|p| p.trim().eq_ignore_ascii_case("rport")),
        })
    }
}

/// Notes in the topmost `Via` of a response where the request came from.
pub fn mark_received(response: &mut Message, ip: IpAddr, port: u16) {
    let Some(via) = response.header("via").map(str::to_owned) else { return };
    let (first, rest) = via.split_at(first_of_list(&via).len());
    let marked: Vec<String> = first
        .split(';')
        .map(|part| match part.trim().eq_ignore_ascii_case("rport") {
            true => format!("rport={port}"),
            false => part.to_owned(),
        })
        .collect();
    response.set("via", format!("{};received={ip}{rest}", marked.join(";")));
}

/// `name` of `…;name=value;…`, behind a URI in angle brackets if there is one.
pub fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let parameters = value.rsplit_once('>').map_or(value, |(_, behind)| behind);
    parameters.split(';').skip(1).find_map(|parameter| {
        let (named, value) = parameter.split_once('=')?;
        named.trim().eq_ignore_ascii_case(name).then_some(value.trim().trim_matches('"'))
    })
}

/// The URI of `Name <uri>;parameters`, or of a bare one.
pub fn uri(value: &str) -> &str {
    match value.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        Some((uri, _)) => uri.trim(),
        None => value.split(';').next().unwrap_or_default().trim(),
    }
}

/// The first element of a list with commas between.
fn first_of_list(value: &str) -> &str {
    value.split(',').next().unwrap_or_default()
}

/// Cuts a TCP stream into messages by their `Content-Length`.
#[derive(Debug, Default)]
pub struct Cutter {
    buffer: Vec<u8>,
}

impl Cutter {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a message has begun that isn't whole yet.
    pub fn is_within_message(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole message. After an error the stream can't be read on.
    ///
    /// # Errors
    /// See [`SipError`].
    pub fn next_message(&mut self) -> Result<Option<Message>, SipError> {
        // Empty lines between messages keep a connection open (RFC 5626).
        let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.buffer.drain(..blank);
        let Some((head, behind)) = split_head(&self.buffer) else {
            let too_large = self.buffer.len() > HEAD_MAX_BYTES;
            return if too_large { Err(SipError::HeadTooLarge) } else { Ok(None) };
        };
        let mut message = Message::parse_head(head)?;
        let length = message.content_length()?.unwrap_or(0);
        let head_bytes = self.buffer.len() - behind.len();
        if length > MESSAGE_MAX_BYTES - head_bytes.min(MESSAGE_MAX_BYTES) {
            return Err(SipError::TooLarge);
        }
        let Some(body) = behind.get(..length) else { return Ok(None) };
        message.body = body.to_vec();
        self.buffer.drain(..head_bytes + length);
        Ok(Some(message))
    }
}

/// Head without the empty line, and what is behind that.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = |pattern: &[u8]| {
        let at = bytes.windows(pattern.len()).position(|window| window == pattern)?;
        Some((at, at + pattern.len()))
    };
    // Some senders end lines with a line feed alone.
    let (head, body) = match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(strict), Some(lax)) => strict.min(lax),
        (strict, lax) => strict.or(lax)?,
    };
    Some((&bytes[..head], &bytes[body..]))
}

fn parse_start(line: &str) -> Option<Start> {
    let mut words = line.splitn(3, ' ');
    let (first, second, third) = (words.next()?, words.next()?, words.next().unwrap_or_default());
    if first.eq_ignore_ascii_case("SIP/2.0") {
        let status = second.parse().ok().filter(|status| (100..700).contains(status))?;
        return Some(Start::Response { status, reason: third.to_owned() });
    }
    let method = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_uppercase());
    let right = method && !second.is_empty() && third.trim().eq_ignore_ascii_case("SIP/2.0");
    right.then(|| Start::Request { method: first.to_owned(), uri: second.to_owned() })
}

fn long_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let long = match name.as_str() {
        "v" => "via",
        "f" => "from",
        "t" => "to",
        "i" => "call-id",
        "m" => "contact",
        "l" => "content-length",
        "c" => "content-type",
        "e" => "content-encoding",
        "s" => "subject",
        "k" => "supported",
        "x" => "session-expires",
        _ => return name,
    };
    long.to_owned()
}

fn shown_name(name: &str) -> String {
    match name {
        "call-id" => "Call-ID".to_owned(),
        "cseq" => "CSeq".to_owned(),
        _ => {
            let capital = |word: &str| {
                let mut letters = word.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                first.into_iter().chain(letters).collect::<String>()
            };
            name.split('-').map(capital).collect::<Vec<_>>().join("-")
        }
    }
}
