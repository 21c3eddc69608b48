//! Customers' questions that get no card: what the knowledge base lacks, or doesn't say so that it is found.
//!
//! Whether there will be a card is certain when the customer speaks again, or at the end: until then the agent's
//! reply may bring one.

use super::judge::Look;
use super::{Abstention, Act, CardQuery, Decision, Suggester, TELLING, query};
use crate::domain::{Abstained, NearestPassage, Role, TurnId, TurnQuestion};
use crate::insight::redaction;
use crate::knowledge::SearchHit;

impl Suggester {
    /// Nobody says anything more to the customer's last turn.
    pub fn close_question(&mut self) {
        if let Some(open) = self.open.take() {
            self.unanswered = open.silence.filter(|_| open.is_missed);
        }
    }

    /// The question that closed with the last turn and got no card. Call it after each turn.
    pub fn take_unanswered(&mut self) -> Option<Abstained> {
        self.unanswered.take()
    }

    /// What was asked, in the words that are searched for; `said` is all that the turn says. It is masked once
    /// more, since its sentences may come together anew.
    pub(super) fn question_of(&self, turn: &TurnId, searched: &str, said: &str) -> TurnQuestion {
        let leans = query::subjects(searched) < TELLING;
        let context = leans.then(|| self.memory.in_context(said)).flatten();
        TurnQuestion {
            turn: turn.clone(),
            text: redaction::typed(searched),
            context: context.map(|text| redaction::typed(&text)),
        }
    }

    /// Notes whether the open question has what it needs. A card that is on the screen already counts, as does one
    /// that only the budget kept back: neither is missing from the articles.
    pub(super) fn keep_silence(
        &mut self,
        query: &CardQuery,
        decision: &Decision,
        nearest: Option<(&SearchHit, f32)>,
    ) {
        let of_query = |open: &&mut super::Open| open.question.turn == query.question.turn;
        let Some(open) = self.open.as_mut().filter(of_query) else { return };
        let knows_none =
            matches!(decision, Decision::Abstain(Abstention::NothingFound | Abstention::Unsure(_)));
        match (knows_none, query.look) {
            (true, Look::Reply) => open.is_missed |= query.quiet.knows_nothing,
            (true, Look::Turn) => {
                open.is_missed = matches!(query.act, Act::Question | Act::Request);
                open.silence = wants(query).then(|| Abstained {
                    question: query.question.clone(),
                    nearest: nearest.map(near),
                });
            }
            (false, _) => open.silence = None,
        }
    }
}

/// Whether an answer may be missed: something is asked, or something is wrong. The latter is half small talk ("it
/// never rains"), so it counts only if the agent says that they don't know, either (`eval cards` on `tests/dialogues`
/// without articles: 37 of 63 wanted an answer).
fn wants(query: &CardQuery) -> bool {
    query.asker != Role::Agent && matches!(query.act, Act::Question | Act::Request | Act::Need)
}

fn near((hit, score): (&SearchHit, f32)) -> NearestPassage {
    NearestPassage {
        article_id: hit.article.id.clone(),
        title: hit.article.title.clone(),
        heading: hit.passage().heading.clone(),
        score,
    }
}
