//! The signalling side of the recording server: SIP messages in, SIP messages and calls out.
//!
//! It takes INVITE (also again, within a dialog), ACK, BYE, CANCEL, UPDATE and OPTIONS. It asks for
//! ports and a call with `Open`, and answers the INVITE once `ready` says that they are there.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use uuid::Uuid;

use super::dialog::{Body, Change, Dialog, Pause};
use super::parties::RoleRules;
use super::resend::Resend;
use super::respond::{Ended, is_answer, reply_to_request, unknown_extensions};
use super::sdp::Format;
use super::sip::{Message, Via};
use crate::connect::telephony::Opening;
use crate::domain::EndReason;
use crate::flow::driver::{Control, Full, LegSpec};

pub(super) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE";
pub(super) const ACCEPT: &str = "application/sdp, application/rs-metadata+xml, multipart/mixed";

/// INVITEs that are remembered at a time, answered ones for 32 s; more are told to come again later.
const INVITES_MAX: usize = 1_024;
/// Answers to the last BYEs, for those that come again.
const ENDED_MAX: usize = 256;

/// The other side of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Udp(SocketAddr),
    Tcp { connection: u64, address: SocketAddr },
}

impl Peer {
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(address) | Self::Tcp { address, .. } => *address,
        }
    }

    pub fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp { .. })
    }
}

/// One stream that needs a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    pub leg: LegSpec,
    pub aor: Option<String>,
    pub format: Format,
    /// The payload type of keys.
    pub events: Option<u8>,
    /// Where it comes from, as the offer says.
    pub from: Option<IpAddr>,
}

/// What the agent wants done. Of each call: `Open`, then `Extend` and `Control`, then `Close`.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Send {
        to: Peer,
        bytes: Vec<u8>,
    },
    /// Open this call with a port for each stream; `ready` answers.
    Open {
        call: u64,
        peer: Peer,
        opening: Opening,
        streams: Vec<StreamSpec>,
    },
    /// Ports for more streams of it, each a party that joins; `ready` answers.
    Extend {
        call: u64,
        streams: Vec<StreamSpec>,
    },
    Control {
        call: u64,
        control: Control,
    },
    Close {
        call: u64,
        reason: EndReason,
    },
}

/// Where the streams that were asked for are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub address: IpAddr,
    pub ports: Vec<u16>,
}

/// Why the call isn't taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub reason: &'static str,
    /// When it may come again.
    pub retry_after_seconds: Option<u64>,
}

impl Refusal {
    pub const BUSY: Self = Self::full(Full::Load);
    pub const FAILED: Self =
        Self { status: 500, reason: "Server Internal Error", retry_after_seconds: None };

    pub const fn full(full: Full) -> Self {
        let retry_after_seconds = Some(full.retry_after_seconds());
        Self { status: 503, reason: "As Many Calls As Can Be Held", retry_after_seconds }
    }
}

/// An INVITE that is being answered, or was lately.
pub(super) struct Invite {
    pub call_id: String,
    pub remote_tag: String,
    pub cseq: u32,
    pub branch: String,
    pub call: u64,
    pub acked: bool,
    /// It was answered with 200.
    pub accepted: bool,
    pub answer: Resend,
}

/// A BYE of ours that isn't answered yet.
struct Bye {
    call_id: String,
    request: Resend,
}

pub struct Agent {
    rules: RoleRules,
    allowed: Vec<IpNet>,
    /// Our own, for `Contact` and `Via`.
    port: u16,
    dialogs: Vec<Dialog>,
    pub(super) invites: Vec<Invite>,
    byes: Vec<Bye>,
    ended: VecDeque<Ended>,
    calls: u64,
    pub(super) outputs: VecDeque<Output>,
}

impl Agent {
    pub fn new(rules: RoleRules, allowed: Vec<IpNet>, port: u16) -> Self {
        Self {
            rules,
            allowed,
            port,
            dialogs: Vec::new(),
            invites: Vec::new(),
            byes: Vec::new(),
            ended: VecDeque::new(),
            calls: 0,
            outputs: VecDeque::new(),
        }
    }

