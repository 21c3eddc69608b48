//! Times of the day: "half past ten", "2:30pm", "between two and four", "halb elf".

use jiff::Zoned;

use super::View;
use super::hours::{Clock, Part};
use super::names::{self, Unit};
use crate::flow::wrapup::Language;

/// The part of the day that is named here.
pub fn part_at(view: View) -> Option<(usize, Part)> {
    let word = |ahead| view.word(ahead);
    Some(match (view.language, word(0)) {
        (Language::English, "morning") => (1, Part::Morning),
        (Language::English, "afternoon") => (1, Part::Afternoon),
        (Language::English, "evening") => (1, Part::Evening),
        (Language::English, "tonight" | "night") => (1, Part::Night),
        (Language::German, "vormittag" | "vormittags" | "früh" | "morgens") => (1, Part::Morning),
        (Language::German, "nachmittag" | "nachmittags") => (1, Part::Afternoon),
        (Language::German, "abend" | "abends") => (1, Part::Evening),
        (Language::French, "matin" | "matinée") => (1, Part::Morning),
        (Language::French, "après-midi") => (1, Part::Afternoon),
        (Language::French, "soir") => (1, Part::Evening),
        (Language::Spanish, "mañana") if matches!(view.before(1), "la" | "esta") => {
            (1, Part::Morning)
        }
        (Language::Spanish, "tarde") => (1, Part::Afternoon),
        (Language::Spanish, "noche") => (1, Part::Evening),
        _ => return None,
    })
}

/// How many words, the time, and whether they can be nothing else.
type Hour = Option<(usize, Clock, bool)>;

/// The time that is named from here on.
pub fn clock_at(view: View) -> Option<(usize, Clock)> {
    let (words, clock, is_marked) = hour(view)?;
    let before = view.before(1);
    let leads = match view.language {
        Language::English => {
            one_of!(before; "at" "around" "by" "before" "until" "till" "after" "than")
                || (before == "about" && matches!(view.before(2), "at" | "for" | "by"))
                || (matches!(before, "that" | "it") && view.before(2) == "make")
                || view.is_mended()
        }
        Language::German => matches!(before, "um" | "gegen" | "ab" | "bis" | "vor" | "nach"),
        Language::French => matches!(before, "à" | "vers" | "avant" | "après"),
        Language::Spanish => matches!(before, "las" | "la"),
    };
    let is_closed = leads && closes(view.ahead(words), view.ahead(words - 1));
    if !(is_marked || is_closed) {
        return None;
    }
    let follows = view.ahead(words);
    // "At two or three".
    if matches!(follows.word(0), "or" | "oder" | "ou" | "o") && hour(follows.ahead(1)).is_some() {
        return Some((words, Clock::UNSURE));
    }
    let (more, is_here) = zone(follows);
    Some((words + more, if is_here { clock } else { Clock::UNSURE }))
}

/// From one time to another.
pub fn window_at(view: View) -> Option<(usize, Clock, Clock)> {
    let word = |ahead| view.word(ahead);
    if let Some(found) = hyphened(view) {
        return Some(found);
    }
    let lead = usize::from(matches!(
        (view.language, word(0)),
        (Language::English, "between" | "from")
            | (Language::German, "zwischen" | "von")
            | (Language::French, "entre" | "de")
            | (Language::Spanish, "entre" | "de")
    ));
    let article = |at: usize| usize::from(view.language == Language::Spanish && word(at) == "las");
    let is_wordy = lead > 0 && (word(1), word(2), word(3)) == ("the", "hours", "of");
    let from = if is_wordy { 4 } else { lead + article(lead) };
    let (words, start, start_marked) = hour(view.ahead(from))?;
    let at = from + words;
    let is_between = lead > 0 && matches!(word(0), "between" | "zwischen" | "entre");
    let is_dashed = view.token(at).is_some_and(|token| token.is_dashed);
    let is_link = match word(at) {
        "and" | "und" | "et" | "y" => is_between,
        "to" | "till" | "until" | "til" | "bis" | "à" | "a" => true,
        _ => false,
    };
    let linked = match (is_dashed, is_link) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => return None,
    };
    let upto = at + linked + article(at + linked);
    let (words, end, end_marked) = hour(view.ahead(upto))?;
    let all = upto + words;
    let is_named = start_marked || end_marked;
    let is_closed = closes(view.ahead(all), view.ahead(all - 1));
    if !(is_named || is_closed) || Unit::of(word(all)).is_some_and(|unit| unit != Unit::Hour) {
        return None;
    }
    if lead == 0 && !is_dashed {
        // "Ten to twelve" is a time as well.
        if !is_named && word(at) == "to" && matches!(start.hour, 5 | 10 | 20) {
            return Some((all, Clock::UNSURE, Clock::UNSURE));
        }
        if matches!(word(at), "à" | "a") {
            return None;
        }
    }
    let (more, is_here) = zone(view.ahead(all));
    let hours = usize::from(matches!(word(all), "horas" | "heures" | "uhr"));
    let exact =
        |clock: Clock| Clock { is_exact: clock.is_exact || hours > 0 || end.is_exact, ..clock };
    match is_here {
        true => Some((all + more + hours, exact(start), exact(end))),
        false => Some((all + more, Clock::UNSURE, Clock::UNSURE)),
    }
}

