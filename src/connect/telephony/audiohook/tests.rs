mod faults;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Feedback, Protocol, Upgrade};
use crate::connect::telephony::tests::{Seen, check_order};
use crate::connect::telephony::{MediaProtocol as _, Opening, Output};
use crate::domain::*;
use crate::flow::audio::Codec;
use crate::flow::driver::{Control, News};

const NOW: Duration = Duration::from_secs(1);
const SESSION: &str = "e160e428-53e2-487c-977d-96989bf5c99d";
const NULL: &str = "00000000-0000-0000-0000-000000000000";

/// The client's side of a session.
struct Client {
    protocol: Protocol,
    seq: u64,
    /// What came back since the last look: kind and parameters.
    said: Vec<(String, Value)>,
    outputs: Vec<Output>,
    serverseq: u64,
}

impl Client {
    fn new() -> Self {
        let session_id = Some(SESSION.to_owned());
        Self::with(Upgrade { session_id, ..Upgrade::default() }, Feedback::default())
    }

    fn with(upgrade: Upgrade, feedback: Feedback) -> Self {
        Self {
            protocol: Protocol::new(Duration::from_secs(30), upgrade, feedback),
            seq: 0,
            said: Vec::new(),
            outputs: Vec::new(),
            serverseq: 0,
        }
    }

    /// A client in the middle of a call.
    fn in_call() -> Self {
        let mut client = Self::new();
        client.open(open());
        client.said.clear();
        client.outputs.clear();
        client
    }

    fn open(&mut self, parameters: Value) {
        self.tell("open", parameters);
        if matches!(self.outputs.last(), Some(Output::Start(_))) {
            self.protocol.handle_opened(&"c-1".into());
            self.look();
        }
    }

    fn message(&mut self, kind: &str, parameters: Value) -> Value {
        self.seq += 1;
        json!({"version": "2", "id": SESSION, "type": kind, "seq": self.seq,
            "serverseq": self.serverseq, "position": "PT0S", "parameters": parameters})
    }

    fn tell(&mut self, kind: &str, parameters: Value) {
        let message = self.message(kind, parameters);
        self.text(&message.to_string());
    }

    fn text(&mut self, text: &str) {
        self.protocol.handle_text(NOW, text);
        self.look();
    }

    fn audio(&mut self, bytes: &[u8]) {
        self.protocol.handle_binary(NOW, bytes.to_vec().into());
        self.look();
    }

    fn look(&mut self) {
        while let Some(output) = self.protocol.poll_output() {
            let Output::Send(text) = output else {
                self.outputs.push(output);
                continue;
            };
            let mut message: Value = serde_json::from_str(&text).expect("JSON");
            self.serverseq += 1;
            assert_eq!(message["seq"], self.serverseq, "{message}");
            assert_eq!((&message["version"], &message["id"]), (&json!("2"), &json!(SESSION)));
            let kind = message["type"].as_str().expect("a type").to_owned();
            let heard = message["clientseq"].as_u64().expect("a number");
            if matches!(kind.as_str(), "opened" | "pong" | "updated") {
                assert_eq!(heard, self.seq, "{message}");
            }
            // A wrong number is told with what came.
            assert!(heard <= self.seq || kind == "disconnect", "{message}");
            self.said.push((kind, message["parameters"].take()));
        }
    }

    /// What has been said since the last time.
    fn kinds(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said).into_iter().map(|(kind, _)| kind).collect()
    }

    fn controls(&mut self) -> Vec<Control> {
        let outputs = std::mem::take(&mut self.outputs).into_iter();
        outputs
            .filter_map(|output| match output {
                Output::Control(control) => Some(control),
                _ => None,
            })
            .collect()
    }
}

fn media(format: &str, channels: &[&str]) -> Value {
    json!({"type": "audio", "format": format, "channels": channels, "rate": 8000})
}

fn open() -> Value {
    json!({"organizationId": "d7934305-0972-4844-938e-9060eef73d05",
        "conversationId": "090eaa2f-72fa-480a-83e0-8667ff89c0ec",
        "participant": {"id": "883efee8-3d6c-4537-b500-6d7ca4b92fa0", "ani": "+15551230001",
            "aniName": "Jane Doe", "dnis": "+18005550000"},
        "media": [media("PCMU", &["external", "internal"]), media("PCMU", &["external"])],
        "language": "en-US", "customConfig": {"queue": "billing", "n": 3, "deep": {"x": 1}}})
}

