//! Which drafts of a wrap-up stand, and what was made of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use ulid::{ULID_LEN, Ulid};
use utoipa::ToSchema;

use super::VerdictView;
use crate::domain::{Occasion, Recorded, ReviewVerdict};
use crate::store::StoreError;
use crate::store::codec::{self, time_text};
use crate::store::wire::{
    WrapUpArticle, WrapUpDisposition, WrapUpEmail, WrapUpFollowUp, WrapUpHead, WrapUpSummary,
    WrapUpVerdict,
};

/// The newest drafts of each sort, and what was made of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct WrapUpView {
    #[schema(required)]
    pub(super) summary: Option<WrapUpSummary>,
    #[schema(required)]
    hand_over: Option<WrapUpSummary>,
    #[schema(required)]
    pub(super) email: Option<WrapUpEmail>,
    #[schema(required)]
    article: Option<WrapUpArticle>,
    pub(super) follow_ups: Vec<WrapUpFollowUp>,
    #[schema(required)]
    pub(super) disposition: Option<WrapUpDisposition>,
    /// By the draft's identifier.
    pub(super) verdicts: BTreeMap<String, VerdictView>,
    /// By the draft's identifier: the `sequence` of the event that is shown. A better text may come
    /// under the same identifier.
    sequences: BTreeMap<String, u64>,
    #[serde(skip)]
    former: Former,
}

/// What gave way last. Somebody may still be writing in it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Former {
    summary: Option<WrapUpSummary>,
    email: Option<WrapUpEmail>,
}

impl WrapUpView {
    /// Takes in the next event; those that are no wrap-up change nothing.
    pub fn take(&mut self, event: &Recorded) -> Result<(), StoreError> {
        match &*event.kind {
            codec::WRAPUP_SUMMARY => {
                let new: WrapUpSummary = codec::data(event)?;
                if new.head.occasion == Occasion::HandOver.as_str() {
                    self.place(|view| &mut view.hand_over, new, |one| &one.head, event.sequence);
                } else {
                    let old =
                        self.place(|view| &mut view.summary, new, |one| &one.head, event.sequence);
                    self.former.summary = old.or_else(|| self.former.summary.take());
                }
            }
            codec::WRAPUP_EMAIL => {
                let new: WrapUpEmail = codec::data(event)?;
                let old = self.place(|view| &mut view.email, new, |one| &one.head, event.sequence);
                self.former.email = old.or_else(|| self.former.email.take());
            }
            codec::WRAPUP_ARTICLE => {
                let new: WrapUpArticle = codec::data(event)?;
                self.place(|view| &mut view.article, new, |one| &one.head, event.sequence);
            }
            codec::WRAPUP_DISPOSITION => {
                let new: WrapUpDisposition = codec::data(event)?;
                self.place(|view| &mut view.disposition, new, |one| &one.head, event.sequence);
            }
            codec::WRAPUP_FOLLOW_UP => self.follow_up(codec::data(event)?, event.sequence),
            codec::WRAPUP_VERDICT => {
                let data: WrapUpVerdict = codec::data(event)?;
                // Another text came between the look and the log: it has been judged by nobody.
                let shown = self.sequence(&data.wrapup_id);
                let is_of_another =
                    data.sequence.zip(shown).is_some_and(|(seen, shown)| seen != shown);
                if is_of_another && data.verdict != ReviewVerdict::Edited.as_str() {
                    return Ok(());
                }
                let verdict = VerdictView {
                    verdict: data.verdict,
                    text: data.text,
                    at: time_text(event.time),
                };
                self.verdicts.insert(data.wrapup_id.clone(), verdict);
                self.recall(&data.wrapup_id);
            }
            _ => {}
        }
        Ok(())
    }

    /// Of the text that is shown under this identifier.
    pub fn sequence(&self, id: &str) -> Option<u64> {
        self.sequences.get(id).copied()
    }

    /// What accepting the disposition with this identifier chooses.
    pub fn likeliest(&self, id: &str) -> Option<&str> {
        let disposition = self.disposition.as_ref().filter(|one| one.head.wrapup_id == id)?;
        disposition.choices.first().map(|choice| choice.code.as_str())
    }

    /// Returns another draft that gave way.
    fn place<T>(
        &mut self,
        place: impl Fn(&mut Self) -> &mut Option<T>,
        new: T,
        head: impl Fn(&T) -> &WrapUpHead,
        sequence: u64,
    ) -> Option<T> {
        let old = place(self).take();
        if old.as_ref().is_some_and(|old| !self.displaces(head(&new), head(old))) {
            *place(self) = old;
            return None;
        }
        self.sequences.insert(head(&new).wrapup_id.clone(), sequence);
        let former = old.filter(|old| head(old).wrapup_id != head(&new).wrapup_id);
        *place(self) = Some(new);
        former
    }

