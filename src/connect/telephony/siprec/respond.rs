//! How the agent answers.

use std::net::SocketAddr;
use std::time::Duration;

use uuid::Uuid;

use super::agent::{ACCEPT, ALLOW, Agent, Invite, Output, Peer};
use super::resend::Resend;
use super::sip::{Message, Start, Via, mark_received};

/// The usual port, for a `Via` that names none.
const SIP_PORT: u16 = 5060;

/// A call that the other side has ended, in case its BYE comes again.
pub(super) struct Ended {
    pub call_id: String,
    pub remote_tag: String,
    pub cseq: u32,
    pub answer: Vec<u8>,
}

impl Ended {
    pub fn is_by(&self, request: &Message, cseq: u32) -> bool {
        request.method() == Some("BYE")
            && self.cseq == cseq
            && request.header("call-id") == Some(self.call_id.as_str())
            && request.parameter("from", "tag") == Some(self.remote_tag.as_str())
    }
}

impl Agent {
    /// Answers at once; returns the bytes.
    pub(super) fn respond(
        &mut self,
        peer: Peer,
        request: &Message,
        status: u16,
        reason: &str,
    ) -> Vec<u8> {
        let response = self.response(peer, request, status, reason);
        self.send(peer, request, &response)
    }

    /// A response with a tag, if it needs one.
    pub(super) fn response(
        &self,
        peer: Peer,
        request: &Message,
        status: u16,
        reason: &str,
    ) -> Message {
        let mut response = request.response(status, reason);
        let address = peer.address();
        mark_received(&mut response, address.ip(), address.port());
        if status > 100 && status != 200 && request.parameter("to", "tag").is_none() {
            let to = request.header("to").unwrap_or_default();
            response.set("to", format!("{to};tag={}", Uuid::new_v4().simple()));
        }
        response
    }

    pub(super) fn send(&mut self, peer: Peer, request: &Message, response: &Message) -> Vec<u8> {
        let to = reply_to_request(peer, request);
        let bytes = response.to_bytes();
        self.outputs.push_back(Output::Send { to, bytes: bytes.clone() });
        bytes
    }

    /// The answer is on its way: an INVITE that comes again hears the same.
    pub(super) fn trying(&mut self, now: Duration, peer: Peer, request: &Message, call: u64) {
        let bytes = self.respond(peer, request, 100, "Trying");
        self.remember(now, peer, request, call, bytes, 100);
    }

    /// The final answer: to an INVITE it is said again until it is acknowledged.
    pub(super) fn finish_invite(
        &mut self,
        now: Duration,
        peer: Peer,
        request: &Message,
        call: u64,
        response: &Message,
    ) {
        let bytes = self.send(peer, request, response);
        if let (Some("INVITE"), Start::Response { status, .. }) =
            (request.method(), &response.start)
        {
            self.remember(now, peer, request, call, bytes, *status);
        }
    }

    fn remember(
        &mut self,
        now: Duration,
        peer: Peer,
        request: &Message,
        call: u64,
        bytes: Vec<u8>,
        status: u16,
    ) {
        let via = Via::topmost(request);
        let to = reply_to_request(peer, request);
        let call_id = request.header("call-id").unwrap_or_default();
        let cseq = request.cseq().map_or(0, |(number, _)| number);
        let branch = via.and_then(|via| via.branch).unwrap_or_default();
        let accepted = status == 200;
        let again = accepted || (status >= 200 && !peer.is_tcp());
        let answer = Resend::new(now, to, bytes, again);
        self.invites.retain(|invite| {
            invite.cseq != cseq || invite.call_id != call_id || invite.branch != branch
        });
        let call_id = call_id.to_owned();
        let remote_tag = request.parameter("from", "tag").unwrap_or_default().to_owned();
        let acked = false;
        self.invites.push(Invite {
            call_id,
            remote_tag,
            cseq,
            branch,
            call,
            acked,
            accepted,
            answer,
        });
    }

    /// The call is over: nobody has to acknowledge its beginning any more.
    pub(super) fn forget_answers(&mut self, call: u64) {
        for invite in
            self.invites.iter_mut().filter(|invite| invite.call == call && invite.accepted)
        {
            invite.acked = true;
            invite.answer.heard();
        }
    }

    pub(super) fn describe(&mut self, peer: Peer, request: &Message) {
        self.describe_with(peer, request, 200, "OK");
    }

    pub(super) fn describe_with(
        &mut self,
        peer: Peer,
        request: &Message,
        status: u16,
        reason: &str,
    ) {
        let mut response = self.response(peer, request, status, reason);
        if request.parameter("to", "tag").is_none() && status == 200 {
            let to = request.header("to").unwrap_or_default();
            response.set("to", format!("{to};tag={}", Uuid::new_v4().simple()));
        }
        response.push("allow", ALLOW);
        response.push("accept", ACCEPT);
        response.push("supported", "siprec");
        self.send(peer, request, &response);
    }
}

pub(super) fn reply_to_request(peer: Peer, request: &Message) -> Peer {
    Via::topmost(request).map_or(peer, |via| reply_to(peer, &via))
}

/// RFC 3261, 18.2.2: over UDP to where the `Via` says, but to the address that it came from.
pub(super) fn reply_to(peer: Peer, via: &Via) -> Peer {
    match peer {
        Peer::Udp(address) if !via.rport => {
            Peer::Udp(SocketAddr::new(address.ip(), via.port.unwrap_or(SIP_PORT)))
        }
        peer => peer,
    }
}

/// Whether this is the answer to our BYE.
pub(super) fn is_answer(response: &Message, call_id: &str) -> bool {
    let is_final = matches!(response.start, Start::Response { status: 200.., .. });
    is_final
        && response.header("call-id") == Some(call_id)
        && response.cseq().is_some_and(|(_, method)| method == "BYE")
}

/// What a request needs and we don't know.
pub(super) fn unknown_extensions(request: &Message) -> Vec<&str> {
    let required = request.all("require").flat_map(|value| value.split(',')).map(str::trim);
    required.filter(|tag| !tag.is_empty() && !tag.eq_ignore_ascii_case("siprec")).collect()
}
