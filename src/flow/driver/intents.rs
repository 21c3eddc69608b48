//! What the customer's turns mean: their intents, told behind each turn and in their order, and what the disposition is
//! chosen by at the end. Neither the turn nor its card waits for it, nor does the end.
//!
//! A turn is embedded once. Where it is searched for, the search's vector is read; where it isn't, it is embedded in
//! the background, and that vector serves a search that comes later. Only where the search is for a part of the turn,
//! and dispositions are chosen by the whole, are there two.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::call::{Answer, Call};
use crate::domain::{IntentSeen, Role, Turn, TurnId, TurnIntent};
use crate::flow::suggestion::CardQuery;
use crate::flow::suggestion::judge::Look;
use crate::models::ENGLISH;
use crate::models::embedder::{EmbedderError, Urgency};

/// Behind an import of articles a turn would wait for minutes, and all intents behind it.
const PATIENCE_MS: u64 = 2_000;
const PATIENCE: Duration = Duration::from_millis(PATIENCE_MS);
/// Turns of one conversation, the newest, that wait while nobody can read intents yet.
const EARLY_MAX: usize = 64;

/// A text and its vector → what it wants. It takes a few milliseconds of a thread of its own.
pub type Reader = Arc<dyn Fn(&str, &[f32]) -> IntentSeen + Send + Sync>;

/// Reads intents once it has been trained. Cheap to clone.
#[derive(Clone, Default)]
pub struct Intents(Arc<watch::Sender<Option<Reader>>>);

impl std::fmt::Debug for Intents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intents").field("trained", &self.reader().is_some()).finish()
    }
}

impl Intents {
    /// Intents are told from now on, also of turns of live conversations that were said before. The first one stays.
    pub fn trained(&self, reader: Reader) {
        self.0.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(reader);
            is_first
        });
    }

    fn reader(&self) -> Option<Reader> {
        self.0.borrow().clone()
    }

    async fn are_trained(&self) {
        // What it waits for is kept by `self`.
        let _ = self.0.subscribe().wait_for(Option::is_some).await;
    }
}

/// What a reader makes of a text. Without an answer the intents behind it could never be told.
pub(super) fn read(reader: Option<&Reader>, text: &str, vector: &[f32]) -> Option<IntentSeen> {
    let reader = reader?;
    catch_unwind(AssertUnwindSafe(|| reader(text, vector)))
        .inspect_err(|_| tracing::error!("reading an intent panicked"))
        .ok()
}

/// The vector, if it comes in time. Those behind it are told without it.
async fn soon(
    embedding: impl Future<Output = Result<Vec<Vec<f32>>, EmbedderError>>,
) -> Option<Vec<f32>> {
    let made = tokio::time::timeout(PATIENCE, embedding).await;
    let made = made.unwrap_or(Err(EmbedderError::Late(PATIENCE_MS)));
    let made = made.inspect_err(|error| tracing::debug!(%error, "a turn without a vector"));
    made.ok()?.into_iter().next()
}

/// Turns whose intent is not told yet.
#[derive(Default)]
pub(super) struct Unread {
    waiting: VecDeque<Waiting>,
    /// The last turn's vector that was made without a search.
    vector: Option<(String, Vec<f32>)>,
}

struct Waiting {
    turn: TurnId,
    text: String,
    /// Somebody is at it.
    is_taken: bool,
    by_search: bool,
    /// Nobody could read it when it was taken.
    is_early: bool,
    /// Of one that was too early, with the text that it is of.
    vector: Option<(String, Vec<f32>)>,
    /// No vector could be made of it while it was too early.
    has_failed: bool,
    seen: Option<IntentSeen>,
}

impl Waiting {
    fn new(turn: TurnId, text: String) -> Self {
        Self {
            turn,
            text,
            is_taken: false,
            by_search: false,
            is_early: false,
            vector: None,
            has_failed: false,
            seen: None,
        }
    }
}