    /// What was accepted or edited after an order stands, also where the ordered text came between.
    fn recall(&mut self, id: &str) {
        let returns = |former: &WrapUpHead, now: &WrapUpHead| {
            let is_free = !self.verdicts.contains_key(&now.wrapup_id);
            former.wrapup_id == id && is_free && !self.displaces(now, former)
        };
        let of_email = self.former.email.as_ref().zip(self.email.as_ref());
        let email = of_email.is_some_and(|(former, now)| returns(&former.head, &now.head));
        let of_summary = self.former.summary.as_ref().zip(self.summary.as_ref());
        let summary = of_summary.is_some_and(|(former, now)| returns(&former.head, &now.head));
        if email {
            std::mem::swap(&mut self.former.email, &mut self.email);
        }
        if summary {
            std::mem::swap(&mut self.former.summary, &mut self.summary);
        }
    }

    /// Those that were written together share the stem of their identifiers.
    fn follow_up(&mut self, new: WrapUpFollowUp, sequence: u64) {
        let stem = |one: &WrapUpFollowUp| {
            one.head.wrapup_id.rsplit_once('-').map(|(stem, _)| stem.to_owned())
        };
        let is_same = |old: &WrapUpFollowUp| old.head.wrapup_id == new.head.wrapup_id;
        let mut others =
            self.follow_ups.iter().filter(|old| stem(old) != stem(&new) || is_same(old));
        if !others.all(|old| self.displaces(&new.head, &old.head)) {
            return;
        }
        self.follow_ups.retain(|old| stem(old) == stem(&new));
        self.sequences.insert(new.head.wrapup_id.clone(), sequence);
        match self.follow_ups.iter().position(is_same) {
            Some(at) => self.follow_ups[at] = new,
            None => self.follow_ups.push(new),
        }
    }

    /// A draft of the end comes late where a model wrote it. It doesn't take the place of one that
    /// somebody asked for meanwhile, nor of one that was accepted, edited or discarded. Of two that
    /// were asked for the later order counts, whichever is there first; and what was accepted or
    /// edited gives way only to an order that was given after that.
    fn displaces(&self, new: &WrapUpHead, old: &WrapUpHead) -> bool {
        let of_end = |head: &WrapUpHead| head.occasion == Occasion::End.as_str();
        let verdict = self.verdicts.get(&old.wrapup_id);
        if of_end(new) {
            return of_end(old) && verdict.is_none();
        }
        if new.wrapup_id == old.wrapup_id {
            return verdict.is_none();
        }
        let Some(ordered) = order(&new.wrapup_id) else { return true };
        if order(&old.wrapup_id).is_some_and(|before| ordered < before) {
            return false;
        }
        let keeps = |verdict: &VerdictView| {
            let is_wanted = verdict.verdict != ReviewVerdict::Discarded.as_str();
            let time = Timestamp::from_millisecond(ordered.timestamp_ms() as i64);
            is_wanted && time.is_ok_and(|time| verdict.at > time_text(time))
        };
        !verdict.is_some_and(keeps)
    }
}

