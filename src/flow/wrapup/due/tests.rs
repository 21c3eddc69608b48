use jiff::civil::{Date, Time, date, time};
use proptest::prelude::*;

use super::due;
use crate::domain::Redacted;
use crate::flow::wrapup::Language;

/// A Monday, ten in the morning.
fn resolved(text: &str) -> Option<(String, Option<Date>, Option<Time>, bool)> {
    resolved_in(text, Language::English)
}

fn resolved_in(
    text: &str,
    language: Language,
) -> Option<(String, Option<Date>, Option<Time>, bool)> {
    let said = date(2026, 3, 2).at(10, 0, 0, 0).in_tz("Europe/London").expect("a time");
    let due = due(&Redacted::vouched(text), &said, language)?;
    assert_eq!(due.time_zone, "Europe/London");
    assert!(text.contains(due.phrase.as_str()), "{text}");
    Some((due.phrase.as_str().to_owned(), due.date, due.time, due.is_limit))
}

#[test]
fn days_and_times_are_resolved() {
    let check = |text: &str, phrase: &str, on: Date, at: Option<Time>, is_limit: bool| {
        assert_eq!(resolved(text), Some((phrase.to_owned(), Some(on), at, is_limit)), "{text}");
    };
    let two = Some(time(14, 0, 0, 0));
    check("I'll call you Thursday at two.", "Thursday at two", date(2026, 3, 5), two, false);
    check("We'll ring at 2pm on Friday", "at 2pm on Friday", date(2026, 3, 6), two, false);
    check("tomorrow morning", "tomorrow", date(2026, 3, 3), None, false);
    check("tomorrow at nine", "tomorrow at nine", date(2026, 3, 3), Some(time(9, 0, 0, 0)), false);
    check(
        "the refund within five working days",
        "within five working days",
        date(2026, 3, 9),
        None,
        true,
    );
    check(
        "within 5 to 10 business days",
        "within 5 to 10 business days",
        date(2026, 3, 16),
        None,
        true,
    );
    check("in an hour", "in an hour", date(2026, 3, 2), Some(time(11, 0, 0, 0)), false);
    check("in 45 minutes.", "in 45 minutes", date(2026, 3, 2), Some(time(10, 45, 0, 0)), false);
    check("in two weeks", "in two weeks", date(2026, 3, 16), None, false);
    check("by Friday", "Friday", date(2026, 3, 6), None, true);
    check("by the end of the month", "end of the month", date(2026, 3, 31), None, true);
    check(
        "by the end of the day on Friday",
        "end of the day on Friday",
        date(2026, 3, 6),
        None,
        true,
    );
    check("on the twenty first of March", "twenty first of March", date(2026, 3, 21), None, false);
    check("on 13/03/2026", "13/03/2026", date(2026, 3, 13), None, false);
    check(
        "half past two tomorrow",
        "half past two tomorrow",
        date(2026, 3, 3),
        Some(time(14, 30, 0, 0)),
        false,
    );
    check("at three today", "at three today", date(2026, 3, 2), Some(time(15, 0, 0, 0)), false);
}

#[test]
fn other_languages_are_resolved_too() {
    let check = |language: Language, text: &str, on: Date, at: Option<Time>| {
        let found = resolved_in(text, language).expect(text);
        assert_eq!((found.1, found.2), (Some(on), at), "{text}");
    };
    let (german, french, spanish) = (Language::German, Language::French, Language::Spanish);
    check(german, "Ich rufe Sie morgen um 14 Uhr an", date(2026, 3, 3), Some(time(14, 0, 0, 0)));
    check(german, "innerhalb von drei Werktagen", date(2026, 3, 5), None);
    check(german, "Der Techniker kommt am Donnerstag", date(2026, 3, 5), None);
    check(french, "Je vous rappelle demain à 14 heures", date(2026, 3, 3), Some(time(14, 0, 0, 0)));
    check(french, "dans deux jours", date(2026, 3, 4), None);
    check(spanish, "el jueves a las 15:00", date(2026, 3, 5), Some(time(15, 0, 0, 0)));
    check(spanish, "mañana por la mañana", date(2026, 3, 3), None);
}

#[test]
fn what_may_mean_two_days_means_none() {
    for text in [
        "next Thursday",
        "on Monday",
        "Tuesday or Wednesday",
        "next week",
        "on 03/04",
        "05/06/2026",
    ] {
        let found = resolved(text).expect(text);
        assert_eq!(found.1, None, "{text}");
    }
    // Seven in the morning or in the evening.
    assert_eq!(resolved("Thursday at seven").map(|due| due.2), Some(None));
    assert_eq!(resolved("at eight"), Some(("at eight".to_owned(), None, None, false)));
    for text in ["soon", "since Friday", "last Monday", "two routers", "at two addresses", ""] {
        assert_eq!(resolved(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_words_make_it_panic(text in "(in |by |within |at |[0-9]{1,12}[ /.:-]|five |to |days |friday |march |\\PC){0,30}") {
        let _ = resolved(&text);
    }
}
/// Words that a hasty reader takes for a certain day or time.
#[test]
fn what_belongs_to_something_else_is_no_date() {
    let date_of = |text: &str| resolved(text).and_then(|due| due.1);
    for text in [
        "on the fifth or sixth",
        "on May 5 or 6",
        "the Monday after",
        "the first Monday in June",
        "Good Friday",
        "Tuesday 14",
        "on the third attempt",
        "2/3",
        "usually within two days",
        "within four business hours",
        "the week of the 5th",
        "after Friday",
        "from the tenth",
        "in about a month",
        "in a couple of days",
        "in two or three days or so",
        "we may first send it",
    ] {
        assert_eq!(date_of(text), None, "{text}");
    }
    let check = |text: &str, on: Date| assert_eq!(date_of(text), Some(on), "{text}");
    check("on the twelfth of next month", date(2026, 4, 12));
    check("by the end of May", date(2026, 5, 31));
    check("a week on Friday", date(2026, 3, 13));
    check("Tuesday week", date(2026, 3, 10));
    check("Tuesday the tenth", date(2026, 3, 10));
    check("Thursday next week", date(2026, 3, 12));
    check("before Friday", date(2026, 3, 5));
    check("Thursday, no wait, Friday", date(2026, 3, 6));
    check("not on Thursday but on Friday", date(2026, 3, 6));
    check("this afternoon", date(2026, 3, 2));
}

#[test]
fn windows_have_both_ends_or_none() {
    let window = |text: &str| {
        let said = date(2026, 3, 2).at(7, 0, 0, 0).in_tz("Europe/London").expect("a time");
        let due = due(&Redacted::vouched(text), &said, Language::English).expect(text);
        (due.time, due.until)
    };
    let both = |from: i8, upto: i8| (Some(time(from, 0, 0, 0)), Some(time(upto, 0, 0, 0)));
    for (text, ends) in [
        ("tomorrow between two and four", both(14, 16)),
        ("tomorrow from 8:00 to 13:00", both(8, 13)),
        ("eight till one on Wednesday", both(8, 13)),
        ("tomorrow 11:00 AM-1:00 PM", both(11, 13)),
        ("tomorrow 8:00-10:00 AM", both(8, 10)),
        ("tomorrow between 8 and 10 pm", both(20, 22)),
        ("Friday between seven and eleven in the morning", both(7, 11)),
        ("tomorrow between seven and nine", (None, None)),
    ] {
        assert_eq!(window(text), ends, "{text}");
    }
}
