//! Offer and answer (RFC 8866, 3264), as far as G.711 over RTP goes.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::flow::audio::Codec;

const LINES_MAX: usize = 32;

/// What somebody offers to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub media: Vec<MediaLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// One `m=` line with its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaLine {
    /// `audio`, `video`, …
    pub kind: String,
    /// 0: not used, or not any more.
    pub port: u16,
    /// `RTP/AVP` and relatives.
    pub transport: String,
    pub formats: Vec<String>,
    pub label: Option<String>,
    pub flow: Flow,
    /// Where it comes from, if `c=` says so in numbers.
    pub address: Option<IpAddr>,
    pub rtcp_mux: bool,
    maps: Vec<(u8, String)>,
}

/// The codec of a media line and its number in the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub payload_type: u8,
    pub codec: Codec,
}

impl Offer {
    /// Reads what it understands. `None` without any media line.
    pub fn parse(text: &str) -> Option<Self> {
        let mut media: Vec<MediaLine> = Vec::new();
        let (mut flow, mut address) = (Flow::SendRecv, None);
        for line in text.lines() {
            let Some((kind, value)) = line.split_once('=') else { continue };
            let (kind, value) = (kind.trim(), value.trim());
            if kind == "m" {
                if media.len() == LINES_MAX {
                    return None;
                }
                media.push(MediaLine::parse(value, flow, address)?);
                continue;
            }
            match (kind, media.last_mut()) {
                ("c", None) => address = connection(value),
                ("c", Some(last)) => last.address = connection(value),
                ("a", None) => flow = flow_of(value).unwrap_or(flow),
                ("a", Some(last)) => last.attribute(value),
                _ => {}
            }
        }
        (!media.is_empty()).then_some(Self { media })
    }
}

impl MediaLine {
    fn parse(value: &str, flow: Flow, address: Option<IpAddr>) -> Option<Self> {
        let mut words = value.split_whitespace();
        let kind = words.next()?.to_owned();
        // `49170/2` would be two ports: the first counts.
        let port = words.next()?.split('/').next()?.parse().ok()?;
        let transport = words.next()?.to_owned();
        let formats = words.map(str::to_owned).collect();
        Some(Self {
            kind,
            port,
            transport,
            formats,
            label: None,
            flow,
            address,
            rtcp_mux: false,
            maps: Vec::new(),
        })
    }

    fn attribute(&mut self, value: &str) {
        if let Some(flow) = flow_of(value) {
            self.flow = flow;
            return;
        }
        match value.split_once(':') {
            Some(("label", label)) => self.label = Some(label.trim().to_owned()),
            Some(("rtpmap", map)) => {
                let map = map.split_once(' ').and_then(|(number, name)| {
                    Some((number.trim().parse().ok()?, name.trim().to_ascii_uppercase()))
                });
                self.maps.extend(map);
            }
            None if value == "rtcp-mux" => self.rtcp_mux = true,
            _ => {}
        }
    }

    /// The first format that we can take, if the line is for audio in the clear.
    pub fn format(&self) -> Option<Format> {
        let in_the_clear = matches!(self.transport.as_str(), "RTP/AVP" | "RTP/AVPF");
        if self.kind != "audio" || self.port == 0 || !in_the_clear {
            return None;
        }
        self.formats.iter().find_map(|format| {
            let payload_type: u8 = format.parse().ok()?;
            let codec = match (self.map(payload_type), payload_type) {
                (Some(name), _) if name.starts_with("PCMU/8000") => Codec::Mulaw,
                (Some(name), _) if name.starts_with("PCMA/8000") => Codec::Alaw,
                (None, 0) => Codec::Mulaw,
                (None, 8) => Codec::Alaw,
                _ => return None,
            };
            Some(Format { payload_type, codec })
        })
    }

    /// The number of telephone events (RFC 4733): keys.
    pub fn events(&self) -> Option<u8> {
        let named = |format: &String| {
            let payload_type = format.parse().ok()?;
            let name = self.map(payload_type)?;
            name.starts_with("TELEPHONE-EVENT/8000").then_some(payload_type)
        };
        self.formats.iter().find_map(named)
    }

    pub fn sends(&self) -> bool {
        // `c=IN IP4 0.0.0.0` is the hold of old (RFC 2543, B.5).
        let held = self.address.is_some_and(|address| address.is_unspecified());
        self.port != 0 && !held && matches!(self.flow, Flow::SendOnly | Flow::SendRecv)
    }

    fn map(&self, payload_type: u8) -> Option<&str> {
        let (_, name) = self.maps.iter().find(|(number, _)| *number == payload_type)?;
        Some(name.as_str())
    }
}

/// The answer: for each line of the offer a port of ours, or none.
pub fn answer(offer: &Offer, ports: &[Option<u16>], address: IpAddr, version: u64) -> String {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let mut text = format!(
        "v=0\r\no=backchannel {version} {version} IN {family} {address}\r\ns=-\r\n\
         c=IN {family} {address}\r\nt=0 0\r\n"
    );
    for (number, line) in offer.media.iter().enumerate() {
        let port = ports.get(number).copied().flatten();
        let (Some(port), Some(format)) = (port, line.format()) else {
            let formats = line.formats.join(" ");
            let _ = write!(text, "m={} 0 {} {formats}\r\n", line.kind, line.transport);
            continue;
        };
        let Format { payload_type, codec } = format;
        let events = line.events();
        let more = events.map(|events| format!(" {events}")).unwrap_or_default();
        let name = if codec == Codec::Alaw { "PCMA" } else { "PCMU" };
        let _ = write!(
            text,
            "m=audio {port} {} {payload_type}{more}\r\na=rtpmap:{payload_type} {name}/8000\r\n",
            line.transport
        );
        if let Some(events) = events {
            let _ = write!(text, "a=rtpmap:{events} telephone-event/8000\r\n");
        }
        if let Some(label) = &line.label {
            let _ = write!(text, "a=label:{label}\r\n");
        }
        if line.rtcp_mux {
            text.push_str("a=rtcp-mux\r\n");
        }
        text.push_str(if line.sends() { "a=recvonly\r\n" } else { "a=inactive\r\n" });
    }
    text
}

fn flow_of(value: &str) -> Option<Flow> {
    Some(match value {
        "sendrecv" => Flow::SendRecv,
        "sendonly" => Flow::SendOnly,
        "recvonly" => Flow::RecvOnly,
        "inactive" => Flow::Inactive,
        _ => return None,
    })
}

fn connection(value: &str) -> Option<IpAddr> {
    // `IN IP4 192.0.2.1/127`: a time to live may follow.
    value.split_whitespace().nth(2)?.split('/').next()?.parse().ok()
}
