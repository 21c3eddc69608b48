//! Which day words name: "Tuesday the eighth", "a week on Friday", "übermorgen".

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use super::names::{self, Figures};
use super::{DayMeant, Sure, View};
use crate::flow::wrapup::Language;

/// Before this hour it is still the evening before to many.
const MORNING_HOUR: i8 = 5;
/// A day that is farther off is rather one that is past, or a slip.
const AHEAD_DAYS_MAX: i64 = 300;

impl DayMeant {
    const fn new(sure: Sure) -> Self {
        Self { sure, weekday: None, is_limit: false, is_week: false }
    }

    pub const UNSURE: Self = Self::new(Sure::Unsure);
    pub const PAST: Self = Self::new(Sure::Past);
    const A_WEEK: Self = Self { is_week: true, ..Self::UNSURE };

    pub const fn on(date: Date) -> Self {
        Self::new(Sure::On(date))
    }

    pub const fn by(date: Date) -> Self {
        Self { is_limit: true, ..Self::on(date) }
    }

    /// One of several.
    const fn some(weekday: Weekday) -> Self {
        Self { weekday: Some(weekday), ..Self::UNSURE }
    }
}

/// How many words, and what they mean.
pub type Read = Option<(usize, DayMeant)>;

/// The day that is named from here on.
pub fn day_at(view: View) -> Read {
    weeks_ahead(view)
        .or_else(|| near(view))
        .or_else(|| weekday(view))
        .or_else(|| calendar_date(view).map(|(words, day)| (words, day.resolved(view, None))))
}

fn in_days(view: View, days: i64) -> DayMeant {
    view.today().checked_add(days.days()).map_or(DayMeant::UNSURE, DayMeant::on)
}

/// "Today" is said after midnight too, and then it may be either.
fn from_today(view: View, days: i64) -> DayMeant {
    if view.said.hour() < MORNING_HOUR { DayMeant::UNSURE } else { in_days(view, days) }
}

/// Of parts of today: those that are over are past, those that come next are today's.
fn part_of_today(view: View, ends_at: i8) -> DayMeant {
    if view.said.hour() < ends_at { from_today(view, 0) } else { DayMeant::PAST }
}

fn near(view: View) -> Read {
    let word = |ahead| view.word(ahead);
    let before = view.before(1);
    let three = (word(0), word(1), word(2));
    match view.language {
        Language::English => english(view),
        Language::German => Some(match three {
            ("übermorgen", ..) => (1, from_today(view, 2)),
            ("morgen", ..) if matches!(before, "guten" | "am" | "jeden") => return None,
            ("morgen", ..) => (1, from_today(view, 1)),
            ("heute", "morgen" | "früh", _) => (2, part_of_today(view, 11)),
            ("heute", "vormittag", _) => (2, part_of_today(view, 12)),
            ("heute", "nachmittag", _) => (2, part_of_today(view, 18)),
            ("heute", ..) => (1, from_today(view, 0)),
            ("gestern" | "vorgestern", ..) => (1, DayMeant::PAST),
            ("nächste" | "nächster" | "kommende" | "kommender", "woche", _) => {
                (2, DayMeant::A_WEEK)
            }
            ("diese" | "dieser", "woche", _) | ("wochenende", ..) => (1, DayMeant::UNSURE),
            ("nächsten" | "diesen" | "anfang", "monat" | "monats" | "tage" | "tagen", _) => {
                (2, DayMeant::UNSURE)
            }
            ("ende", "der", "woche") => (3, DayMeant::UNSURE),
            ("ende", "des", "monats") => (3, DayMeant::by(view.today().last_of_month())),
            ("monatsende", ..) => (1, DayMeant::by(view.today().last_of_month())),
            _ => return None,
        }),
        Language::French => Some(match three {
            ("après-demain", ..) => (1, from_today(view, 2)),
            ("demain", ..) => (1, from_today(view, 1)),
            ("ce", "matin", _) => (2, part_of_today(view, 12)),
            ("cet" | "cette", "après-midi", _) => (2, part_of_today(view, 18)),
            ("aujourd'hui", ..) => (1, from_today(view, 0)),
            ("ce", "soir", _) => (2, from_today(view, 0)),
            ("hier" | "avant-hier", ..) => (1, DayMeant::PAST),
            ("semaine", "prochaine", _) => (2, DayMeant::A_WEEK),
            ("cette", "semaine", _) | ("mois", "prochain", _) => (2, DayMeant::UNSURE),
            ("week-end", ..) => (1, DayMeant::UNSURE),
            ("fin", "de", "semaine") | ("début", "de", "semaine") => (3, DayMeant::UNSURE),
            ("fin", "du", "mois") => (3, DayMeant::by(view.today().last_of_month())),
            _ => return None,
        }),
        Language::Spanish => Some(match three {
            ("pasado", "mañana", _) => (2, from_today(view, 2)),
            // "Por la mañana" is in the morning.
            ("mañana", ..) if before == "la" => return None,
            ("mañana", ..) => (1, from_today(view, 1)),
            ("esta", "mañana", _) => (2, part_of_today(view, 13)),
            ("esta", "tarde", _) => (2, part_of_today(view, 20)),
            ("hoy", ..) => (1, from_today(view, 0)),
            ("esta", "noche", _) => (2, from_today(view, 0)),
            ("ayer" | "anteayer" | "anoche", ..) => (1, DayMeant::PAST),
            ("próxima", "semana", _) | ("semana", "próxima" | "siguiente", _) => {
                (2, DayMeant::A_WEEK)
            }
            ("semana", "que", "viene") => (3, DayMeant::A_WEEK),
            ("esta", "semana", _) | ("próximo", "mes", _) => (2, DayMeant::UNSURE),
            ("mes", "que", "viene") => (3, DayMeant::UNSURE),
            ("fin", "de", "semana") => (3, DayMeant::UNSURE),
            ("final", "de", "mes") | ("fin", "de", "mes") => {
                (3, DayMeant::by(view.today().last_of_month()))
            }
            _ => return None,
        }),
    }
}

