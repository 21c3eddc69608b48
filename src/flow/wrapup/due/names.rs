//! Names of days, months and units, and numbers, in four languages.

use jiff::civil::Weekday;

use crate::domain::number_of;
use crate::flow::wrapup::Language;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Minute,
    Hour,
    Day,
    WorkingDay,
    /// Monday to Saturday to some, Monday to Friday to others.
    Werktag,
    Week,
    Month,
}

impl Unit {
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "minute" | "minutes" | "mins" | "minuten" | "minuto" | "minutos" => Self::Minute,
            "hour" | "hours" | "stunde" | "stunden" | "heure" | "heures" | "hora" | "horas" => {
                Self::Hour
            }
            "day" | "days" | "tag" | "tage" | "tagen" | "jour" | "jours" | "día" | "días" => {
                Self::Day
            }
            "arbeitstag" | "arbeitstage" | "arbeitstagen" => Self::WorkingDay,
            "werktag" | "werktage" | "werktagen" => Self::Werktag,
            "week" | "weeks" | "woche" | "wochen" | "semaine" | "semaines" | "semana"
            | "semanas" => Self::Week,
            "month" | "months" | "monat" | "monate" | "monaten" | "mois" | "mes" | "meses" => {
                Self::Month
            }
            _ => return None,
        })
    }
}

pub fn weekday(word: &str) -> Option<Weekday> {
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

pub fn month(word: &str) -> Option<i8> {
    Some(match word {
        "january" | "jan" | "januar" | "jänner" | "janvier" | "enero" => 1,
        "february" | "feb" | "februar" | "février" | "febrero" => 2,
        "march" | "märz" | "mars" | "marzo" => 3,
        "april" | "avril" | "abril" => 4,
        "may" | "mai" | "mayo" => 5,
        "june" | "juni" | "juin" | "junio" => 6,
        "july" | "juli" | "juillet" | "julio" => 7,
        "august" | "aug" | "août" | "agosto" => 8,
        "september" | "sept" | "septembre" | "septiembre" => 9,
        "october" | "oct" | "oktober" | "octobre" | "octubre" => 10,
        "november" | "nov" | "novembre" | "noviembre" => 11,
        "december" | "dec" | "dezember" | "décembre" | "diciembre" => 12,
        _ => return None,
    })
}

/// A number and how many words say it: "forty eight", "24", "achtundvierzig".
pub fn number<'a>(word: &impl Fn(usize) -> &'a str, language: Language) -> Option<(usize, u32)> {
    let first = word(0);
    if !first.is_empty() && first.len() <= 4 && first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((1, first.parse().ok()?));
    }
    match language {
        Language::English => english(word),
        Language::German => german(first).map(|number| (1, number)),
        Language::French => french(first).map(|number| (1, number)),
        Language::Spanish => match (spanish(first)?, word(1)) {
            (tens @ 30..100, "y") => Some((3, tens + spanish(word(2)).filter(|n| *n < 10)?)),
            (number, _) => Some((1, number)),
        },
    }
}

fn english<'a>(word: &impl Fn(usize) -> &'a str) -> Option<(usize, u32)> {
    let first = word(0);
    if let Some((tens, ones)) = first.split_once('-') {
        return Some((1, u32::from(number_of(tens)?) + u32::from(number_of(ones)?)));
    }
    let tens = number_of(first)?;
    if tens >= 20
        && let Some(ones @ 1..10) = number_of(word(1))
    {
        return Some((2, u32::from(tens + ones)));
    }
    Some((1, u32::from(tens)))
}

/// Found in a list, from a number on.
fn listed(list: &str, word: &str, first: u32) -> Option<u32> {
    list.split('|')
        .position(|one| one == word)
        .and_then(|at| u32::try_from(at).ok())
        .map(|n| n + first)
}

fn german(word: &str) -> Option<u32> {
    const SMALL: &str = "null|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|dreizehn|vierzehn|\
         fünfzehn|sechzehn|siebzehn|achtzehn|neunzehn";
    const TENS: &str = "zwanzig|dreißig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig";
    if matches!(word, "ein" | "eine" | "einem" | "einer" | "einen") {
        return Some(1);
    }
    if let Some((ones, tens)) = word.split_once("und") {
        let ones = if ones == "ein" { 1 } else { listed(SMALL, ones, 0)? };
        return Some(listed(TENS, tens, 2)? * 10 + ones);
    }
    listed(SMALL, word, 0).or_else(|| listed(TENS, word, 2).map(|tens| tens * 10))
}

fn french(word: &str) -> Option<u32> {
    const SMALL: &str = "zéro|un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|\
         quinze|seize";
    const TENS: &str = "vingt|trente|quarante|cinquante|soixante";
    if word == "une" {
        return Some(1);
    }
    if let Some((tens, ones)) = word.split_once('-') {
        let tens = if tens == "dix" { 10 } else { listed(TENS, tens, 2)? * 10 };
        return listed(SMALL, ones, 0).filter(|ones| *ones < 10).map(|ones| tens + ones);
    }
    listed(SMALL, word, 0).or_else(|| listed(TENS, word, 2).map(|tens| tens * 10))
}

fn spanish(word: &str) -> Option<u32> {
    const SMALL: &str = "cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|\
         quince|dieciséis|diecisiete|dieciocho|diecinueve|veinte|veintiuno|veintidós|veintitrés|\
         veinticuatro|veinticinco|veintiséis|veintisiete|veintiocho|veintinueve";
    const TENS: &str = "treinta|cuarenta|cincuenta|sesenta";
    if matches!(word, "un" | "una") {
        return Some(1);
    }
    listed(SMALL, word, 0).or_else(|| listed(TENS, word, 3).map(|tens| tens * 10))
}

