//! Turns in, cards out: is there something to answer, what exactly is asked, does a passage answer
//! it, and may the copilot speak now?
//!
//! `session` feeds turns and time, and carries the query to `knowledge` and its response back. This
//! stage never calls a clock, a socket, a file or a model, so a call can be replayed through it.

pub mod abstain;
mod asked;
mod budget;
pub mod judge;
mod owned;
mod people;
mod phrases;
mod query;
mod questions;
mod reply;
mod saying;
mod topics;
mod trigger;
mod unanswered;

use crate::domain::{
    Abstained, Answer, ArticleId, Citation, Generator, PassageId, Redacted, Role,
    SuggestedQuestion, Turn, TurnId, TurnQuestion,
};
use crate::knowledge::{Filter, SearchHit, SearchRequest, SearchResponse, Span, terms};

pub use asked::{
    Asked, Nearest, answer_question, likely_articles, passages, question_query, which_of,
    whole_passage,
};
use budget::Budget;
use judge::{Background, EVIDENCE, Judge, Look, Quiet};
use owned::Owned;
use query::Memory;
use questions::Questions;
pub use reply::is_own_question;
use saying::Saying;
use topics::Topics;
pub use trigger::Act;

/// Hits looked at for one card.
const HITS: usize = 40;
/// A sentence about so many things is searched for by itself; about fewer, the whole turn is.
const TELLING: usize = 2;
/// How much the turn in context counts beside the turn when a sentence is chosen.
const CONTEXT_WEIGHT: f32 = 0.33;
/// A card that was shown less than this long ago is not shown again, however it is asked for.
const REPEAT_AFTER_MS: u64 = 45_000;
/// A smaller share than this rules silence out.
const RULED_OUT: f32 = 0.1;
/// From here on the agent's reply brings another passage than the one that was shown.
const BETTER: f32 = 0.7;

#[derive(Clone, Debug)]
pub struct SuggestionSettings {
    /// A card is shown from this calibrated probability on.
    pub threshold: f32,
    /// The same when silence is all but ruled out: something is asked for that the articles know,
    /// and only which passage says it best is open.
    pub sure_threshold: f32,
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
            threshold: 0.45,
            sure_threshold: 0.33,
            ask_threshold: 0.35,
            burst: 3,
            refill_per_minute: 3,
            filter: Filter::default(),
        }
    }
}

/// A question that arose from a turn. Search for `request`, then let [`Suggester::decide`].
#[derive(Clone, Debug)]
pub struct CardQuery {
    pub turn: TurnId,
    pub act: Act,
    pub request: SearchRequest,
    pub look: Look,
    pub quiet: Quiet,
    pub question: TurnQuestion,
    asker: Role,
    /// The words that ask.
    asked: String,
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
    /// Weights instead of the shipped ones.
    judge: Option<Judge>,
    memory: Memory,
    budget: Budget,
    shown: Vec<Shown>,
    topics: Topics,
    questions: Questions,
    open: Option<Open>,
    asked_identity: bool,
    saying: Option<Saying>,
    unanswered: Option<Abstained>,
    owned: Owned,
}

struct Shown {
    passage: PassageId,
    sentence: Span,
    at_ms: u64,
}

/// The customer's last turn, until the customer speaks again.
struct Open {
    start_ms: u64,
    text: String,
    question: TurnQuestion,
    asked: String,
    quiet: Quiet,
    /// While it got no card, and whether that is a want.
    silence: Option<Abstained>,
    is_missed: bool,
    /// What its hits were worth.
    shares: Vec<(PassageId, ArticleId, f32)>,
    answered: bool,
    replied: bool,
}

impl Suggester {
    pub fn new(settings: &SuggestionSettings) -> Self {
        Self {
            settings: settings.clone(),
            judge: None,
            memory: Memory::default(),
            budget: Budget::new(settings.burst, settings.refill_per_minute),
            shown: Vec::new(),
            topics: Topics::default(),
            questions: Questions::default(),
            open: None,
            asked_identity: false,
            saying: None,
            unanswered: None,
            owned: Owned::default(),
        }
    }