/// When somebody asked for it: such identifiers hold the time. `None` where nobody did.
fn order(id: &str) -> Option<Ulid> {
    let rest = id.strip_prefix("w-")?;
    let (ulid, after) = (rest.get(..ULID_LEN)?, &rest[ULID_LEN..]);
    let is_whole = after.is_empty() || after.starts_with('-');
    is_whole.then(|| Ulid::from_string(ulid).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::tests::project;
    use super::*;
    use crate::domain::{
        Authorship, EmailDraft, EmailLength, EmailPurpose, EmailTone, EventBody, FollowUp,
        FollowUpKind, NewEvent, ProvenSentence, Redacted, Role, Summary, WrapUp, WrapUpBody,
    };
    use crate::store::conformance::now;

    fn draft(id: &str, occasion: Occasion, provider: &str) -> NewEvent {
        let body = WrapUpBody::Summary(Summary::default());
        drafted(id, occasion, provider, body)
    }

    fn drafted(id: &str, occasion: Occasion, provider: &str, body: WrapUpBody) -> NewEvent {
        now(EventBody::WrapUp(Box::new(WrapUp {
            id: id.into(),
            occasion,
            authorship: Authorship {
                provider: provider.to_owned(),
                model: None,
                prompt: None,
                seed: None,
            },
            language: "en".to_owned(),
            body,
            struck: Vec::new(),
        })))
    }

    fn email(id: &str, provider: &str) -> NewEvent {
        let body = WrapUpBody::Email(EmailDraft {
            purpose: EmailPurpose::FollowUp,
            length: EmailLength::Short,
            tone: EmailTone::Formal,
            subject: Redacted::default(),
            subject_proofs: Vec::new(),
            parts: Vec::new(),
        });
        drafted(id, Occasion::Demand, provider, body)
    }

    fn verdict(id: &str, verdict: ReviewVerdict, at_ms: Option<i64>) -> NewEvent {
        let mut event = now(EventBody::WrapUpVerdict(crate::domain::WrapUpVerdict {
            wrapup_id: id.into(),
            verdict,
            edited_text: None,
            seen: None,
        }));
        if let Some(ms) = at_ms {
            event.time = Timestamp::from_millisecond(ms).expect("a time");
        }
        event
    }

    fn ordered(at_ms: u64) -> String {
        format!("w-{}-1", Ulid::from_parts(at_ms, 7).to_string())
    }

    fn wrap_up(events: Vec<NewEvent>) -> WrapUpView {
        project(events).wrapup.expect("a draft")
    }

    fn event_of(case: &serde_json::Value) -> NewEvent {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let id = text("id");
        if let Some(kind) = case["verdict"].as_str() {
            let kind = ReviewVerdict::parse(kind).expect("a verdict");
            return verdict(id, kind, case["at_ms"].as_i64());
        }
        let occasions = [Occasion::End, Occasion::HandOver, Occasion::Demand];
        let named = occasions.into_iter().find(|one| one.as_str() == text("occasion"));
        let occasion = named.expect("an occasion");
        match text("draft") {
            "summary" => draft(id, occasion, text("by")),
            "email" => email(id, text("by")),
            "followup" => {
                let sentence =
                    ProvenSentence { text: Redacted::default(), proofs: Vec::new(), support: 1.0 };
                let (kind, promised_by) = (FollowUpKind::Task, Role::Agent);
                let due = FollowUp { kind, promised_by, sentence, due: None };
                drafted(id, occasion, text("by"), WrapUpBody::FollowUp(due))
            }
            other => panic!("no draft: {other}"),
        }
    }

    /// The page is tested with the same file: `ui/src/state/wrapup.test.ts`.
    #[test]
    fn the_drafts_stand_that_the_corpus_says() {
        let text = include_str!("../../../tests/corpus/drafts/standing.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(text).expect("JSON");
        assert!(cases.len() > 20);
        for case in &cases {
            let events = case["events"].as_array().expect("events").iter().map(event_of).collect();
            let seen = serde_json::to_value(wrap_up(events)).expect("a view");
            for (place, stands) in case["stands"].as_object().expect("places") {
                let all = match &seen[place] {
                    serde_json::Value::Array(all) => all.clone(),
                    serde_json::Value::Null => Vec::new(),
                    one => vec![one.clone()],
                };
                let shown: Vec<_> = all
                    .iter()
                    .map(|one| serde_json::json!([one["wrapup_id"], one["authorship"]["provider"]]))
                    .collect();
                assert_eq!(serde_json::Value::from(shown), *stands, "{}: {place}", case["why"]);
            }
        }
    }

    #[test]
    fn each_draft_that_is_shown_has_the_number_of_its_event() {
        let plain = draft("w-end-summary-1", Occasion::End, "extractive");
        let late = draft("w-end-summary-1", Occasion::End, "house");
        let accepted = verdict("w-end-summary-1", ReviewVerdict::Accepted, None);
        let later = draft("w-end-summary-1", Occasion::End, "later");
        let seen = wrap_up(vec![plain, late, accepted, later]);
        assert_eq!(seen.sequence("w-end-summary-1"), Some(2), "the last one came too late");
        assert_eq!(seen.sequence("w-end-email-1"), None);
    }

    #[test]
    fn a_verdict_on_a_text_that_was_replaced_just_then_is_none_on_the_new_one() {
        let seen = |seen, kind| {
            let plain = draft("w-end-summary-1", Occasion::End, "extractive");
            let late = draft("w-end-summary-1", Occasion::End, "house");
            let mut judged = verdict("w-end-summary-1", kind, None);
            if let EventBody::WrapUpVerdict(verdict) = &mut judged.body {
                verdict.seen = Some(seen);
            }
            wrap_up(vec![plain, late, judged]).verdicts.len()
        };
        assert_eq!(seen(1, ReviewVerdict::Accepted), 0);
        assert_eq!(seen(2, ReviewVerdict::Accepted), 1);
        assert_eq!(seen(1, ReviewVerdict::Edited), 1, "somebody's own words stand by themselves");
    }

    #[test]
    fn only_what_was_asked_for_has_a_time_of_its_order() {
        let id = ordered(1_000);
        let stem = id.trim_end_matches("-1");
        for asked in [&id, stem] {
            assert_eq!(order(asked).map(|ulid| ulid.timestamp_ms()), Some(1_000));
        }
        let longer = format!("{stem}x");
        for id in ["w-end-email-1", "w-join-p-2-1", "w-9-1", "w-", "x", &longer] {
            assert_eq!(order(id), None, "{id}");
        }
    }
}
