use super::*;

#[test]
fn what_the_crm_knows_is_written_as_it_always_was() {
    let context = |identity| {
        EventBody::CrmContext(Box::new(CrmContext {
            connector: "main".into(),
            searched: Some(ContactKey::Phone("+442079460123".into())),
            identity,
            latency_ms: 120,
        }))
    };
    let ada = Contact {
        id: "7".into(),
        name: Some(Redacted::vouched("Ada Lovelace")),
        phones: vec!["020 7946 0123".into()],
        ..Contact::default()
    };
    let entry = Activity {
        kind: ActivityKind::Note,
        at: Some(Timestamp::UNIX_EPOCH),
        by: Some("Bo".into()),
        text: Redacted::vouched("Called back."),
        conversation: Some("c-1".into()),
    };
    let known = KnownContact {
        contact: ada.clone(),
        facts: AccountFacts {
            tier: Some("gold".into()),
            value: Some(1200.5),
            since: Some(jiff::civil::date(2021, 5, 1)),
            owner: None,
            products: vec![Redacted::vouched("Fibre 200")],
        },
        cases: vec![Case {
            id: "9".into(),
            subject: Redacted::vouched("A fee"),
            status: "open".into(),
            opened_at: Some(Timestamp::UNIX_EPOCH),
            version: Some("e1".into()),
            history: vec![entry.clone()],
            ..Case::default()
        }],
        history: vec![entry],
        missing: vec!["the account".into()],
        chosen_by: Some("Emma".into()),
    };
    check(
        context(Identity::Known(Box::new(known))),
        r#"{"connector":"main","state":"known","searched":{"by":"phone","value":"+442079460123"},"contact":{"id":"7","name":"Ada Lovelace","phones":["020 7946 0123"],"emails":[],"company":null,"url":null},"facts":{"tier":"gold","value":1200.5,"since":"2021-05-01","owner":null,"products":["Fibre 200"]},"open_cases":[{"id":"9","number":null,"subject":"A fee","status":"open","priority":null,"opened_at":"1970-01-01T00:00:00.000Z","updated_at":null,"version":"e1","url":null,"history":[{"kind":"note","at":"1970-01-01T00:00:00.000Z","by":"Bo","text":"Called back.","conversation_id":"c-1"}]}],"history":[{"kind":"note","at":"1970-01-01T00:00:00.000Z","by":"Bo","text":"Called back.","conversation_id":"c-1"}],"missing":["the account"],"chosen_by":"Emma","latency_ms":120}"#,
        to_value::<wire::CrmContext>,
    );
    check(
        context(Identity::Ambiguous(vec![ada])),
        r#"{"connector":"main","state":"ambiguous","searched":{"by":"phone","value":"+442079460123"},"contact":null,"candidates":[{"id":"7","name":"Ada Lovelace","phones":["020 7946 0123"],"emails":[],"company":null,"url":null}],"open_cases":[],"history":[],"latency_ms":120}"#,
        to_value::<wire::CrmContext>,
    );
    check(
        context(Identity::Unavailable("it can't be reached: refused".into())),
        r#"{"connector":"main","state":"unavailable","searched":{"by":"phone","value":"+442079460123"},"contact":null,"open_cases":[],"history":[],"detail":"it can't be reached: refused","latency_ms":120}"#,
        to_value::<wire::CrmContext>,
    );
}

#[test]
fn what_is_known_comes_back_as_it_went() {
    let known = KnownContact {
        contact: Contact { id: "7".into(), ..Contact::default() },
        facts: AccountFacts {
            since: Some(jiff::civil::date(2021, 5, 1)),
            ..AccountFacts::default()
        },
        cases: vec![Case {
            id: "9".into(),
            opened_at: Some(Timestamp::UNIX_EPOCH),
            ..Case::default()
        }],
        ..KnownContact::default()
    };
    for identity in [
        Identity::Known(Box::new(known)),
        Identity::Ambiguous(vec![Contact::default()]),
        Identity::Unknown,
        Identity::Unavailable("refused".into()),
    ] {
        let context = CrmContext {
            connector: "main".into(),
            searched: Some(ContactKey::Email("ada@example.test".into())),
            identity,
            latency_ms: 3,
        };
        let encoded = codec::encode(&EventBody::CrmContext(Box::new(context.clone())));
        let event = Recorded {
            position: 1,
            id: EventId::fresh(),
            tenant: "t".into(),
            conversation: "c-1".into(),
            sequence: 1,
            time: Timestamp::UNIX_EPOCH,
            kind: encoded.kind.into(),
            schema: encoded.schema.into(),
            data: encoded.data.into(),
        };
        assert_eq!(codec::decode_context(&event).expect("sound"), Some(context));
    }
}