/// `10-12`, `2-4pm`
fn hyphened(view: View) -> Option<(usize, Clock, Clock)> {
    let (from, upto) = view.word(0).split_once(['-', '–'])?;
    let (start, _) = in_digits(from)?;
    let (end, end_marked) = in_digits(upto)?;
    let (more, half) = half(view.ahead(1));
    let leads = one_of!(view.before(1); "between" "from" "zwischen" "entre" "de" "von" "at");
    let is_sure = end_marked || half.is_some() || (leads && closes(view.ahead(1), view));
    is_sure.then_some((1 + more, start, Clock { half: half.or(end.half), ..end }))
}

fn hour(view: View) -> Hour {
    let word = |ahead| view.word(ahead);
    match view.language {
        Language::English => english(view),
        Language::German => german(view),
        Language::French => match word(0) {
            "midi" => Some((1, Clock { is_exact: true, ..Clock::new(12, 0) }, true)),
            _ => french(view),
        },
        Language::Spanish => match word(0) {
            "mediodía" => Some((1, Clock { is_exact: true, ..Clock::new(12, 0) }, true)),
            _ => spanish(view),
        },
    }
}

/// An hour as a number alone.
fn plain(view: View) -> Option<(usize, i8)> {
    let (words, hour) = names::number(&|ahead| view.word(ahead), view.language)?;
    let is_article =
        matches!(view.word(0), "un" | "une" | "ein" | "eine" | "einem" | "einer") || words > 1;
    let hour = i8::try_from(hour).ok().filter(|hour| (0..=24).contains(hour))?;
    (!is_article).then_some((words, hour))
}

fn english(view: View) -> Hour {
    let word = |ahead| view.word(ahead);
    match word(0) {
        "noon" | "midday" => {
            return Some((1, Clock { is_exact: true, ..Clock::new(12, 0) }, true));
        }
        "midnight" => return Some((1, Clock::UNSURE, true)),
        _ => {}
    }
    // "Half past two", "quarter to three", "ten to four", "half two".
    let article = usize::from(word(0) == "a");
    let minutes = match (word(article), word(article + 1)) {
        ("half", "past") => Some((2, 30)),
        ("quarter", "past" | "after") => Some((2, 15)),
        ("quarter", "to" | "of") => Some((2, -15)),
        ("half", _) => Some((1, 30)),
        (count, side @ ("past" | "to"))
            if matches!(view.before(1), "at" | "by" | "before" | "about") || side == "past" =>
        {
            let minutes = match count {
                "five" => 5,
                "ten" => 10,
                "twenty" => 20,
                _ => 0,
            };
            (minutes > 0).then_some((2, if side == "to" { -minutes } else { minutes }))
        }
        _ => None,
    };
    if let Some((words, minutes)) = minutes {
        let at = article + words;
        let (words, hour) = plain(view.ahead(at)).filter(|(_, hour)| (1..=12).contains(hour))?;
        // "Half a dozen", "half six months".
        if Unit::of(word(at + words)).is_some() {
            return None;
        }
        let (hour, minute) =
            if minutes < 0 { (before(hour), 60 + minutes) } else { (hour, minutes) };
        let named = usize::from(word(at + words) == "o'clock");
        let (more, half) = half(view.ahead(at + words + named));
        return Some((at + words + named + more, Clock { half, ..Clock::new(hour, minute) }, true));
    }
    if let Some((clock, is_marked)) = in_digits(word(0)) {
        let named = usize::from(word(1) == "o'clock");
        let (more, half) = half(view.ahead(1 + named));
        let clock = Clock { half: clock.half.or(half), ..clock };
        return Some((1 + named + more, clock, is_marked || named + more > 0));
    }
    let (words, hour) = plain(view)?;
    if word(words) == "o'clock" {
        let (more, half) = half(view.ahead(words + 1));
        return Some((words + 1 + more, Clock { half, ..Clock::new(hour, 0) }, true));
    }
    let (more, minute) = spoken_minute(view.ahead(words)).unwrap_or((0, 0));
    let all = words + more;
    let (more, half) = half(view.ahead(all));
    Some((all + more, Clock { half, ..Clock::new(hour, minute) }, more > 0))
}

