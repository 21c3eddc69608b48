//! The agent's own question: its search, and what the passages say to it.

use super::judge::{Look, Quiet};
use super::people::is_for_people;
use super::query::Memory;
use super::{Act, CardQuery, SuggestionSettings, abstain, answer, trigger};
use crate::domain::{Answer, ArticleId, Citation, Passage, Role, Turn, TurnId, TurnQuestion};
use crate::insight::redaction;
use crate::knowledge::{SearchHit, SearchResponse};

const HITS: usize = 8;
/// Nearest passages named when nothing answers.
const NEAREST: usize = 3;
/// Whole passages that a model is given.
const PASSAGES: usize = 5;
/// From this probability on an answer is no guess, whatever else is near.
const SURE: f32 = 0.6;
/// A passage of another article that is so much as likely may be what is meant.
const AS_LIKELY: f32 = 0.9;

/// Article id, title and heading of a passage.
pub type Nearest = Vec<(ArticleId, String, String)>;

/// What the passages say to a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Answer(Box<Answer>),
    /// Passages of different articles are about as likely, and none is sure.
    Ambiguous(Nearest),
    /// None is likely enough; these are nearest.
    Nothing(Nearest),
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
    let quiet = Quiet {
        act: Act::Question,
        terms: 0,
        own_terms: 0,
        ends_in_question: true,
        knows_nothing: false,
        asked_identity: false,
    };
    CardQuery {
        turn: TurnId::from(""),
        act: Act::Question,
        request,
        look: Look::Turn,
        quiet,
        question: TurnQuestion {
            turn: TurnId::from(""),
            text: redaction::typed(question),
            context: None,
        },
        asker: Role::Agent,
        asked: question.to_owned(),
    }
}

/// The quoted answer to the agent's own question: a sentence, or the whole passage of an article
/// whose words may not be changed.
pub fn answer_question(
    query: &CardQuery,
    found: &SearchResponse,
    settings: &SuggestionSettings,
) -> Asked {
    let likely: Vec<(&SearchHit, f32)> = (found.hits.iter().take(NEAREST))
        .filter(|hit| is_for_people(hit))
        .map(|hit| (hit, abstain::probability(&hit.features, query.act, found.degraded)))
        .filter(|(_, score)| *score >= settings.ask_threshold)
        .collect();
    let Some(&(best, score)) = likely.first() else {
        return Asked::Nothing(named(found.hits.iter()));
    };
    let rivals = likely
        .iter()
        .filter(|(hit, other)| hit.article.id != best.article.id && *other >= score * AS_LIKELY);
    let rivals: Vec<&SearchHit> = rivals.map(|(hit, _)| *hit).collect();
    if score < SURE && !rivals.is_empty() {
        return Asked::Ambiguous(named(std::iter::once(best).chain(rivals)));
    }
    let mut quoted = answer(query, best, score);
    if best.article.verbatim {
        let whole = whole(best);
        quoted.text.clone_from(&whole.quote);
        quoted.citations = vec![whole];
    }
    Asked::Answer(Box::new(quoted))
}

/// The articles that come nearest to a question, with how likely each answers it; the likeliest first.
pub fn likely_articles(query: &CardQuery, found: &SearchResponse) -> Vec<(ArticleId, String, f32)> {
    let mut likely: Vec<(ArticleId, String, f32)> = Vec::new();
    for hit in found.hits.iter().take(NEAREST) {
        let score = abstain::probability(&hit.features, query.act, found.degraded);
        match likely.iter_mut().find(|(id, ..)| *id == hit.article.id) {
            Some(known) => known.2 = known.2.max(score),
            None => likely.push((hit.article.id.clone(), hit.article.title.clone(), score)),
        }
    }
    likely.sort_by(|a, b| b.2.total_cmp(&a.2));
    likely
}

/// What a model may answer from: the passages that were found, whole, without those whose words may
/// not be changed.
pub fn passages(found: &SearchResponse) -> Vec<Citation> {
    let free = found.hits.iter().filter(|hit| !hit.article.verbatim);
    free.take(PASSAGES).map(whole).collect()
}

/// A question back, where passages of different articles are as likely.
pub fn which_of(meant: &Nearest) -> String {
    let names: Vec<String> =
        meant.iter().map(|(_, _, heading)| format!("\u{201c}{heading}\u{201d}")).collect();
    format!("Which is it about: {}?", names.join(" or "))
}

fn named<'a>(hits: impl Iterator<Item = &'a SearchHit>) -> Nearest {
    let mut nearest: Nearest = Vec::new();
    for hit in hits {
        let known = nearest.iter().any(|(id, _, _)| *id == hit.article.id);
        if !known && nearest.len() < NEAREST {
            let heading = hit.passage().heading.clone();
            nearest.push((hit.article.id.clone(), hit.article.title.clone(), heading));
        }
    }
    nearest
}

fn whole(hit: &SearchHit) -> Citation {
    whole_passage(&hit.article.id, hit.article.revision, hit.passage())
}

/// A passage cited from its first word to its last.
pub fn whole_passage(article_id: &ArticleId, revision: u32, passage: &Passage) -> Citation {
    Citation {
        article_id: article_id.clone(),
        passage_id: passage.id.clone(),
        revision,
        start_chars: 0,
        end_chars: passage.text.chars().count(),
        quote: passage.text.clone(),
    }
}