#[test]
fn writes_are_told_as_they_always_were() {
    let write = CrmWrite {
        key: DedupeKey::stored("00ff"),
        destination: "main".into(),
        operation: "add_note".into(),
        contact_id: Some("7".into()),
        state: DeliveryState::Done,
        attempts: 2,
        remote_id: Some("77".into()),
        problem: None,
        from: Some("w-end-summary".into()),
        turn: None,
        by: Some("Emma".into()),
    };
    check(
        EventBody::CrmWrite(Box::new(write)),
        r#"{"operation":"add_note","dedupe_key":"00ff","state":"done","destination":"main","contact_id":"7","attempts":2,"remote_id":"77","wrapup_id":"w-end-summary","by":"Emma"}"#,
        to_value::<wire::CrmWrite>,
    );
    let states = DeliveryState::ALL.map(DeliveryState::as_str);
    assert_eq!(states, ["waiting", "sending", "done", "failed", "discarded"]);
}

#[test]
fn a_write_that_carries_a_turn_names_it() {
    let reply = ChannelReply {
        conversation: "c-1".into(),
        turn: "t-4".into(),
        from: "+15550100".into(),
        to: "+442079460123".into(),
        text: Redacted::vouched("Yes."),
        in_reply_to: None,
        answers: Vec::new(),
        written_at: Timestamp::UNIX_EPOCH,
    };
    let new = NewDelivery {
        destination: "sms".into(),
        key: DedupeKey::stored("00ff"),
        lane: "c-1".into(),
        effect: Effect::SendReply(reply),
        from: None,
        by: Some("Emma".into()),
        created_at: Timestamp::UNIX_EPOCH,
    };
    let write = CrmWrite::of(&new, &Progress::new(Timestamp::UNIX_EPOCH));
    check(
        EventBody::CrmWrite(Box::new(write)),
        r#"{"operation":"send_reply","dedupe_key":"00ff","state":"waiting","destination":"sms","attempts":0,"turn_id":"t-4","by":"Emma"}"#,
        to_value::<wire::CrmWrite>,
    );
}