fn english(view: View) -> Read {
    let word = |ahead| view.word(ahead);
    let before = view.before(1);
    Some(match (word(0), word(1), word(2)) {
        ("day", "after", "tomorrow") => (3, from_today(view, 2)),
        ("tomorrow", ..) => (1, from_today(view, 1)),
        ("this", "morning", _) => (2, part_of_today(view, 12)),
        ("this", "afternoon", _) => (2, part_of_today(view, 18)),
        ("today" | "tonight", ..) | ("this", "evening", _) => {
            (1 + usize::from(word(0) == "this"), from_today(view, 0))
        }
        ("yesterday", ..) => (1, DayMeant::PAST),
        ("last", "night" | "week" | "month" | "year", _) => (2, DayMeant::PAST),
        ("other", "day", _) if before == "the" => (2, DayMeant::PAST),
        // "Next week Monday" is read from the weekday's side.
        ("next" | "following", "week", _) => {
            let skipped = usize::from(matches!(word(2), "on"));
            match names::weekday(word(2 + skipped)) {
                Some(weekday) => (3 + skipped, of_next_week(view, weekday)),
                None => (2, DayMeant::A_WEEK),
            }
        }
        ("this" | "next" | "following", "week" | "month" | "weekend" | "day" | "year", _)
            if word(2) != "delivery" =>
        {
            (2, DayMeant::UNSURE)
        }
        ("weekend", ..) => (1, DayMeant::UNSURE),
        ("end" | "beginning" | "start" | "middle", "of", _) => return edge_of(view),
        ("month" | "week", "end", _) if before != "the" => (2, DayMeant::UNSURE),
        _ => return None,
    })
}

/// "The end of the month" is a day, "the end of the week" is two.
fn edge_of(view: View) -> Read {
    let word = |ahead| view.word(ahead);
    let (skipped, is_this) = match word(2) {
        "the" | "this" => (1, true),
        "next" => (1, false),
        _ => (0, true),
    };
    let by = match (word(0), word(2 + skipped), is_this) {
        ("end", "month", true) => DayMeant::by(view.today().last_of_month()),
        (_, "week" | "month" | "year", _) => DayMeant::UNSURE,
        ("end", other, true) if names::month(other).is_some() => {
            let first = upcoming(names::month(other)?, 28, view.today());
            first.map_or(DayMeant::UNSURE, |day| DayMeant::by(day.last_of_month()))
        }
        (_, other, _) if names::month(other).is_some() => DayMeant::UNSURE,
        _ => return None,
    };
    Some((3 + skipped, by))
}

