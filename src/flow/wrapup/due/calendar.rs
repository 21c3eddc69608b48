//! Names of days and months, numbers, times of the day.

use jiff::civil::Weekday;

use super::Half;
use crate::domain::number_of;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Unit {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "minute" | "minutes" | "minuten" | "minuto" | "minutos" => Self::Minute,
            "hour" | "hours" | "stunde" | "stunden" | "heure" | "heures" | "hora" | "horas" => {
                Self::Hour
            }
            "day" | "days" | "tag" | "tage" | "tagen" | "werktage" | "werktagen"
            | "arbeitstage" | "arbeitstagen" | "jour" | "jours" | "día" | "días" => Self::Day,
            "week" | "weeks" | "woche" | "wochen" | "semaine" | "semaines" | "semana"
            | "semanas" => Self::Week,
            "month" | "months" | "monat" | "monate" | "monaten" | "mois" | "mes" | "meses" => {
                Self::Month
            }
            _ => return None,
        })
    }
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "montag" | "lundi" | "lunes" => Weekday::Monday,
        "tuesday" | "dienstag" | "mardi" | "martes" => Weekday::Tuesday,
        "wednesday" | "mittwoch" | "mercredi" | "miércoles" => Weekday::Wednesday,
        "thursday" | "donnerstag" | "jeudi" | "jueves" => Weekday::Thursday,
        "friday" | "freitag" | "vendredi" | "viernes" => Weekday::Friday,
        "saturday" | "samstag" | "sonnabend" | "samedi" | "sábado" => Weekday::Saturday,
        "sunday" | "sonntag" | "dimanche" | "domingo" => Weekday::Sunday,
        _ => return None,
    })
}

pub(super) fn month(word: &str) -> Option<i8> {
    Some(match word {
        "january" | "januar" | "jänner" | "janvier" | "enero" => 1,
        "february" | "februar" | "février" | "febrero" => 2,
        "march" | "märz" | "mars" | "marzo" => 3,
        "april" | "avril" | "abril" => 4,
        "may" | "mai" | "mayo" => 5,
        "june" | "juni" | "juin" | "junio" => 6,
        "july" | "juli" | "juillet" | "julio" => 7,
        "august" | "août" | "agosto" => 8,
        "september" | "septembre" | "septiembre" => 9,
        "october" | "oktober" | "octobre" | "octubre" => 10,
        "november" | "novembre" | "noviembre" => 11,
        "december" | "dezember" | "décembre" | "diciembre" => 12,
        _ => return None,
    })
}

/// The small numbers of three more languages, and the articles that mean one.
fn foreign(word: &str) -> Option<u64> {
    Some(match word {
        "a" | "an" | "ein" | "eine" | "einem" | "einer" | "eins" | "un" | "une" | "una" | "uno" => {
            1
        }
        "zwei" | "deux" | "dos" => 2,
        "drei" | "trois" | "tres" => 3,
        "vier" | "quatre" | "cuatro" => 4,
        "fünf" | "cinq" | "cinco" => 5,
        "sechs" | "seis" => 6,
        "sieben" | "sept" | "siete" => 7,
        "acht" | "huit" | "ocho" => 8,
        "neun" | "neuf" | "nueve" => 9,
        "zehn" | "dix" | "diez" => 10,
        "elf" | "onze" | "once" => 11,
        "zwölf" | "douze" | "doce" => 12,
        "vierzehn" | "quatorze" | "catorce" => 14,
        "fünfzehn" | "quinze" | "quince" => 15,
        "dreißig" | "trente" | "treinta" => 30,
        _ => return None,
    })
}

/// A number and how many words say it: "forty eight", "24", "an", "drei".
pub(super) fn number<'a>(word: &impl Fn(usize) -> &'a str) -> Option<(usize, u64)> {
    let first = word(0);
    if !first.is_empty() && first.len() <= 5 && first.bytes().all(|b| b.is_ascii_digit()) {
        return Some((1, first.parse().ok()?));
    }
    if let Some((tens, ones)) = first.split_once('-')
        && let (Some(tens), Some(ones)) = (number_of(tens), number_of(ones))
    {
        return Some((1, u64::from(tens + ones)));
    }
    if let Some(tens) = number_of(first) {
        if tens >= 20
            && tens % 10 == 0
            && let Some(ones @ 1..10) = number_of(word(1))
        {
            return Some((2, u64::from(tens + ones)));
        }
        return Some((1, u64::from(tens)));
    }
    foreign(first).map(|number| (1, number))
}