fn opening(client: &Client) -> &Opening {
    match &client.outputs[..] {
        [Output::Start(opening), ..] => opening,
        outputs => panic!("no call was started: {outputs:?}"),
    }
}

#[test]
fn a_call_from_open_to_closed() {
    let mut client = Client::new();
    client.open(open());
    let opening = opening(&client);
    assert_eq!(opening.external_id.as_deref(), Some("090eaa2f-72fa-480a-83e0-8667ff89c0ec"));
    let roles: Vec<Role> = opening.legs.iter().map(|leg| leg.role).collect();
    assert_eq!(roles, [Role::Customer, Role::Agent]);
    assert_eq!((opening.legs[0].codec, opening.legs[0].sample_rate_hz), (Codec::Mulaw, 8_000));
    let said: Vec<_> = opening.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        said,
        [
            ("ani", "+15551230001"),
            ("dnis", "+18005550000"),
            ("language", "en-US"),
            ("n", "3"),
            ("organization_id", "d7934305-0972-4844-938e-9060eef73d05"),
            ("participant_id", "883efee8-3d6c-4537-b500-6d7ca4b92fa0"),
            ("queue", "billing"),
            ("session_id", SESSION),
        ]
    );
    assert!(!opening.wants_news);
    let (kind, opened) = client.said.remove(0);
    assert_eq!(kind, "opened");
    assert_eq!(opened, json!({"media": [media("PCMU", &["external", "internal"])]}));

    client.outputs.clear();
    client.audio(&[1, 2, 1, 2, 1, 2]);
    let audio = |leg, byte: u8| Output::Audio { leg, at_ms: None, payload: vec![byte; 3].into() };
    assert_eq!(std::mem::take(&mut client.outputs), [audio(0, 1), audio(1, 2)]);
    client.tell("ping", json!({"rtt": "PT0.05S"}));
    assert_eq!(client.kinds(), ["pong"]);
    client.tell("update", json!({"language": "en-GB"}));
    assert_eq!(client.kinds(), ["updated"]);
    client.tell("error", json!({"code": 400, "message": "tough stuff"}));
    client.tell("something_new", json!({"x": 1}));
    assert!(client.said.is_empty());

    client.tell("close", json!({"reason": "end"}));
    assert_eq!(client.outputs, [Output::Stop(EndReason::Hangup)]);
    assert!(client.said.is_empty(), "results come first");
    client.protocol.handle_finished(3);
    client.look();
    assert_eq!(client.kinds(), ["closed"]);
}

#[test]
fn both_sides_are_preferred_and_the_offer_goes_back_unchanged() {
    let check = |offers: &[Value], chosen: Option<usize>, codec: Codec, roles: &[Role]| {
        let mut client = Client::new();
        let mut open = open();
        open["media"] = json!(offers);
        client.open(open);
        match chosen {
            Some(chosen) => {
                assert_eq!(client.said[0].1, json!({"media": [offers[chosen]]}));
                let legs = &opening(&client).legs;
                assert_eq!(legs.iter().map(|leg| leg.role).collect::<Vec<_>>(), roles);
                assert!(legs.iter().all(|leg| leg.codec == codec));
            }
            None => {
                let says = "no offered media is supported: offer PCMU or L16 at 8000 Hz, external and internal channels";
                assert_eq!(client.said[0].1, json!({"reason": "error", "info": says}));
            }
        }
    };
    let both = ["external", "internal"];
    let swapped = ["internal", "external"];
    let extra =
        json!({"type": "audio", "format": "PCMU", "channels": both, "rate": 8000, "new": [1]});
    let (customer, agent) = (Role::Customer, Role::Agent);
    check(&[media("PCMU", &["external"]), extra], Some(1), Codec::Mulaw, &[customer, agent]);
    check(
        &[media("L16", &both), media("PCMU", &swapped), media("PCMU", &both)],
        Some(1),
        Codec::Mulaw,
        &[agent, customer],
    );
    check(
        &[media("PCMU", &["internal"]), media("L16", &both)],
        Some(1),
        Codec::PcmS16Le,
        &[customer, agent],
    );
    check(&[media("OPUS", &both), media("PCMU", &["internal"])], Some(1), Codec::Mulaw, &[agent]);
    for unsupported in [
        vec![],
        vec![media("OPUS", &both)],
        vec![media("PCMU", &["external", "external"])],
        vec![media("PCMU", &["third"])],
        vec![json!({"type": "video"}), json!(7)],
    ] {
        check(&unsupported, None, Codec::Mulaw, &[]);
    }
}

