use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::super::agent::{Agent, Answer, Output, Peer, Refusal, StreamSpec};
use super::super::parties::RoleRules;
use super::super::sip::{Message, Start};
use super::{METADATA, OFFER};
use crate::connect::telephony::Opening;
use crate::domain::{EndReason, Role};
use crate::flow::audio::Codec;
use crate::flow::driver::{Control, Full};

const T0: Duration = Duration::from_secs(100);
const SRC: Peer = Peer::Udp(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5070));
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9));

pub(super) struct Desk {
    pub agent: Agent,
    pub now: Duration,
    pub branches: u32,
    pub cseq: u32,
    /// Our tag, once it is known.
    pub tag: String,
}

impl Desk {
    pub fn new() -> Self {
        let peers = vec!["192.0.2.0/24".parse().expect("a network")];
        let agent = Agent::new(RoleRules::default(), peers, 5060);
        Self { agent, now: T0, branches: 0, cseq: 0, tag: String::new() }
    }

    pub fn message(&mut self, method: &str, content_type: &str, body: &str) -> Message {
        self.branches += 1;
        if method != "ACK" && method != "CANCEL" {
            self.cseq += 1;
        }
        let to = match self.tag.as_str() {
            "" => "<sip:srs@198.51.100.9>".to_owned(),
            tag => format!("<sip:srs@198.51.100.9>;tag={tag}"),
        };
        let text = format!(
            "{method} sip:srs@198.51.100.9 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK{};rport\r\n\
             From: <sip:src@192.0.2.1>;tag=src1\r\nTo: {to}\r\nCall-ID: call-1\r\n\
             CSeq: {} {method}\r\nContact: <sip:src@192.0.2.1:5070>;+sip.src\r\nRequire: siprec\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            self.branches,
            self.cseq,
            body.len()
        );
        Message::parse(text.as_bytes()).expect("a right message")
    }

    pub fn invite(&mut self) -> Message {
        let body = format!(
            "--b\r\nContent-Type: application/sdp\r\n\r\n{OFFER}\r\n--b\r\n\
             Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\
             \r\n{METADATA}\r\n--b--\r\n"
        );
        self.message("INVITE", "multipart/mixed;boundary=b", &body)
    }

    pub fn with_sdp(&mut self, method: &str, sdp: &str) -> Message {
        self.message(method, "application/sdp", sdp)
    }

    pub fn bare(&mut self, method: &str) -> Message {
        self.message(method, "text/plain", "")
    }

    pub fn hear(&mut self, message: &Message) -> Vec<Output> {
        self.agent.handle_message(self.now, SRC, message);
        self.outputs()
    }

    pub fn ready(&mut self, call: u64, ports: &[u16]) -> Vec<Output> {
        let answer = Answer { address: OURS, ports: ports.to_vec() };
        self.agent.ready(self.now, call, Ok(answer));
        self.outputs()
    }

    pub fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.agent.poll_output()).collect()
    }

    /// A call that is recorded from here on.
    pub fn established(&mut self) -> u64 {
        let invite = self.invite();
        let outputs = self.hear(&invite);
        let (call, ..) = opened(&outputs);
        let outputs = self.ready(call, &[30_000, 30_002]);
        let ok = sent(&outputs).pop().expect("an answer");
        self.tag = ok.parameter("to", "tag").expect("a tag").to_owned();
        let ack = self.bare("ACK");
        assert_eq!(self.hear(&ack), []);
        call
    }
}

pub(super) fn sent(outputs: &[Output]) -> Vec<Message> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send { bytes, .. } => Some(Message::parse(bytes).expect("we write right messages")),
        _ => None,
    });
    sent.collect()
}

pub(super) fn statuses(outputs: &[Output]) -> Vec<u16> {
    let status = |message: Message| match message.start {
        Start::Response { status, .. } => Some(status),
        Start::Request { .. } => None,
    };
    sent(outputs).into_iter().filter_map(status).collect()
}

pub(super) fn opened(outputs: &[Output]) -> (u64, &Opening, &[StreamSpec]) {
    let open = outputs.iter().find_map(|output| match output {
        Output::Open { call, opening, streams, .. } => Some((*call, opening, &streams[..])),
        _ => None,
    });
    open.unwrap_or_else(|| panic!("{outputs:?}"))
}

