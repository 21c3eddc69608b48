//! From what single words mean to one day and one time.

use jiff::civil::{Date, Time};
use jiff::{ToSpan as _, Zoned};

use super::clock;
use super::hours::{Clock, Part};
use super::marks::{Bound, bound, close_at, is_alternative, is_denied, is_usual, mend_at};
use super::{DayMeant, Meaning, Sure, Token, View, days, spans};
use crate::domain::{Due, Redacted};
use crate::flow::wrapup::Language;

/// Words between a day and its time: "on Thursday then, any time at all between two and four".
const APART_MAX: usize = 8;

/// One thing that was said about when.
#[derive(Clone, Copy, Debug)]
struct Mention {
    from: usize,
    upto: usize,
    meaning: Meaning,
    bound: Bound,
}

/// The hours that were named.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hours {
    Clock(Clock, Bound),
    Window(Clock, Clock),
    Exact(Time),
    Unsure,
}

/// When, as one sentence says it.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// The words that say so, by tokens.
    pub from: usize,
    pub upto: usize,
    /// `None`: no day was named.
    pub day: Option<DayMeant>,
    hours: Option<Hours>,
    part: Option<Part>,
    is_limit: bool,
    /// "In the morning" alone: tomorrow's, when this one is over.
    is_next_morning: bool,
    /// It begins with taking back what was said before.
    pub is_mend: bool,
    /// It ends so.
    pub is_taken_back: bool,
}

/// All that the words say about when; `None` where they say nothing.
pub fn when(tokens: &[Token], said: &Zoned, language: Language) -> Option<When> {
    let mut found = When {
        from: usize::MAX,
        upto: 0,
        day: None,
        hours: None,
        part: None,
        is_limit: false,
        is_next_morning: false,
        is_mend: false,
        is_taken_back: false,
    };
    let mut mended = false;
    let mut day_upto = None;
    let mut close = false;
    for mention in mentions(tokens, said, language) {
        if mention.meaning == Meaning::Mend {
            (mended, found.is_taken_back) = (true, true);
            found.is_mend |= found.upto == 0;
            continue;
        }
        let is_apart = day_upto.is_some_and(|upto| mention.from > upto + APART_MAX);
        let is_used = match mention.meaning {
            Meaning::Day(day) => found.take_day(bounded(day, mention.bound), mended),
            Meaning::Clock(_) | Meaning::Window(..) if is_apart && !mended => false,
            Meaning::Clock(clock) => found.take_hours(Hours::Clock(clock, mention.bound), mended),
            Meaning::Window(from, upto) => found.take_hours(Hours::Window(from, upto), mended),
            Meaning::Moment { date, time, is_limit } => {
                let day = DayMeant { is_limit, ..DayMeant::on(date) };
                found.take_hours(Hours::Exact(time), mended);
                found.take_day(day, mended)
            }
            Meaning::Part(part) => {
                found.take_part(part, &View { tokens, at: mention.from, language, said });
                found.is_next_morning
            }
            Meaning::Close => {
                close = true;
                true
            }
            Meaning::Mend => false,
        };
        if matches!(mention.meaning, Meaning::Day(_)) {
            day_upto = Some(mention.upto);
        }
        found.is_taken_back = false;
        mended &= matches!(mention.meaning, Meaning::Part(_));
        if is_used {
            found.from = found.from.min(mention.from);
            found.upto = found.upto.max(mention.upto);
        }
    }
    if close {
        // "By the end of the day", "by close of business on Friday".
        let today = DayMeant::by(said.date());
        found.day = Some(found.day.map_or(today, |day| DayMeant { is_limit: true, ..day }));
    }
    if found.is_next_morning && found.day.is_none() {
        let is_over = said.hour() >= 12;
        let tomorrow = said.date().tomorrow().ok().filter(|_| is_over);
        found.day = Some(tomorrow.map_or(DayMeant::UNSURE, DayMeant::on));
    }
    if found.upto == 0 {
        found.from = 0;
    }
    (found.upto > 0 || found.is_mend).then_some(found)
}