impl Unread {
    fn find(&mut self, turn: &TurnId) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|one| one.turn == *turn)
    }

    /// One more; the oldest isn't waited for where there are too many.
    fn enter(&mut self, turn: TurnId, text: String) {
        if self.waiting.len() >= EARLY_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting::new(turn, text));
    }

    /// Whether a turn that nobody could read waits for somebody who can.
    fn waits(&mut self, turn: &TurnId, vector: Option<&(String, Vec<f32>)>) -> bool {
        let Some(one) = self.find(turn).filter(|one| one.is_early) else { return false };
        (one.is_taken, one.by_search, one.is_early) = (false, false, false);
        (one.vector, one.has_failed) = (vector.cloned(), vector.is_none());
        true
    }

    /// What is known now, up to the first that isn't. Nothing is known of what failed.
    fn seen(&mut self, turn: &TurnId, seen: Option<IntentSeen>) -> Vec<TurnIntent> {
        match (self.find(turn), seen) {
            (Some(one), Some(seen)) => one.seen = Some(seen),
            (Some(_), None) => self.waiting.retain(|one| one.turn != *turn),
            (None, _) => {}
        }
        let mut told = Vec::new();
        while let Some(Waiting { seen: Some(_), .. }) = self.waiting.front()
            && let Some(Waiting { turn, seen: Some(seen), .. }) = self.waiting.pop_front()
        {
            told.push(TurnIntent { turn_id: turn, seen });
        }
        told
    }
}

impl Call {
    /// A turn is final: what it means is wanted. The model has read English only.
    pub fn understand(&mut self, turn: &Turn) {
        let is_customers = matches!(turn.party.role, Role::Customer | Role::Mixed);
        let is_wanted = self.shared.settings.intents.is_some() || self.classifies();
        if is_customers && turn.language == ENGLISH && is_wanted {
            self.unread.enter(turn.id.clone(), turn.text.as_str().to_owned());
        }
    }

    /// Tells this conversation once intents can be read, if they can't yet.
    pub fn await_reader(&self, answer: &mpsc::UnboundedSender<Answer>) {
        let Some(intents) = self.shared.settings.intents.clone().filter(|_| self.awaits_reader())
        else {
            return;
        };
        let answer = answer.clone();
        self.shared.tasks.spawn(async move {
            tokio::select! {
                () = intents.are_trained() => {
                    // A call that has ended doesn't want to know.
                    let _ = answer.send(Answer::Readable);
                }
                () = answer.closed() => {}
            }
        });
    }

    fn awaits_reader(&self) -> bool {
        self.shared.settings.intents.is_some() && self.reader().is_none()
    }

    /// The search makes the vector of this turn, or takes the one that was made; whether it is read then.
    pub fn search_reads(&mut self, query: &mut CardQuery) -> bool {
        query.request.known.clone_from(&self.unread.vector);
        let (classifies, is_early) = (self.classifies(), self.awaits_reader());
        let turn = self.unread.find(&query.turn).filter(|one| {
            let is_enough = !classifies || one.text == query.request.query;
            query.look == Look::Turn && is_enough && !one.is_taken
        });
        let Some(turn) = turn else { return false };
        (turn.is_taken, turn.by_search, turn.is_early) = (true, true, is_early);
        true
    }

    /// Embeds the turns that no search is made for, in the background.
    pub fn read_rest(&mut self, answer: &mpsc::UnboundedSender<Answer>) {
        if self.unread.waiting.iter().all(|one| one.is_taken) {
            return;
        }
        let (reader, embedder) = (self.reader(), self.shared.library.embedder());
        let (is_early, classifies) = (self.awaits_reader(), self.classifies());
        let waiting = self.unread.waiting.iter_mut().filter(|one| !one.is_taken);
        for one in waiting {
            let has_tried = one.has_failed || one.vector.is_some();
            if is_early && (has_tried || !classifies || embedder.is_none()) {
                continue;
            }
            (one.is_taken, one.is_early) = (true, is_early);
            let (turn, text, answer) = (one.turn.clone(), one.text.clone(), answer.clone());
            if let Some((text, vector)) = one.vector.take() {
                let reader = reader.clone();
                self.shared.tasks.spawn_blocking(move || {
                    let seen = read(reader.as_ref(), &text, &vector);
                    let _ = answer.send(Answer::Read(turn, seen, Some((text, vector))));
                });
                continue;
            }
            let Some(embedder) = embedder.clone() else {
                let _ = answer.send(Answer::Read(turn, None, None));
                continue;
            };
            let (shared, reader) = (Arc::clone(&self.shared), reader.clone());
            self.shared.tasks.spawn(async move {
                let embedding = async {
                    shared.learn_rules(&embedder).await?;
                    embedder.embed(vec![text.clone()], Urgency::Background).await
                };
                let Some(vector) = soon(embedding).await else {
                    // A busy model leaves a turn out; those behind it are told all the same.
                    let _ = answer.send(Answer::Read(turn, None, None));
                    return;
                };
                let _ = tokio::task::spawn_blocking(move || {
                    let seen = read(reader.as_ref(), &text, &vector);
                    // A call that has ended doesn't want to know.
                    let _ = answer.send(Answer::Read(turn, seen, Some((text, vector))));
                })
                .await;
            });
        }
    }

