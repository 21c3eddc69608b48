use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    Citation, EmailLength, EmailPartKind, EmailPurpose, EmailTone, FollowUpKind, Party, Proof,
    ProvenSentence,
};

pub(super) fn turn(number: usize, role: Role, text: &str, language: &str) -> Turn {
    Turn {
        id: format!("t-{number}").into(),
        party: Party { id: role.as_str().into(), role, name: None },
        start_ms: number as u64 * 6_000,
        end_ms: number as u64 * 6_000 + 4_000,
        text: Redacted::vouched(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: language.to_owned(),
    }
}

/// Lines of `role: words`.
fn material(lines: &str) -> Material {
    let turns = lines.lines().filter_map(|line| line.trim().split_once(": ")).enumerate();
    let turns = turns
        .map(|(number, (role, text))| turn(number, Role::parse(role).expect("a role"), text, "en"));
    Material { turns: turns.collect(), passages: Vec::new() }
}

fn circumstances() -> Circumstances {
    let party = |role: Role, name: &str| Party {
        id: role.as_str().into(),
        role,
        name: Some(name.to_owned()),
    };
    // A Monday.
    let began = date(2026, 3, 2).at(10, 0, 0, 0).in_tz("Europe/London").expect("a time");
    let parties = vec![party(Role::Customer, "Daniel Okafor"), party(Role::Agent, "Emma")];
    Circumstances::new(began, parties)
}

const CALL: &str = "agent: Thank you for calling Larkfield, you're speaking with Emma. How can I help?
    customer: Hi Emma. My broadband has been down since Saturday and the box shows error E-104.
    agent: I'm sorry about that. Can I take your account number, please?
    customer: It's four four one nine.
    agent: Thank you. Bear with me. There's a fault at the exchange because a card has failed.
    customer: I've already restarted the router twice.
    agent: Please try switching it off and unplug the cable for a minute.
    customer: That didn't help. Do you pay anything for the days that it is off?
    agent: We pay compensation for each full day after two working days, and it is taken off the next bill without a claim.
    agent: I've booked an engineer for you. He will be with you on Thursday at two.
    agent: I'll call you back tomorrow morning to see that it works.
    customer: Great, thanks. Bye.";

fn texts(sentences: &[ProvenSentence]) -> Vec<&str> {
    sentences.iter().map(|one| one.text.as_str()).collect()
}

#[test]
fn sections_hold_what_they_are_named_for() {
    let (material, circumstances) = (material(CALL), circumstances());
    let reading = Reading::of(&material, &circumstances).expect("enough");
    let summary = reading.summary(&default_sections());
    let section = |key: &str| {
        let found = summary.sections.iter().find(|section| section.key == key);
        found.map(|section| texts(&section.sentences)).unwrap_or_default().join(" | ")
    };
    assert!(section("issue").starts_with("My broadband has been down since Saturday"));
    assert!(section("root_cause").contains("because a card has failed"));
    assert!(section("steps_tried").contains("restarted the router"));
    assert!(section("steps_tried").contains("unplug the cable"));
    assert!(section("outcome").contains("I've booked an engineer"));
    assert!(section("promises").contains("I'll call you back tomorrow morning"));
    assert!(section("error_codes").contains("E-104"));
    // "Outcome" holds nothing where nothing was reached.
    let open = super::tests::material("customer: My broadband is down and I want it back.");
    let reading = Reading::of(&open, &circumstances).expect("enough");
    let keys: Vec<_> =
        reading.summary(&default_sections()).sections.into_iter().map(|one| one.key).collect();
    assert_eq!(keys, ["issue"]);
}

#[test]
fn a_tenants_own_section_is_found_by_its_phrases() {
    let (material, circumstances) = (material(CALL), circumstances());
    let reading = Reading::of(&material, &circumstances).expect("enough");
    let finder = Finder::Phrases(vec!["taken off the next bill".to_owned()]);
    let rule = SectionRule { key: "money".to_owned(), finder, sentences_max: 3 };
    let sections = reading.summary(&[rule]).sections;
    assert!(sections[0].sentences[0].text.as_str().starts_with("We pay compensation"));
}

#[test]
fn follow_ups_have_dates_and_owners() {
    let (material, circumstances) = (material(CALL), circumstances());
    let found = Reading::of(&material, &circumstances).expect("enough").follow_ups();
    let short: Vec<_> = found
        .iter()
        .map(|one| {
            let due = one.due.as_ref();
            let when = due.and_then(|due| due.date).map(|date| date.to_string());
            (one.kind, one.promised_by, when, due.and_then(|due| due.time).map(|t| t.to_string()))
        })
        .collect();
    let owned = |text: &str| Some(text.to_owned());
    assert_eq!(
        short,
        [
            (FollowUpKind::Meeting, Role::Agent, owned("2026-03-05"), owned("14:00:00")),
            (FollowUpKind::Callback, Role::Agent, owned("2026-03-03"), None),
        ]
    );
}

#[test]
fn a_hand_over_says_who_and_which_articles() {
    let (mut material, circumstances) = (material(CALL), circumstances());
    let citation = Citation {
        article_id: "faults/outage".into(),
        passage_id: "faults/outage#1".into(),
        revision: 1,
        start_chars: 0,
        end_chars: 5,
        quote: "Words".into(),
    };
    material.passages = vec![citation.clone(), citation];
    let reading = Reading::of(&material, &circumstances).expect("enough");
    let pack = reading.hand_over(&default_sections());
    assert_eq!((pack.parties.len(), pack.articles.len()), (2, 1));
    assert!(pack.sections.iter().any(|section| section.key == "promises"));
}

#[test]
fn e_mails_quote_and_otherwise_claim_nothing() {
    let (material, circumstances) = (material(CALL), circumstances());
    let reading = Reading::of(&material, &circumstances).expect("enough");
    for purpose in [
        EmailPurpose::FollowUp,
        EmailPurpose::Resolution,
        EmailPurpose::Apology,
        EmailPurpose::Appointment,
    ] {
        let mut lengths = Vec::new();
        for &length in EmailLength::ALL {
            for &tone in EmailTone::ALL {
                for language in Language::ALL {
                    let order = EmailOrder {
                        purpose: purpose.clone(),
                        length,
                        tone,
                        language: Some(language),
                    };
                    let draft = reading.email(&order).expect("something to say");
                    let kinds: Vec<_> = draft.parts.iter().map(|part| part.kind).collect();
                    assert_eq!(kinds.first(), Some(&EmailPartKind::Greeting));
                    assert_eq!(kinds.last(), Some(&EmailPartKind::Signature));
                    assert!(draft.parts[0].text.as_str().contains("Daniel Okafor"));
                    for part in &draft.parts {
                        assert_eq!(part.kind == EmailPartKind::Claim, !part.proofs.is_empty());
                        for proof in &part.proofs {
                            let Proof::Turn(citation) = proof else {
                                panic!("no passage is cited")
                            };
                            assert!(part.text.as_str().contains(citation.quote.as_str()));
                        }
                    }
                    lengths.push((length, draft.parts.len()));
                }
            }
        }
        let parts = |length| lengths.iter().filter(|one| one.0 == length).map(|one| one.1).max();
        assert!(parts(EmailLength::Short) < parts(EmailLength::Medium), "{purpose:?}");
        assert!(parts(EmailLength::Medium) <= parts(EmailLength::Long), "{purpose:?}");
    }
    let order = |purpose| EmailOrder {
        purpose,
        length: EmailLength::Medium,
        tone: EmailTone::Formal,
        language: None,
    };
    let refused = reading.email(&order(EmailPurpose::Information));
    assert_eq!(refused, Err(Refusal::NothingFor { purpose: "information" }));
    let custom = EmailPurpose::Custom(Redacted::vouched("compensation for the outage"));
    let draft = reading.email(&order(custom)).expect("it was spoken of");
    assert!(draft.parts.iter().any(|part| part.text.as_str().contains("We pay compensation")));
}

#[test]
fn dispositions_are_ranked_or_none_fits() {
    let (material, circumstances) = (material(CALL), circumstances());
    let reading = Reading::of(&material, &circumstances).expect("enough");
    let rule = |code: &str, label: &str, phrases: &[&str]| DispositionRule {
        code: code.to_owned(),
        label: label.to_owned(),
        phrases: phrases.iter().map(|&phrase| phrase.to_owned()).collect(),
    };
    let rules = [
        rule("B1", "Bill", &["bill", "charged twice"]),
        rule("F1", "Fault", &["broadband has been down", "error", "engineer"]),
        rule("M1", "Moving home", &["moving house", "new address"]),
    ];
    let found = reading.disposition(&rules).expect("a list");
    assert_eq!(found.choices[0].code, "F1");
    assert!(found.choices[0].probability > 0.5 && !found.choices[0].proofs.is_empty());
    assert!(found.choices.iter().all(|choice| choice.code != "M1"));
    let all: f32 = found.choices.iter().map(|choice| choice.probability).sum();
    assert!(all + found.none <= 1.0 + 1e-5);
    let found = reading.disposition(&rules[2..]).expect("a list");
    assert!(found.choices.is_empty() && found.none > 0.5);
    assert_eq!(reading.disposition(&[]), Err(Refusal::NoDispositions));
    // Nearness in meaning counts where vectors were made.
    let moved = material.turns.iter().find(|turn| turn.party.role == Role::Customer);
    let moved = moved.expect("a customer").id.clone();
    let turns = [(moved.clone(), vec![1.0, 0.0])].into();
    let meaning = DispositionMeaning { turns, rules: vec![vec![0.9, 0.1]].into() };
    let found = reading.with_meaning(&meaning).disposition(&rules[2..]).expect("a list");
    let [choice] = &found.choices[..] else { panic!("{found:?}") };
    let Proof::Turn(cited) = &choice.proofs[0] else { panic!("{choice:?}") };
    assert_eq!(cited.turn_id, moved, "the turn that comes near bears it out");
}

#[test]
fn an_article_is_proposed_unless_a_card_said_it() {
    let (mut material, circumstances) = (material(CALL), circumstances());
    let proposal =
        |material: &Material| Reading::of(material, &circumstances).expect("enough").article();
    let found = proposal(&material).expect("something was explained");
    assert!(
        found.question.text.as_str().contains("Do you pay anything"),
        "{}",
        found.question.text.as_str()
    );
    assert!(found.answer[0].text.as_str().starts_with("We pay compensation"));
    material.passages.push(Citation {
        article_id: "a".into(),
        passage_id: "a#1".into(),
        revision: 1,
        start_chars: 0,
        end_chars: 0,
        quote: found.answer.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(" "),
    });
    let again = proposal(&material);
    assert_ne!(again, Ok(found));
}

#[test]
fn thin_conversations_are_refused() {
    let circumstances = circumstances();
    let refusal = |lines: &str| Reading::of(&material(lines), &circumstances).err();
    assert_eq!(refusal(""), Some(Refusal::Empty));
    assert_eq!(refusal("agent: … !"), Some(Refusal::Empty));
    let thin = "agent: Good morning, how can I help?\ncustomer: Sorry, wrong number. Bye.";
    assert!(matches!(refusal(thin), Some(Refusal::TooLittle { .. })));
    let one = "customer: My phone has no signal at home since last night.";
    let material = material(one);
    let reading = Reading::of(&material, &circumstances).expect("one turn is enough");
    assert_eq!(reading.summary(&[]).paragraph.len(), 1);
}

#[test]
fn the_customers_language_is_the_e_mails() {
    let circumstances = circumstances();
    let turns = vec![
        turn(0, Role::Agent, "Good morning, how can I help?", "en"),
        turn(
            1,
            Role::Customer,
            "Guten Tag, mein Router geht nicht mehr und ich brauche Hilfe.",
            "de",
        ),
        turn(2, Role::Agent, "Das tut mir leid. Ich werde Sie morgen um 14 Uhr zurückrufen.", "de"),
    ];
    let material = Material { turns, passages: Vec::new() };
    let reading = Reading::of(&material, &circumstances).expect("enough");
    assert_eq!(reading.language(), Language::German);
    let found = reading.follow_ups();
    assert_eq!(found[0].kind, FollowUpKind::Callback);
    assert_eq!(found[0].due.as_ref().and_then(|due| due.date), Some(date(2026, 3, 3)));
    let text = paragraph_text(&reading.summary(&[]).paragraph, reading.language());
    assert!(text.as_str().starts_with("Kunde: mein Router"), "{}", text.as_str());
}

#[test]
fn a_case_is_told_from_its_beginning() {
    let (first, second) = (
        material(CALL),
        material("customer: The engineer never came and I want to complain about it."),
    );
    let mut later = circumstances();
    later.began = later.began.checked_add(jiff::Span::new().days(3)).expect("a date");
    let sooner = circumstances();
    let found = case_summary(&[
        CaseConversation { id: "c-2".into(), material: &second, circumstances: &later },
        CaseConversation { id: "c-1".into(), material: &first, circumstances: &sooner },
    ])
    .expect("enough");
    let ids: Vec<_> = found.entries.iter().map(|entry| entry.conversation.as_str()).collect();
    assert_eq!(ids, ["c-1", "c-2"]);
    assert!(!found.promises.is_empty());
    assert_eq!(case_summary(&[]), Err(Refusal::Empty));
}

/// Everything that can be written about some turns; every quotation must stand in them.
fn write_all(material: &Material) {
    let circumstances = circumstances();
    let Ok(reading) = Reading::of(material, &circumstances) else { return };
    let summary = reading.hand_over(&default_sections());
    let mut proofs: Vec<Proof> = Vec::new();
    let mut take = |sentences: &[ProvenSentence]| {
        for sentence in sentences {
            assert!(!sentence.proofs.is_empty());
            proofs.extend(sentence.proofs.iter().cloned());
        }
    };
    take(&summary.paragraph);
    for section in &summary.sections {
        assert!(!section.sentences.is_empty());
        take(&section.sentences);
    }
    for one in reading.follow_ups() {
        take(&[one.sentence]);
    }
    if let Ok(article) = reading.article() {
        take(&article.answer);
    }
    for purpose in EmailPurpose::NAMED {
        let order = EmailOrder {
            purpose,
            length: EmailLength::Long,
            tone: EmailTone::Friendly,
            language: None,
        };
        if let Ok(draft) = reading.email(&order) {
            proofs.extend(draft.parts.into_iter().flat_map(|part| part.proofs));
        }
    }
    for proof in proofs {
        let Proof::Turn(citation) = proof else { continue };
        let turn = material.turns.iter().find(|turn| turn.id == citation.turn_id);
        let text = turn.expect("the turn exists").text.as_str();
        let slice: String = text
            .chars()
            .skip(citation.start_chars)
            .take(citation.end_chars - citation.start_chars)
            .collect();
        assert_eq!(slice, citation.quote.as_str());
    }
}

#[test]
fn eight_hours_of_turns_give_a_short_summary() {
    let lines: Vec<&str> = CALL.lines().map(str::trim).collect();
    let turns = (0..8 * 60 * 10).map(|number| {
        let (role, text) = lines[number % lines.len()].split_once(": ").expect("a line");
        turn(number, Role::parse(role).expect("a role"), &format!("{text} Number {number}."), "en")
    });
    let material = Material { turns: turns.collect(), passages: Vec::new() };
    write_all(&material);
    let circumstances = circumstances();
    let reading = Reading::of(&material, &circumstances).expect("enough");
    let summary = reading.summary(&default_sections());
    assert!(summary.paragraph.len() <= 12);
}

proptest! {
    #[test]
    fn whatever_was_said_the_quotations_stand(
        said in proptest::collection::vec(
            ("(customer|agent|mixed|bot)", "(I'll |call you |tomorrow |at two|because |not working|error E-1\\. |[a-z ,]{0,20}|[.!?] |@a |https://x |\\PC){0,30}"),
            0..12,
        ),
    ) {
        let turns = said.iter().enumerate().map(|(number, (role, text))| {
            turn(number, Role::parse(role).expect("a role"), text, if number % 3 == 0 { "fr" } else { "en" })
        });
        write_all(&Material { turns: turns.collect(), passages: Vec::new() });
    }
}

#[test]
fn the_one_who_has_the_call_signs() {
    let mut material = material(CALL);
    let mut circumstances = circumstances();
    let carl = Party { id: "p-9".into(), role: Role::Agent, name: Some("Carl".to_owned()) };
    circumstances.parties.push(carl.clone());
    let signed = |material: &Material, circumstances: &Circumstances| {
        let reading = Reading::of(material, circumstances).expect("enough");
        let Draft::Email(order) = Draft::at_end().into_iter().nth(3).expect("an e-mail") else {
            panic!("the fourth is the e-mail")
        };
        let parts = reading.email(&order).expect("something was promised").parts;
        parts.last().expect("parts").text.as_str().to_owned()
    };
    assert!(signed(&material, &circumstances).ends_with("Emma"));
    material.turns.last_mut().expect("turns").party = carl;
    assert!(signed(&material, &circumstances).ends_with("Carl"));
}
