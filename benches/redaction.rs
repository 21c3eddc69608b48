//! What masking costs a turn, for a short one, a usual one, a long one, and one full of secrets: with the usual kinds, with all
//! of them, and while the turn is still being said; and that a long text takes as much more time as it is longer, whatever it
//! is made of.
//!
//!     cargo bench --bench redaction

use backchannel::domain::{PartyId, TurnId};
use backchannel::insight::redaction::{Kinds, Masker, RawWord, spans, typed};
use divan::{Bencher, black_box};

const TURNS: [(&str, &str); 4] = [
    ("short", "Yes, that's right, thank you."),
    (
        "usual",
        "I ordered the blue one last Tuesday and it came on the third of March, but the box was empty when I opened it.",
    ),
    (
        "long",
        "So what happened is that I called you two weeks ago about the router, and Anna told me that somebody would come \
         on Monday between nine and twelve, and I waited for them the whole morning, I even took a day off, and nobody \
         came. Then I called again and they said there was no appointment in the system at all, and I had to explain \
         everything from the start, and now I have a bill of 45 pounds and 30 pence for a visit that never was.",
    ),
    (
        "secrets",
        "My name is Ann Smith, born 3rd of May 1980, I live at 12 Abbey Road in London, my card is 4539 1488 0343 6467, \
         the security code is 123, my IBAN is GB82 WEST 1234 5698 7654 32, and write to ann.smith@example.com.",
    ),
];

/// What texts of marks and cues are made of: each once took a pattern, or a loop, to the square of the length.
const UNITS: [&str; 35] = [
    "? ",
    ". ",
    "! ",
    "- ",
    "4 ",
    "four ",
    "[",
    "a@",
    "a ",
    "cvv ",
    "GB82 ",
    "'",
    "password ",
    "+44 ",
    "1. ",
    "GB 8 ",
    "oh ",
    "otp ",
    "ssn ",
    "123 x ",
    "45391488 x ",
    "cvv 739. ",
    "password: x1, ",
    "my pin is ",
    "born 3/4/1980, ",
    "4<b4>",
    "Flat #",
    "12 12 ",
    "A ",
    "x=",
    "is my ",
    "pw Xy12z ",
    "cvv:739 ",
    "4829 is my pin ",
    "password \"",
];

fn main() {
    divan::main();
}

fn words(text: &str) -> Vec<RawWord> {
    let word = |(at, text): (usize, &str)| RawWord {
        text: text.to_owned(),
        start_ms: at as u64 * 300,
        end_ms: at as u64 * 300 + 250,
        confidence: 0.9,
    };
    text.split_whitespace().enumerate().map(word).collect()
}

fn of_kinds(bencher: Bencher, name: &str, kinds: Kinds) {
    let (_, text) = TURNS.iter().find(|(known, _)| *known == name).expect("a turn of the list");
    let (words, party, turn) = (words(text), PartyId::from("p-1"), TurnId::from("t-1"));
    bencher
        .with_inputs(|| Masker::of(kinds))
        .bench_local_values(|mut masker| masker.final_turn(&party, &turn, black_box(&words)));
}

#[divan::bench(args = TURNS.map(|(name, _)| name))]
fn usual_kinds(bencher: Bencher, name: &str) {
    of_kinds(bencher, name, Kinds::USUAL);
}

#[divan::bench(args = TURNS.map(|(name, _)| name))]
fn all_kinds(bencher: Bencher, name: &str) {
    of_kinds(bencher, name, Kinds::EVERY);
}

#[divan::bench(args = TURNS.map(|(name, _)| name))]
fn partial(bencher: Bencher, name: &str) {
    let (_, text) = TURNS.iter().find(|(known, _)| *known == name).expect("a turn of the list");
    let (masker, party) = (Masker::of(Kinds::USUAL), PartyId::from("p-1"));
    bencher.bench_local(|| masker.partial(&party, black_box(text)));
}

#[divan::bench(args = TURNS.map(|(name, _)| name))]
fn typed_text(name: &str) -> usize {
    let (_, text) = TURNS.iter().find(|(known, _)| *known == name).expect("a turn of the list");
    typed(black_box(text)).as_str().len()
}

/// Four times the length should take four times the time, or little more.
#[divan::bench(args = UNITS, consts = [2_000, 8_000], sample_count = 5)]
fn made_of<const BYTES: usize>(bencher: Bencher, unit: &str) {
    let text = unit.repeat(BYTES / unit.len());
    let (party, turn) = (PartyId::from("p-1"), TurnId::from("t-1"));
    bencher.bench_local(|| {
        let text = black_box(text.as_str());
        Masker::of(Kinds::USUAL).partial(&party, text);
        Masker::of(Kinds::USUAL).typed_turn(&party, &turn, text);
        (typed(text), spans(text, Kinds::EVERY))
    });
}
