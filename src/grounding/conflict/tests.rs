//! With a model that knows each word and nothing of what it means.

use super::polarity::Stance;
use super::*;
use crate::models::embedder::TokenVectors;

const WIDTH: usize = 64;

/// The same vector for the same word, another for another.
fn vector(word: &str) -> Vec<f32> {
    let mut state = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f32 / (1_u64 << 30) as f32 - 1.0
    };
    (0..WIDTH).map(|_| next()).collect()
}

fn statement(about: &str, text: &str) -> Statement {
    let wording = Wording::new(about, text);
    let full = wording.to_embed();
    let mut tokens = TokenVectors::default();
    for word in full.split_whitespace() {
        let start = word.as_ptr() as usize - full.as_ptr() as usize;
        let core = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '£');
        tokens.bytes.push(start..start + word.len());
        tokens.states.extend(vector(&core.to_lowercase()));
    }
    Statement::new(&wording, &tokens)
}

fn likely(said: &str, published: &[&str]) -> Vec<(usize, ConflictKind)> {
    found(said, published, &Clash::is_likely)
}

fn found(
    said: &str,
    published: &[&str],
    is_wanted: &dyn Fn(&Clash) -> bool,
) -> Vec<(usize, ConflictKind)> {
    let about = "refund codes and visits";
    let theirs: Vec<Statement> = published.iter().map(|text| statement(about, text)).collect();
    let beside: Vec<Published<'_>> =
        theirs.iter().map(|statement| Published { statement, asked: 0.8 }).collect();
    let found = clashes(&statement(about, said), &beside);
    found.iter().filter(|one| is_wanted(one)).map(|one| (one.published, one.kind)).collect()
}

#[test]
fn values_exclude_each_other_or_do_not() {
    use ConflictKind::{Amount, Date, Duration, Number, Time};
    // What is said, what is published, and in what they exclude each other.
    let cases: &[(&str, &str, Option<ConflictKind>)] = &[
        ("The code is valid for 14 days.", "The code is valid for 30 days.", Some(Duration)),
        ("The code is valid for a fortnight.", "The code is valid for 14 days.", None),
        ("The code is valid for a year.", "The code is valid for 12 months.", None),
        ("The code is valid for half an hour.", "The code is valid for 30 minutes.", None),
        ("The code is valid for a quarter of an hour.", "The code is valid for 15 minutes.", None),
        ("The visit costs forty pounds.", "The visit costs £65.", Some(Amount)),
        ("The visit costs sixty-five pounds.", "The visit costs £65.", None),
        ("The visit costs £65.", "The visit takes 2 hours.", None),
        ("You can have five boosters.", "You can have 3 boosters.", Some(Number)),
        ("You can have five boosters.", "You can have 3 bills.", None),
        ("The fee is half of the price.", "The fee is 60% of the price.", Some(Number)),
        ("Visits are from 8am to 11am.", "Visits are from 8am to 1pm.", Some(Time)),
        ("Prices go up on 1 March.", "Prices go up on 1 April.", Some(Date)),
        ("Visits are on Sundays.", "Visits are Monday to Saturday.", Some(Date)),
        ("Visits are on Wednesdays.", "Visits are Monday to Saturday.", None),
        ("A second visit is free.", "A visit takes 30 minutes.", None),
        ("Call 0808 157 0100 about a refund.", "Call 0808 157 0200 about a refund.", None),
    ];
    // How likely that is depends on a model that knows what words mean, and this one doesn't.
    let is_value = |one: &Clash| matches!(one.evidence, Evidence::Value(_));
    for (said, published, wanted) in cases {
        let kinds: Vec<ConflictKind> =
            found(said, &[published], &is_value).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds.first(), wanted.as_ref(), "{said} / {published}");
    }
}

#[test]
fn what_another_sentence_confirms_is_no_conflict() {
    let said = "A refund is paid within 5 working days.";
    let other = "A refund is paid within 10 working days.";
    assert_eq!(likely(said, &[other]), [(0, ConflictKind::Duration)]);
    assert_eq!(likely(said, &[said, other]), []);
}

#[test]
fn what_is_denied_is_told_from_what_is_bounded_or_asked() {
    use Stance::{Affirms, Denies, Unclear};
    let cases = [
        ("We ask for medical evidence.", Affirms),
        ("We do not ask for medical evidence.", Denies),
        ("You can't pay with a gift card.", Denies),
        ("There's no need for you to ring.", Denies),
        ("No, it stays as it was.", Affirms),
        ("Tell us no later than three days before.", Affirms),
        ("It plugs into the router, not into the wall.", Unclear),
        ("If it hasn't been used, you can send it back.", Unclear),
        ("It works without a contract.", Unclear),
        ("You can leave free of charge.", Unclear),
    ];
    for (text, wanted) in cases {
        let said = statement("", text);
        assert_eq!(polarity::stance(&said, &said.clauses[0]), wanted, "{text}");
    }
}

#[test]
fn a_denied_sentence_clashes_with_itself() {
    let denied = "We do not move a telecare customer to fibre.";
    let found = likely("We move a telecare customer to fibre.", &[denied]);
    assert_eq!(found, [(0, ConflictKind::Negation)]);
    assert_eq!(likely(denied, &[denied]), []);
}

#[test]
fn an_article_covers_what_it_says_and_not_more() {
    let article = [
        statement("Refunds", "We pay a refund within 5 working days of agreeing it."),
        statement("Refunds", "A refund goes to the bank account that the payment came from."),
    ];
    let sure = |draft: &[&str]| {
        let draft: Vec<Statement> =
            draft.iter().map(|text| statement("When do I get my refund", text)).collect();
        let sentences = article.iter().collect();
        let one = Candidate { sentences, nearness: 0.8, asked: 0.9 };
        coverages(&draft, &[one])[0]
    };
    let same = sure(&["We pay a refund within 5 working days of agreeing it."]);
    assert!(same.is_likely(), "{}", same.probability());
    let more = sure(&[
        "We pay a refund within 5 working days of agreeing it.",
        "Cheques under twenty euros expire in Welsh branches after seven weeks.",
    ]);
    assert!(more.probability() < same.probability());
    assert!(!more.is_likely(), "{}", more.probability());
}
