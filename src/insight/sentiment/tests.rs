use proptest::prelude::*;

use super::*;
use crate::domain::{Party, Redacted};

fn said(role: Role, text: &str) -> Turn {
    Turn {
        id: "t-1".into(),
        party: Party { id: "p-1".into(), role, name: None },
        start_ms: 0,
        end_ms: 0,
        text: Redacted::vouched(text),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: "en".into(),
    }
}

fn after(mood: &mut Mood, text: &str) -> Sentiment {
    mood.take(&said(Role::Customer, text)).expect("a customer's")
}

fn score(text: &str) -> f32 {
    rate(&Redacted::vouched(text)).score
}

#[test]
fn business_is_no_feeling() {
    for text in [
        "I'd like some help with my bill please.",
        "Yes, that's my account number.",
        "Can I cancel my contract for free?",
        "No, I want to pay by card.",
        "I need a new router sent to my new address.",
        "How much credit do I get?",
        "He'll be in and I'll ring you, or we'll meet.",
        "Good afternoon, my phone's gone.",
    ] {
        assert_eq!(level(score(text)), SentimentLevel::Neutral, "{text}: {}", score(text));
    }
}

#[test]
fn feelings_have_the_right_sign() {
    for text in [
        "This is absolutely ridiculous.",
        "I'm really fed up with this.",
        "I'm not happy at all.",
        "What a joke of a company.",
        "I've had enough, I'm furious.",
        "It's a waste of time talking to you.",
        "Thanks for nothing.",
        "I'm worried about my mum, she's scared.",
        "Nobody cares.",
        "The engineer was useless.",
    ] {
        assert!(score(text) <= -SLIGHT, "{text}: {}", score(text));
    }
    for text in [
        "That's brilliant, thank you so much.",
        "You've been very helpful.",
        "Lovely, much appreciated.",
        "It's working now, perfect.",
        "Not bad at all.",
        "Great, thanks.",
    ] {
        assert!(score(text) >= SLIGHT, "{text}: {}", score(text));
    }
}

#[test]
fn a_conversation_begins_neutral_and_forgets() {
    let mut mood = Mood::default();
    assert_eq!(mood.take(&said(Role::Agent, "This is awful.")), None, "the agent's");
    let german = Turn { language: "de".into(), ..said(Role::Customer, "furious") };
    assert_eq!(mood.take(&german), None);
    let first = after(&mut mood, "Hi there.");
    assert_eq!(
        (first.level, first.trend, first.messages),
        (SentimentLevel::Neutral, SentimentTrend::Steady, 1)
    );
    let second = after(&mut mood, "This is awful, I'm furious.");
    assert!(second.level < SentimentLevel::Neutral, "{second:?}");
    assert_eq!(second.trend, SentimentTrend::Falling);
    for _ in 0..MESSAGES {
        after(&mut mood, "The router is in the hall.");
    }
    let last = after(&mut mood, "The router is in the hall.");
    assert_eq!((last.level, last.messages, last.score), (SentimentLevel::Neutral, MESSAGES, 0.0));
}

#[test]
fn swearing_is_negative_or_worse() {
    for (text, worst) in [
        ("that's bloody brilliant", SentimentLevel::Negative),
        ("that is fucking great", SentimentLevel::VeryNegative),
    ] {
        let mut mood = Mood::default();
        for _ in 0..5 {
            after(&mut mood, "That's perfect, brilliant, lovely.");
        }
        let now = after(&mut mood, text);
        assert_eq!(now.level, worst, "{text}");
        assert!(level(now.message_score) <= SentimentLevel::Negative);
    }
}

#[test]
fn levels_and_their_limits_agree() {
    for one in SentimentLevel::ALL {
        assert_eq!(SentimentLevel::parse(one.as_str()), Some(one));
    }
    for score in (-100..=100).map(|hundredth| hundredth as f32 / 100.0) {
        let is = level(score);
        for other in
            SentimentLevel::ALL.into_iter().filter(|other| *other != SentimentLevel::Neutral)
        {
            if other < SentimentLevel::Neutral {
                assert_eq!(score <= most_of(other), is <= other, "{score} {other:?}");
            } else {
                assert_eq!(score >= least_of(other), is >= other, "{score} {other:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_rated(text in "(\\PC|fuck|not |very |awful|but |'| ){0,40}") {
        let text = Redacted::vouched(text);
        let message = rate(&text);
        prop_assert!((-1.0..=1.0).contains(&message.score));
        for term in &message.terms {
            let quote: String = text.as_str().chars().skip(term.start_chars)
                .take(term.end_chars - term.start_chars).collect();
            prop_assert_eq!(&*quote, term.quote.as_str());
        }
    }
}