#[test]
fn a_recording_from_invite_to_bye() {
    let mut desk = Desk::new();
    let invite = desk.invite();
    let outputs = desk.hear(&invite);
    assert_eq!(statuses(&outputs), [100]);
    let (call, opening, streams) = opened(&outputs);
    assert_eq!(opening.external_id.as_deref(), Some("ab30317f1a784dc4"));
    let legs: Vec<_> =
        opening.legs.iter().map(|leg| (leg.role, leg.name.as_deref(), leg.codec)).collect();
    assert_eq!(
        legs,
        [(Role::Customer, Some("Ada"), Codec::Mulaw), (Role::Agent, None, Codec::Alaw)]
    );
    let attributes: Vec<_> =
        opening.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        attributes,
        [
            ("agent_aor", "sip:agent7@example.com"),
            ("customer_aor", "sip:+15551230001@example.com"),
            ("sip_call_id", "call-1"),
            ("siprec_session_id", "S"),
        ]
    );
    assert_eq!((streams.len(), streams[1].events), (2, Some(101)));
    assert_eq!(streams[0].from, Some("192.0.2.1".parse().expect("an address")));

    let outputs = desk.ready(call, &[30_000, 30_002]);
    let [ok] = &sent(&outputs)[..] else { panic!("{outputs:?}") };
    assert_eq!(ok.start, Start::Response { status: 200, reason: "OK".to_owned() });
    assert_eq!(ok.header("contact"), Some("<sip:backchannel@198.51.100.9:5060>;+sip.srs"));
    let sdp = String::from_utf8(ok.body.clone()).expect("text");
    assert!(
        sdp.contains("m=audio 30000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:96\r\na=recvonly")
    );
    assert!(sdp.contains("m=audio 30002 RTP/AVP 8 101"), "{sdp}");
    desk.tag = ok.parameter("to", "tag").expect("a tag").to_owned();
    let ack = desk.bare("ACK");
    assert_eq!(desk.hear(&ack), []);

    let bye = desk.bare("BYE");
    let outputs = desk.hear(&bye);
    assert_eq!(statuses(&outputs), [200]);
    assert_eq!(outputs.last(), Some(&Output::Close { call, reason: EndReason::Hangup }));
    assert_eq!(statuses(&desk.hear(&bye)), [200], "it may have been lost");
    let again = desk.bare("BYE");
    assert_eq!(statuses(&desk.hear(&again)), [481]);
    assert_eq!(statuses(&desk.hear(&invite)), [200], "an old INVITE hears its old answer");
}

#[test]
fn what_gets_lost_is_said_again() {
    let mut desk = Desk::new();
    let invite = desk.invite();
    let outputs = desk.hear(&invite);
    let (call, ..) = opened(&outputs);
    assert_eq!(statuses(&desk.hear(&invite)), [100], "no second call");
    desk.ready(call, &[30_000, 30_002]);
    let mut times = Vec::new();
    while desk.now < T0 + Duration::from_secs(40) {
        let Some(deadline) = desk.agent.deadline() else { break };
        desk.now = deadline;
        desk.agent.handle_timeout(desk.now);
        let outputs = desk.outputs();
        if statuses(&outputs) == [200] {
            times.push((desk.now - T0).as_millis());
        }
        if let Some(Output::Close { call: closed, reason }) = outputs.last() {
            assert_eq!((*closed, *reason), (call, EndReason::Timeout));
            assert_eq!(sent(&outputs)[0].method(), Some("BYE"));
            times.push((desk.now - T0).as_millis());
        }
    }
    let expected =
        [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000];
    assert_eq!(times, expected);
}

#[test]
fn an_acknowledged_answer_is_not_said_again() {
    let mut desk = Desk::new();
    desk.established();
    desk.now += Duration::from_secs(31);
    desk.agent.handle_timeout(desk.now);
    assert_eq!(desk.outputs(), []);
    desk.now += Duration::from_secs(31);
    desk.agent.handle_timeout(desk.now);
    assert_eq!((desk.outputs(), desk.agent.deadline()), (vec![], None));
}

