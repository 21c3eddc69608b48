//! The stage as a whole, over a library of three articles.

use super::*;
use crate::domain::{Party, PartyId, Redacted};
use crate::knowledge::{Library, LibrarySettings, Source, passages_of};

fn library() -> Library {
    let article = |id: &str, title: &str, body: &str| {
        let id = ArticleId::from(id);
        let passages = passages_of(&id, title, body);
        crate::domain::Article::published(id, title.into(), body.into(), passages)
    };
    let articles = vec![
        article("a", "Lost parcels", "## Tracing\nTracing a lost parcel takes 3 days.\n"),
        article("b", "Opening hours", "## Shop\nThe shop is open until 18:00.\n"),
        article("c", "Error codes", "## Codes\nE-104 means that the scanner is dirty.\n"),
    ];
    let settings = LibrarySettings::new(Source::Folder("nowhere".into()));
    Library::of_with(articles, &settings).unwrap()
}

fn turn(role: Role, text: &str) -> Turn {
    Turn {
        id: TurnId::from("t"),
        party: Party { id: PartyId::from("p"), role, name: None },
        start_ms: 0,
        end_ms: 0,
        text: Redacted::vouched(text),
        words: Vec::new(),
        mean_logprob: None,
        display_text: None,
        language: "en".into(),
    }
}

fn ask(question: &str, recent: &[Turn], ask_threshold: f32) -> Asked {
    let settings = SuggestionSettings { ask_threshold, ..SuggestionSettings::default() };
    let query = question_query(question, recent, &settings);
    answer_question(&query, &library().search(&query.request).unwrap(), &settings)
}

fn quoted(asked: Asked) -> Answer {
    let Asked::Answer(answer) = asked else { panic!("{asked:?}") };
    *answer
}

#[test]
fn a_question_gets_a_quoted_answer() {
    let answer = quoted(ask("how long does tracing a lost parcel take", &[], 0.0));
    assert_eq!(answer.text, "Tracing a lost parcel takes 3 days.");
    assert_eq!(answer.citations[0].quote, answer.text);
    assert_eq!(answer.why[0], "agent asked about: long, tracing, lost, parcel");
}

#[test]
fn an_unsure_answer_names_what_is_near_once_each() {
    let nearest = vec![("a".into(), "Lost parcels".into(), "Tracing".into())];
    assert_eq!(ask("lost parcel", &[], 1.1), Asked::Nothing(nearest));
    assert_eq!(ask("quantum chromodynamics", &[], 0.0), Asked::Nothing(Vec::new()));
}

#[test]
fn a_turn_in_pieces_is_searched_for_as_one() {
    let (matter, question) =
        ("It's put me overdrawn and my bank took a fee.", "Do you cover that?");
    let said = |pieces: &[(u64, u64, &str)]| {
        let mut suggester = Suggester::new(&SuggestionSettings::default());
        let greeting = turn(Role::Agent, "Thank you for calling, how can I help?");
        suggester.consider(&greeting);
        let mut last = None;
        for (start_ms, end_ms, text) in pieces {
            let piece = Turn { start_ms: *start_ms, end_ms: *end_ms, ..turn(Role::Customer, text) };
            last = suggester.consider(&piece);
        }
        let query = last.expect("something is asked");
        (query.request.query, query.request.in_context)
    };
    let whole = said(&[(2_000, 8_000, &format!("{matter} {question}"))]);
    assert_eq!(said(&[(2_000, 6_500, matter), (6_900, 8_000, question)]), whole);
    let apart = said(&[(2_000, 6_500, matter), (9_000, 10_000, question)]);
    assert_ne!(apart, whole, "after a break it is another turn");
}

#[test]
fn an_agent_who_repeats_the_matter_does_not_take_it_away() {
    let matter = "My parcel to Elm Road is lost.";
    let mut suggester = Suggester::new(&SuggestionSettings::default());
    let at =
        |role, start_ms, text: &str| Turn { start_ms, end_ms: start_ms + 900, ..turn(role, text) };
    suggester.consider(&at(Role::Customer, 0, matter));
    suggester.consider(&at(Role::Agent, 2_000, matter));
    suggester.consider(&at(Role::Agent, 3_000, "Let me look where it went."));
    let query = suggester.consider(&at(Role::Customer, 9_000, "How long will that take?"));
    let in_context = query.expect("something is asked").request.in_context.unwrap_or_default();
    assert!(in_context.contains("Elm Road"), "{in_context}");
}

