//! Bodies of more than one part (RFC 2046): SIPREC puts SDP and metadata into one INVITE.

/// One part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// In lower case, without parameters.
    pub content_type: String,
    pub body: &'a [u8],
}

const PARTS_MAX: usize = 16;

/// The parts of a body; one that isn't multipart is its only part.
pub fn parts<'a>(content_type: &str, body: &'a [u8]) -> Vec<Part<'a>> {
    let kind = kind_of(content_type);
    if !kind.starts_with("multipart/") {
        return vec![Part { content_type: kind, body }];
    }
    let Some(boundary) = boundary_of(content_type) else { return Vec::new() };
    let delimiter = format!("--{boundary}");
    let mut found = Vec::new();
    let mut rest = body;
    let mut inside = false;
    while let Some((at, behind)) = find_line(rest, delimiter.as_bytes()) {
        if inside && found.len() < PARTS_MAX {
            found.push(part(&rest[..at]));
        }
        if rest[behind..].starts_with(b"--") {
            return found;
        }
        inside = true;
        rest = skip_line(&rest[behind..]);
    }
    // Some senders forget the last delimiter.
    if inside && found.len() < PARTS_MAX {
        found.push(part(rest));
    }
    found
}

fn part(bytes: &[u8]) -> Part<'_> {
    // The line end before the delimiter belongs to the delimiter.
    let bytes =
        bytes.strip_suffix(b"\n").map_or(bytes, |cut| cut.strip_suffix(b"\r").unwrap_or(cut));
    let mut content_type = "text/plain".to_owned();
    let mut rest = bytes;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let line = String::from_utf8_lossy(&rest[..end]);
        rest = &rest[end..];
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && matches!(name.trim().to_ascii_lowercase().as_str(), "content-type" | "c")
        {
            content_type = kind_of(value);
        }
    }
    Part { content_type, body: rest }
}

/// Where the first line begins with `delimiter`, and where it is behind that.
fn find_line(bytes: &[u8], delimiter: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    loop {
        if bytes[at..].starts_with(delimiter) {
            return Some((at, at + delimiter.len()));
        }
        at += bytes[at..].iter().position(|byte| *byte == b'\n')? + 1;
    }
}

fn skip_line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    &bytes[end..]
}

fn kind_of(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn boundary_of(content_type: &str) -> Option<String> {
    let boundary = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (!boundary.is_empty()).then(|| boundary.to_owned())
}