#[test]
fn a_cancelled_invite_opens_no_call_for_good() {
    let mut desk = Desk::new();
    let invite = desk.invite();
    let outputs = desk.hear(&invite);
    let (call, ..) = opened(&outputs);
    desk.branches -= 1;
    let cancel = desk.bare("CANCEL");
    let outputs = desk.hear(&cancel);
    assert_eq!(statuses(&outputs), [200, 487]);
    assert_eq!(outputs.last(), Some(&Output::Close { call, reason: EndReason::Hangup }));
    assert_eq!(desk.ready(call, &[30_000, 30_002]), [], "too late");
    desk.cseq += 1;
    let other = desk.bare("CANCEL");
    assert_eq!(statuses(&desk.hear(&other)), [481]);
}

#[test]
fn a_refused_call_says_why() {
    let full = Refusal::full(Full::Machine(3));
    for (refusal, status, seconds) in
        [(Refusal::BUSY, 503, Some("5")), (full, 503, Some("15")), (Refusal::FAILED, 500, None)]
    {
        let mut desk = Desk::new();
        let invite = desk.invite();
        let outputs = desk.hear(&invite);
        let (call, ..) = opened(&outputs);
        desk.agent.ready(desk.now, call, Err(refusal));
        let outputs = desk.outputs();
        assert_eq!(statuses(&outputs), [status]);
        let retry = sent(&outputs)[0].header("retry-after").map(str::to_owned);
        assert_eq!(retry.as_deref(), seconds);
        assert_eq!(outputs.len(), 1, "there is nothing to close");
    }
}

#[test]
fn each_fault_gets_one_clear_answer() {
    let check = |change: &dyn Fn(&mut Message), expected: u16| {
        let mut desk = Desk::new();
        let mut invite = desk.invite();
        change(&mut invite);
        let outputs = desk.hear(&invite);
        assert_eq!(statuses(&outputs), [expected], "{outputs:?}");
        assert!(!outputs.iter().any(|output| matches!(output, Output::Open { .. })));
    };
    let without = |name: &'static str| {
        move |message: &mut Message| message.headers.retain(|(named, _)| named != name)
    };
    let with = |name: &'static str, value: &'static str| {
        move |message: &mut Message| message.set(name, value.to_owned())
    };
    check(&without("call-id"), 400);
    check(&without("cseq"), 400);
    check(&with("cseq", "many INVITE"), 400);
    check(&with("from", "<sip:src@192.0.2.1>"), 400);
    check(&with("require", "siprec, 100rel"), 420);
    check(&with("to", "<sip:srs@198.51.100.9>;tag=unknown"), 481);
    check(&with("content-type", "text/plain"), 488);
    let no_audio = |message: &mut Message| {
        let text = String::from_utf8_lossy(&message.body).replace("RTP/AVP", "RTP/SAVP");
        message.body = text.into_bytes();
    };
    check(&no_audio, 488);
    let method = |message: &mut Message| {
        let uri = "sip:x".to_owned();
        message.start = Start::Request { method: "SUBSCRIBE".to_owned(), uri };
    };
    check(&method, 405);
}

#[test]
fn only_who_is_on_the_list_may_record() {
    let mut desk = Desk::new();
    let invite = desk.invite();
    let stranger = Peer::Udp("203.0.113.5:5060".parse().expect("an address"));
    desk.agent.handle_message(desk.now, stranger, &invite);
    assert_eq!(statuses(&desk.outputs()), [403]);
    assert!(desk.agent.allows("::ffff:192.0.2.200".parse().expect("an address")));
    let two = desk.invite();
    opened(&desk.hear(&two));
    let merged = desk.invite();
    assert_eq!(statuses(&desk.hear(&merged)), [482], "the same call by another way");
}

#[test]
fn options_describe_what_is_there() {
    let mut desk = Desk::new();
    let options = desk.bare("OPTIONS");
    let outputs = desk.hear(&options);
    let [ok] = &sent(&outputs)[..] else { panic!("{outputs:?}") };
    assert_eq!(ok.header("allow"), Some("INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"));
    assert_eq!(ok.header("supported"), Some("siprec"));
    assert!(ok.header("accept").is_some_and(|accept| accept.contains("rs-metadata")));
    assert!(ok.parameter("to", "tag").is_some());
}