#[test]
fn a_question_leans_on_the_customers_matter_first() {
    let recent = [
        turn(Role::Customer, "My parcel is lost, it never came to the house on Elm Road today."),
        turn(Role::Agent, "The shop is open, and the scanner there is dirty."),
    ];
    let answer = quoted(ask("and how long does that take", &recent, 0.0));
    assert_eq!(answer.citations[0].article_id, "a".into());
}

/// Plays turns, two seconds apart unless they go on, and returns what was told as unanswered, with its context.
fn unanswered(lines: &[(Role, &str)], settings: &SuggestionSettings) -> Vec<Abstained> {
    let library = library();
    let mut suggester = Suggester::new(settings);
    let (mut told, mut at_ms) = (Vec::new(), 0);
    for (number, (role, text)) in lines.iter().enumerate() {
        // "… " goes on at once.
        at_ms += if text.starts_with('…') { 200 } else { 2_000 };
        let said = Turn {
            id: TurnId::from(format!("t-{number}")),
            start_ms: at_ms,
            end_ms: at_ms,
            ..turn(*role, text.trim_start_matches('…'))
        };
        let query = suggester.consider(&said);
        told.extend(suggester.take_unanswered());
        if let Some(query) = query {
            suggester.decide(&query, &library.search(&query.request).unwrap(), at_ms);
        }
    }
    suggester.close_question();
    told.extend(suggester.take_unanswered());
    told
}

#[test]
fn a_question_without_a_card_is_told_once_nobody_can_answer_it_any_more() {
    use Role::{Agent, Customer};
    let told = |lines: &[(Role, &str)]| -> Vec<(String, String)> {
        let told = unanswered(lines, &SuggestionSettings::default());
        let said =
            |one: Abstained| (one.question.turn.to_string(), one.question.text.as_str().into());
        told.into_iter().map(said).collect()
    };
    let discount = "Do you have a discount for students?";
    let once = |turn: &str| vec![(turn.to_owned(), discount.to_owned())];
    assert_eq!(told(&[(Customer, discount)]), once("t-0"));
    let replied = [(Customer, discount), (Agent, "I don't know."), (Customer, "Okay, thank you.")];
    assert_eq!(told(&replied), once("t-0"));
    let in_pieces = [
        (Customer, "Hello, I study in Leeds."),
        (Customer, "…Do you have a discount for students?"),
    ];
    assert_eq!(told(&in_pieces), once("t-1"), "and not the first piece for itself");
    let broken = "My dish has been broken since the storm.";
    assert_eq!(told(&[(Customer, broken), (Agent, "Oh dear.")]), [], "people say such things");
    let known = told(&[(Customer, broken), (Agent, "I don't know what to do about that.")]);
    assert_eq!(known, [("t-0".to_owned(), broken.to_owned())]);
    for answered in
        ["How long does tracing a lost parcel take?", "My scanner says E-104, what is it?"]
    {
        assert_eq!(told(&[(Customer, answered)]), [], "{answered}");
    }
    let by_reply = [
        (Customer, "Do you know when it will be here?"),
        (Agent, "Tracing a lost parcel takes 3 days."),
    ];
    assert_eq!(told(&by_reply), [], "the agent's reply brought the card");
    for quiet in
        ["Thanks very much for your help.", "Hello, good morning.", "It's L S six, three H B."]
    {
        assert_eq!(told(&[(Customer, quiet)]), [], "{quiet}");
    }
    assert_eq!(told(&[(Agent, discount)]), [], "whoever answers for the house asks nothing of it");
}

#[test]
fn what_only_the_budget_kept_back_is_no_gap() {
    let spent = SuggestionSettings { burst: 0, ..SuggestionSettings::default() };
    let lines = [(Role::Customer, "How long does tracing a lost parcel take?")];
    assert_eq!(unanswered(&lines, &spent), []);
}

#[test]
fn a_question_that_leans_on_the_talk_is_told_with_it() {
    let lines = [
        (Role::Customer, "My satellite dish has been cracked by the storm."),
        (Role::Agent, "Oh dear."),
        (Role::Customer, "Who pays for that?"),
    ];
    let told = unanswered(&lines, &SuggestionSettings::default());
    let asked = &told.last().expect("it is asked").question;
    let context = asked.context.as_ref().expect("it says too little by itself").as_str();
    assert!(
        asked.text.as_str() == "Who pays for that?" && context.contains("satellite dish"),
        "{context}"
    );
}
