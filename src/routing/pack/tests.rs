//! What goes along, out of events.

use jiff::Timestamp;

use super::{HandOverPack, Pack, Sentence, brief, codec, wire};
use crate::domain::*;

struct Log {
    pack: Pack,
    sequence: u64,
}

impl Log {
    fn new() -> Self {
        let mut log = Self { pack: Pack::default(), sequence: 0 };
        log.add(EventBody::ConversationStarted(ConversationStarted {
            channel: Channel::Chat,
            direction: Direction::Inbound,
            external_id: None,
            parties: vec![
                Party { id: "p-1".into(), role: Role::Customer, name: None },
                Party { id: "p-2".into(), role: Role::Bot, name: Some("Otto".into()) },
            ],
            attributes: [("order".to_owned(), "A-17".to_owned())].into(),
        }));
        log
    }

    fn add(&mut self, body: EventBody) -> u64 {
        self.sequence += 1;
        let event = self.event(body);
        self.pack.apply(&event).expect("sound");
        self.sequence
    }

    fn event(&self, body: EventBody) -> Recorded {
        let encoded = codec::encode(&body);
        Recorded {
            position: self.sequence,
            id: "e".into(),
            tenant: "t".into(),
            conversation: "c-1".into(),
            sequence: self.sequence,
            time: Timestamp::UNIX_EPOCH,
            kind: encoded.kind.into(),
            schema: encoded.schema.into(),
            data: encoded.data.into(),
        }
    }

    fn says(&mut self, id: &str, role: Role, text: &str) {
        let party = match role {
            Role::Customer => "p-1",
            Role::Bot => "p-2",
            _ => "p-3",
        };
        self.add(EventBody::TurnFinal(Turn {
            id: id.into(),
            party: Party { id: party.into(), role, name: None },
            start_ms: 0,
            end_ms: 1,
            text: Redacted::vouched(text),
            display_text: None,
            words: vec![Word {
                text: Redacted::vouched("x"),
                start_ms: 0,
                end_ms: 1,
                confidence: 1.0,
            }],
            mean_logprob: None,
            language: "en".into(),
        }));
    }

    fn told(&self) -> HandOverPack {
        self.pack.told(&"c-1".into(), None, 0)
    }
}

fn sentence(text: &str, turn: &str) -> ProvenSentence {
    let quote = Redacted::vouched(text);
    ProvenSentence {
        text: quote.clone(),
        proofs: vec![Proof::Turn(TurnCitation {
            turn_id: turn.into(),
            role: Role::Customer,
            start_chars: 0,
            end_chars: text.chars().count(),
            quote,
        })],
        support: 1.0,
    }
}

fn hand_over(id: &str, occasion: Occasion, sections: &[(&str, &str)]) -> EventBody {
    let sections = sections.iter().map(|(key, text)| SummarySection {
        key: (*key).to_owned(),
        sentences: vec![sentence(text, "t-1")],
    });
    EventBody::WrapUp(Box::new(WrapUp {
        id: id.into(),
        occasion,
        authorship: Authorship {
            provider: "extractive".into(),
            model: None,
            prompt: None,
            seed: None,
        },
        language: "en".into(),
        body: WrapUpBody::Summary(Summary { sections: sections.collect(), ..Summary::default() }),
        struck: vec![],
    }))
}

fn texts(sentences: &[Sentence]) -> Vec<&str> {
    sentences.iter().map(|one| one.text.as_str()).collect()
}

fn card(id: &str, article: &str) -> EventBody {
    EventBody::SuggestionOffered(Card {
        id: id.into(),
        kind: CardKind::Answer,
        answer: Answer {
            title: "Refunds".into(),
            heading: "When".into(),
            text: "In five days.".into(),
            citations: vec![Citation {
                article_id: article.into(),
                passage_id: format!("{article}#1").as_str().into(),
                revision: 1,
                start_chars: 0,
                end_chars: 13,
                quote: "In five days.".into(),
            }],
            score: 0.9,
            why: vec![],
            generator: Generator::Extractive,
            valid_from: None,
            is_verbatim: false,
        },
        trigger_turn: "t-1".into(),
        question: None,
        latency_ms: 1,
    })
}

