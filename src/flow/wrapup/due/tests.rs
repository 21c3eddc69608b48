use jiff::civil::{Date, Time, date, time};
use proptest::prelude::*;

use super::due;
use crate::domain::Redacted;

/// A Monday, ten in the morning.
fn resolved(text: &str) -> Option<(String, Option<Date>, Option<Time>, bool)> {
    let said = date(2026, 3, 2).at(10, 0, 0, 0).in_tz("Europe/London").expect("a time");
    let due = due(&Redacted::vouched(text), &said)?;
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
    check("by the end of the week", "end of the week", date(2026, 3, 6), None, true);
    check("on the twenty first of March", "twenty first of March", date(2026, 3, 21), None, false);
    check("on 13/03/2026", "13/03/2026", date(2026, 3, 13), None, false);
    check("February the third? No, February 3rd", "February 3rd", date(2027, 2, 3), None, false);
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
    let check = |text: &str, on: Date, at: Option<Time>| {
        let found = resolved(text).expect(text);
        assert_eq!((found.1, found.2), (Some(on), at), "{text}");
    };
    check("Ich rufe Sie morgen um 14 Uhr an", date(2026, 3, 3), Some(time(14, 0, 0, 0)));
    check("innerhalb von drei Werktagen", date(2026, 3, 5), None);
    check("Der Techniker kommt am Donnerstag", date(2026, 3, 5), None);
    check("Je vous rappelle demain à 14 heures", date(2026, 3, 3), Some(time(14, 0, 0, 0)));
    check("dans deux jours", date(2026, 3, 4), None);
    check("el jueves a las 15:00", date(2026, 3, 5), Some(time(15, 0, 0, 0)));
    check("mañana por la mañana", date(2026, 3, 3), None);
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
    assert_eq!(
        resolved("at eight"),
        Some(("at eight".to_owned(), None, Some(time(8, 0, 0, 0)), false))
    );
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
