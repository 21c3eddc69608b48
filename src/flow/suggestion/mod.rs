//! Turns in, cards out: is there something to answer, what exactly is asked, does a passage answer
//! it, and may the copilot speak now?
//!
//! `session` feeds turns and time, and carries the query to `knowledge` and its response back. This
//! stage never calls a clock, a socket, a file or a model, so a call can be replayed through it.

pub mod abstain;
mod budget;
mod phrases;
mod query;
mod trigger;

use crate::domain::{Answer, ArticleId, Citation, Generator, PassageId, Role, Turn, TurnId};
use crate::knowledge::{Filter, SearchHit, SearchRequest, SearchResponse};

use budget::Budget;
use query::Memory;
pub use trigger::Act;

/// Hits looked at for one card.
const HITS: usize = 8;
/// A card that was shown less than this long ago is not shown again, however it is asked for.
const REPEAT_AFTER_MS: u64 = 45_000;
/// Nearest passages named when nothing answers the agent's question.
const NEAREST: usize = 3;

#[derive(Clone, Debug)]
pub struct SuggestionSettings {
    /// A card is shown from this calibrated probability on.
    pub threshold: f32,
    /// The same for a plain statement: nobody asked, so a card must be worth the glance.
    pub statement_threshold: f32,
    /// What the agent's own question needs: whoever asks can judge a weak answer.
    pub ask_threshold: f32,
    /// Cards that may come at once, and how many a minute are added up to that.
    pub burst: u32,
    pub refill_per_minute: u32,
    /// Which articles may be shown on the desktop.
    pub filter: Filter,
}

impl Default for SuggestionSettings {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            statement_threshold: 0.8,
            ask_threshold: 0.35,
            burst: 3,
            refill_per_minute: 3,
            filter: Filter::default(),
        }
    }
}

impl SuggestionSettings {
    /// The calibrated probability from which a card is shown.
    pub fn threshold_for(&self, act: Act) -> f32 {
        if act == Act::Statement { self.statement_threshold } else { self.threshold }
    }
}

/// A question that arose from a turn. Search for `request`, then let [`Suggester::decide`].
#[derive(Clone, Debug)]
pub struct CardQuery {
    pub turn: TurnId,
    pub act: Act,
    pub request: SearchRequest,
    asker: Role,
}

/// Why no card is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Abstention {
    NothingFound,
    /// The best passage's calibrated probability is below the threshold.
    Unsure(f32),
    /// The agent has this card on the screen already.
    Shown,
    /// The card budget is spent.
    Budget,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    Offer(Box<Answer>),
    Abstain(Abstention),
}

/// One call's suggestion stage.
pub struct Suggester {
    settings: SuggestionSettings,
    memory: Memory,
    budget: Budget,
    shown: Vec<Shown>,
}

struct Shown {
    passage: PassageId,
    at_ms: u64,
}

impl Suggester {
    pub fn new(settings: &SuggestionSettings) -> Self {
        Self {
            settings: settings.clone(),
            memory: Memory::default(),
            budget: Budget::new(settings.burst, settings.refill_per_minute),
            shown: Vec::new(),
        }
    }

    /// Remembers the turn, and returns a query when there is something to answer in it.
    pub fn consider(&mut self, turn: &Turn) -> Option<CardQuery> {
        let heard = trigger::listen(turn.party.role, turn.text.as_str());
        let built = heard.trigger.as_ref().map(|trigger| {
            let mut request = self.memory.request(trigger);
            request.limit = HITS;
            request.filter = self.settings.filter.clone();
            let asker = turn.party.role;
            CardQuery { turn: turn.id.clone(), act: trigger.act, request, asker }
        });
        self.memory.keep(turn.party.role, heard.content);
        built
    }

    /// Offers the best passage that is likely enough to answer and not on the screen yet.
    /// `now_ms` counts on any clock that doesn't go back.
    pub fn decide(&mut self, query: &CardQuery, found: &SearchResponse, now_ms: u64) -> Decision {
        let mut abstention = Abstention::NothingFound;
        for hit in &found.hits {
            let score = abstain::probability(&hit.features, query.act, found.degraded);
            if score < self.settings.threshold_for(query.act) {
                if abstention == Abstention::NothingFound {
                    abstention = Abstention::Unsure(score);
                }
                continue;
            }
            if self.is_on_screen(hit, now_ms) {
                // The next passage would answer less well than what the agent reads already,
                // unless it stands in the same article and the question goes on.
                abstention = Abstention::Shown;
                continue;
            }
            if abstention == Abstention::Shown && !self.goes_deeper(hit, query) {
                continue;
            }
            if !self.budget.take(now_ms) {
                return Decision::Abstain(Abstention::Budget);
            }
            self.shown.push(Shown { passage: hit.passage().id.clone(), at_ms: now_ms });
            return Decision::Offer(Box::new(answer(query, hit, score)));
        }
        Decision::Abstain(abstention)
    }

    fn is_on_screen(&self, hit: &SearchHit, now_ms: u64) -> bool {
        self.shown.iter().any(|shown| {
            shown.passage == hit.passage().id && now_ms < shown.at_ms + REPEAT_AFTER_MS
        })
    }

    /// A new question may open the next passage; a complaint that goes on may not.
    fn goes_deeper(&self, hit: &SearchHit, query: &CardQuery) -> bool {
        matches!(query.act, Act::Question | Act::Request)
            && !self.shown.iter().any(|shown| shown.passage == hit.passage().id)
    }
}

/// What a customer does with these words; `None` for small talk.
pub fn act_of(text: &str) -> Option<Act> {
    trigger::listen(Role::Customer, text).trigger.map(|trigger| trigger.act)
}