/// A day of the month as a rank: "fifth", "twenty first", "5th", "fünften", "1er".
pub fn ordinal<'a>(word: &impl Fn(usize) -> &'a str, language: Language) -> Option<(usize, i8)> {
    let first = word(0);
    match language {
        Language::English => english_ordinal(word),
        Language::German => {
            let stem = first.strip_suffix("sten").or_else(|| first.strip_suffix("ten"))?;
            let day = match stem {
                "ers" => 1,
                "drit" => 3,
                "sieb" => 7,
                "ach" => 8,
                stem => german(stem)?,
            };
            Some((1, i8::try_from(day).ok().filter(|day| (1..=31).contains(day))?))
        }
        Language::French => matches!(first, "premier" | "1er").then_some((1, 1)),
        Language::Spanish => matches!(first, "primero" | "1º").then_some((1, 1)),
    }
}

/// "First" to "twentieth".
fn named(word: &str) -> Option<i8> {
    Some(match word {
        "first" => 1,
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "tenth" => 10,
        "eleventh" => 11,
        "twelfth" => 12,
        "thirteenth" => 13,
        "fourteenth" => 14,
        "fifteenth" => 15,
        "sixteenth" => 16,
        "seventeenth" => 17,
        "eighteenth" => 18,
        "nineteenth" => 19,
        "twentieth" => 20,
        _ => return None,
    })
}

fn english_ordinal<'a>(word: &impl Fn(usize) -> &'a str) -> Option<(usize, i8)> {
    let tens = |word: &str| match word {
        "twenty" => Some(20),
        "thirty" => Some(30),
        _ => None,
    };
    let first = word(0);
    let (tens, ones, words) = match first.split_once('-') {
        Some((tens_word, ones)) => (tens(tens_word), named(ones), 1),
        None => (tens(first), named(word(1)), 2),
    };
    if let (Some(tens), Some(ones @ 1..10)) = (tens, ones) {
        return Some((words, tens + ones)).filter(|(_, day)| *day <= 31);
    }
    if let Some(day) = named(first) {
        return Some((1, day));
    }
    if first == "thirtieth" {
        return Some((1, 30));
    }
    let digits = first.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let tail = &first[digits.len()..];
    let day: i8 = digits.parse().ok()?;
    (matches!(tail, "st" | "nd" | "rd" | "th") && (1..=31).contains(&day)).then_some((1, day))
}

/// A day of the month as a plain number: "5", "cinq".
pub fn cardinal_day<'a>(
    word: &impl Fn(usize) -> &'a str,
    language: Language,
) -> Option<(usize, i8)> {
    let (words, day) = number(word, language)?;
    Some((words, i8::try_from(day).ok().filter(|day| (1..=31).contains(day))?))
}

/// Two parts that may be day and month, the year, and whether the first is surely the day.
pub type Figures = (i8, i8, Option<i16>, bool);

/// `12/03`, `12.03.2027`, `2027-03-12`.
pub fn in_figures(word: &str) -> Option<Figures> {
    let mark = ['/', '-', '.'].into_iter().find(|mark| word.contains(*mark))?;
    let parts: Vec<i16> = word.split(mark).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let small = |part: i16| i8::try_from(part).ok().filter(|part| (1..=31).contains(part));
    match *parts.as_slice() {
        // ISO 8601
        [year, month, day] if year >= 2_000 && (1..=12).contains(&month) => {
            Some((small(day)?, small(month)?, Some(year), true))
        }
        [first, second, year] if year >= 2_000 => {
            Some((small(first)?, small(second)?, Some(year), mark == '.'))
        }
        // "3.5" is a number and "3-5" a range.
        [first, second] if mark == '/' => Some((small(first)?, small(second)?, None, false)),
        _ => None,
    }
}

pub fn is_weekday(word: &str) -> bool {
    weekday(word).is_some()
}

/// A word of which English makes dates and times.
pub fn is_time_word(word: &str) -> bool {
    weekday(word).is_some()
        || number_of(word).is_some()
        || english_ordinal(&|ahead| if ahead == 0 { word } else { "" }).is_some()
        || (month(word).is_some() && word != "may")
        || word.starts_with(|c: char| c.is_ascii_digit())
        || one_of!(word;
            "today" "tomorrow" "tonight" "morning" "afternoon" "evening" "at" "on" "in" "the"
            "this" "next" "week" "half" "past" "quarter" "pm" "am" "o'clock" "by" "between" "noon"
            "thing" "lunchtime" "about" "around" "coming"
        )
}

/// Whether a word is one of a list, which are parted by `|`.
pub fn is_one_of(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split('|').any(|one| one == word)
}

/// Whether one of the phrases, which are parted by `|`, stands in a text of words between single spaces, with one
/// before and one after.
pub fn holds(text: &str, phrases: &str) -> bool {
    // Only where a word begins is compared: lists are long and texts are short.
    let begins: Vec<&str> = text.match_indices(' ').map(|(at, _)| &text[at + 1..]).collect();
    phrases.split('|').any(|phrase| {
        let is_here =
            |rest: &&str| rest.strip_prefix(phrase).is_some_and(|tail| tail.starts_with(' '));
        begins.iter().any(is_here)
    })
}