/// "A week on Friday", "Tuesday week", "two weeks from today".
fn weeks_ahead(view: View) -> Read {
    if view.language != Language::English
        || matches!(view.before(1), "every" | "each" | "once" | "twice" | "per" | "last")
    {
        return None;
    }
    let word = |ahead| view.word(ahead);
    let base = |ahead: usize| match word(ahead) {
        "today" | "now" => Some(from_today(view, 0)),
        "tomorrow" => Some(from_today(view, 1)),
        other => names::weekday(other).map(|weekday| coming(view, weekday)),
    };
    let later = |day: DayMeant, weeks: i64| match day.sure {
        Sure::On(date) => date.checked_add(weeks.weeks()).map_or(DayMeant::UNSURE, DayMeant::on),
        _ => day,
    };
    if word(1) == "week" {
        return base(0).filter(|_| word(0) != "now").map(|day| (2, later(day, 1)));
    }
    let (words, count) = match word(0) {
        "a" => (1, 1),
        "week" | "fortnight" => (0, 1),
        _ => names::number(&word, Language::English)?,
    };
    let weeks = match word(words) {
        "week" | "weeks" => i64::from(count),
        "fortnight" => 2 * i64::from(count),
        _ => return None,
    };
    let linked = usize::from(matches!(word(words + 1), "on" | "from" | "this"));
    let day = base(words + 1 + linked)?;
    Some((words + 2 + linked, later(day, weeks)))
}

/// The weekday after today; said of today's weekday it may be either.
fn coming(view: View, weekday: Weekday) -> DayMeant {
    let today = view.today();
    let sure = match today.nth_weekday(1, weekday) {
        Ok(date) if weekday != today.weekday() && view.said.hour() >= MORNING_HOUR => {
            Sure::On(date)
        }
        _ => Sure::Unsure,
    };
    DayMeant { sure, ..DayMeant::some(weekday) }
}

/// Weeks begin on Monday to some and on Sunday to others.
fn of_next_week(view: View, weekday: Weekday) -> DayMeant {
    let today = view.today();
    let away = 7 - i64::from(today.weekday().to_monday_zero_offset())
        + i64::from(weekday.to_monday_zero_offset());
    let is_sure = today.weekday() != Weekday::Sunday && weekday != Weekday::Sunday;
    let day = if is_sure { in_days(view, away) } else { DayMeant::UNSURE };
    DayMeant { weekday: Some(weekday), is_week: true, ..day }
}

fn of_this_week(view: View, weekday: Weekday) -> DayMeant {
    match coming(view, weekday) {
        day if weekday.to_monday_zero_offset() > view.today().weekday().to_monday_zero_offset() => {
            day
        }
        day => DayMeant { sure: Sure::Unsure, ..day },
    }
}

fn weekday(view: View) -> Read {
    let word = |ahead| view.word(ahead);
    let named = names::weekday(word(0))?;
    let before = view.before(1);
    let is_past = one_of!(before;
        "last" "past" "previous" "since" "letzten" "letzter" "seit" "depuis" "desde"
    ) || matches!(word(1), "last" | "dernier" | "pasado");
    if is_past {
        return Some((1, DayMeant { weekday: Some(named), ..DayMeant::PAST }));
    }
    if matches!(before, "every" | "each" | "jeden" | "chaque" | "cada") {
        return None;
    }
    // "Good Friday", "the first Monday in June", "the Monday after".
    let is_another = one_of!(before;
        "good" "black" "easter" "first" "second" "third" "fourth" "a" "one" "any" "some" "another"
        "ein" "un"
    ) && view.language == Language::English
        || matches!(word(1), "after" | "before" | "following" | "onwards" | "danach");
    if is_another && word(2) != "next" {
        return Some((1, DayMeant::some(named)));
    }
    let (words, day) = match (word(1), word(2), word(3)) {
        ("of", "next", "week") => (4, of_next_week(view, named)),
        ("next", "week", _) | ("nächster" | "nächste", "woche", _) => {
            (3, of_next_week(view, named))
        }
        ("this", "week", _) | ("dieser" | "diese", "woche", _) => (3, of_this_week(view, named)),
        ("de", "la", "semaine" | "semana") => (4, DayMeant::some(named)),
        ("after", "next", _) => (3, DayMeant::some(named)),
        ("next" | "prochain" | "próximo", ..) => (2, DayMeant::some(named)),
        ("que", "viene", _) => (3, DayMeant::some(named)),
        ("fortnight", ..) => match coming(view, named).sure {
            Sure::On(date) => {
                (2, date.checked_add(2.weeks()).map_or(DayMeant::UNSURE, DayMeant::on))
            }
            _ => (2, DayMeant::UNSURE),
        },
        ("en", "huit", _) => match coming(view, named).sure {
            Sure::On(date) => {
                (3, date.checked_add(1.week()).map_or(DayMeant::UNSURE, DayMeant::on))
            }
            _ => (3, DayMeant::UNSURE),
        },
        _ => return Some(dated(view, named)),
    };
    Some((words, day))
}

