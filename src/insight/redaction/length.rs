//! However long a text is, and whatever it is made of: masking it takes a time that grows as the text does.

use std::time::{Duration, Instant};

use super::*;

const SHORT: usize = 2_000;
const LONG: usize = 8_000;
/// Four times the length; sixteen times the time would be the square.
const TIMES_MAX: u32 = 10;
const RUNS: usize = 2;
/// The machine may be busy with something else.
const ATTEMPTS: usize = 4;

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

fn all(text: &str) {
    typed(text);
    text::spans(text, Kinds::EVERY);
    let party = PartyId::from("p-1");
    Masker::default().typed_turn(&party, &"t-1".into(), text);
    Masker::default().partial(&party, text);
}

/// The best of several runs; of the others the machine did something else.
fn time(text: &str) -> Duration {
    let run = || {
        let from = Instant::now();
        all(text);
        from.elapsed()
    };
    (0..RUNS).map(|_| run()).min().unwrap_or_default()
}

#[test]
fn a_text_four_times_as_long_takes_no_square_of_the_time() {
    // The patterns are compiled and the lists are read.
    all("Ann has 4 cats");
    let is_square = |unit: &&str| {
        let of = |length: usize| unit.repeat(length / unit.len());
        (0..ATTEMPTS).all(|_| time(&of(LONG)) >= time(&of(SHORT)) * TIMES_MAX)
    };
    let squares: Vec<&str> = UNITS.into_iter().filter(is_square).collect();
    assert!(squares.is_empty(), "{squares:?}");
}