#[test]
fn a_bot_that_gives_up_hands_on_what_was_said_at_once() {
    let mut log = Log::new();
    log.says("t-1", Role::Customer, "Hi");
    log.says("t-2", Role::Customer, "My refund [digits-1] has not come yet.");
    log.says("t-3", Role::Bot, "I can't find it.");
    log.says("t-4", Role::Customer, "Then give me somebody.");
    log.add(EventBody::RedactionResolved(RedactionResolved {
        turn_id: "t-2".into(),
        placeholder: "[digits-1]".into(),
        outcome: RedactionOutcome::Released(Redacted::vouched("4711")),
    }));
    let pack = log.told();
    assert_eq!(texts(&pack.about), ["My refund 4711 has not come yet."]);
    assert_eq!(texts(&pack.latest), ["Hi", "I can't find it.", "Then give me somebody."]);
    assert_eq!(pack.from.as_deref(), Some("Otto"));
    assert_eq!(pack.attributes.get("order").map(String::as_str), Some("A-17"));
    assert_eq!((pack.sequence, pack.authorship), (6, None));
    for sentence in pack.about.iter().chain(&pack.latest) {
        let [wire::Evidence::Turn { quote, start: 0, end, .. }] = &sentence.citations[..] else {
            panic!("one citation of a turn")
        };
        assert_eq!((quote, *end), (&sentence.text, sentence.text.chars().count()));
    }
}

#[test]
fn the_written_hand_over_takes_its_place_and_what_came_later_is_quoted() {
    let mut log = Log::new();
    log.says("t-1", Role::Customer, "My refund has not come yet.");
    log.says("t-2", Role::Agent, "I have sent it again.");
    log.add(hand_over(
        "w-01A",
        Occasion::HandOver,
        &[
            ("issue", "The refund."),
            ("steps_tried", "Sent again."),
            ("promises", "By Friday."),
            ("next_steps", "Wait."),
            ("error_codes", "E1."),
        ],
    ));
    log.says("t-3", Role::Customer, "One more thing.");
    let pack = log.told();
    assert_eq!(texts(&pack.about), ["The refund."]);
    assert_eq!(texts(&pack.tried), ["Sent again."]);
    assert_eq!(texts(&pack.promised), ["By Friday."]);
    assert_eq!(texts(&pack.next_steps), ["Wait."]);
    assert_eq!(
        pack.sections.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(),
        ["error_codes"]
    );
    assert_eq!(texts(&pack.latest), ["One more thing."]);
    assert_eq!(pack.authorship.map(|one| one.provider).as_deref(), Some("extractive"));
    let every = [&pack.about, &pack.tried, &pack.promised, &pack.next_steps, &pack.latest];
    assert!(every.into_iter().flatten().all(|one| !one.citations.is_empty()));
}

#[test]
fn a_hand_over_goes_before_a_summary_and_a_discarded_one_is_none() {
    let mut log = Log::new();
    log.says("t-1", Role::Customer, "My refund has not come yet.");
    log.add(hand_over("w-02", Occasion::HandOver, &[("issue", "Handed on.")]));
    log.add(hand_over("w-end-summary", Occasion::End, &[("issue", "The end.")]));
    assert_eq!(texts(&log.told().about), ["Handed on."]);
    let older = log.add(hand_over("w-01", Occasion::HandOver, &[("issue", "Late and old.")]));
    assert_eq!(texts(&log.told().about), ["Handed on."]);
    let discard = |id: &str, seen| {
        EventBody::WrapUpVerdict(WrapUpVerdict {
            wrapup_id: id.into(),
            verdict: ReviewVerdict::Discarded,
            edited_text: None,
            seen,
        })
    };
    log.add(discard("w-02", Some(older)));
    assert_eq!(texts(&log.told().about), ["Handed on."], "another text was looked at");
    log.add(discard("w-02", None));
    assert_eq!(texts(&log.told().about), ["The end."]);
}