/// A weekday alone, or with the day of the month: both have to agree.
fn dated(view: View, named: Weekday) -> (usize, DayMeant) {
    let skipped = usize::from(matches!(view.word(1), "the" | "den" | "dem" | "le" | "el"));
    if let Some((words, date)) = calendar_date(view.ahead(1 + skipped)) {
        return (1 + skipped + words, date.resolved(view, Some(named)));
    }
    // "Thursday the fourth", "jeudi 4", "Donnerstag, den 4."
    let after = |ahead: usize| view.word(1 + skipped + ahead);
    let ordinal = names::ordinal(&after, view.language).or_else(|| {
        let is_plain = view.language != Language::English;
        names::cardinal_day(&after, view.language)
            .filter(|(words, _)| is_plain && is_no_hour(view.ahead(1 + skipped + words)))
    });
    if let Some((words, day)) = ordinal {
        let found = Calendar { day, month: None, year: None };
        return (1 + skipped + words, found.resolved(view, Some(named)));
    }
    // "Tuesday 14" is a day or a time.
    let is_figure = view.word(1).len() <= 2
        && view.word(1).parse::<i8>().is_ok_and(|figure| figure > 0)
        && super::clock::clock_at(view.ahead(1)).is_none()
        && super::clock::window_at(view.ahead(1)).is_none();
    let is_next = is_figure
        || matches!(
            view.before(1),
            "next" | "following" | "nächsten" | "nächster" | "nächste" | "próximo"
        );
    (1, if is_next { DayMeant::some(named) } else { coming(view, named) })
}

/// A day of the month is meant, and no hour or count.
fn is_no_hour(view: View) -> bool {
    let follows = view.word(0);
    view.ended() || one_of!(follows; "à" "a" "um" "entre" "zwischen" "pour" "para" "et" "y" "und")
}

/// A day of the month as far as it was told.
#[derive(Clone, Copy)]
struct Calendar {
    day: i8,
    month: Option<i8>,
    year: Option<i16>,
}

impl Calendar {
    fn resolved(self, view: View, weekday: Option<Weekday>) -> DayMeant {
        let today = view.today();
        let found = match (self.month, self.year) {
            (Some(month), Some(year)) => Date::new(year, month, self.day).ok(),
            (Some(month), None) => upcoming(month, self.day, today),
            (None, _) => of_month(self.day, today),
        };
        let near = found.filter(|date| {
            let days = today.until(*date).map_or(i64::MAX, |span| i64::from(span.get_days()));
            self.year.is_some() || days <= AHEAD_DAYS_MAX
        });
        let fits = |date: &Date| weekday.is_none_or(|named| named == date.weekday());
        let sure = near.filter(fits).map_or(Sure::Unsure, Sure::On);
        DayMeant { sure, weekday, ..DayMeant::UNSURE }
    }
}

/// "On the third": of this month if it comes, of the next if that has one; said on the third it may be either.
fn of_month(day: i8, today: Date) -> Option<Date> {
    if day == today.day() {
        return None;
    }
    let next = today.first_of_month().checked_add(1.month()).ok()?;
    let month = if day > today.day() { today } else { next };
    Date::new(month.year(), month.month(), day).ok()
}

fn upcoming(month: i8, day: i8, today: Date) -> Option<Date> {
    let this_year = Date::new(today.year(), month, day).ok();
    this_year
        .filter(|date| *date >= today)
        .or_else(|| Date::new(today.year().checked_add(1)?, month, day).ok())
}

