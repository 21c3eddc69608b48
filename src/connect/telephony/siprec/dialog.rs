//! One recording session: what was offered, what was taken of it, and how it ends.

use std::net::IpAddr;
use std::time::Duration;

use super::agent::{Peer, StreamSpec};
use super::metadata::Metadata;
use super::multipart;
use super::parties::{RoleRules, StreamParty};
use super::sdp::{self, Offer};
use super::sip::{Message, Start, uri};
use crate::connect::telephony::{Notes, Opening};
use crate::domain::{Direction, Role};
use crate::flow::driver::{Control, LEGS_MAX, LegSpec};

/// What the body of an INVITE or UPDATE brings.
pub(super) struct Body {
    pub offer: Option<Offer>,
    pub metadata: Option<Metadata>,
}

impl Body {
    pub fn of(request: &Message) -> Self {
        let content_type = request.header("content-type").unwrap_or_default();
        let (mut offer, mut metadata) = (None, None);
        for part in multipart::parts(content_type, &request.body) {
            let text = String::from_utf8_lossy(part.body);
            match part.content_type.as_str() {
                "application/sdp" => offer = offer.or_else(|| Offer::parse(&text)),
                kind if kind.starts_with("application/rs-metadata") => {
                    metadata = metadata.or_else(|| Metadata::parse(text.trim_start()));
                }
                _ => {}
            }
        }
        Self { offer, metadata }
    }
}

/// One line of the offer, as far as we take it.
#[derive(Clone, Debug)]
struct Line {
    payload_type: u8,
    /// `None` until it is known.
    port: Option<u16>,
}

/// A stream that is heard, and who it was said to be last.
struct TakenLeg {
    label: Option<String>,
    party: StreamParty,
}

pub(super) struct Dialog {
    pub call: u64,
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
    /// Where in-dialog requests of ours go.
    pub peer: Peer,
    target: String,
    routes: Vec<String>,
    /// `From` and `To` of our requests.
    local: String,
    remote: String,
    local_cseq: u32,
    pub remote_cseq: u32,
    /// The answer to the last request that wasn't an INVITE, for when it comes again.
    pub last_answer: Option<(u32, Vec<u8>)>,
    offer: Offer,
    lines: Vec<Option<Line>>,
    legs: Vec<TakenLeg>,
    metadata: Metadata,
    pub address: Option<IpAddr>,
    version: u64,
    paused_at: Option<Duration>,
    /// The INVITE or UPDATE that waits for ports.
    pub pending: Option<Message>,
}

/// What a new offer changes.
pub(super) struct Change {
    pub streams: Vec<StreamSpec>,
    pub transfers: Vec<Control>,
    pub pause: Option<Pause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    Begins,
    Ends { paused_ms: u64 },
}

impl Dialog {
    /// `None` when the request lacks what a dialog needs.
    pub fn new(call: u64, peer: Peer, request: &Message, local_tag: String) -> Option<Self> {
        let to = request.header("to")?;
        Some(Self {
            call,
            call_id: request.header("call-id")?.to_owned(),
            remote_tag: request.parameter("from", "tag")?.to_owned(),
            peer,
            target: uri(request.header("contact").or(request.header("from"))?).to_owned(),
            routes: request.all("record-route").map(str::to_owned).collect(),
            local: format!("{to};tag={local_tag}"),
            remote: request.header("from")?.to_owned(),
            local_tag,
            local_cseq: 0,
            remote_cseq: request.cseq()?.0,
            last_answer: None,
            offer: Offer { media: Vec::new() },
            lines: Vec::new(),
            legs: Vec::new(),
            metadata: Metadata::default(),
            address: None,
            version: 1,
            paused_at: None,
            pending: None,
        })
    }

    /// Lays a new offer over what there is. `None` when it can't be taken: no line that we
    /// understand, or a line that changes its codec.
    pub fn take(&mut self, now: Duration, body: Body, rules: &RoleRules) -> Option<Change> {
        if let Some(metadata) = body.metadata {
            self.metadata.update(metadata);
        }
        let Some(offer) = body.offer else {
            // A mere refresh, or new metadata.
            let transfers = self.transfers(rules);
            let (streams, pause) = (Vec::new(), None);
            return (!self.lines.is_empty()).then_some(Change { streams, transfers, pause });
        };
        let mut lines = self.lines.clone();
        lines.resize(offer.media.len().max(lines.len()), None);
        let mut new = Vec::new();
        for (number, media) in offer.media.iter().enumerate() {
            let Some(format) = media.format() else { continue };
            match &lines[number] {
                Some(line) if line.payload_type != format.payload_type => return None,
                Some(_) => {}
                None if self.legs.len() + new.len() < LEGS_MAX => {
                    lines[number] = Some(Line { payload_type: format.payload_type, port: None });
                    new.push((media, format));
                }
                None => {}
            }
        }
        let open = |(number, media): (usize, &sdp::MediaLine)| {
            lines[number].is_some() && media.format().is_some()
        };
        if self.lines.is_empty() && !offer.media.iter().enumerate().any(open) {
            return None;
        }
        let labels: Vec<Option<&str>> =
            new.iter().map(|(media, _)| media.label.as_deref()).collect();
        let transfers = self.transfers(rules);
        let before: Vec<Role> = self.legs.iter().map(|leg| leg.party.role).collect();
        let parties = rules.parties(&self.metadata, &labels, &before);
        let streams: Vec<StreamSpec> = new
            .iter()
            .zip(&parties)
            .map(|((media, format), party)| StreamSpec {
                leg: LegSpec {
                    role: party.role,
                    name: party.name.clone(),
                    codec: format.codec,
                    sample_rate_hz: 8_000,
                },
                aor: party.aor.clone(),
                format: *format,
                events: media.events(),
                from: media.address,
            })
            .collect();
        let labels = new.iter().map(|(media, _)| media.label.clone());
        let taken = labels.zip(parties).map(|(label, party)| TakenLeg { label, party });
        let taken: Vec<TakenLeg> = taken.collect();
        self.legs.extend(taken);
        let sends = offer.media.iter().any(|media| media.format().is_some() && media.sends());
        (self.offer, self.lines) = (offer, lines);
        Some(Change { streams, transfers, pause: self.pause(now, sends) })
    }