    /// Reads vectors, on a thread for what blocks.
    pub fn reader(&self) -> Option<Reader> {
        self.shared.settings.intents.as_ref().and_then(Intents::reader)
    }

    /// What came of a turn: its intent, and its vector by the text that it is of.
    pub fn read(
        &mut self,
        turn: &TurnId,
        seen: Option<IntentSeen>,
        vector: Option<(String, Vec<f32>)>,
    ) {
        let whole = self.unread.find(turn).map(|one| one.text.clone());
        if let Some((text, vector)) = &vector
            && self.classifies()
            && whole.as_ref() == Some(text)
            && let Some(notes) = &mut self.notes
        {
            notes.understood(turn.clone(), vector.clone());
        }
        let waits = seen.is_none() && self.unread.waits(turn, vector.as_ref());
        self.unread.vector = vector.or(self.unread.vector.take());
        if waits {
            return;
        }
        for intent in self.unread.seen(turn, seen) {
            self.session.understood(intent);
        }
    }

    fn classifies(&self) -> bool {
        self.notes.is_some() && self.shared.classifies()
    }

    /// The search failed, or had no vector: the turn is embedded by itself.
    pub fn was_not_read(&mut self, turn: &TurnId) {
        if let Some(one) = self.unread.find(turn).filter(|one| one.by_search) {
            (one.is_taken, one.by_search) = (false, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(turns: &[&str]) -> Unread {
        let mut unread = Unread::default();
        turns.iter().for_each(|turn| unread.enter(TurnId::from(*turn), String::new()));
        unread.waiting.iter_mut().for_each(|one| one.is_taken = true);
        unread
    }

    fn told(unread: &mut Unread, turn: &str, seen: Option<IntentSeen>) -> Vec<String> {
        let told = unread.seen(&turn.into(), seen);
        told.into_iter().map(|one| one.turn_id.to_string()).collect()
    }

    #[test]
    fn intents_are_told_in_the_order_of_their_turns() {
        let mut unread = unread(&["t-1", "t-2", "t-3"]);
        let seen = || Some(IntentSeen::default());
        assert!(told(&mut unread, "t-2", seen()).is_empty(), "the first isn't known yet");
        assert_eq!(told(&mut unread, "t-1", seen()), ["t-1", "t-2"]);
        assert_eq!(told(&mut unread, "t-3", seen()), ["t-3"]);
        assert!(told(&mut unread, "t-3", seen()).is_empty(), "once");
    }

    /// The clock is the runtime's: it goes on by itself while everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_vector_that_never_comes_is_not_waited_for() {
        assert_eq!(soon(std::future::pending()).await, None);
        assert_eq!(soon(async { Ok(vec![vec![1.0]]) }).await, Some(vec![1.0]));
        assert_eq!(soon(async { Err(EmbedderError::Busy) }).await, None);
    }

    #[test]
    fn a_turn_that_failed_holds_nobody_up() {
        let mut unread = unread(&["t-1", "t-2"]);
        assert!(told(&mut unread, "t-2", Some(IntentSeen::default())).is_empty());
        assert_eq!(told(&mut unread, "t-1", None), ["t-2"]);
    }
    #[test]
    fn a_turn_that_nobody_could_read_keeps_its_vector() {
        let mut unread = unread(&["t-1", "t-2"]);
        let vector = ("hello".to_owned(), vec![1.0]);
        assert!(!unread.waits(&"t-1".into(), Some(&vector)), "it failed");
        unread.waiting[0].is_early = true;
        assert!(unread.waits(&"t-1".into(), Some(&vector)));
        assert_eq!((unread.waiting[0].is_taken, &unread.waiting[0].vector), (false, &Some(vector)));
        assert_eq!(told(&mut unread, "t-2", Some(IntentSeen::default())), [] as [&str; 0]);
        assert_eq!(told(&mut unread, "t-1", Some(IntentSeen::default())), ["t-1", "t-2"]);
    }

    #[test]
    fn of_many_turns_the_newest_wait() {
        let names: Vec<String> = (0..EARLY_MAX + 3).map(|turn| format!("t-{turn}")).collect();
        let unread = unread(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((unread.waiting.len(), unread.waiting[0].turn.as_str()), (EARLY_MAX, "t-3"));
    }
}