#[test]
fn articles_come_once_with_what_the_agent_made_of_them() {
    let mut log = Log::new();
    log.add(card("k-1", "billing/refunds"));
    log.add(card("k-2", "billing/fees"));
    log.add(card("k-3", "billing/refunds"));
    log.add(EventBody::SuggestionVerdict(Verdict {
        card_id: "k-3".into(),
        kind: VerdictKind::Accepted,
        edited_text: None,
    }));
    log.add(EventBody::SuggestionWithdrawn { card_id: "k-2".into(), why: "retired".into() });
    let articles = log.told().articles;
    assert_eq!(articles.len(), 1);
    assert_eq!(articles[0].citation.article_id, "billing/refunds");
    assert_eq!(articles[0].verdict.as_deref(), Some("accepted"));
}

#[test]
fn who_it_is_what_they_want_and_how_they_feel_go_along() {
    let mut log = Log::new();
    let known = KnownContact {
        contact: Contact { id: "7".into(), ..Contact::default() },
        facts: AccountFacts { tier: Some("gold".into()), ..AccountFacts::default() },
        ..KnownContact::default()
    };
    log.add(EventBody::CrmContext(Box::new(CrmContext {
        connector: "crm".into(),
        searched: None,
        identity: Identity::Known(Box::new(known)),
        latency_ms: 1,
    })));
    let ranked = vec![Intent { label: "refund".into(), probability: 0.75 }];
    let seen = IntentSeen { ranked: ranked.clone(), abstained: false };
    log.add(EventBody::IntentSeen(Box::new(TurnIntent { turn_id: "t-1".into(), seen })));
    let unsure = IntentSeen { ranked: vec![], abstained: true };
    log.add(EventBody::IntentSeen(Box::new(TurnIntent { turn_id: "t-2".into(), seen: unsure })));
    log.add(EventBody::SentimentSeen(Box::new(Sentiment {
        turn_id: "t-1".into(),
        score: -0.5,
        level: SentimentLevel::Negative,
        trend: SentimentTrend::Falling,
        message_score: -0.5,
        messages: 1,
        terms: vec![],
    })));
    let pack = log.told();
    assert_eq!(pack.customer.and_then(|one| one.tier).as_deref(), Some("gold"));
    assert_eq!(pack.intent.map(|one| one.label).as_deref(), Some("refund"));
    assert_eq!(pack.sentiment.map(|one| one.trend).as_deref(), Some("falling"));
}

#[test]
fn a_long_conversation_stays_a_small_pack_and_a_brief_fits() {
    let mut log = Log::new();
    for number in 0..5_000 {
        log.says(
            &format!("t-{number}"),
            Role::Customer,
            &format!("This is sentence number {number}."),
        );
        log.add(card(&format!("k-{number}"), &format!("a/{number}")));
    }
    let pack = log.told();
    assert_eq!((pack.about.len(), pack.latest.len(), pack.articles.len()), (1, 4, 16));
    assert_eq!(pack.latest[3].text, "This is sentence number 4999.");
    let brief = brief(&pack, 70);
    assert!(brief.starts_with("This is sentence number 0."), "{brief}");
    assert!(brief.chars().count() <= 70 && brief.split('.').count() == 3, "{brief}");
}

#[test]
fn a_damaged_event_leaves_the_pack_as_it_was() {
    let mut log = Log::new();
    log.says("t-1", Role::Customer, "My refund has not come yet.");
    let before = log.told();
    let mut broken = log.event(hand_over("w-1", Occasion::HandOver, &[]));
    broken.data = "{}".into();
    assert!(log.pack.apply(&broken).is_err());
    assert_eq!(log.told(), before);
}
