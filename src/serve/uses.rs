//! How articles fare: what agents made of the cards that quote them, day by day.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use axum::extract::State;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::ServeState;
use super::articles::read;
use super::auth::Principal;
use super::error::Problem;
use super::extract::Path;
use crate::domain::{ArticleId, Recorded, TenantId, VerdictKind};
use crate::store::wire::{SuggestionOffered, SuggestionVerdict};
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec};

/// Twelve whole weeks and the one that runs.
const KEPT_DAYS: i64 = 13 * 7;
/// Verdicts come during a call or soon after it: those on older cards than these are no longer placed.
const MOST_CARDS: usize = 200_000;

/// What became of the cards that were offered on a day. A card counts once, by its newest verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct DayUse {
    /// UTC, such as 2026-12-31
    day: String,
    offered: u64,
    accepted: u64,
    edited: u64,
    dismissed: u64,
}

#[derive(Serialize, ToSchema)]
pub struct ArticleUse {
    /// Of the last thirteen weeks, those on which there were cards; the oldest first.
    days: Vec<DayUse>,
}

/// What agents made of an article's cards in the last thirteen weeks.
#[utoipa::path(get, path = "/v1/articles/{id}/use", tag = "articles",
    params(("id" = String, Path)),
    responses((status = 200, body = ArticleUse), super::openapi::Refusals))]