#[test]
fn answers_go_where_the_via_says() {
    let mut desk = Desk::new();
    let mut options = desk.bare("OPTIONS");
    options.set("via", "SIP/2.0/UDP 10.1.1.1:5099;branch=z9hG4bK9".to_owned());
    let outputs = desk.hear(&options);
    let [Output::Send { to, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(*to, Peer::Udp("192.0.2.1:5099".parse().expect("an address")));
    let address = SRC.address();
    let tcp = Peer::Tcp { connection: 3, address };
    desk.agent.handle_message(desk.now, tcp, &options);
    let outputs = desk.outputs();
    assert!(matches!(&outputs[..], [Output::Send { to, .. }] if *to == tcp));
}

#[test]
fn a_hold_pauses_and_a_third_party_joins() {
    let mut desk = Desk::new();
    let call = desk.established();
    let held = OFFER.replace("sendonly", "inactive");
    let reinvite = desk.with_sdp("INVITE", &held);
    let outputs = desk.hear(&reinvite);
    assert_eq!(outputs[0], Output::Control { call, control: Control::Pause });
    let ok = &sent(&outputs)[0];
    assert_eq!(statuses(&outputs), [200]);
    assert_eq!(String::from_utf8_lossy(&ok.body).matches("a=inactive").count(), 2);

    desk.now += Duration::from_secs(5);
    let third = "m=audio 33000 RTP/AVP 0\r\na=sendonly\r\na=label:98\r\n";
    let more = desk.with_sdp("UPDATE", &format!("{OFFER}{third}"));
    let outputs = desk.hear(&more);
    let resume = Control::Resume { paused_ms: Some(5_000) };
    let [Output::Control { control, .. }, Output::Extend { streams, .. }] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!((control, streams.len(), streams[0].leg.role), (&resume, 1, Role::Agent));
    let outputs = desk.ready(call, &[30_004]);
    let ok = &sent(&outputs)[0];
    let sdp = String::from_utf8_lossy(&ok.body).into_owned();
    for port in ["m=audio 30000 ", "m=audio 30002 ", "m=audio 30004 "] {
        assert!(sdp.contains(port), "{sdp}");
    }
    assert_eq!(statuses(&desk.hear(&more)), [200], "the same answer again");

    let gone = OFFER.replace("m=audio 22456", "m=audio 0");
    let less = desk.with_sdp("INVITE", &format!("{gone}{third}"));
    let outputs = desk.hear(&less);
    let sdp = String::from_utf8_lossy(&sent(&outputs)[0].body).into_owned();
    assert!(sdp.contains("m=audio 0 RTP/AVP 8 101"), "{sdp}");
    let changed = OFFER.replace("RTP/AVP 0 4 8", "RTP/AVP 8");
    let other_codec = desk.with_sdp("INVITE", &changed);
    assert_eq!(statuses(&desk.hear(&other_codec)), [488]);
    let refresh = desk.bare("UPDATE");
    assert_eq!(statuses(&desk.hear(&refresh)), [200]);
}

#[test]
fn requests_in_a_dialog_come_in_order() {
    let mut desk = Desk::new();
    let call = desk.established();
    let third = format!("{OFFER}m=audio 33000 RTP/AVP 0\r\na=sendonly\r\n");
    let reinvite = desk.with_sdp("INVITE", &third);
    let outputs = desk.hear(&reinvite);
    assert_eq!(statuses(&outputs), [100]);
    assert_eq!(statuses(&desk.hear(&reinvite)), [100], "it waits for a port");
    let hasty = desk.with_sdp("INVITE", OFFER);
    assert_eq!(statuses(&desk.hear(&hasty)), [491]);
    desk.cseq -= 2;
    let old = desk.with_sdp("UPDATE", OFFER);
    assert_eq!(statuses(&desk.hear(&old)), [500]);
    desk.agent.ready(desk.now, call, Err(Refusal::FAILED));
    assert_eq!(statuses(&desk.outputs()), [500]);
    desk.cseq += 5;
    let again = desk.with_sdp("INVITE", &third);
    desk.hear(&again);
    let outputs = desk.ready(call, &[30_008]);
    let sdp = String::from_utf8_lossy(&sent(&outputs)[0].body).into_owned();
    assert!(sdp.contains("m=audio 30008 "), "{sdp}");
    let bye = desk.bare("BYE");
    assert_eq!(statuses(&desk.hear(&bye)), [200]);
}

#[test]
fn our_own_end_is_said_until_it_is_heard() {
    let mut desk = Desk::new();
    let call = desk.established();
    desk.agent.shut_down(desk.now);
    let outputs = desk.outputs();
    let bye = sent(&outputs).remove(0);
    let Start::Request { method, uri } = &bye.start else { panic!("{bye:?}") };
    assert_eq!((method.as_str(), uri.as_str()), ("BYE", "sip:src@192.0.2.1:5070"));
    assert_eq!(bye.header("to"), Some("<sip:src@192.0.2.1>;tag=src1"));
    assert_eq!(bye.parameter("from", "tag"), Some(desk.tag.as_str()));
    assert_eq!(outputs.last(), Some(&Output::Close { call, reason: EndReason::Shutdown }));
    desk.now += Duration::from_millis(500);
    desk.agent.handle_timeout(desk.now);
    assert_eq!(sent(&desk.outputs()), std::slice::from_ref(&bye), "over UDP it may have been lost");
    let ok = bye.response(200, "OK");
    assert_eq!(desk.hear(&ok), []);
    desk.now += Duration::from_secs(1);
    desk.agent.handle_timeout(desk.now);
    assert_eq!(desk.outputs(), []);
}

proptest::proptest! {
    /// Of each call: opened once, closed once, and nothing but messages besides.
    #[test]
    fn nothing_breaks_the_order(
        picks in proptest::collection::vec((0u8..12, 0u64..4_000), 0..60),
    ) {
        let mut desk = Desk::new();
        let (mut open, mut over) = (Vec::new(), Vec::new());
        for (pick, ms) in picks {
            let message = match pick {
                0 => Some(desk.invite()),
                1 => Some(desk.bare("ACK")),
                2 => Some(desk.bare("BYE")),
                3 => {
                    desk.branches = desk.branches.saturating_sub(1);
                    Some(desk.bare("CANCEL"))
                }
                4 => Some(desk.with_sdp("UPDATE", OFFER)),
                5 => Some(desk.with_sdp("INVITE", &format!("{OFFER}m=audio 7 RTP/AVP 0\r\n"))),
                6 => Some(desk.bare("OPTIONS")),
                _ => None,
            };
            if let Some(message) = message {
                desk.agent.handle_message(desk.now, SRC, &message);
            }
            let newest = open.len() as u64;
            match pick {
                7 => {
                    let answer = Answer { address: OURS, ports: vec![4_000, 4_002] };
                    desk.agent.ready(desk.now, newest, Ok(answer));
                }
                8 => desk.agent.ready(desk.now, newest, Err(Refusal::BUSY)),
                9 => desk.agent.hang_up(desk.now, newest),
                10 => {
                    desk.now += Duration::from_millis(ms);
                    desk.agent.handle_timeout(desk.now);
                }
                11 => desk.agent.shut_down(desk.now),
                _ => {}
            }
            for output in desk.outputs() {
                match output {
                    Output::Send { bytes, .. } => {
                        let message = Message::parse(&bytes).expect("we write right messages");
                        if let (Start::Response { status: 200, .. }, Some((_, "INVITE"))) =
                            (&message.start, message.cseq())
                        {
                            desk.tag = message.parameter("to", "tag").unwrap_or("").to_owned();
                        }
                    }
                    Output::Open { call, .. } => {
                        proptest::prop_assert!(!open.contains(&call));
                        open.push(call);
                    }
                    Output::Extend { call, .. } | Output::Control { call, .. } => {
                        proptest::prop_assert!(open.contains(&call) && !over.contains(&call));
                    }
                    Output::Close { call, .. } => {
                        proptest::prop_assert!(open.contains(&call) && !over.contains(&call));
                        over.push(call);
                    }
                }
            }
        }
    }
}