/// A day of the month: "fifth", "twenty first", "5th", "5".
pub(super) fn ordinal<'a>(word: &impl Fn(usize) -> &'a str) -> Option<(usize, i8)> {
    const NAMES: [&str; 20] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
        "twentieth",
    ];
    let named = |word: &str| {
        NAMES.iter().position(|name| *name == word).and_then(|at| i8::try_from(at + 1).ok())
    };
    let first = word(0);
    if let Some((tens, ones)) = first.split_once('-')
        && let (Some(tens @ (20 | 30)), Some(ones @ 1..10)) = (number_of(tens), named(ones))
    {
        return i8::try_from(tens).ok().map(|tens| (1, tens + ones));
    }
    if let (Some(tens @ (20 | 30)), Some(ones @ 1..10)) = (number_of(first), named(word(1))) {
        return i8::try_from(tens).ok().map(|tens| (2, tens + ones));
    }
    if let Some(day) = named(first) {
        return Some((1, day));
    }
    if first == "thirtieth" {
        return Some((1, 30));
    }
    if first == "premier" || first == "1er" {
        return Some((1, 1));
    }
    let digits = first.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let tail = &first[digits.len()..];
    let day: i8 = digits.parse().ok()?;
    (matches!(tail, "" | "st" | "nd" | "rd" | "th") && (1..=31).contains(&day)).then_some((1, day))
}

/// Two parts that may be day and month, the year, and whether the first is surely the day.
pub(super) type Figures = (i8, i8, Option<i16>, bool);

/// `12/03`, `12.03.2027`, `2027-03-12`.
pub(super) fn in_figures(word: &str) -> Option<Figures> {
    let mark = ['/', '-', '.'].into_iter().find(|mark| word.contains(*mark))?;
    let parts: Vec<i16> = word.split(mark).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let small = |part: i16| i8::try_from(part).ok().filter(|part| (1..=31).contains(part));
    match *parts.as_slice() {
        // ISO 8601
        [year, month, day] if year >= 2_000 && (1..=12).contains(&month) => {
            let (day, month) = (small(day)?, small(month)?);
            Some((day, month, Some(year), true))
        }
        [first, second, year] if year >= 2_000 => {
            Some((small(first)?, small(second)?, Some(year), false))
        }
        // "3.5" is a number and "3-5" a range.
        [first, second] if mark == '/' => Some((small(first)?, small(second)?, None, false)),
        _ => None,
    }
}