    /// What the customer has bought.
    pub fn customer_has(&mut self, products: &[Redacted]) {
        self.owned = Owned::of(products);
    }

    /// With weights that are being fitted.
    pub fn with_judge(settings: &SuggestionSettings, judge: Judge) -> Self {
        Self { judge: Some(judge), ..Self::new(settings) }
    }

    /// Remembers the turn, and returns a query when there is something to answer in it. A customer's
    /// turn is looked at once more when the agent has replied: the reply says what it was about, and
    /// the article says it exactly.
    pub fn consider(&mut self, turn: &Turn) -> Option<CardQuery> {
        let role = turn.party.role;
        self.memory.hear(turn.text.as_str());
        let is_customer = matches!(role, Role::Customer | Role::Mixed);
        let (mut saying, goes_on) = self.said_with(turn);
        let heard = trigger::listen(role, &saying.text);
        let query = if is_customer {
            if !goes_on {
                self.questions.count_message();
                self.close_question();
            }
            self.open = None;
            let trigger = heard.trigger.as_ref();
            trigger.map(|trigger| self.look_at_turn(turn, &saying, trigger, &heard.content))
        } else {
            if let Some(open) = self.open.as_mut().filter(|_| goes_on) {
                open.replied = false;
            }
            self.look_at_reply(turn, &saying, &heard)
        };
        let is_identity = is_customer && saying.asked_identity;
        saying.is_kept = self.memory.keep_turn(role, &heard.content, is_identity);
        self.asked_identity = heard.asks_identity;
        self.saying = Some(saying);
        query
    }

    fn look_at_turn(
        &mut self,
        turn: &Turn,
        saying: &Saying,
        trigger: &trigger::Trigger,
        text: &str,
    ) -> CardQuery {
        let own_terms = distinct_terms(&trigger.focus);
        // "When would that be?" says nothing without the rest of the turn.
        let tells = query::subjects(&trigger.focus) >= TELLING;
        let bare = if tells { &trigger.focus } else { text };
        let whole = bare != text;
        let quiet = Quiet {
            act: trigger.act,
            terms: distinct_terms(text),
            own_terms,
            ends_in_question: text.ends_with('?'),
            knows_nothing: false,
            asked_identity: saying.asked_identity,
        };
        let question = self.question_of(&turn.id, bare, text);
        self.open = Some(Open {
            start_ms: saying.start_ms,
            text: text.to_owned(),
            question: question.clone(),
            asked: trigger.focus.clone(),
            quiet,
            silence: None,
            is_missed: false,
            shares: Vec::new(),
            answered: false,
            replied: false,
        });
        CardQuery {
            turn: turn.id.clone(),
            act: trigger.act,
            request: self.request(
                bare,
                self.memory.in_context(text).or_else(|| whole.then(|| text.to_owned())),
            ),
            look: Look::Turn,
            quiet,
            question,
            asker: turn.party.role,
            asked: trigger.focus.clone(),
        }
    }