/// What "before" and "after" make of a day.
fn bounded(day: DayMeant, bound: Bound) -> DayMeant {
    match (bound, day.sure) {
        (Bound::At, _) | (_, Sure::Past) => day,
        (Bound::By, _) => DayMeant { is_limit: true, ..day },
        // By the day before, so.
        // "Before the end of the month" is as good as by then.
        (Bound::Before, Sure::On(_)) if day.is_limit => day,
        (Bound::Before, Sure::On(date)) => match date.checked_sub(1.day()) {
            Ok(date) => DayMeant { is_limit: true, sure: Sure::On(date), ..day },
            Err(_) => DayMeant { sure: Sure::Unsure, ..day },
        },
        (Bound::Before, Sure::Unsure) => DayMeant { is_limit: true, ..day },
        (Bound::After, _) => DayMeant { sure: Sure::Unsure, ..day },
    }
}

impl When {
    /// Says of something that is to come.
    pub fn is_told(&self) -> bool {
        self.upto > 0 && self.day.is_none_or(|day| day.sure != Sure::Past)
    }

    pub const fn has_hours(&self) -> bool {
        self.hours.is_some()
    }

    pub fn date(&self) -> Option<Date> {
        match self.day?.sure {
            Sure::On(date) => Some(date),
            Sure::Unsure | Sure::Past => None,
        }
    }

    fn take_day(&mut self, day: DayMeant, mended: bool) -> bool {
        self.day = Some(match self.day {
            None => day,
            Some(_) if mended => day,
            Some(before) if before.sure == day.sure => {
                DayMeant { is_limit: before.is_limit || day.is_limit, ..before }
            }
            Some(before) if before.sure == Sure::Past => day,
            Some(before) if day.sure == Sure::Past => before,
            // "Tuesday next week or Wednesday next week": no day of this one, at least.
            Some(before) => DayMeant { is_week: before.is_week || day.is_week, ..DayMeant::UNSURE },
        });
        true
    }

    fn take_hours(&mut self, hours: Hours, mended: bool) -> bool {
        self.hours = Some(match self.hours {
            None => hours,
            Some(_) if mended => hours,
            Some(before) if before == hours => before,
            Some(_) => Hours::Unsure,
        });
        true
    }

    fn take_part(&mut self, part: Part, view: &View) {
        let is_in_the = matches!((view.before(2), view.before(1)), ("in", "the"));
        self.is_next_morning |= part == Part::Morning && is_in_the && self.day.is_none();
        self.part = self.part.or(Some(part));
    }

    /// Counted from another token on.
    #[must_use]
    pub const fn shifted(self, tokens: usize) -> Self {
        // Where nothing is said there is nothing to shift.
        if self.upto == 0 {
            return self;
        }
        Self { from: self.from + tokens, upto: self.upto + tokens, ..self }
    }

    /// Says a day or an hour, not only a part of the day.
    pub const fn is_dated(&self) -> bool {
        self.day.is_some() || self.hours.is_some()
    }

    /// The day alone, as the last one.
    #[must_use]
    pub fn by_its_day(self) -> Self {
        Self { hours: None, day: self.day.map(|day| DayMeant { is_limit: true, ..day }), ..self }
    }

    /// With nothing said of the hour.
    #[must_use]
    pub const fn at_no_hour(self) -> Self {
        Self { hours: None, ..self }
    }

    /// The hours of another, where this one names none.
    #[must_use]
    pub fn at_hours_of(self, other: &Self) -> Self {
        match self.hours {
            None => Self { hours: other.hours, part: self.part.or(other.part), ..self },
            Some(_) => self,
        }
    }

    /// Another's day, where this one names none.
    #[must_use]
    pub fn on_day_of(self, other: &Self) -> Self {
        let day = other.day;
        Self { day, part: self.part.or(other.part), is_next_morning: false, ..self }
    }

    /// With a day that was named more closely before.
    #[must_use]
    pub fn on_the(self, day: DayMeant) -> Self {
        let is_limit = self.day.is_some_and(|own| own.is_limit);
        Self { day: Some(DayMeant { is_limit, ..day }), ..self }
    }

    /// Without a certain day.
    #[must_use]
    pub fn on_no_day(self) -> Self {
        Self { day: Some(DayMeant::UNSURE), ..self }
    }

    /// The beginning, the end, and whether it is a limit.
    fn times(&self) -> (Option<Time>, Option<Time>, bool) {
        match self.hours {
            None | Some(Hours::Unsure) => (None, None, false),
            Some(Hours::Exact(time)) => (Some(time), None, false),
            Some(Hours::Clock(_, Bound::After)) => (None, None, false),
            Some(Hours::Clock(clock, bound)) => (clock.time(self.part), None, bound != Bound::At),
            Some(Hours::Window(from, upto)) => match from.window(upto, self.part) {
                Some((from, upto)) => (Some(from), Some(upto), false),
                None => (None, None, false),
            },
        }
    }