    pub fn allows(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.allowed.iter().any(|net| net.contains(&ip))
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn handle_message(&mut self, now: Duration, peer: Peer, message: &Message) {
        let allowed = self.allows(peer.address().ip());
        let Some(method) = message.method() else {
            self.byes.retain(|bye| !(allowed && is_answer(message, &bye.call_id)));
            return;
        };
        if !allowed {
            if method != "ACK" && message.header("via").is_some() {
                self.respond(peer, message, 403, "Not On The List Of Recorders");
            }
            return;
        }
        let complete = ["from", "to", "call-id"].iter().all(|name| message.header(name).is_some());
        let (Some(via), Some((cseq, _)), true) = (Via::topmost(message), message.cseq(), complete)
        else {
            if method != "ACK" && message.header("via").is_some() {
                self.respond(peer, message, 400, "Incomplete Headers");
            }
            return;
        };
        match method {
            "ACK" => self.acknowledged(message, cseq),
            "INVITE" => self.invited(now, peer, message, cseq, &via),
            "CANCEL" => self.cancelled(now, peer, message, cseq, &via),
            "BYE" | "UPDATE" => self.in_dialog(now, peer, message, cseq),
            "OPTIONS" => self.describe(peer, message),
            _ => self.describe_with(peer, message, 405, "Method Not Allowed"),
        }
    }

    fn invited(&mut self, now: Duration, peer: Peer, request: &Message, cseq: u32, via: &Via) {
        let call_id = request.header("call-id").unwrap_or_default();
        let branch = via.branch.clone().unwrap_or_default();
        let known = self.invites.iter().find(|invite| {
            invite.cseq == cseq && invite.call_id == call_id && invite.branch == branch
        });
        if let Some(known) = known {
            let Resend { to, bytes, .. } = &known.answer;
            self.outputs.push_back(Output::Send { to: *to, bytes: bytes.clone() });
            return;
        }
        if request.parameter("to", "tag").is_some() {
            self.in_dialog(now, peer, request, cseq);
            return;
        }
        let from = request.parameter("from", "tag");
        if self.dialogs.iter().any(|d| d.call_id == call_id && Some(&*d.remote_tag) == from) {
            self.respond(peer, request, 482, "Loop Detected");
            return;
        }
        if self.invites.len() >= INVITES_MAX {
            let response = self.refusal(peer, request, &Refusal::BUSY);
            self.send(peer, request, &response);
            return;
        }
        let unknown = unknown_extensions(request);
        if !unknown.is_empty() {
            let mut response = self.response(peer, request, 420, "Bad Extension");
            response.push("unsupported", unknown.join(", "));
            self.finish_invite(now, peer, request, 0, &response);
            return;
        }
        self.calls += 1;
        let tag = Uuid::new_v4().simple().to_string();
        let Some(mut dialog) = Dialog::new(self.calls, peer, request, tag) else {
            self.respond(peer, request, 400, "Incomplete Headers");
            return;
        };
        let Some(Change { streams, pause, .. }) = dialog.take(now, Body::of(request), &self.rules)
        else {
            let response = self.response(peer, request, 488, "No G.711 Audio Offered");
            self.finish_invite(now, peer, request, 0, &response);
            return;
        };
        self.trying(now, peer, request, dialog.call);
        let (call, opening) = (dialog.call, dialog.opening(&streams));
        dialog.pending = Some(request.clone());
        self.dialogs.push(dialog);
        self.outputs.push_back(Output::Open { call, peer, opening, streams });
        self.pause(call, pause);
    }

    /// The answer to `Open` or `Extend`. A call that was cancelled meanwhile has its `Close` already.
    pub fn ready(&mut self, now: Duration, call: u64, ready: Result<Answer, Refusal>) {
        let Some(at) = self.dialogs.iter().position(|dialog| dialog.call == call) else { return };
        let dialog = &mut self.dialogs[at];
        match &ready {
            Ok(Answer { address, ports }) => {
                dialog.address = Some(*address);
                dialog.give_ports(ports);
            }
            Err(_) => dialog.give_up_waiting(),
        }
        let Some(request) = dialog.pending.take() else { return };
        let peer = dialog.peer;
        match ready {
            Ok(_) => self.accept(now, at, peer, &request),
            Err(refusal) => {
                let response = self.refusal(peer, &request, &refusal);
                // A call that is live goes on as it was.
                let begun = request.parameter("to", "tag").is_some();
                self.finish_invite(now, peer, &request, call, &response);
                if !begun {
                    self.dialogs.remove(at);
                }
            }
        }
    }

    fn refusal(&mut self, peer: Peer, request: &Message, refusal: &Refusal) -> Message {
        let mut response = self.response(peer, request, refusal.status, refusal.reason);
        if let Some(seconds) = refusal.retry_after_seconds {
            response.push("retry-after", seconds.to_string());
        }
        response
    }

    fn accept(&mut self, now: Duration, at: usize, peer: Peer, request: &Message) {
        let mut response = self.response(peer, request, 200, "OK");
        let dialog = &mut self.dialogs[at];
        let address = dialog.address.unwrap_or(peer.address().ip());
        let to = request.header("to").unwrap_or_default();
        if request.parameter("to", "tag").is_none() {
            response.set("to", format!("{to};tag={}", dialog.local_tag));
        }
        for route in request.all("record-route") {
            response.push("record-route", route);
        }
        let transport = if peer.is_tcp() { ";transport=tcp" } else { "" };
        let contact = SocketAddr::new(address, self.port);
        response.push("contact", format!("<sip:backchannel@{contact}{transport}>;+sip.srs"));
        response.push("allow", ALLOW);
        response.push("supported", "siprec");
        response.push("content-type", "application/sdp");
        response.body = dialog.answer(address).into_bytes();
        let call = dialog.call;
        let cseq = request.cseq().map_or(0, |(number, _)| number);
        if request.method() == Some("INVITE") {
            self.finish_invite(now, peer, request, call, &response);
        } else {
            let bytes = self.send(peer, request, &response);
            self.dialogs[at].last_answer = Some((cseq, bytes));
        }
    }

    fn in_dialog(&mut self, now: Duration, peer: Peer, request: &Message, cseq: u32) {
        let Some(at) = self.dialogs.iter().position(|dialog| dialog.is_of(request)) else {
            match self.ended.iter().find(|ended| ended.is_by(request, cseq)) {
                Some(Ended { answer, .. }) => {
                    let bytes = answer.clone();
                    self.outputs
                        .push_back(Output::Send { to: reply_to_request(peer, request), bytes });
                }
                None => {
                    self.respond(peer, request, 481, "Call Does Not Exist");
                }
            }
            return;
        };
        let dialog = &mut self.dialogs[at];
        if let Some((answered, bytes)) = &dialog.last_answer
            && *answered == cseq
        {
            let bytes = bytes.clone();
            self.outputs.push_back(Output::Send { to: dialog.peer, bytes });
            return;
        }
        if cseq <= dialog.remote_cseq {
            self.respond(peer, request, 500, "Old Sequence Number");
            return;
        }
        dialog.remote_cseq = cseq;
        dialog.peer = peer;
        if request.method() == Some("BYE") {
            let dialog = self.dialogs.remove(at);
            if let Some(invite) = &dialog.pending {
                let response = self.response(peer, invite, 487, "Request Terminated");
                self.finish_invite(now, peer, invite, dialog.call, &response);
            }
            let answer = self.respond(peer, request, 200, "OK");
            self.forget_answers(dialog.call);
            self.ended.truncate(ENDED_MAX - 1);
            let Dialog { call, call_id, remote_tag, .. } = dialog;
            self.ended.push_front(Ended { call_id, remote_tag, cseq, answer });
            self.outputs.push_back(Output::Close { call, reason: EndReason::Hangup });
            return;
        }
        if dialog.pending.is_some() {
            let response = self.response(peer, request, 491, "Request Pending");
            self.finish_invite(now, peer, request, 0, &response);
            return;
        }
        let call = dialog.call;
        match dialog.take(now, Body::of(request), &self.rules) {
            None => {
                let response = self.response(peer, request, 488, "Not Acceptable Here");
                self.finish_invite(now, peer, request, 0, &response);
            }
            Some(Change { streams, transfers, pause }) => {
                let controls = transfers.into_iter();
                self.outputs.extend(controls.map(|control| Output::Control { call, control }));
                self.pause(call, pause);
                if streams.is_empty() {
                    self.accept(now, at, peer, request);
                } else {
                    self.dialogs[at].pending = Some(request.clone());
                    if request.method() == Some("INVITE") {
                        self.trying(now, peer, request, call);
                    }
                    self.outputs.push_back(Output::Extend { call, streams });
                }
            }
        }
    }

    fn pause(&mut self, call: u64, pause: Option<Pause>) {
        let control = match pause {
            Some(Pause::Begins) => Control::Pause,
            Some(Pause::Ends { paused_ms }) => Control::Resume { paused_ms: Some(paused_ms) },
            None => return,
        };
        self.outputs.push_back(Output::Control { call, control });
    }

    fn cancelled(&mut self, now: Duration, peer: Peer, request: &Message, cseq: u32, via: &Via) {
        let call_id = request.header("call-id").unwrap_or_default();
        let invite = self.invites.iter().find(|invite| {
            invite.cseq == cseq
                && invite.call_id == call_id
                && Some(&invite.branch) == via.branch.as_ref()
        });
        let Some(call) = invite.map(|invite| invite.call) else {
            self.respond(peer, request, 481, "Transaction Does Not Exist");
            return;
        };
        self.respond(peer, request, 200, "OK");
        let waits = |dialog: &Dialog| dialog.call == call && dialog.pending.is_some();
        // Once answered, there is nothing left to cancel; a BYE ends it then.
        let Some(at) = self.dialogs.iter().position(waits) else { return };
        let Some(invite) = self.dialogs[at].pending.take() else { return };
        let response = self.response(peer, &invite, 487, "Request Terminated");
        self.finish_invite(now, peer, &invite, call, &response);
        if invite.parameter("to", "tag").is_none() {
            self.dialogs.remove(at);
            self.outputs.push_back(Output::Close { call, reason: EndReason::Hangup });
        }
    }

    fn acknowledged(&mut self, request: &Message, cseq: u32) {
        let call_id = request.header("call-id").unwrap_or_default();
        let tag = request.parameter("from", "tag").unwrap_or_default();
        for invite in &mut self.invites {
            if invite.cseq == cseq && invite.call_id == call_id && invite.remote_tag == tag {
                invite.acked = true;
                invite.answer.heard();
            }
        }
    }

    /// The call has ended on our side.
    pub fn hang_up(&mut self, now: Duration, call: u64) {
        let Some(at) = self.dialogs.iter().position(|dialog| dialog.call == call) else { return };
        let mut dialog = self.dialogs.remove(at);
        self.forget_answers(call);
        if let Some(invite) = dialog.pending.take() {
            let Refusal { status, reason, .. } = Refusal::FAILED;
            let response = self.response(dialog.peer, &invite, status, reason);
            self.finish_invite(now, dialog.peer, &invite, call, &response);
            if invite.parameter("to", "tag").is_none() {
                return;
            }
        }
        let branch = format!("z9hG4bK{}", Uuid::new_v4().simple());
        let bytes = dialog.bye(self.port, &branch).to_bytes();
        let request = Resend::new(now, dialog.peer, bytes.clone(), !dialog.peer.is_tcp());
        self.byes.push(Bye { call_id: dialog.call_id, request });
        self.outputs.push_back(Output::Send { to: dialog.peer, bytes });
    }

    /// Ends everything in order.
    pub fn shut_down(&mut self, now: Duration) {
        while let Some(call) = self.dialogs.last().map(|dialog| dialog.call) {
            self.hang_up(now, call);
            self.outputs.push_back(Output::Close { call, reason: EndReason::Shutdown });
        }
    }

    /// When `handle_timeout` wants to be called.
    pub fn deadline(&self) -> Option<Duration> {
        let answers = self.invites.iter().map(|invite| invite.answer.deadline());
        answers.chain(self.byes.iter().map(|bye| bye.request.deadline())).min()
    }

    pub fn handle_timeout(&mut self, now: Duration) {
        let mut unheard = Vec::new();
        for invite in &mut self.invites {
            if invite.answer.is_due(now) {
                let Resend { to, bytes, .. } = &invite.answer;
                self.outputs.push_back(Output::Send { to: *to, bytes: bytes.clone() });
            }
            if invite.answer.is_over(now) && invite.accepted && !invite.acked {
                unheard.push(invite.call);
            }
        }
        self.invites.retain(|invite| !invite.answer.is_over(now));
        for bye in &mut self.byes {
            if bye.request.is_due(now) {
                let Resend { to, bytes, .. } = &bye.request;
                self.outputs.push_back(Output::Send { to: *to, bytes: bytes.clone() });
            }
        }
        self.byes.retain(|bye| !bye.request.is_over(now));
        for call in unheard {
            if self.dialogs.iter().any(|dialog| dialog.call == call) {
                self.hang_up(now, call);
                self.outputs.push_back(Output::Close { call, reason: EndReason::Timeout });
            }
        }
    }
}