/// A time of the day: how many words, hour, minute, and which half of the day was said.
pub(super) fn clock_at<'a>(
    token: &impl Fn(usize) -> (&'a str, &'a str),
) -> Option<(usize, i8, i8, Option<Half>)> {
    let word = |ahead: usize| token(ahead).0;
    match word(0) {
        "noon" | "midday" | "mittags" | "midi" | "mediodía" => return Some((1, 12, 0, None)),
        _ => {}
    }
    // "Half past two", "quarter to three".
    let (past, minutes) = match (word(0), word(1)) {
        ("half", "past") => (2, 30),
        ("quarter", "past") => (2, 15),
        ("quarter", "to") => (2, -15),
        _ => (0, 0),
    };
    if past > 0 {
        let (words, hour) = hour(&|ahead| word(past + ahead))?;
        let (hour, minute) =
            if minutes < 0 { (before(hour), 60 + minutes) } else { (hour, minutes) };
        let (more, half) = half(&|ahead| word(past + words + ahead));
        return Some((past + words + more, hour, minute, half));
    }
    let lead = match (word(0), word(1)) {
        ("a", "las") => 2,
        ("at" | "um" | "à" | "gegen" | "around" | "by" | "before" | "until", _) => 1,
        _ => 0,
    };
    let first = word(lead);
    if let Some((hour, minute, half)) = in_digits(first) {
        let named = usize::from(matches!(word(lead + 1), "oclock" | "uhr" | "heures" | "heure"));
        let (more, after) = self::half(&|ahead| word(lead + 1 + named + ahead));
        let marked = named > 0
            || first.contains(':')
            || half.is_some()
            || after.is_some()
            || first.ends_with('h');
        let more = named + more;
        return marked.then_some((lead + 1 + more, hour, minute, half.or(after)));
    }
    let (words, hour) = hour(&|ahead| word(lead + ahead))?;
    let mut upto = lead + words;
    let named = matches!(word(upto), "oclock" | "uhr" | "heures" | "heure");
    upto += usize::from(named);
    let minute = match word(upto) {
        "thirty" if lead > 0 || named => 30,
        "fifteen" if lead > 0 || named => 15,
        "forty-five" if lead > 0 || named => 45,
        _ => 0,
    };
    upto += usize::from(minute > 0);
    let (more, half) = half(&|ahead| word(upto + ahead));
    // "At two" is a time; "at two addresses" isn't, and "by two days" isn't.
    let closes = named || half.is_some() || (lead > 0 && ends_there(word(upto), token(upto - 1).1));
    let strict = matches!(word(0), "by" | "before" | "until" | "around");
    (closes && (!strict || named || half.is_some() || ends_there(word(upto), token(upto - 1).1)))
        .then_some((upto + more, hour, minute, half))
}

fn ends_there(next: &str, raw: &str) -> bool {
    raw.ends_with(['.', ',', '!', '?', ';'])
        || matches!(
            next,
            "" | "on"
                | "tomorrow"
                | "today"
                | "then"
                | "and"
                | "to"
                | "if"
                | "so"
                | "for"
                | "in"
                | "please"
                | "thirty"
                | "am"
                | "mañana"
                | "demain"
                | "morgen"
                | "with"
                | "or"
                | "is"
                | "when"
                | "that"
        )
        || weekday(next).is_some()
}

fn hour<'a>(word: &impl Fn(usize) -> &'a str) -> Option<(usize, i8)> {
    let (words, hour) = number(word)?;
    let is_article =
        matches!(word(0), "a" | "an" | "un" | "une" | "ein" | "eine" | "einem" | "einer");
    let hour = i8::try_from(hour).ok().filter(|hour| (0..=23).contains(hour))?;
    (words == 1 && !is_article).then_some((1, hour))
}

const fn before(hour: i8) -> i8 {
    match hour {
        1 | 0 => 12,
        hour => hour - 1,
    }
}

/// "pm", "p m", "in the afternoon" is found elsewhere.
fn half<'a>(word: &impl Fn(usize) -> &'a str) -> (usize, Option<Half>) {
    match (word(0), word(1)) {
        ("am" | "a.m", _) => (1, Some(Half::Morning)),
        ("pm" | "p.m", _) => (1, Some(Half::Afternoon)),
        ("p", "m") => (2, Some(Half::Afternoon)),
        ("a", "m") => (2, Some(Half::Morning)),
        _ => (0, None),
    }
}

/// `14:30`, `2pm`, `2.30pm`, `14h30`, `2`.
fn in_digits(word: &str) -> Option<(i8, i8, Option<Half>)> {
    let (core, half) = match (word.strip_suffix("pm"), word.strip_suffix("am")) {
        (Some(core), _) => (core, Some(Half::Afternoon)),
        (_, Some(core)) => (core, Some(Half::Morning)),
        _ => (word, None),
    };
    let (hour, minute) = match core.find([':', '.', 'h']) {
        Some(at) => (&core[..at], &core[at + 1..]),
        None => (core, ""),
    };
    let hour: i8 = hour.parse().ok().filter(|hour| (0..24).contains(hour))?;
    let minute: i8 = match minute {
        "" => 0,
        digits if digits.len() == 2 => {
            digits.parse().ok().filter(|minute| (0..60).contains(minute))?
        }
        _ => return None,
    };
    Some((hour, minute, half))
}
