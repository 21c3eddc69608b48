//! Who speaks on which stream (RFC 7865), read leniently: vendors differ in attributes and order.

use roxmltree::{Document, Node, ParsingOptions};

/// More elements than this are no description of a call.
const NODES_MAX: u32 = 10_000;
/// Names and addresses are cut to so many characters.
const TEXT_MAX_CHARS: usize = 256;
/// So many senders are known at a time; later ones replace earlier ones.
const SENDERS_MAX: usize = 64;

/// One person of the recorded call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    /// Address of record: `sip:agent7@example.com` or `tel:+15551230001`.
    pub aor: Option<String>,
    pub name: Option<String>,
}

/// What `rs-metadata` say of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    pub session_id: Option<String>,
    /// The recorded call's own name (`Session-ID`, RFC 7989).
    pub sip_session_id: Option<String>,
    /// Label of an SDP line → who sends on it.
    senders: Vec<(String, Participant)>,
}

impl Metadata {
    /// `None` when it is no XML document of this kind.
    pub fn parse(xml: &str) -> Option<Self> {
        let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
        let document = Document::parse_with_options(xml, options).ok()?;
        let root = document.root_element();
        if root.tag_name().name() != "recording" {
            return None;
        }
        let session = root.descendants().find(|node| is(node, "session"));
        let labels: Vec<(&str, String)> = root
            .descendants()
            .filter(|node| is(node, "stream"))
            .filter_map(|stream| Some((id(stream, "stream_id")?, text(stream, "label")?)))
            .collect();
        let people: Vec<(&str, Node)> = root
            .descendants()
            .filter(|node| is(node, "participant"))
            .filter_map(|person| Some((id(person, "participant_id")?, person)))
            .collect();
        // Early drafts name a participant's streams inside of it.
        let sends = root.descendants().filter(|node| is(node, "send")).filter_map(|send| {
            let holder = send.parent()?;
            Some((id(holder, "participant_id")?, send.text()?.trim()))
        });
        let mut senders = Vec::new();
        for (person, stream) in sends {
            let label = labels.iter().find(|(named, _)| *named == stream);
            let person = people.iter().find(|(named, _)| *named == person);
            if let (Some((_, label)), Some((_, person))) = (label, person) {
                senders.push((label.clone(), participant(*person)));
            }
        }
        Some(Self {
            session_id: session.and_then(|node| id(node, "session_id")).map(shortened),
            sip_session_id: session
                .and_then(|node| text(node, "sipSessionID"))
                // Both ends' halves may stand there: `half;remote=half`.
                .and_then(|id| id.split(';').next().map(|half| half.trim().to_owned())),
            senders: newest(senders),
        })
    }

    /// Lays what came later over this.
    pub fn update(&mut self, mut newer: Self) {
        self.senders.retain(|(label, _)| newer.senders(label).is_empty());
        self.senders.append(&mut newer.senders);
        self.senders = newest(std::mem::take(&mut self.senders));
        self.session_id = newer.session_id.or(self.session_id.take());
        self.sip_session_id = newer.sip_session_id.or(self.sip_session_id.take());
    }

    /// Who sends on the stream with this label.
    pub fn senders(&self, label: &str) -> Vec<&Participant> {
        let named = self.senders.iter().filter(|(named, _)| named == label);
        named.map(|(_, participant)| participant).collect()
    }
}

fn participant(node: Node) -> Participant {
    let name_id = node.descendants().find(|node| is(node, "nameID"));
    Participant {
        aor: name_id.and_then(|node| node.attribute("aor")).map(|aor| shortened(aor.trim())),
        name: name_id.and_then(|node| text(node, "name")),
    }
}

/// By its name alone: some leave the namespace out.
fn is(node: &Node, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn id<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attribute(name).or_else(|| node.attribute("id"))
}

/// The text of the first element of this name inside, if there is any.
fn text(node: Node, name: &str) -> Option<String> {
    let found = node.descendants().find(|node| is(node, name))?;
    let text = found.text()?.trim();
    (!text.is_empty()).then(|| shortened(text))
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}

fn newest<T>(mut senders: Vec<T>) -> Vec<T> {
    senders.split_off(senders.len().saturating_sub(SENDERS_MAX))
}