    /// What is certain of it. `tokens` are those of `text`.
    pub fn due(&self, tokens: &[Token], text: &Redacted, said: &Zoned) -> Due {
        let from = tokens.get(self.from).map_or(0, |token| token.start);
        let upto = self.upto.checked_sub(1).and_then(|at| tokens.get(at));
        let phrase = text.slice(from..upto.map_or(from, |token| token.end));
        self.with_phrase(phrase, said)
    }

    pub fn with_phrase(&self, phrase: Redacted, said: &Zoned) -> Due {
        let (mut time, mut until, by_time) = self.times();
        let is_ahead = |time: Time| time > said.time();
        let last = until.or(time);
        let mut date = match self.day.map(|day| day.sure) {
            // "At two" is today's, unless it is past.
            None => last.filter(|time| is_ahead(*time)).map(|_| said.date()),
            Some(Sure::On(date)) => Some(date),
            Some(Sure::Unsure | Sure::Past) => None,
        };
        if date == Some(said.date()) && last.is_some_and(|time| !is_ahead(time)) {
            (time, until) = (None, None);
        }
        if date.is_some_and(|date| date < said.date()) {
            date = None;
        }
        // Where the clock is changed some times come twice and some never.
        let is_one = |time: Time| {
            date.is_none_or(|date| {
                !said.time_zone().to_ambiguous_zoned(date.to_datetime(time)).is_ambiguous()
            })
        };
        if !time.is_none_or(is_one) || !until.is_none_or(is_one) {
            (time, until) = (None, None);
        }
        let is_limit = self.is_limit || by_time || self.day.is_some_and(|day| day.is_limit);
        let time_zone = said.time_zone().iana_name().unwrap_or("UTC").to_owned();
        Due { phrase, date, time, until, is_limit, time_zone }
    }
}

/// Everything that is said about when, in order.
fn mentions(tokens: &[Token], said: &Zoned, language: Language) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let view = View { tokens, at, language, said };
        let Some((words, meaning)) = mention_at(view) else {
            at += 1;
            continue;
        };
        let upto = (at + words.max(1)).min(tokens.len());
        let (from, bound) = match meaning {
            Meaning::Mend | Meaning::Part(_) => (at, Bound::At),
            _ => bound(view, upto),
        };
        let is_alternative = is_alternative(View { at: upto, ..view });
        let meaning =
            if is_usual(view, from) || is_alternative { unsure(meaning) } else { meaning };
        if !is_denied(view, from) || meaning == Meaning::Mend {
            found.push(Mention { from, upto, meaning, bound });
        }
        // A part of the day may stand inside: "this morning", "tonight".
        if matches!(meaning, Meaning::Day(_)) {
            let parts = (at..upto).filter_map(|at| {
                let (_, part) = clock::part_at(View { tokens, at, language, said })?;
                Some(Mention {
                    from: at,
                    upto: at + 1,
                    meaning: Meaning::Part(part),
                    bound: Bound::At,
                })
            });
            found.extend(parts);
        }
        at = upto;
    }
    found
}

fn mention_at(view: View) -> Option<(usize, Meaning)> {
    if let Some(words) = mend_at(view) {
        return Some((words, Meaning::Mend));
    }
    if let Some(words) = close_at(view) {
        return Some((words, Meaning::Close));
    }
    if let Some(found) = spans::span_at(view) {
        return Some(found);
    }
    if let Some((words, from, upto)) = clock::window_at(view) {
        return Some((words, Meaning::Window(from, upto)));
    }
    if let Some((words, day)) = days::day_at(view) {
        return Some((words, Meaning::Day(day)));
    }
    if let Some((words, clock)) = clock::clock_at(view) {
        return Some((words, Meaning::Clock(clock)));
    }
    clock::part_at(view).map(|(words, part)| (words, Meaning::Part(part)))
}

const fn unsure(meaning: Meaning) -> Meaning {
    match meaning {
        Meaning::Day(day) => Meaning::Day(DayMeant { sure: Sure::Unsure, ..day }),
        Meaning::Moment { is_limit, .. } => Meaning::Day(DayMeant { is_limit, ..DayMeant::UNSURE }),
        other => other,
    }
}
