use super::super::metadata::Metadata;
use super::super::multipart::parts;
use super::super::parties::RoleRules;
use super::super::sdp::{Flow, Offer, answer};
use super::super::sip::{Cutter, Message, SipError, Start, Via, mark_received, parameter, uri};
use super::{METADATA, OFFER};
use crate::domain::Role;
use crate::flow::audio::Codec;

const REQUEST: &str = "OPTIONS sip:srs@192.0.2.9 SIP/2.0\r\n\
    v: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n\
    f: \"Ada > Bob\" <sip:ada@example.com;user=phone>;tag=a1\r\nT: <sip:srs@192.0.2.9>\r\n\
    i: call-1\r\nCSeq: 7 OPTIONS\r\nSubject: one\r\n  and two\r\nl: 5\r\n\r\nhello";

#[test]
fn a_request_is_read_with_its_short_names_and_folded_lines() {
    let message = Message::parse(REQUEST.as_bytes()).expect("a request");
    assert_eq!(message.method(), Some("OPTIONS"));
    assert_eq!(message.header("subject"), Some("one and two"));
    assert_eq!(message.header("call-id"), Some("call-1"));
    assert_eq!(message.parameter("from", "tag"), Some("a1"));
    assert_eq!(message.parameter("to", "tag"), None);
    assert_eq!(message.cseq(), Some((7, "OPTIONS")));
    assert_eq!(message.body, b"hello");
    assert_eq!(uri(message.header("from").expect("From")), "sip:ada@example.com;user=phone");
    let via = Via::topmost(&message).expect("a Via");
    assert_eq!((via.port, via.branch.as_deref(), via.rport), (Some(5070), Some("z9hG4bK1"), true));
    let again = Message::parse(&message.to_bytes()).expect("what we write we read");
    assert_eq!((again.start, again.body), (message.start, message.body));
}

