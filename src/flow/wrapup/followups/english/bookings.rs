//! What stands in a calendar, is under way, or is promised in other words than "I will".

use super::Reader;
use super::acts::Subject;
use crate::flow::wrapup::due::{is_one_of, one_of};
use crate::flow::wrapup::followups::{Act, ActKind, Deed, Needs};

impl Reader<'_> {
    /// "I've got you booked in", "your appointment's on Friday", "you're all booked".
    pub(super) fn booked(&self, from: usize, upto: usize) -> Option<Act> {
        if self.is_customer
            || matches!(self.word(from), "there" | "he" | "she") && self.word(from + 1) == "was"
        {
            return None;
        }
        let is_booked = |word: &str| {
            one_of!(word;
                "booked" "scheduled" "rebooked" "rescheduled" "arranged" "pencilled" "confirmed"
                "reserved"
            )
        };
        let phrase = self.phrase(from, upto);
        let moved = |at: usize| {
            matches!(self.word(at), "moved" | "changed" | "rearranged" | "set")
                && matches!(self.word(at + 1), "to" | "for")
        };
        let at = (from..upto).find(|&at| is_booked(self.word(at)) || moved(at)).or_else(|| {
            (from..upto).find(|&at| self.word(at) == "down" && matches!(self.back(at, 1), "you"))
        });
        if let Some(at) = at {
            let before: Vec<&str> = (from..at).map(|at| self.word(at)).collect();
            let has = |words: &str| before.iter().any(|word| is_one_of(words, word));
            let is_let_down =
                self.word(at) == "down" && (has("let") || !has("have|has|got|put|are"));
            // "We're fully booked."
            let is_full = matches!(self.word(at + 1), "up" | "out" | "solid")
                || (has("we|i") && has("are|am") && !has("have|you"));
            let is_other =
                has("was|were|had|not|no|payment|debit|maintenance|there|bill|does|once|when|\
                    because|need|until|will|be|needs");
            let is_done =
                phrase.has("holiday|arranged a refund|confirmed your|confirmed that|confirmed the");
            if is_let_down || is_full || is_other || is_done {
                return None;
            }
            let calls = phrase.has("call|callback|call back");
            let deed = if calls { Deed::Call } else { Deed::Book };
            // "You've been booked" may be long ago.
            let needs = if has("been") || moved(at) { Needs::Day } else { Needs::When };
            if has("have|has|got|am|are|is|'s|all") {
                return self.made(ActKind::Booked, deed, needs, from, upto);
            }
            // "Repair scheduled tomorrow from eight to ten."
            let names =
                !before.is_empty() && self.word(at) != "confirmed" && self.word(at) != "down";
            return names.then(|| self.made(ActKind::Promise, deed, Needs::Day, from, upto))?;
        }
        let has_one = phrase.has(
            "you have an appointment|you have got an appointment|you have a booking|\
            you have a visit|you have a slot|you are in for",
        );
        let is_noun = has_one || phrase.has("appointment is|appointment 's|visit is|inspection is|slot is|engineer is|booking is|\
            appointment will be|meeting is");
        let is_due = phrase.has("due to arrive|due to be delivered|due to come|due out");
        if is_due {
            return self.made(ActKind::Promise, Deed::Task, Needs::When, from, upto);
        }
        let is_denied = phrase.has("not|no");
        (is_noun && !is_denied)
            .then(|| self.made(ActKind::Booked, Deed::Book, Needs::Day, from, upto))?
    }

    /// "The surveyor's coming round on Wednesday."
    pub(super) fn underway(&self, from: usize, upto: usize) -> Option<Act> {
        // "Technician arriving tomorrow from eight."
        let is_note = !self.is_customer
            && (from + 1..upto.min(from + 4))
                .any(|at| matches!(self.word(at), "arriving" | "coming"))
            && self.subject_is_noun(from);
        if is_note {
            return self.made(ActKind::Promise, Deed::Visit, Needs::Day, from, upto);
        }
        let verb = (from..upto.min(from + 8)).find(|&at| {
            matches!(self.word(at), "is" | "are" | "'s" | "am")
                && self.word(at + 1).ends_with("ing")
        })?;
        let doing = self.word(verb + 1);
        let subject = self.subject(from, verb)?;
        let about = matches!(
            self.word(verb + 2),
            "about" | "regarding" | "because" | "to" | "for" | "from"
        );
        let visits = self.phrase(verb + 2, upto).is_of_visitor()
            || self.phrase(verb + 2, upto).has("engineer|technician|plumber");
        let deed = match doing {
            "sending" | "getting" | "booking"
                if subject == Subject::Speaker && visits && !self.is_customer =>
            {
                return self.made(ActKind::Promise, Deed::Visit, Needs::Day, from, upto);
            }
            "coming" | "visiting" | "arriving" => Deed::Visit,
            "calling" | "ringing" | "phoning" if !about => Deed::Call,
            "sending" | "emailing" | "posting" | "delivering" | "collecting" | "dropping"
            | "paying" | "shipping" => Deed::Send,
            _ => return None,
        };
        let fits = match (subject, self.is_customer) {
            (Subject::Speaker, false) => deed != Deed::Visit,
            (Subject::Third, false) => true,
            (Subject::Thing, false) => matches!(doing, "coming" | "arriving"),
            (Subject::Speaker, true) => deed == Deed::Send || doing == "coming",
            _ => false,
        };
        let is_denied = (from..upto).any(|at| self.word(at) == "not");
        let deed =
            if subject == Subject::Thing || self.is_thing(from, verb) { Deed::Task } else { deed };
        let sends =
            subject == Subject::Speaker && deed == Deed::Send && self.word(verb + 2) == "you";
        let needs = if sends && !self.is_customer { Needs::Nothing } else { Needs::Day };
        (fits && !is_denied).then(|| self.made(ActKind::Promise, deed, needs, from, upto))?
    }

    fn subject_is_noun(&self, from: usize) -> bool {
        one_of!(self.word(from);
            "tech" "technician" "engineer" "our" "the" "your" "a" "an" "plumber" "electrician"
            "locksmith" "driver"
        )
    }

    /// "Let me check and call you back", "expect a call", "see you on the fifth", "I promise to send it".
    pub(super) fn other(&self, from: usize, upto: usize) -> Option<Act> {
        let phrase = self.phrase(from, upto);
        let word = |at: usize| self.word(from + at);
        if matches!((word(0), word(1)), ("let", "me" | "us")) {
            let calls = phrase.has(
                "call you|ring you|get back to you|phone you|call back|come back to you|\
                call you back",
            );
            let sends = phrase.has("and email you|and send you");
            return match (calls, sends) {
                (true, _) => self.made(ActKind::Promise, Deed::Call, Needs::Nothing, from, upto),
                (_, true) if !self.is_customer => {
                    self.made(ActKind::Promise, Deed::Send, Needs::Nothing, from, upto)
                }
                _ => None,
            };
        }
        if phrase.has("expect a call|expect a callback|expect a phone call|expect to hear from")
            && !self.is_customer
        {
            return self.made(ActKind::Promise, Deed::Call, Needs::When, from, upto);
        }
        if phrase
            .has("expect it|expect a letter|expect an email|expect the|expect your|expect delivery")
            && matches!(word(1), "can")
        {
            return self.made(ActKind::Promise, Deed::Send, Needs::When, from, upto);
        }
        if matches!((word(0), word(1)), ("see", "you")) {
            return self.made(ActKind::Promise, Deed::Book, Needs::Day, from, upto);
        }
        if let Some(at) = (from..upto)
            .find(|&at| self.word(at) == "promise" && matches!(self.back(at, 1), "i" | "we"))
            && let Some(to) = (at + 1..upto.min(at + 4)).find(|&at| self.word(at) == "to")
        {
            let deed = self.deed(&self.phrase(to + 1, upto))?;
            return self.made(ActKind::Promise, deed, Needs::Nothing, to + 1, upto);
        }
        None
    }
}