    fn look_at_reply(
        &mut self,
        turn: &Turn,
        saying: &Saying,
        heard: &trigger::Heard,
    ) -> Option<CardQuery> {
        let text = saying.text.as_str();
        // What began before the customer's turn, and was final after it, is no reply to it.
        let replies = |open: &&mut Open| !open.replied && saying.start_ms >= open.start_ms;
        if let Some(open) = self.open.as_mut().filter(replies) {
            open.replied = true;
            let said = if heard.content.is_empty() { text } else { &heard.content };
            let in_context = format!("{} {said}", open.text);
            let quiet = Quiet {
                terms: distinct_terms(text),
                own_terms: distinct_terms(text),
                ends_in_question: text.ends_with('?'),
                knows_nothing: heard.knows_nothing,
                ..open.quiet
            };
            let (act, asked, question) = (quiet.act, open.asked.clone(), open.question.clone());
            let request = self.request(text, Some(in_context));
            return Some(CardQuery {
                turn: turn.id.clone(),
                act,
                request,
                look: Look::Reply,
                quiet,
                question,
                asker: Role::Customer,
                asked,
            });
        }
        let trigger = heard.trigger.as_ref()?;
        let quiet = Quiet {
            act: trigger.act,
            terms: distinct_terms(&trigger.focus),
            own_terms: distinct_terms(&trigger.focus),
            ends_in_question: false,
            knows_nothing: false,
            asked_identity: false,
        };
        Some(CardQuery {
            turn: turn.id.clone(),
            act: trigger.act,
            request: self.request(&trigger.focus, self.memory.in_context(&trigger.focus)),
            look: Look::Turn,
            quiet,
            question: self.question_of(&turn.id, &trigger.focus, &trigger.focus),
            asker: turn.party.role,
            asked: trigger.focus.clone(),
        })
    }

    fn request(&self, text: &str, in_context: Option<String>) -> SearchRequest {
        let mut request = SearchRequest::new(text);
        request.in_context = in_context;
        request.context_weight = CONTEXT_WEIGHT;
        request.limit = HITS;
        request.also = self.topics.articles();
        request.talk = self.memory.talk();
        request.filter = self.settings.filter.clone();
        request
    }

    /// The numbers that each hit is judged by.
    pub fn evidence(&self, query: &CardQuery, found: &SearchResponse) -> Vec<[f32; EVIDENCE]> {
        let open = self.open.as_ref().filter(|_| query.look == Look::Reply);
        let shares = open.map_or(&[][..], |open| &open.shares);
        let of_hit = |hit: &SearchHit| {
            let (article, passage) = (&hit.article.id, &hit.passage().id);
            let own = shares.iter().filter(|(_, of, _)| of == article);
            let background = Background {
                topic: self.topics.share(article),
                article: own.map(|(_, _, share)| share).sum(),
                passage: shares.iter().find(|(id, ..)| id == passage).map_or(0.0, |one| one.2),
            };
            judge::evidence(&hit.features, background)
        };
        found.hits.iter().map(of_hit).collect()
    }

    /// Offers the passage that stands out, if it is likely enough to answer and not on the screen.
    /// `now_ms` counts on any clock that doesn't go back.
    pub fn decide(&mut self, query: &CardQuery, found: &SearchResponse, now_ms: u64) -> Decision {
        let (decision, nearest) = self.choose(query, found, now_ms);
        self.keep_silence(query, &decision, nearest);
        decision
    }

