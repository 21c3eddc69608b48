//! Whether what a sentence says exactly stands in its sources.

use super::{DayPart, Fact, Half, Kind, Unit};

/// How a fact stands in its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum Holding {
    /// As it is.
    Held,
    Missing,
}

/// Looks for one fact among others. Codes are looked for elsewhere, in the words.
pub(in crate::grounding) fn held<'a>(
    wanted: &Kind,
    sources: impl Iterator<Item = &'a Fact> + Clone,
) -> Holding {
    if sources.clone().any(|fact| agrees(wanted, &fact.kind)) {
        return Holding::Held;
    }
    // "the third of May and one on the fifth": the month is said once for both.
    if let Kind::Day { day: Some(day), month: Some(month), year: None } = wanted {
        let month_said = sources
            .clone()
            .any(|fact| matches!(fact.kind, Kind::Day { month: Some(said), .. } if said == *month));
        let day_said = sources
            .clone()
            .any(|fact| matches!(fact.kind, Kind::Ordinal(said) if said == i64::from(*day)));
        if month_said && day_said {
            return Holding::Held;
        }
    }
    Holding::Missing
}

fn agrees(wanted: &Kind, said: &Kind) -> bool {
    use Kind::{Amount, Clock, Code, Day, DayPart, Number, Ordinal, Percent, Relative, Weekday};
    match (wanted, said) {
        (Number { value: a, unit: wanted }, Number { value: b, unit: said }) => {
            match (wanted, said) {
                (Some(wanted), Some(said)) => {
                    (wanted == said && a == b)
                        || minutes(*a, *wanted).zip(minutes(*b, *said)).is_some_and(|(a, b)| a == b)
                        || months(*a, *wanted).zip(months(*b, *said)).is_some_and(|(a, b)| a == b)
                }
                _ => a == b,
            }
        }
        (Amount { value: a, currency: wanted }, Amount { value: b, currency: said }) => {
            a == b && wanted == said
        }
        (Amount { value: a, .. } | Percent(a), Number { value: b, unit: None })
        | (Number { value: a, unit: None }, Amount { value: b, .. } | Percent(b))
        | (Percent(a), Percent(b))
        | (Ordinal(a), Ordinal(b)) => a == b,
        (Number { value, unit: None }, Ordinal(number))
        | (Ordinal(number), Number { value, unit: None }) => *value == number * 1_000,
        (Number { value, unit: None }, Clock { minutes, .. })
        | (Clock { minutes, .. }, Number { value, unit: None }) => {
            let hour = i64::from(minutes / 60);
            minutes % 60 == 0 && (*value == hour * 1_000 || *value == (hour + 12) * 1_000)
        }
        (Number { value, unit: None }, Day { day: Some(day), .. })
        | (Day { day: Some(day), month: None, .. }, Number { value, unit: None }) => {
            *value == i64::from(*day) * 1_000
        }
        (Ordinal(number), Day { day: Some(day), .. }) => *number == i64::from(*day),
        (Number { value, unit: None }, Day { year: Some(year), .. }) => {
            *value == i64::from(*year) * 1_000
        }
        (Day { day: None, month: None, year: Some(year) }, Number { value, unit: None }) => {
            *value == i64::from(*year) * 1_000
        }
        (Day { day: a, month: b, year: c }, Day { day: x, month: y, year: z }) => {
            let same = within(a, x) && within(b, y);
            // 3/5 and 5/3: which is the month is in doubt.
            let turned = c.is_some() && z.is_some() && a.is_some() && a == y && b == x;
            (same || turned) && (within(c, z) || z.is_none())
        }
        (Weekday(a), Weekday(b)) => a == b,
        (Relative(a), Relative(b)) => {
            a == b
                || (a == "weekend" && b.ends_with("weekend"))
                || (b == "weekend" && a.ends_with("weekend"))
        }
        (DayPart(a), DayPart(b)) => a == b || night(*a, *b),
        (DayPart(part), Clock { half, .. }) => match half {
            Some(Half::Am) => *part == super::DayPart::Morning,
            Some(Half::Pm) => *part != super::DayPart::Morning,
            None => *part == super::DayPart::Noon,
        },
        (DayPart(part), Relative(said)) => {
            night(*part, super::DayPart::Night) && said == "last night"
        }
        (Relative(wanted), DayPart(part)) => {
            wanted == "last night" && *part == super::DayPart::Night
        }
        (Clock { minutes: a, half: wanted }, Clock { minutes: b, half: said }) => {
            a == b && (wanted == said || wanted.is_none() || said.is_none())
        }
        (Clock { minutes: 0, .. }, DayPart(part)) => {
            matches!(part, super::DayPart::Noon | super::DayPart::Night)
        }
        (Code(a), Code(b)) => a == b,
        _ => false,
    }
}

/// What is wanted is said, or isn't wanted.
fn within<T: PartialEq>(wanted: &Option<T>, said: &Option<T>) -> bool {
    wanted.is_none() || wanted == said
}

/// "this evening" and "tonight" are the same hours.
fn night(a: DayPart, b: DayPart) -> bool {
    matches!((a, b), (DayPart::Evening | DayPart::Night, DayPart::Evening | DayPart::Night))
}

fn minutes(thousandths: i64, unit: Unit) -> Option<i64> {
    let each = match unit {
        Unit::Second if thousandths % 60 == 0 => return Some(thousandths / 60),
        Unit::Minute => 1,
        Unit::Hour => 60,
        Unit::Day => 60 * 24,
        Unit::Week => 60 * 24 * 7,
        _ => return None,
    };
    thousandths.checked_mul(each)
}

fn months(thousandths: i64, unit: Unit) -> Option<i64> {
    match unit {
        Unit::Month => Some(thousandths),
        Unit::Year => thousandths.checked_mul(12),
        _ => None,
    }
}