/// The search for the agent's own question. `recent` are the call's last turns, oldest first: a
/// question may lean on them ("and for a mobile?").
pub fn question_query(question: &str, recent: &[Turn], settings: &SuggestionSettings) -> CardQuery {
    let mut memory = Memory::default();
    for turn in recent {
        let role = turn.party.role;
        memory.keep(role, trigger::listen(role, turn.text.as_str()).content);
    }
    let mut request = memory.request(&trigger::Trigger::asked(question));
    request.limit = HITS;
    request.filter = settings.filter.clone();
    CardQuery { turn: TurnId::from(""), act: Act::Question, request, asker: Role::Agent }
}

/// Article id, title and heading of a passage that is near and doesn't answer.
pub type Nearest = Vec<(ArticleId, String, String)>;

/// The answer to the agent's own question, or what is nearest to it.
///
/// # Errors
/// The nearest passages, when none is likely enough to answer.
pub fn answer_question(
    query: &CardQuery,
    found: &SearchResponse,
    settings: &SuggestionSettings,
) -> Result<Answer, Nearest> {
    for hit in found.hits.iter().take(NEAREST) {
        let score = abstain::probability(&hit.features, query.act, found.degraded);
        if score >= settings.ask_threshold {
            return Ok(answer(query, hit, score));
        }
    }
    let mut nearest: Nearest = Vec::new();
    for hit in &found.hits {
        let known = nearest.iter().any(|(id, _, _)| *id == hit.article.id);
        if !known && nearest.len() < NEAREST {
            let heading = hit.passage().heading.clone();
            nearest.push((hit.article.id.clone(), hit.article.title.clone(), heading));
        }
    }
    Err(nearest)
}

fn answer(query: &CardQuery, hit: &SearchHit, score: f32) -> Answer {
    let passage = hit.passage();
    let quote = hit.quote().to_owned();
    let mut why = Vec::new();
    let about = query::topic_words(&query.request.query);
    if !about.is_empty() {
        let asker = query.asker.as_str();
        why.push(format!("{asker} {} {}", query.act.verb(), about.join(", ")));
    }
    why.extend(hit.why.iter().cloned());
    Answer {
        title: hit.article.title.clone(),
        heading: passage.heading.clone(),
        // Lines are wrapped in Markdown; a card is read in one piece. The quote keeps the wrap.
        text: quote.split_whitespace().collect::<Vec<_>>().join(" "),
        citations: vec![Citation {
            article_id: hit.article.id.clone(),
            passage_id: passage.id.clone(),
            revision: hit.article.revision,
            start_chars: hit.sentence.start_chars,
            end_chars: hit.sentence.end_chars,
            quote,
        }],
        score,
        why,
        generator: Generator::Extractive,
        valid_from: hit.article.valid_from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Party, PartyId, Redacted};
    use crate::knowledge::{Library, LibrarySettings, Source, passages_of};

    fn library() -> Library {
        let article = |id: &str, title: &str, body: &str| {
            let id = ArticleId::from(id);
            crate::domain::Article {
                passages: passages_of(&id, title, body),
                id,
                title: title.into(),
                body: body.into(),
                revision: 1,
                state: crate::domain::ArticleState::Published,
                audience: vec![crate::domain::Audience::Agent],
                products: Vec::new(),
                language: "en".into(),
                valid_from: None,
                review_by: None,
                source: None,
            }
        };
        let articles = vec![
            article("a", "Lost parcels", "## Tracing\nTracing a lost parcel takes 3 days.\n"),
            article("b", "Opening hours", "## Shop\nThe shop is open until 18:00.\n"),
            article("c", "Error codes", "## Codes\nE-104 means that the scanner is dirty.\n"),
        ];
        let settings = LibrarySettings::new(Source::Folder("nowhere".into()));
        Library::of_with(articles, &settings).unwrap()
    }

    fn turn(role: Role, text: &str) -> Turn {
        Turn {
            id: TurnId::from("t"),
            party: Party { id: PartyId::from("p"), role, name: None },
            start_ms: 0,
            end_ms: 0,
            text: Redacted::vouched(text),
            words: Vec::new(),
            mean_logprob: None,
            language: "en".into(),
        }
    }

    fn ask(question: &str, recent: &[Turn], ask_threshold: f32) -> Result<Answer, Nearest> {
        let settings = SuggestionSettings { ask_threshold, ..SuggestionSettings::default() };
        let query = question_query(question, recent, &settings);
        answer_question(&query, &library().search(&query.request).unwrap(), &settings)
    }

    #[test]
    fn a_question_gets_a_quoted_answer() {
        let answer = ask("how long does tracing a lost parcel take", &[], 0.0).unwrap();
        assert_eq!(answer.text, "Tracing a lost parcel takes 3 days.");
        assert_eq!(answer.citations[0].quote, answer.text);
        assert_eq!(answer.why[0], "agent asked about: long, tracing, lost, parcel");
    }

    #[test]
    fn an_unsure_answer_names_what_is_near_once_each() {
        let nearest = ask("lost parcel", &[], 1.1).unwrap_err();
        assert_eq!(nearest, [("a".into(), "Lost parcels".into(), "Tracing".into())]);
        assert!(ask("quantum chromodynamics", &[], 0.0).unwrap_err().is_empty());
    }

    #[test]
    fn a_question_leans_on_the_customers_matter_first() {
        let recent = [
            turn(
                Role::Customer,
                "My parcel is lost, it never came to the house on Elm Road today.",
            ),
            turn(Role::Agent, "The shop is open, and the scanner there is dirty."),
        ];
        let answer = ask("and how long does that take", &recent, 0.0).unwrap();
        assert_eq!(answer.citations[0].article_id, "a".into());
    }
}
