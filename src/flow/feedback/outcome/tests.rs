use super::*;
use crate::domain::{Case, Contact};

fn settings() -> OutcomeSettings {
    OutcomeSettings {
        note: Rule::Never,
        call: Rule::Never,
        case: Rule::Never,
        task: Rule::Never,
        mail: Rule::Never,
        meeting: Rule::Automatic,
        status: Rule::Automatic,
        case_statuses: [("Fault or outage".to_owned(), "solved".to_owned())].into(),
        crm: None,
        mailbox: Some("mail".into()),
        calendar: Some("calendar".into()),
        sender: Some(Mailbox { name: None, address: "help@example.org".into() }),
        invites: true,
        meeting_minutes: 15,
        time_zone: TimeZone::UTC,
    }
}

fn ending(kind: FollowUpKind) -> Ending {
    let due = Due {
        phrase: Redacted::vouched("Thursday at two"),
        date: "2026-12-03".parse().ok(),
        time: "14:00".parse().ok(),
        until: None,
        is_limit: false,
        time_zone: "Europe/London".into(),
    };
    Ending {
        conversation: "c-1".into(),
        channel: "voice".into(),
        direction: Direction::Inbound,
        started_at: Timestamp::UNIX_EPOCH,
        duration_ms: 60_000,
        summary: None,
        matter: None,
        disposition: None,
        promises: vec![Promise {
            id: "w-1".into(),
            kind,
            promised_by: Role::Agent,
            sentence: Redacted::vouched("I'll call you on Thursday at two."),
            due: Some(due),
        }],
        email: None,
        references: Vec::new(),
    }
}

fn ada() -> KnownContact {
    let contact = Contact {
        id: "7".into(),
        name: Some(Redacted::vouched("Ada Lovelace")),
        phones: vec!["+44 20 7946 0123".into()],
        emails: vec!["ada@example.test".into()],
        ..Contact::default()
    };
    KnownContact { contact, ..KnownContact::default() }
}

fn planned(kind: FollowUpKind, known: &KnownContact, settings: &OutcomeSettings) -> Vec<Planned> {
    plan(&ending(kind), known, &CaseChoice::None, settings)
}

fn meeting(planned: &Planned) -> &Meeting {
    match &planned.effect {
        Effect::PutMeeting(meeting) => meeting,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_back_says_whom_to_call_and_invites_nobody() {
    let planned = planned(FollowUpKind::Callback, &ada(), &settings());
    let ids: Vec<&str> = planned.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["meeting:w-1"]);
    let entry = meeting(&planned[0]);
    assert_eq!(
        entry.subject.as_str(),
        "Call back Ada Lovelace, +44 20 7946 0123: I'll call you on Thursday at two."
    );
    assert!(
        entry
            .body
            .as_str()
            .starts_with("Ada Lovelace\n+44 20 7946 0123\nada@example.test\n\n“I'll")
    );
    assert!(entry.attendees.is_empty());
    // Nothing is known but that it was promised.
    let nobody = plan_of_nobody();
    assert_eq!(nobody, "Call back: I'll call you on Thursday at two.");
}

fn plan_of_nobody() -> String {
    let planned = planned(FollowUpKind::Callback, &KnownContact::default(), &settings());
    meeting(&planned[0]).subject.as_str().to_owned()
}

#[test]
fn an_invitation_is_the_same_event_by_mail_and_waits_for_a_click() {
    let both = planned(FollowUpKind::Meeting, &ada(), &settings());
    let ids: Vec<&str> = both.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["meeting:w-1", "invite:w-1"]);
    assert_eq!((both[0].rule, both[1].rule), (Rule::Automatic, Rule::Ask));
    assert_eq!((both[0].destination.as_str(), both[1].destination.as_str()), ("calendar", "mail"));
    assert_eq!(both[0].key, both[1].key, "which makes the UID");
    assert_eq!(both[0].effect, both[1].effect);
    let entry = meeting(&both[1]);
    assert_eq!(entry.attendees[0].address, "ada@example.test");
    assert!(!entry.body.as_str().contains("7946"), "what the customer reads holds no record");
    for settings in [
        OutcomeSettings { invites: false, ..settings() },
        OutcomeSettings { mailbox: None, ..settings() },
    ] {
        assert_eq!(planned(FollowUpKind::Meeting, &ada(), &settings).len(), 1);
    }
    let never = OutcomeSettings { meeting: Rule::Never, ..settings() };
    assert!(planned(FollowUpKind::Meeting, &ada(), &never).is_empty());
    // Where the CRM has two addresses nobody is invited.
    let mut twice = ada();
    twice.contact.emails.push("ada@work.test".into());
    let alone = planned(FollowUpKind::Meeting, &twice, &settings());
    assert_eq!((alone.len(), meeting(&alone[0]).attendees.len()), (1, 0));
}

#[test]
fn the_same_for_another_contact_is_another_thing() {
    let bob = KnownContact {
        contact: Contact { id: "8".into(), ..ada().contact },
        ..KnownContact::default()
    };
    let of =
        |known: &KnownContact| planned(FollowUpKind::Meeting, known, &settings())[0].key.clone();
    assert_eq!(of(&ada()), of(&ada()));
    assert_ne!(of(&ada()), of(&bob));
}

#[test]
fn the_chosen_case_gets_the_status_of_the_disposition_by_a_click() {
    let settings = OutcomeSettings { crm: Some("crm".into()), ..settings() };
    let case =
        |id: &str, status: &str| Case { id: id.into(), status: status.into(), ..Case::default() };
    let known = KnownContact { cases: vec![case("9", "open"), case("10", "solved")], ..ada() };
    let mut ending = ending(FollowUpKind::Task);
    let existing = CaseChoice::Existing("9".into());
    assert!(plan(&ending, &known, &existing, &settings).is_empty(), "nobody chose a disposition");
    ending.disposition = Some(Redacted::vouched("fault or outage"));
    let planned = plan(&ending, &known, &existing, &settings);
    let [one] = planned.as_slice() else { panic!("{planned:?}") };
    assert_eq!((one.id.as_str(), one.rule), ("status:9", Rule::Ask), "never by itself");
    let Effect::UpdateCase(update) = &one.effect else { panic!("{:?}", one.effect) };
    assert_eq!((update.case_id.as_str(), update.status.as_deref()), ("9", Some("solved")));
    assert_eq!(statuses(&ending, &known, &settings), planned, "the other one is solved already");
    for none in [CaseChoice::None, CaseChoice::New] {
        assert!(plan(&ending, &known, &none, &settings).is_empty());
    }
    ending.disposition = Some(Redacted::vouched("Complaint"));
    assert!(statuses(&ending, &known, &settings).is_empty());
}