    /// Streams on which somebody else is heard by now.
    fn transfers(&mut self, rules: &RoleRules) -> Vec<Control> {
        let mut transfers = Vec::new();
        for (number, leg) in self.legs.iter_mut().enumerate() {
            let senders = leg.label.as_deref().map(|label| self.metadata.senders(label));
            let Some([sender]) = senders.as_deref() else { continue };
            // Who wasn't known before is named late, and no other.
            if leg.party.aor.is_none() || sender.aor.is_none() || leg.party.aor == sender.aor {
                continue;
            }
            leg.party = rules.successor(sender, leg.party.role);
            let StreamParty { role, name, .. } = leg.party.clone();
            transfers.push(Control::Transfer { leg: number, role, name });
        }
        transfers
    }

    fn pause(&mut self, now: Duration, sends: bool) -> Option<Pause> {
        match (self.paused_at, sends) {
            (None, false) => {
                self.paused_at = Some(now);
                Some(Pause::Begins)
            }
            (Some(since), true) => {
                self.paused_at = None;
                let paused = now.saturating_sub(since);
                Some(Pause::Ends { paused_ms: paused.as_millis() as u64 })
            }
            _ => None,
        }
    }

    /// The ports of the lines that have none yet, in their order.
    pub fn give_ports(&mut self, ports: &[u16]) {
        let waiting = self.lines.iter_mut().flatten().filter(|line| line.port.is_none());
        for (line, port) in waiting.zip(ports) {
            line.port = Some(*port);
        }
    }

    /// The streams that wait for ports don't come.
    pub fn give_up_waiting(&mut self) {
        for line in &mut self.lines {
            if line.as_ref().is_some_and(|line| line.port.is_none()) {
                *line = None;
            }
        }
        self.legs.truncate(self.lines.iter().flatten().count());
    }

    /// The answer to the last offer.
    pub fn answer(&mut self, address: IpAddr) -> String {
        let ports: Vec<Option<u16>> =
            self.lines.iter().map(|line| line.as_ref().and_then(|line| line.port)).collect();
        self.version += 1;
        sdp::answer(&self.offer, &ports, address, self.version)
    }

    /// What the call is, for its start.
    pub fn opening(&self, streams: &[StreamSpec]) -> Opening {
        // They know how long the other side's words may be.
        let mut notes = Notes::default();
        notes.attribute("sip_call_id", &self.call_id);
        if let Some(id) = &self.metadata.session_id {
            notes.attribute("siprec_session_id", id);
        }
        for stream in streams {
            if let Some(aor) = &stream.aor {
                notes.attribute(&format!("{}_aor", stream.leg.role.as_str()), aor);
            }
        }
        let session = self.metadata.sip_session_id.as_ref().or(self.metadata.session_id.as_ref());
        notes.external_id(session.unwrap_or(&self.call_id));
        let Notes { external_id, attributes, .. } = notes;
        Opening {
            external_id,
            direction: Direction::Inbound,
            legs: streams.iter().map(|stream| stream.leg.clone()).collect(),
            attributes,
            wants_news: false,
        }
    }

    /// Our own end of it.
    pub fn bye(&mut self, port: u16, branch: &str) -> Message {
        self.local_cseq += 1;
        let start = Start::Request { method: "BYE".to_owned(), uri: self.target.clone() };
        let mut bye = Message { start, headers: Vec::new(), body: Vec::new() };
        let transport = if self.peer.is_tcp() { "TCP" } else { "UDP" };
        let address = self.address.unwrap_or(self.peer.address().ip());
        let host = std::net::SocketAddr::new(address, port);
        bye.push("via", format!("SIP/2.0/{transport} {host};branch={branch};rport"));
        bye.push("max-forwards", "70");
        for route in &self.routes {
            bye.push("route", route.clone());
        }
        bye.push("from", self.local.clone());
        bye.push("to", self.remote.clone());
        bye.push("call-id", self.call_id.clone());
        bye.push("cseq", format!("{} BYE", self.local_cseq));
        bye
    }

    /// Whether an in-dialog request belongs here.
    pub fn is_of(&self, request: &Message) -> bool {
        request.header("call-id") == Some(self.call_id.as_str())
            && request.parameter("from", "tag") == Some(self.remote_tag.as_str())
            && request.parameter("to", "tag") == Some(self.local_tag.as_str())
    }
}