#[test]
fn effects_stand_in_the_outbox_as_they_always_did() {
    let words = |text: &str| Redacted::vouched(text);
    let ada = || Mailbox { name: Some("Ada".into()), address: "ada@example.test".into() };
    let mail = || MailDraft {
        to: vec![ada()],
        subject: words("Your refund"),
        body: words("It is on its way."),
        references: vec!["a@b".into()],
        about: Some("w-1".into()),
    };
    let due = DueAt {
        date: jiff::civil::date(2026, 11, 26),
        time: Some(jiff::civil::time(14, 0, 0, 0)),
        time_zone: "Europe/London".into(),
    };
    let cases = [
        (
            Effect::CreateCase(NewCase {
                contact_id: "7".into(),
                subject: words("A fee"),
                body: words("Twice."),
                priority: Some("high".into()),
            }),
            r#"{"operation":"create_case","contact_id":"7","subject":"A fee","body":"Twice.","priority":"high"}"#,
        ),
        (
            Effect::UpdateCase(CaseUpdate {
                contact_id: "7".into(),
                case_id: "9".into(),
                status: Some("solved".into()),
                priority: None,
                expected_version: Some("e1".into()),
            }),
            r#"{"operation":"update_case","contact_id":"7","case_id":"9","status":"solved","priority":null,"expected_version":"e1"}"#,
        ),
        (
            Effect::AddNote(NewNote {
                contact_id: "7".into(),
                case: Some(CaseRef::Id("9".into())),
                subject: words("A call"),
                body: words("Said."),
            }),
            r#"{"operation":"add_note","contact_id":"7","case":{"id":"9"},"subject":"A call","body":"Said."}"#,
        ),
        (
            Effect::LogCall(CallRecord {
                contact_id: "7".into(),
                case: Some(CaseRef::MadeBy(DedupeKey::stored("0f"))),
                direction: Direction::Inbound,
                started_at: Timestamp::UNIX_EPOCH,
                duration_s: 90,
                subject: words("A call"),
                outcome: Some(words("Refunded")),
                body: words("Said."),
            }),
            r#"{"operation":"log_call","contact_id":"7","case":{"made_by":"0f"},"direction":"inbound","started_at":"1970-01-01T00:00:00Z","duration_s":90,"subject":"A call","outcome":"Refunded","body":"Said."}"#,
        ),
        (
            Effect::CreateTask(NewTask {
                contact_id: "7".into(),
                case: None,
                subject: words("Call back"),
                body: words("She asked."),
                due: Some(due),
            }),
            r#"{"operation":"create_task","contact_id":"7","case":null,"subject":"Call back","body":"She asked.","due":{"date":"2026-11-26","time":"14:00:00","time_zone":"Europe/London"}}"#,
        ),
        (
            Effect::PushArticle(PushedArticle {
                article: "b/r".into(),
                revision: 3,
                title: words("Refunds"),
                body: words("Five days."),
            }),
            r#"{"operation":"push_article","article_id":"b/r","revision":3,"title":"Refunds","body":"Five days."}"#,
        ),
        (
            Effect::DraftMail(mail()),
            r#"{"operation":"draft_mail","to":[{"name":"Ada","address":"ada@example.test"}],"subject":"Your refund","body":"It is on its way.","references":["a@b"],"wrapup_id":"w-1"}"#,
        ),
        (
            Effect::SendMail(mail()),
            r#"{"operation":"send_mail","to":[{"name":"Ada","address":"ada@example.test"}],"subject":"Your refund","body":"It is on its way.","references":["a@b"],"wrapup_id":"w-1"}"#,
        ),
        (
            Effect::PutMeeting(Meeting {
                subject: words("Call back"),
                body: words("About the fee."),
                starts: "2026-11-26T14:00[Europe/London]".parse().expect("a moment"),
                minutes: 15,
                organizer: ada(),
                attendees: vec![ada()],
                revision: 1,
                is_cancelled: false,
            }),
            r#"{"operation":"put_meeting","subject":"Call back","body":"About the fee.","starts":"2026-11-26T14:00:00+00:00[Europe/London]","minutes":15,"organizer":{"name":"Ada","address":"ada@example.test"},"attendees":[{"name":"Ada","address":"ada@example.test"}],"revision":1,"cancelled":false}"#,
        ),
        (
            Effect::PostMessage(TeamMessage {
                room: "!r".into(),
                conversation: "c-1".into(),
                title: words("Help"),
                paragraphs: vec![words("A fee.")],
                facts: vec![("Tier".into(), words("gold"))],
                link: None,
            }),
            r#"{"operation":"post_message","room":"!r","conversation_id":"c-1","title":"Help","paragraphs":["A fee."],"facts":[["Tier","gold"]],"link":null}"#,
        ),
        (
            Effect::SendReply(ChannelReply {
                conversation: "c-1".into(),
                turn: "t-4".into(),
                from: "+15550100".into(),
                to: "+442079460123".into(),
                text: words("It is on its way."),
                in_reply_to: None,
                answers: Vec::new(),
                written_at: Timestamp::UNIX_EPOCH,
            }),
            r#"{"operation":"send_reply","conversation_id":"c-1","turn_id":"t-4","from":"+15550100","to":"+442079460123","text":"It is on its way.","in_reply_to":null,"written_at":"1970-01-01T00:00:00Z"}"#,
        ),
    ];
    for (effect, text) in cases {
        assert_eq!(codec::encode_effect(&effect), text);
        assert_eq!(codec::decode_effect(text).expect("an effect"), effect);
        assert!(text.contains(&format!(r#""operation":"{}""#, effect.operation())));
    }
    let error = codec::decode_effect(r#"{"operation":"add_note","body":"Ada's secret"}"#);
    assert!(error.is_err_and(|why| !why.contains("secret")));
}