    /// The decision, and the hit that it is about with what it is worth.
    fn choose<'a>(
        &mut self,
        query: &CardQuery,
        found: &'a SearchResponse,
        now_ms: u64,
    ) -> (Decision, Option<(&'a SearchHit, f32)>) {
        let judge = self.judge.unwrap_or_else(|| Judge::shipped(found.degraded));
        let weights = judge.of(query.look);
        let prior = |hit: &SearchHit| hit.features.feedback + self.owned.prior(hit);
        let priors: Vec<f32> = found.hits.iter().map(prior).collect();
        let mut shares =
            weights.shares(&self.evidence(query, found), &priors, &query.quiet.inputs());
        let answered = self.learn(query, found, &shares);
        self.questions.learn(query.act, found);
        let Some((hit, share)) = people::best(&found.hits, &mut shares).map(|best| (&found.hits[best], shares[best])) else {
            return (Decision::Abstain(Abstention::NothingFound), None);
        };
        let nearest = Some((hit, share));
        let abstain = |why| (Decision::Abstain(why), nearest);
        let silence = 1.0 - shares.iter().sum::<f32>();
        let is_wanted = silence < RULED_OUT && share >= self.settings.sure_threshold;
        if share < self.settings.threshold && !is_wanted {
            return abstain(Abstention::Unsure(share));
        }
        let is_better = share >= BETTER && !self.is_last_shown(hit);
        if (answered && !is_better) || self.is_on_screen(hit, now_ms) {
            return abstain(Abstention::Shown);
        }
        if !self.budget.take(now_ms) {
            return abstain(Abstention::Budget);
        }
        let passage = hit.passage().id.clone();
        self.shown.push(Shown { passage, sentence: hit.sentence, at_ms: now_ms });
        if let Some(open) = self.open.as_mut().filter(|open| open.question.turn == query.turn) {
            open.answered = true;
        }
        let mut answer = answer(query, hit, share);
        let owned = self.owned.product(hit);
        answer.why.extend(owned.map(|product| format!("the customer has: {product}")));
        (Decision::Offer(Box::new(answer)), nearest)
    }

    /// A card that was shown before a restart, for this turn.
    pub fn recall(&mut self, trigger: &TurnId, citation: &Citation, at_ms: u64) {
        let sentence = Span { start_chars: citation.start_chars, end_chars: citation.end_chars };
        self.shown.push(Shown { passage: citation.passage_id.clone(), sentence, at_ms });
        if let Some(open) = self.open.as_mut().filter(|open| open.question.turn == *trigger) {
            open.answered = true;
        }
    }

    /// What the agent may want to ask now: with every third message of the customer, where that
    /// changes anything. Call it when no search is under way.
    pub fn questions(&mut self) -> Option<Vec<SuggestedQuestion>> {
        let shown = &self.shown;
        self.questions.fresh(&|passage| shown.iter().any(|one| one.passage == *passage))
    }

    /// Keeps what the hits are worth, and tells whether the turn that is replied to has its card.
    fn learn(&mut self, query: &CardQuery, found: &SearchResponse, shares: &[f32]) -> bool {
        let worth: Vec<(PassageId, ArticleId, f32)> = (found.hits.iter().zip(shares))
            .filter(|(_, share)| **share > 0.0)
            .map(|(hit, share)| (hit.passage().id.clone(), hit.article.id.clone(), *share))
            .collect();
        self.topics.turn_over(worth.iter().map(|(_, article, share)| (article, *share)));
        match &mut self.open {
            Some(open) if open.question.turn == query.turn => {
                open.shares = worth;
                false
            }
            Some(open) => query.look == Look::Reply && open.answered,
            None => query.look == Look::Reply,
        }
    }

    fn is_last_shown(&self, hit: &SearchHit) -> bool {
        self.shown.last().is_some_and(|shown| shown.passage == hit.passage().id)
    }

    /// Whether the sentence can be read on the screen: another one of its passage may be wanted.
    fn is_on_screen(&self, hit: &SearchHit, now_ms: u64) -> bool {
        let (id, sentence) = (&hit.passage().id, hit.sentence);
        self.shown.iter().any(|shown| {
            shown.passage == *id
                && shown.sentence.start_chars <= sentence.start_chars
                && sentence.end_chars <= shown.sentence.end_chars
                && now_ms < shown.at_ms + REPEAT_AFTER_MS
        })
    }
}

fn distinct_terms(text: &str) -> usize {
    let mut terms = terms::terms(text);
    terms.sort_unstable();
    terms.dedup();
    terms.len()
}

/// What a customer does with these words; `None` for small talk.
pub fn act_of(text: &str) -> Option<Act> {
    trigger::listen(Role::Customer, text).trigger.map(|trigger| trigger.act)
}

fn answer(query: &CardQuery, hit: &SearchHit, score: f32) -> Answer {
    let passage = hit.passage();
    let quote = hit.quote().to_owned();
    let mut why = Vec::new();
    let about = query::topic_words(&query.asked);
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
        is_verbatim: hit.article.verbatim,
    }
}

#[cfg(test)]
mod tests;