/// "Thirty", "forty five", "oh five" after an hour.
fn spoken_minute(view: View) -> Option<(usize, i8)> {
    if matches!(view.word(0), "oh" | "o") && view.word(1) == "five" {
        return Some((2, 5));
    }
    let (words, minute) = names::number(&|ahead| view.word(ahead), Language::English)?;
    let minute =
        i8::try_from(minute).ok().filter(|minute| (10..60).contains(minute) && minute % 5 == 0)?;
    Unit::of(view.word(words)).is_none().then_some((words, minute))
}

const fn before(hour: i8) -> i8 {
    match hour {
        1 => 12,
        hour => hour - 1,
    }
}

/// "pm", "p m".
fn half(view: View) -> (usize, Option<Part>) {
    match (view.word(0), view.word(1)) {
        ("am" | "a.m", _) => (1, Some(Part::Morning)),
        ("pm" | "p.m", _) => (1, Some(Part::Afternoon)),
        ("a", "m") => (2, Some(Part::Morning)),
        ("p", "m") => (2, Some(Part::Afternoon)),
        _ => (0, None),
    }
}

/// `14:30`, `2pm`, `2.30pm`, `14h30`, `230pm`, `2`, and whether it can be nothing else.
fn in_digits(word: &str) -> Option<(Clock, bool)> {
    let (core, half) = match (word.strip_suffix("pm"), word.strip_suffix("am")) {
        (Some(core), _) => (core, Some(Part::Afternoon)),
        (_, Some(core)) => (core, Some(Part::Morning)),
        _ => (word, None),
    };
    let (hour, minute) = match core.find([':', '.', 'h']) {
        Some(at) => (&core[..at], &core[at + 1..]),
        None if half.is_some() && (3..=4).contains(&core.len()) && core.is_ascii() => {
            core.split_at(core.len() - 2)
        }
        None => (core, ""),
    };
    let hour: i8 = hour.parse().ok().filter(|hour| (0..=24).contains(hour))?;
    let minute: i8 = match minute {
        "" => 0,
        digits if digits.len() == 2 => {
            digits.parse().ok().filter(|minute| (0..60).contains(minute))?
        }
        _ => return None,
    };
    let is_exact = core.contains('h') || (core.starts_with('0') && core.contains(':'));
    let is_marked = half.is_some() || core.contains([':', 'h']);
    // "9.50" is money to most.
    if core.contains('.') && !is_marked {
        return None;
    }
    Some((Clock { half, is_exact, ..Clock::new(hour, minute) }, is_marked))
}

fn german(view: View) -> Hour {
    let word = |ahead| view.word(ahead);
    if word(0) == "mittags" {
        return Some((1, Clock { is_exact: true, ..Clock::new(12, 0) }, true));
    }
    let minutes = match (word(0), word(1)) {
        // "Halb elf" is half past ten.
        ("halb", _) => Some((1, -30)),
        ("viertel", "nach") => Some((2, 15)),
        ("viertel", "vor") => Some((2, -15)),
        _ => None,
    };
    if let Some((at, minutes)) = minutes {
        let (words, hour) = plain(view.ahead(at))?;
        let (hour, minute) =
            if minutes < 0 { (before(hour), 60 + minutes) } else { (hour, minutes) };
        let named = usize::from(word(at + words) == "uhr");
        return Some((at + words + named, Clock::new(hour, minute), true));
    }
    // "14.30 Uhr"
    let dotted = word(0).contains('.').then(|| word(0).replace('.', ":"));
    let found = dotted.filter(|_| word(1) == "uhr").and_then(|word| in_digits(&word));
    let found = found.map(|(clock, _)| (1, Clock { is_exact: true, ..clock }, true));
    let (mut words, mut clock, mut is_marked) = found.or_else(|| digits_or_word(view))?;
    if word(words) == "uhr" {
        words += 1;
        is_marked = true;
        clock.is_exact |= word(0).starts_with(|c: char| c.is_ascii_digit());
        if let Some((more, minute)) = minute(view.ahead(words)) {
            (words, clock.minute) = (words + more, minute);
        }
    }
    Some((words, clock, is_marked))
}