pub async fn show(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<ArticleUse>, Problem> {
    let id = ArticleId::from(id);
    read::row(&state, &principal.tenant, &id).await?;
    let tally = state.uses.of(&principal.tenant).await;
    let mut tally = tally.lock().await;
    tally.catch_up(state.store.as_ref(), &principal.tenant, today()).await?;
    Ok(axum::Json(ArticleUse { days: tally.days_of(&id) }))
}

/// Each tenant's tally. The log is read once, by whoever asks first; later only what is new in it.
#[derive(Default)]
pub struct Uses(Mutex<HashMap<TenantId, Arc<Mutex<Tally>>>>);

impl Uses {
    async fn of(&self, tenant: &TenantId) -> Arc<Mutex<Tally>> {
        Arc::clone(self.0.lock().await.entry(tenant.clone()).or_default())
    }
}

#[derive(Default)]
struct Tally {
    /// The log is counted up to here.
    position: u64,
    articles: HashMap<Arc<str>, BTreeMap<Date, DayUse>>,
    cards: HashMap<Arc<str>, Offered>,
    /// The cards, the oldest first.
    order: VecDeque<Arc<str>>,
}

struct Offered {
    day: Date,
    articles: Vec<Arc<str>>,
    verdict: Option<VerdictKind>,
}

impl Tally {
    async fn catch_up(
        &mut self,
        store: &dyn Store,
        tenant: &TenantId,
        today: Date,
    ) -> Result<(), StoreError> {
        let from = first_day(today);
        loop {
            let mut query = ReadQuery::all(tenant.clone(), self.position);
            query.kinds =
                KindFilter::exactly(codec::SUGGESTION_OFFERED).or(codec::SUGGESTION_VERDICT);
            let page = store.read(&query).await?;
            for event in &page {
                self.position = event.position;
                if let Err(error) = self.take(event, from) {
                    tracing::error!(event.position, %error, "a card's use is not counted");
                }
            }
            if page.len() < MAX_READ {
                break;
            }
        }
        self.forget(from);
        Ok(())
    }

    fn take(&mut self, event: &Recorded, from: Date) -> Result<(), StoreError> {
        match &*event.kind {
            codec::SUGGESTION_OFFERED => {
                let day = day_of(event.time);
                if day >= from {
                    self.offer(codec::data(event)?, day);
                }
            }
            codec::SUGGESTION_VERDICT => {
                let given: SuggestionVerdict = codec::data(event)?;
                if let Some(kind) = VerdictKind::parse(&given.verdict) {
                    self.judge(&given.card_id, kind);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn offer(&mut self, card: SuggestionOffered, day: Date) {
        let mut articles: Vec<Arc<str>> = Vec::new();
        for citation in &card.citations {
            if articles.iter().any(|known| **known == *citation.article_id) {
                continue;
            }
            let known = self.articles.get_key_value(&*citation.article_id);
            let id =
                known.map_or_else(|| citation.article_id.as_str().into(), |(id, _)| id.clone());
            let days = self.articles.entry(Arc::clone(&id)).or_default();
            days.entry(day)
                .or_insert_with(|| DayUse { day: day.to_string(), ..DayUse::default() })
                .offered += 1;
            articles.push(id);
        }
        let id: Arc<str> = card.card_id.into();
        self.cards.insert(Arc::clone(&id), Offered { day, articles, verdict: None });
        self.order.push_back(id);
        if self.order.len() > MOST_CARDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.cards.remove(&oldest);
        }
    }

    fn judge(&mut self, card: &str, kind: VerdictKind) {
        let Some(card) = self.cards.get_mut(card) else { return };
        let before = card.verdict.replace(kind);
        for article in &card.articles {
            let day = self.articles.get_mut(article).and_then(|days| days.get_mut(&card.day));
            let Some(day) = day else { continue };
            if let Some(count) = before.and_then(|before| day.of(before)) {
                *count -= 1;
            }
            if let Some(count) = day.of(kind) {
                *count += 1;
            }
        }
    }

    /// Lets go of what lies before a day.
    fn forget(&mut self, from: Date) {
        self.articles.retain(|_, days| {
            *days = days.split_off(&from);
            !days.is_empty()
        });
        while let Some(oldest) = self.order.front()
            && self.cards.get(oldest).is_none_or(|card| card.day < from)
        {
            self.cards.remove(oldest);
            self.order.pop_front();
        }
    }

    fn days_of(&self, article: &ArticleId) -> Vec<DayUse> {
        let days = self.articles.get(article.as_str()).into_iter().flat_map(BTreeMap::values);
        days.cloned().collect()
    }
}

impl DayUse {
    fn of(&mut self, kind: VerdictKind) -> Option<&mut u64> {
        match kind {
            VerdictKind::Accepted => Some(&mut self.accepted),
            VerdictKind::Edited => Some(&mut self.edited),
            VerdictKind::Dismissed => Some(&mut self.dismissed),
            VerdictKind::Ignored => None,
        }
    }
}

fn today() -> Date {
    day_of(Timestamp::now())
}

fn day_of(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

fn first_day(today: Date) -> Date {
    today.saturating_sub(KEPT_DAYS.days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Citation, EventBody, Verdict};
    use crate::store::conformance;

    /// One event of a log, at noon of a day.
    fn recorded(position: u64, day: Date, body: &EventBody) -> Recorded {
        let encoded = codec::encode(body);
        let noon = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("a time");
        Recorded {
            position,
            id: crate::domain::EventId::fresh(),
            tenant: "t".into(),
            conversation: "c-1".into(),
            sequence: position,
            time: noon.timestamp(),
            kind: encoded.kind.into(),
            schema: encoded.schema.into(),
            data: encoded.data.into(),
        }
    }

    /// It quotes an article twice.
    fn card(id: &str) -> EventBody {
        let mut event = conformance::card(id);
        if let EventBody::SuggestionOffered(card) = &mut event.body {
            let quote = Citation {
                article_id: "billing/refunds".into(),
                passage_id: "billing/refunds#1".into(),
                revision: 1,
                start_chars: 0,
                end_chars: 8,
                quote: "Refunds.".into(),
            };
            card.answer.citations = vec![quote.clone(), quote];
        }
        event.body
    }

    fn verdict(card: &str, kind: VerdictKind) -> EventBody {
        EventBody::SuggestionVerdict(Verdict { card_id: card.into(), kind, edited_text: None })
    }

    fn day(number: i8) -> Date {
        jiff::civil::date(2026, 11, number)
    }

    fn told(tally: &mut Tally, events: &[(Date, EventBody)], today: Date) {
        for (position, (day, body)) in (1..).zip(events) {
            tally.take(&recorded(position, *day, body), first_day(today)).expect("taken");
        }
        tally.forget(first_day(today));
    }

    fn shown(tally: &Tally) -> Vec<(String, [u64; 4])> {
        let days = tally.days_of(&"billing/refunds".into()).into_iter();
        days.map(|day| (day.day, [day.offered, day.accepted, day.edited, day.dismissed])).collect()
    }

    #[test]
    fn a_card_counts_on_its_day_by_its_newest_verdict() {
        let mut tally = Tally::default();
        let events = [
            (day(1), card("k-1")),
            (day(1), card("k-2")),
            (day(2), card("k-3")),
            (day(2), verdict("k-1", VerdictKind::Dismissed)),
            (day(3), verdict("k-1", VerdictKind::Accepted)),
            (day(3), verdict("k-2", VerdictKind::Ignored)),
            (day(3), verdict("k-3", VerdictKind::Edited)),
            (day(3), verdict("k-9", VerdictKind::Accepted)),
        ];
        told(&mut tally, &events, day(3));
        let expected = [("2026-11-01", [2, 1, 0, 0]), ("2026-11-02", [1, 0, 1, 0])];
        assert_eq!(shown(&tally), expected.map(|(day, counts)| (day.to_owned(), counts)));
        assert!(tally.days_of(&"billing/other".into()).is_empty());
    }

    #[test]
    fn what_is_too_old_is_forgotten_with_its_cards() {
        let mut tally = Tally::default();
        let events = [(day(1), card("k-1")), (day(20), card("k-2"))];
        told(&mut tally, &events, day(20));
        assert_eq!((shown(&tally).len(), tally.cards.len()), (2, 2));
        let later = day(1).saturating_add((KEPT_DAYS + 1).days());
        told(&mut tally, &[(later, verdict("k-1", VerdictKind::Accepted))], later);
        assert_eq!(shown(&tally), [("2026-11-20".to_owned(), [1, 0, 0, 0])]);
        assert_eq!((tally.cards.len(), tally.order.len()), (1, 1));
        // The log is read again from its beginning after a restart.
        let mut again = Tally::default();
        told(&mut again, &events, later);
        assert_eq!(shown(&again), shown(&tally));
    }
}