#[test]
fn linear_samples_are_two_bytes() {
    let mut client = Client::new();
    let mut linear = open();
    linear["media"] = json!([media("L16", &["external", "internal"])]);
    client.open(linear);
    client.outputs.clear();
    client.audio(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let audio =
        |leg, bytes: &[u8]| Output::Audio { leg, at_ms: None, payload: bytes.to_vec().into() };
    assert_eq!(client.outputs, [audio(0, &[1, 2, 5, 6]), audio(1, &[3, 4, 7, 8])]);
    client.audio(&[1, 2]);
    assert_eq!(
        client.said.pop().expect("a fault").1["info"],
        "a binary message must have a multiple of 4 bytes"
    );
}

#[test]
fn a_connection_probe_is_no_call() {
    let mut client = Client::new();
    let mut probe = open();
    probe["conversationId"] = NULL.into();
    probe["participant"] = json!({"id": NULL, "ani": "", "aniName": "", "dnis": ""});
    client.open(probe);
    assert_eq!(client.kinds(), ["opened"]);
    client.tell("ping", json!({}));
    client.tell("close", json!({"reason": "end"}));
    assert_eq!(client.kinds(), ["pong", "closed"]);
    assert_eq!(client.outputs, [Output::Stop(EndReason::Hangup)]);
}

#[test]
fn languages_are_listed_for_who_asks() {
    let mut client = Client::new();
    let mut asking = open();
    asking["supportedLanguages"] = true.into();
    client.open(asking);
    let languages = client.said[0].1["supportedLanguages"].as_array().expect("a list");
    assert!(languages.contains(&json!("en-US")));
}

#[test]
fn pauses_and_holes_are_told_with_their_length() {
    let mut client = Client::in_call();
    client.tell("paused", json!({}));
    client.tell("paused", json!({}));
    client.tell("resumed", json!({"start": "PT5S", "discarded": "PT10.5S"}));
    client.tell("resumed", json!({"start": "PT5S", "discarded": "PT10.5S"}));
    client.tell("discarded", json!({"start": "PT20S", "discarded": "PT0.3S"}));
    assert_eq!(
        client.controls(),
        [
            Control::Pause,
            Control::Resume { paused_ms: Some(10_500) },
            Control::Lost { lost_ms: 300 }
        ]
    );
    assert!(client.said.is_empty());
}

fn party(role: Role) -> Party {
    Party { id: "p-1".into(), role, name: None }
}

fn turn() -> News {
    News::Turn(Turn {
        id: "t-2-1".into(),
        party: party(Role::Agent),
        start_ms: 1_000,
        end_ms: 2_000,
        text: Redacted::vouched("Hello."),
        words: Vec::new(),
        mean_logprob: Some(-0.1),
        display_text: None,
        language: "en".into(),
    })
}

fn card() -> News {
    News::Card(Box::new(Card {
        id: "k-1".into(),
        kind: CardKind::Answer,
        answer: Answer {
            title: "Refunds".into(),
            heading: "When".into(),
            text: "Within five days.".into(),
            citations: vec![Citation {
                article_id: "billing/refunds".into(),
                passage_id: "billing/refunds#1".into(),
                revision: 1,
                start_chars: 0,
                end_chars: 17,
                quote: "Within five days.".into(),
            }],
            score: 0.8,
            why: Vec::new(),
            generator: Generator::Extractive,
            valid_from: None,
            is_verbatim: false,
        },
        trigger_turn: "t-1".into(),
        question: None,
        latency_ms: 31,
    }))
}

#[test]
fn the_language_is_what_was_said_last() {
    let upgrade = Upgrade { session_id: Some(SESSION.to_owned()), ..Upgrade::default() };
    let mut client = Client::with(upgrade, Feedback { transcripts: true, ..Feedback::default() });
    client.open(open());
    for (update, language) in [(json!({}), "en-US"), (json!({"language": "en-GB"}), "en-GB")] {
        client.tell("update", update);
        client.said.clear();
        client.protocol.handle_news(&turn());
        client.look();
        let said = &client.said[0].1["entities"][0]["data"]["alternatives"][0]["languages"];
        assert_eq!(*said, json!([language]));
    }
}

#[test]
fn news_go_back_if_configured_and_until_closed() {
    let check = |transcripts: bool, cards: bool, expected: &[&str]| {
        let feedback = Feedback { transcripts, cards, ..Feedback::default() };
        let mut client = Client::with(Upgrade::default(), feedback);
        client.protocol.handle_news(&turn());
        client.look();
        assert!(client.said.is_empty(), "not before opened");
        client.open(open());
        assert_eq!(opening(&client).wants_news, transcripts || cards);
        client.said.clear();
        let partial = News::Partial(Partial {
            turn_id: "t-2-1".into(),
            party: party(Role::Agent),
            start_ms: 1_000,
            text: Redacted::vouched("Hel"),
            stable_prefix_chars: 0,
        });
        for news in [partial, turn(), card()] {
            client.protocol.handle_news(&news);
        }
        client.look();
        let kinds: Vec<String> = client
            .said
            .drain(..)
            .map(|(kind, parameters)| {
                assert_eq!(kind, "event");
                let entity = &parameters["entities"][0];
                if entity["type"] == "transcript" {
                    assert_eq!(entity["data"]["channelId"], 1, "the agent's channel");
                }
                format!("{} {}", entity["type"], entity["data"]["isFinal"])
            })
            .collect();
        assert_eq!(kinds, expected);

        client.tell("close", json!({"reason": "end"}));
        client.protocol.handle_news(&turn());
        client.protocol.handle_finished(1);
        client.protocol.handle_news(&turn());
        client.look();
        let last: &[&str] = if transcripts { &["event", "closed"] } else { &["closed"] };
        assert_eq!(client.kinds(), last);
    };
    let transcripts = ["\"transcript\" false", "\"transcript\" true"];
    check(true, true, &[transcripts[0], transcripts[1], "\"agentassist\" null"]);
    check(true, false, &transcripts);
    check(false, true, &["\"agentassist\" null"]);
    check(false, false, &[]);
}

#[test]
fn a_session_may_continue_another() {
    let feedback = Feedback { transcripts: true, ..Feedback::default() };
    let mut client = Client::with(Upgrade::default(), feedback);
    let mut parameters = open();
    parameters["continuedSessions"] = json!([{"id": NULL, "serverseq": 4, "clientseq": 5}]);
    let mut message = client.message("open", parameters);
    message["position"] = "PT30S".into();
    client.text(&message.to_string());
    assert_eq!(opening(&client).attributes["continues"], NULL);
    client.protocol.handle_opened(&"c-1".into());
    client.protocol.handle_news(&turn());
    client.look();
    assert_eq!(client.said[1].1["entities"][0]["data"]["offset"], "PT31S");
    client.outputs.clear();
    client.tell("close", json!({"reason": "reconnect"}));
    assert_eq!(client.outputs, [Output::Stop(EndReason::Hangup)]);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_order(texts in proptest::collection::vec(".{0,80}", 0..20)) {
        check_order(&mut Client::new().protocol, texts.into_iter().map(Seen::Text));
    }

    #[test]
    fn no_sequence_of_messages_breaks_the_order(
        picks in proptest::collection::vec((0u8..12, 0u64..100), 0..40),
    ) {
        let mut client = Client::new();
        let mut now = NOW;
        for (pick, number) in picks {
            let discarded = json!({"start": "PT0S", "discarded": format!("PT{number}S")});
            match pick {
                0 | 1 => client.open(open()),
                2 => client.protocol.handle_closed(),
                3 => {
                    now += Duration::from_secs(number);
                    client.protocol.handle_timeout(now);
                }
                4 => client.tell("close", json!({"reason": "end"})),
                5 => client.tell("paused", json!({})),
                6 => client.tell("resumed", discarded),
                7 => client.text(&format!("{{\"seq\":{number}}}")),
                8 => client.tell("discarded", discarded),
                9 => client.protocol.handle_news(&turn()),
                _ => client.audio(&vec![0; number as usize * 2]),
            }
            client.look();
        }
        let is_end = |output: &Output| matches!(output, Output::Stop(_) | Output::Reject(_));
        let end = client.outputs.iter().position(is_end);
        proptest::prop_assert!(end.is_none_or(|end| end + 1 == client.outputs.len()));
        let starts = client.outputs.iter().filter(|output| matches!(output, Output::Start(_)));
        proptest::prop_assert!(starts.count() <= 1);
        let needs_call = |output: &Output| matches!(output, Output::Audio { .. } | Output::Control(_));
        let first = client.outputs.iter().find(|output| !is_end(output));
        proptest::prop_assert!(!first.is_some_and(needs_call), "nothing before the start");
    }
}