#[test]
fn a_response_repeats_what_it_must_and_says_where_the_request_came_from() {
    let request = Message::parse(REQUEST.as_bytes()).expect("a request");
    let mut response = request.response(200, "OK");
    mark_received(&mut response, "198.51.100.7".parse().expect("an address"), 40_000);
    let text = String::from_utf8(response.to_bytes()).expect("text");
    assert_eq!(
        text,
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport=40000;received=198.51.100.7, \
         SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n\
         From: \"Ada > Bob\" <sip:ada@example.com;user=phone>;tag=a1\r\nTo: <sip:srs@192.0.2.9>\r\n\
         Call-ID: call-1\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn each_fault_of_a_message_has_its_name() {
    let check = |text: &str, error: SipError| {
        assert_eq!(Message::parse(text.as_bytes()), Err(error), "{text:?}");
    };
    check("OPTIONS sip:x SIP/2.0\r\nVia: x\r\n", SipError::NoHead);
    check("hello there\r\n\r\n", SipError::NoStartLine);
    check("options sip:x SIP/2.0\r\n\r\n", SipError::NoStartLine);
    check("OPTIONS sip:x SIP/3.0\r\n\r\n", SipError::NoStartLine);
    check("SIP/2.0 99 No\r\n\r\n", SipError::NoStartLine);
    check("OPTIONS sip:x SIP/2.0\r\nVia\r\n\r\n", SipError::Header);
    check("OPTIONS sip:x SIP/2.0\r\n folded\r\n\r\n", SipError::Header);
    check("OPTIONS sip:x SIP/2.0\r\n: x\r\n\r\n", SipError::Header);
    check("OPTIONS sip:x SIP/2.0\r\nl: 9\r\n\r\nhello", SipError::Length);
    check("OPTIONS sip:x SIP/2.0\r\nl: many\r\n\r\nhello", SipError::Length);
    check(&"x".repeat(65 << 10), SipError::TooLarge);
    let long = format!("OPTIONS sip:x SIP/2.0\r\nSubject: {}\r\n\r\n", "x".repeat(17 << 10));
    check(&long, SipError::HeadTooLarge);
}

#[test]
fn vias_in_other_forms_are_understood() {
    let via = |value: &str| {
        let message = Message {
            start: Start::Response { status: 200, reason: "OK".to_owned() },
            headers: vec![("via".to_owned(), value.to_owned())],
            body: Vec::new(),
        };
        Via::topmost(&message).map(|via| (via.port, via.branch, via.rport))
    };
    let branch = Some("z1".to_owned());
    assert_eq!(
        via("SIP/2.0/UDP [2001:db8::1]:5062;branch=z1"),
        Some((Some(5062), branch.clone(), false))
    );
    assert_eq!(via("SIP/2.0/UDP [2001:db8::1];branch=z1"), Some((None, branch.clone(), false)));
    assert_eq!(via("sip/2.0/tcp pbx.example.com ; branch=z1 ;RPORT"), Some((None, branch, true)));
    assert_eq!(via("HTTP/1.1 x"), None);
    assert_eq!(parameter("<sip:a;tag=no>;TAG=\"yes\"", "tag"), Some("yes"));
}

#[test]
fn a_stream_is_cut_by_content_length() {
    let mut bytes = b"\r\n\r\n".to_vec();
    bytes.extend_from_slice(REQUEST.as_bytes());
    bytes.extend_from_slice(b"BYE sip:x SIP/2.0\r\nCSeq: 8 BYE\r\n\r\n");
    for size in [1, 7, 1_000] {
        let mut cutter = Cutter::default();
        let mut methods = Vec::new();
        for piece in bytes.chunks(size) {
            cutter.push(piece);
            while let Some(message) = cutter.next_message().expect("readable") {
                methods.push((message.method().map(str::to_owned), message.body.len()));
            }
        }
        assert_eq!(methods, [(Some("OPTIONS".to_owned()), 5), (Some("BYE".to_owned()), 0)]);
    }
    let mut cutter = Cutter::default();
    cutter.push(b"INVITE sip:x SIP/2.0\r\nContent-Length: 70000\r\n\r\n");
    assert_eq!(cutter.next_message(), Err(SipError::TooLarge));
    let mut endless = Cutter::default();
    endless.push(&vec![b'x'; 17 << 10]);
    assert!(endless.is_within_message());
    assert_eq!(endless.next_message(), Err(SipError::HeadTooLarge));
}

#[test]
fn parts_come_apart_at_their_boundary() {
    let body = "preamble\r\n--b1\r\nContent-Type: application/sdp;charset=utf-8\r\n\r\nv=0\r\n\r\n\
        --b1\r\nContent-Disposition: recording-session\r\nc: Application/rs-metadata+xml\r\n\r\n<a/>\r\n\
        --b1\r\n\r\nplain\r\n--b1--\r\nepilogue";
    let found = parts("multipart/mixed;boundary=\"b1\"", body.as_bytes());
    let found: Vec<_> = found.iter().map(|part| (part.content_type.as_str(), part.body)).collect();
    assert_eq!(
        found,
        [
            ("application/sdp", &b"v=0\r\n"[..]),
            ("application/rs-metadata+xml", b"<a/>"),
            ("text/plain", b"plain"),
        ]
    );
    let unclosed = "--b\nContent-Type: application/sdp\n\nv=0\n";
    assert_eq!(parts("Multipart/Mixed; Boundary=b", unclosed.as_bytes())[0].body, b"v=0");
    assert_eq!(parts("application/sdp", b"v=0")[0].content_type, "application/sdp");
    assert!(parts("multipart/mixed", b"--b\r\n").is_empty());
}

#[test]
fn an_offer_is_answered_line_by_line() {
    let video = "m=video 5000 RTP/AVP 99\r\nm=audio 5002 RTP/SAVP 0\r\nm=audio 5004 RTP/AVP 9\r\n";
    let offer = Offer::parse(&format!("{OFFER}{video}")).expect("an offer");
    let [first, second, ..] = &offer.media[..] else { panic!("{offer:?}") };
    assert_eq!((first.label.as_deref(), first.flow), (Some("96"), Flow::SendOnly));
    assert_eq!(first.format().map(|f| (f.payload_type, f.codec)), Some((0, Codec::Mulaw)));
    assert_eq!(second.format().map(|f| (f.payload_type, f.codec)), Some((8, Codec::Alaw)));
    assert_eq!((first.events(), second.events()), (None, Some(101)));
    assert_eq!(first.address, Some("192.0.2.1".parse().expect("an address")));
    assert!(offer.media[2..].iter().all(|line| line.format().is_none()));
    let address = "198.51.100.9".parse().expect("an address");
    let ports = [Some(30_000), Some(30_002), None, None, None];
    assert_eq!(
        answer(&offer, &ports, address, 2),
        "v=0\r\no=backchannel 2 2 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n\
         m=audio 30000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:96\r\na=recvonly\r\n\
         m=audio 30002 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=label:97\r\na=rtcp-mux\r\na=recvonly\r\n\
         m=video 0 RTP/AVP 99\r\nm=audio 0 RTP/SAVP 0\r\nm=audio 0 RTP/AVP 9\r\n"
    );
}

#[test]
fn offers_have_defaults_and_dynamic_numbers() {
    let text = "v=0\nc=IN IP6 2001:db8::1\na=inactive\nm=audio 4000/2 RTP/AVP 96 97\n\
        a=rtpmap:96 opus/48000/2\na=rtpmap:97 pcma/8000\nc=IN IP4 224.2.1.1/127\n";
    let offer = Offer::parse(text).expect("an offer");
    let line = &offer.media[0];
    assert_eq!(line.format().map(|f| (f.payload_type, f.codec)), Some((97, Codec::Alaw)));
    assert_eq!((line.port, line.flow, line.sends()), (4_000, Flow::Inactive, false));
    assert_eq!(line.address, Some("224.2.1.1".parse().expect("an address")));
    let remapped = "v=0\nm=audio 4000 RTP/AVP 0\na=rtpmap:0 L16/44100\n";
    assert!(Offer::parse(remapped).expect("an offer").media[0].format().is_none());
    assert_eq!(Offer::parse("v=0\n"), None);
    assert_eq!(Offer::parse("m=audio none RTP/AVP 0\n"), None);
}

#[test]
fn metadata_say_who_sends_what() {
    let metadata = Metadata::parse(METADATA).expect("metadata");
    assert_eq!(metadata.session_id.as_deref(), Some("S"));
    assert_eq!(metadata.sip_session_id.as_deref(), Some("ab30317f1a784dc4"));
    let [ada] = metadata.senders("96")[..] else { panic!("{metadata:?}") };
    assert_eq!(ada.name.as_deref(), Some("Ada"));
    let [agent] = metadata.senders("97")[..] else { panic!("{metadata:?}") };
    assert_eq!((agent.aor.as_deref(), &agent.name), (Some("sip:agent7@example.com"), &None));
    assert!(metadata.senders("98").is_empty());
}

#[test]
fn metadata_of_early_drafts_and_without_a_namespace_are_read() {
    let early = r#"<recording><session id="S"/>
        <participant id="P1" session="S"><nameID aor="tel:+15551230001"/><send>T1</send></participant>
        <stream id="T1" session="S"><label>1</label></stream></recording>"#;
    let metadata = Metadata::parse(early).expect("metadata");
    assert_eq!(metadata.senders("1").len(), 1);
    for broken in ["", "<recording>", "<other/>", "<!DOCTYPE r [<!ENTITY a \"b\">]><recording/>"] {
        assert_eq!(Metadata::parse(broken), None, "{broken}");
    }
}

#[test]
fn later_metadata_are_laid_over_the_earlier() {
    let mut metadata = Metadata::parse(METADATA).expect("metadata");
    let partial = METADATA
        .replace("complete", "partial")
        .replace("agent7", "agent8")
        .replace("<label>96</label>", "<label>99</label>");
    metadata.update(Metadata::parse(&partial).expect("metadata"));
    let aor = |label: &str| metadata.senders(label)[0].aor.clone();
    assert_eq!(aor("97").as_deref(), Some("sip:agent8@example.com"));
    assert_eq!(aor("96"), aor("99"), "what isn't said again stands");
    assert_eq!(metadata.senders("97").len(), 1);
}

#[test]
fn parties_come_from_rules_or_from_what_is_usual() {
    let metadata = Metadata::parse(METADATA).expect("metadata");
    let roles =
        |rules: &RoleRules, metadata: &Metadata, labels: &[Option<&str>], before: &[Role]| {
            let parties = rules.parties(metadata, labels, before);
            parties.into_iter().map(|party| party.role).collect::<Vec<_>>()
        };
    let none = RoleRules::default();
    let both = [Some("96"), Some("97")];
    let swapped = [Some("97"), Some("96")];
    assert_eq!(roles(&none, &metadata, &both, &[]), [Role::Customer, Role::Agent]);
    assert_eq!(roles(&none, &metadata, &swapped, &[]), [Role::Agent, Role::Customer]);
    let rules = RoleRules {
        agents: vec!["sip:+1555*".to_owned()],
        customers: vec!["*@example.com".to_owned()],
    };
    assert_eq!(roles(&rules, &metadata, &both, &[]), [Role::Agent, Role::Customer]);
    let nothing = Metadata::default();
    assert_eq!(roles(&none, &nothing, &both, &[]), [Role::Customer, Role::Agent]);
    assert_eq!(roles(&none, &nothing, &[None], &[]), [Role::Mixed], "all on one stream, as a rule");
    assert_eq!(roles(&none, &nothing, &[None], &[Role::Customer]), [Role::Agent]);
    assert_eq!(roles(&none, &metadata, &[Some("96")], &[]), [Role::Customer]);
    assert_eq!(roles(&none, &metadata, &[Some("97")], &[]), [Role::Agent]);
    assert_eq!(
        roles(&none, &metadata, &[Some("97")], &[Role::Customer, Role::Agent]),
        [Role::Agent]
    );
    let shared = METADATA.replace("<send>T2</send>", "<send>T1</send>");
    let shared = Metadata::parse(&shared).expect("metadata");
    assert_eq!(roles(&none, &shared, &[Some("96")], &[]), [Role::Mixed]);
    let parties = none.parties(&metadata, &both, &[]);
    assert_eq!(parties[0].name.as_deref(), Some("Ada"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_the_parsers(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = Message::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = Offer::parse(&text);
        let _ = Metadata::parse(&text);
        let _ = parts("multipart/mixed;boundary=b", &bytes);
        let mut cutter = Cutter::default();
        cutter.push(&bytes);
        while let Ok(Some(_)) = cutter.next_message() {}
    }

    #[test]
    fn damaged_messages_break_nothing(
        at in 0usize..REQUEST.len(),
        with in ".{0,6}",
    ) {
        let mut text = REQUEST.to_owned();
        text.replace_range(at..at + 1, &with);
        if let Ok(message) = Message::parse(text.as_bytes()) {
            let _ = (Via::topmost(&message), message.cseq(), message.parameter("from", "tag"));
            let mut response = message.response(200, "OK");
            mark_received(&mut response, std::net::Ipv4Addr::LOCALHOST.into(), 1);
            proptest::prop_assert!(Message::parse(&response.to_bytes()).is_ok());
        }
    }

    #[test]
    fn damaged_offers_break_nothing(at in 0usize..OFFER.len(), with in ".{0,6}") {
        let mut text = OFFER.to_owned();
        text.replace_range(at..at + 1, &with);
        if let Some(offer) = Offer::parse(&text) {
            let ports = vec![Some(4_000); offer.media.len()];
            let answer = answer(&offer, &ports, std::net::Ipv4Addr::LOCALHOST.into(), 1);
            let lines = Offer::parse(&answer).map(|answer| answer.media.len());
            proptest::prop_assert_eq!(lines, Some(offer.media.len()));
        }
    }
}