fn french(view: View) -> Hour {
    let word = |ahead| view.word(ahead);
    let (mut words, mut clock, mut is_marked) = digits_or_word(view)?;
    if matches!(word(words), "heures" | "heure") {
        words += 1;
        is_marked = true;
        clock.is_exact |= word(0).starts_with(|c: char| c.is_ascii_digit());
        match (word(words), word(words + 1), word(words + 2)) {
            ("et", "demie" | "demi", _) => (words, clock.minute) = (words + 2, 30),
            ("et", "quart", _) => (words, clock.minute) = (words + 2, 15),
            ("moins", "le", "quart") => {
                (words, clock.minute, clock.hour) = (words + 3, 45, before(clock.hour));
            }
            _ => {
                if let Some((more, minute)) = minute(view.ahead(words)) {
                    (words, clock.minute) = (words + more, minute);
                }
            }
        }
    }
    Some((words, clock, is_marked))
}

fn spanish(view: View) -> Hour {
    let word = |ahead| view.word(ahead);
    let (mut words, mut clock, mut is_marked) = digits_or_word(view)?;
    match (word(words), word(words + 1)) {
        ("y", "media") => (words, clock.minute, is_marked) = (words + 2, 30, true),
        ("y", "cuarto") => (words, clock.minute, is_marked) = (words + 2, 15, true),
        ("menos", "cuarto") => {
            (words, clock.minute, is_marked) = (words + 2, 45, true);
            clock.hour = before(clock.hour);
        }
        ("horas", _) => {
            clock.is_exact = true;
            (words, is_marked) = (words + 1, matches!(view.before(1), "las" | "la"));
        }
        _ => {}
    }
    Some((words, clock, is_marked))
}

fn digits_or_word(view: View) -> Hour {
    if let Some((clock, is_marked)) = in_digits(view.word(0)) {
        return Some((1, Clock { is_exact: clock.is_exact || is_marked, ..clock }, is_marked));
    }
    plain(view).map(|(words, hour)| (words, Clock::new(hour, 0), false))
}

fn minute(view: View) -> Option<(usize, i8)> {
    let (words, minute) = names::number(&|ahead| view.word(ahead), view.language)?;
    let minute =
        i8::try_from(minute).ok().filter(|minute| (1..60).contains(minute) && minute % 5 == 0)?;
    Unit::of(view.word(words)).is_none().then_some((words, minute))
}

/// "At two" is a time; "at two addresses" isn't.
fn closes(next: View, last: View) -> bool {
    last.token(0).is_some_and(|token| token.is_marked)
        || next.ended()
        || names::weekday(next.word(0)).is_some()
        || one_of!(next.word(0);
            "on" "tomorrow" "today" "tonight" "this" "then" "and" "to" "if" "so" "for" "in"
            "please" "with" "or" "is" "when" "that" "because" "but" "sharp" "okay" "yeah" "as" "i"
            "we" "you" "he" "she" "they" "it" "at" "by" "just" "once" "where" "will" "sorry" "no"
            "ish" "from" "next" "any" "mañana" "demain" "morgen" "heute" "am" "und" "et" "y"
            "oder" "ou" "zurück" "an" "bei" "ins" "de" "del" "por" "para" "pour" "nachmittags"
            "morgens" "abends" "vormittags" "du" "wieder" "vorbei" "hoy" "aujourd'hui" "chez" "le"
            "el" "heures" "uhr" "horas" "gebucht" "anrufen" "eingetragen" "vereinbart"
            "reserviert"
        )
}

/// A time zone that is named, and whether clocks there show what they show here.
fn zone(view: View) -> (usize, bool) {
    let is_time = |at: usize| view.word(at) == "time";
    let name = match (view.word(0), view.word(1)) {
        ("pacific" | "pst" | "pdt", _) => "America/Los_Angeles",
        ("mountain" | "mst" | "mdt", _) => "America/Denver",
        ("central" | "cst" | "cdt", _) => "America/Chicago",
        ("eastern" | "est" | "edt", _) => "America/New_York",
        ("gmt" | "utc", _) => "UTC",
        ("bst", _) | ("uk" | "london" | "british", "time") => "Europe/London",
        ("cet" | "cest", _) | ("mez" | "mesz", _) => "Europe/Berlin",
        ("your" | "my" | "our" | "their" | "local", "time") => return (2, view.word(0) == "our"),
        _ => return (0, true),
    };
    let there = view.said.in_tz(name);
    let is_same = |there: &Zoned| there.offset() == view.said.offset();
    (1 + usize::from(is_time(1)), there.is_ok_and(|there| is_same(&there)))
}