/// "The fifth of March", "March 5th", "5. März", "12/03/2027", "on the third".
fn calendar_date(view: View) -> Option<(usize, Calendar)> {
    let word = |ahead: usize| view.word(ahead);
    if let Some(parts) = names::in_figures(word(0)) {
        // "2/3" is a share, or which part of a message it is.
        let is_date = parts.2.is_some()
            || names::weekday(view.before(1)).is_some()
            || one_of!(view.before(1);
                "on" "by" "for" "until" "before" "from" "after" "the" "am" "den" "dem" "zum" "bis"
                "le" "el"
            );
        return is_date.then(|| (1, figures(parts, view.today())));
    }
    let year = |ahead: usize| {
        let digits = word(ahead);
        let year = digits.parse::<i16>().ok().filter(|year| (2_000..2_200).contains(year));
        year.map_or((0, None), |year| (1, Some(year)))
    };
    if let Some(month) = month_at(view) {
        let after = |ahead: usize| word(1 + ahead);
        let plain = || {
            let found = names::cardinal_day(&after, view.language);
            found.filter(|_| view.language == Language::English)
        };
        let (words, day) = names::ordinal(&after, view.language).or_else(plain)?;
        let (more, year) = year(1 + words);
        return Some((1 + words + more, Calendar { day, month: Some(month), year }));
    }
    let ranked = names::ordinal(&word, view.language);
    let (words, day) = ranked.or_else(|| names::cardinal_day(&word, view.language))?;
    if (word(words), word(words + 1), word(words + 2)) == ("of", "next", "month")
        && ranked.is_some()
    {
        let next = view.today().first_of_month().checked_add(1.month()).ok()?;
        return Some((
            words + 3,
            Calendar { day, month: Some(next.month()), year: Some(next.year()) },
        ));
    }
    let of = usize::from(matches!(word(words), "of" | "de"));
    if let Some(month) = month_at(view.ahead(words + of)) {
        let linked = usize::from(matches!(word(words + of + 1), "de" | "del"));
        let (more, year) = year(words + of + 1 + linked);
        let more = if more > 0 { more + linked } else { 0 };
        return Some((words + of + 1 + more, Calendar { day, month: Some(month), year }));
    }
    let stands_alone = match view.language {
        Language::English => ranked.is_some() && is_day_of_month(view, words),
        Language::German => {
            matches!(view.before(1), "am" | "zum" | "dem") && is_no_hour(view.ahead(words))
        }
        Language::French => view.before(1) == "le" && is_no_hour(view.ahead(words)),
        Language::Spanish => {
            matches!((view.before(2), view.before(1)), (_, "día") | ("para" | "hasta", "el"))
                && is_no_hour(view.ahead(words))
        }
    };
    stands_alone.then_some((words, Calendar { day, month: None, year: None }))
}

/// "May" and "march" do something else in most sentences.
fn month_at(view: View) -> Option<i8> {
    let is_capital = view.token(0).is_some_and(|token| token.is_capital);
    let is_told = one_of!(view.before(1); "of" "on" "by" "until" "before" "this" "next");
    let is_verb = matches!(view.word(0), "may" | "march") && !is_capital && !is_told;
    names::month(view.word(0)).filter(|_| !is_verb || view.language != Language::English)
}

/// "On the third", and not "on the third attempt".
fn is_day_of_month(view: View, words: usize) -> bool {
    // "For the tenth, sorry, the eleventh".
    let is_mended =
        view.before(1) == "the" && view.at > 0 && View { at: view.at - 1, ..view }.is_mended();
    let leads = is_mended
        || matches!(
            (view.before(2), view.before(1)),
            (
                "on" | "by"
                    | "until"
                    | "till"
                    | "before"
                    | "for"
                    | "from"
                    | "after"
                    | "than"
                    | "to",
                "the"
            )
        );
    let ranks = view.ahead(words);
    let closes = view.ahead(words - 1).token(0).is_some_and(|token| token.is_marked)
        || ranks.ended()
        || one_of!(ranks.word(0);
            "at" "in" "to" "and" "or" "between" "then" "if" "so" "when" "i" "we" "by" "please"
            "for" "sorry" "no" "not" "around" "about" "because" "is" "yeah" "okay" "that" "before"
            "after" "it" "from" "morning" "with"
        );
    // "The nineteenth at half past eight" is none but a day.
    let is_timed = view.before(1) == "the" && matches!(ranks.word(0), "at" | "between");
    closes && (leads || is_timed)
}

/// Day and month may stand either way round.
fn figures((first, second, year, is_sure): Figures, today: Date) -> Calendar {
    let fits = |month: i8, day: i8| match year {
        Some(year) => Date::new(year, month, day).ok(),
        None => upcoming(month, day, today),
    };
    let (one, other) = (fits(second, first), fits(first, second));
    let (day, month) = match (one, other) {
        (Some(one), Some(other)) if one != other && !is_sure => (0, 0),
        (Some(_), _) => (first, second),
        (None, Some(_)) => (second, first),
        (None, None) => (0, 0),
    };
    // There is no day 0, so this is no date.
    Calendar { day, month: Some(month), year }
}
