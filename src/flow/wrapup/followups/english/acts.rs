//! What one English clause promises, offers or asks for.

use super::Reader;
use super::clauses::is_auxiliary;
use super::verbs::Phrase;
use crate::flow::wrapup::due::{is_weekday, one_of};
use crate::flow::wrapup::followups::{Act, ActKind, Deed, Needs};

/// Words between subject and verb that change nothing.
fn is_adverb(word: &str) -> bool {
    one_of!(word;
        "also" "then" "definitely" "certainly" "personally" "happily" "still" "actually"
        "absolutely" "gladly" "um" "uh" "er" "of" "course" "always" "only" "all" "obviously"
        "yeah" "basically" "literally" "just" "quickly" "both" "try" "either" "however"
        "therefore" "indeed" "first" "now"
    )
}
/// What is so likely or wished for isn't promised.
fn is_maybe(word: &str) -> bool {
    one_of!(word;
        "probably" "maybe" "possibly" "hopefully" "perhaps" "likely" "usually" "normally" "never"
        "not" "no" "soon"
    )
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Whoever speaks.
    Speaker,
    /// Whoever is spoken to.
    Other,
    /// Somebody else.
    Third,
    Thing,
    Nobody,
}

impl Reader<'_> {
    pub(super) fn phrase(&self, from: usize, upto: usize) -> Phrase {
        Phrase::of(
            (from..upto)
                .map(|at| self.word(at))
                .filter(|word| !matches!(*word, "um" | "uh" | "er" | "erm")),
        )
    }

    /// What the clause does.
    pub(super) fn act(&self, from: usize, upto: usize) -> Option<Act> {
        let is_subordinate = one_of!(self.word(from);
            "once" "when" "while" "whenever" "as" "because" "before" "after" "until" "which"
        ) || (self.word(from) == "that"
            && !is_auxiliary(self.word(from + 1))
            && self.word(from + 1) != "'s");
        if self.condition(from) || is_subordinate {
            return None;
        }
        self.asked(from, upto)
            .or_else(|| self.promised(from, upto))
            .or_else(|| self.offered(from, upto))
            .or_else(|| self.booked(from, upto))
            .or_else(|| self.underway(from, upto))
            .or_else(|| self.other(from, upto))
    }

    pub(super) fn made(
        &self,
        kind: ActKind,
        deed: Deed,
        needs: Needs,
        from: usize,
        upto: usize,
    ) -> Option<Act> {
        let phrase = self.phrase(from, upto);
        let needs = match deed {
            Deed::Any => Needs::When,
            _ if phrase.is_at_once() || phrase.is_parting() => Needs::When,
            _ => needs,
        };
        let is_then = (from + 1..upto)
            .any(|at| matches!(self.word(at), "then") && (at + 1 == upto || at > from + 2));
        Some(Act {
            kind,
            deed,
            needs,
            is_then,
            is_asked: false,
            is_of_object: phrase.has_day_of_its_own(),
            is_open: false,
            is_moved: phrase.is_moved(),
        })
    }

    /// "Shall I …?", "would you like me to …?", "could you call me back?"
    fn asked(&self, from: usize, upto: usize) -> Option<Act> {
        let word = |at: usize| self.word(from + at);
        let is_how = one_of!(self.back(from, 1); "when" "why" "how" "what" "where" "which" "who");
        if is_how {
            return None;
        }
        let by_speaker = match (word(0), word(1)) {
            ("shall" | "should" | "can" | "could" | "may", "i" | "we") => 2,
            ("would", "you") if matches!(word(2), "like" | "prefer" | "want") => {
                self.infinitive(from + 3, upto)? - from
            }
            ("do" | "did", "you") if matches!(word(2), "want") => {
                self.infinitive(from + 3, upto)? - from
            }
            ("would" | "is", "it") => self.infinitive_of_speaker(from + 2, upto)? - from,
            _ => 0,
        };
        if by_speaker > 0 {
            let at = self.past_adverbs(from + by_speaker, upto)?;
            let phrase = self.phrase(at, upto);
            let asks_for = matches!(word(1), "i" | "we")
                && matches!(word(0), "can" | "could" | "may")
                && phrase.has(
                    "get a call|have a call|get someone to call|speak to|have an appointment|\
                    get an appointment|book an appointment|make an appointment|have a copy|\
                    get a copy|book in",
                );
            if asks_for && self.is_customer {
                let deed = if phrase.has("call") { Deed::Call } else { Deed::Task };
                return (!phrase.has("speak to"))
                    .then(|| self.made(ActKind::Request, deed, Needs::Nothing, at, upto))?;
            }
            let deed = self.deed(&phrase)?;
            let says = phrase.has("say");
            return (!says).then(|| self.made(ActKind::Offer, deed, Needs::Nothing, at, upto))?;
        }
        let asks = matches!(word(0), "can" | "could" | "will" | "would")
            && one_of!(word(1); "you" "someone" "somebody" "anyone" "anybody" "they" "he" "she");
        if !asks {
            return None;
        }
        let at = self.past_adverbs(from + 2, upto).filter(|&at| self.word(at) != "not")?;
        let at = at + usize::from(self.word(at) == "please");
        let phrase = self.phrase(at, upto);
        let deed = match phrase.deed()? {
            Deed::Any | Deed::Task if !phrase.has("let me know|cancel|refund|raise|arrange") => {
                return None;
            }
            deed => deed,
        };
        self.made(ActKind::Request, deed, Needs::Nothing, at, upto)
    }

    /// Behind "me to": the verb.
    fn infinitive(&self, from: usize, upto: usize) -> Option<usize> {
        (from..upto.min(from + 6)).find(|&at| self.word(at) == "to").map(|at| at + 1)
    }

    /// "Would it be okay if I …?"
    fn infinitive_of_speaker(&self, from: usize, upto: usize) -> Option<usize> {
        (from..upto.min(from + 5))
            .find(|&at| self.word(at) == "if" && matches!(self.word(at + 1), "i" | "we"))
            .map(|at| at + 2)
    }

    /// The verb behind adverbs; none behind "probably" or "not".
    fn past_adverbs(&self, from: usize, upto: usize) -> Option<usize> {
        let mut at = from;
        while at < upto {
            match (self.word(at), self.word(at + 1)) {
                (word, _) if is_maybe(word) => return None,
                ("go", "ahead") => at += 2 + usize::from(matches!(self.word(at + 2), "and" | "to")),
                ("be", "sure") => at += 2 + usize::from(matches!(self.word(at + 2), "and" | "to")),
                ("be", "able") if self.word(at + 2) == "to" => at += 3,
                ("try", "and" | "to") => at += 2,
                ("go", "and") => at += 2,
                ("try", "you") => return Some(at),
                (word, _) if is_adverb(word) => at += 1,
                _ => return Some(at),
            }
        }
        None
    }

    pub(super) fn deed(&self, phrase: &Phrase) -> Option<Deed> {
        if self.is_customer { phrase.customers_deed() } else { phrase.deed() }
    }

    pub(super) fn subject(&self, from: usize, verb: usize) -> Option<Subject> {
        let mut at = verb;
        while at > from
            && (is_adverb(self.back(at, 1)) || matches!(self.back(at, 1), "usually" | "never"))
        {
            if matches!(self.back(at, 1), "usually" | "never") {
                return None;
            }
            at -= 1;
        }
        if at == from {
            return None;
        }
        Some(match (self.back(at, 2), self.back(at, 1)) {
            (_, "i" | "we" | "us") => Subject::Speaker,
            (_, "you") => Subject::Other,
            (_, "they" | "he" | "she" | "someone" | "somebody" | "who") => Subject::Third,
            (_, "nobody" | "none" | "there" | "what" | "where" | "how" | "when" | "here") => {
                Subject::Nobody
            }
            ("no", "one") | ("no", _) => Subject::Nobody,
            (_, "it" | "that" | "this" | "which" | "everything" | "these" | "those") => {
                Subject::Thing
            }
            _ => Subject::Third,
        })
    }

    /// Where the verb of "will …" or "am going to …" stands, and where its subject ends.
    fn future(&self, from: usize, upto: usize) -> Option<(usize, usize)> {
        for at in from..upto {
            let next = (self.word(at), self.word(at + 1), self.word(at + 2));
            match next {
                ("will" | "shall", ..) => return Some((at, at + 1)),
                ("am" | "are" | "is" | "'s", "going", "to") => return Some((at, at + 3)),
                ("going", "to", _) if matches!(self.back(at, 1), "i" | "we") => {
                    return Some((at, at + 2));
                }
                _ => {}
            }
        }
        None
    }

    /// "I'll …", "my colleague is going to …", "you'll get …", "the refund will be …".
    fn promised(&self, from: usize, upto: usize) -> Option<Act> {
        let (modal, behind) = self.future(from, upto)?;
        let subject = match self.subject(from, modal) {
            Some(subject) => subject,
            // "Will call you tomorrow."
            None if modal == from
                && self.word(modal) == "will"
                && !one_of!(self.word(behind);
                    "you" "i" "we" "they" "he" "she" "it" "that" "there"
                ) =>
            {
                let at = self.past_adverbs(behind, upto)?;
                let deed = self.deed(&self.phrase(at, upto))?;
                return matches!(deed, Deed::Call | Deed::Send)
                    .then(|| self.made(ActKind::Promise, deed, Needs::Nothing, at, upto))?;
            }
            None => return None,
        };
        let mut at = self.past_adverbs(behind, upto)?;
        // "What I'm going to do is get a new one."
        if self.word(at) == "do"
            && let Some(is) = (at + 1..upto.min(at + 5)).find(|&at| self.word(at) == "is")
        {
            at = self.past_adverbs(is + 1, upto)?;
        } else if self.word(from) == "what" {
            return None;
        }
        let phrase = self.progressive(at, upto).unwrap_or_else(|| self.phrase(at, upto));
        if self.is_customer {
            return self.customers(subject, &phrase, from, at, upto);
        }
        let (deed, needs) = match subject {
            Subject::Speaker => (phrase.deed()?, Needs::Nothing),
            Subject::Other => (phrase.gets()?, Needs::When),
            Subject::Third if self.is_thing(from, modal) => (phrase.fate()?, Needs::When),
            Subject::Third => match phrase.deed() {
                Some(Deed::Any) | None if phrase.fate().is_some() => (Deed::Task, Needs::When),
                // What a noun does is rarely a promise: "the bill on the fifth will show it".
                Some(Deed::Any)
                    if !matches!(
                        self.back(modal, 1),
                        "they" | "he" | "she" | "someone" | "somebody"
                    ) =>
                {
                    return None;
                }
                Some(Deed::Any) => (Deed::Any, Needs::When),
                Some(deed) => (deed, Needs::Nothing),
                None => return None,
            },
            Subject::Thing => (phrase.fate()?, Needs::When),
            Subject::Nobody if self.back(modal, 1) == "there" && phrase.is_of_visitor() => {
                (Deed::Visit, Needs::When)
            }
            Subject::Nobody => return None,
        };
        // "I'll just get that on the screen" is done in the call.
        let is_just = deed != Deed::Call && (behind..at).any(|at| self.word(at) == "just");
        let needs = match needs {
            _ if is_just => Needs::When,
            _ if phrase.is_parcel() => Needs::Nothing,
            needs => needs,
        };
        self.made(ActKind::Promise, deed, needs, at, upto)
    }

    /// What can't call or come by itself.
    pub(super) fn is_thing(&self, from: usize, verb: usize) -> bool {
        let nouns = || (from..verb).rev().map(|at| self.word(at)).filter(|word| !is_adverb(word));
        let is_group = nouns().next().is_some_and(|noun| {
            one_of!(noun;
                "team" "department" "people" "company" "guys" "engineer" "technician" "manager"
                "tech" "driver"
            )
        });
        !is_group
            && nouns().any(|noun| {
                one_of!(noun;
                    "refund" "payment" "money" "card" "router" "letter" "statement" "bill" "price"
                    "contract" "parcel" "package" "order" "delivery" "replacement" "part" "form"
                    "forms" "documents" "document" "email" "confirmation" "account" "service"
                    "line" "internet" "broadband" "shop" "store" "office" "light" "credit"
                    "cheque" "check" "modem" "box" "sim" "phone" "new" "debit" "amount" "balance"
                    "fee" "charge" "policy" "certificate" "pack" "kit" "hub" "item" "items"
                    "tickets" "ticket" "code" "compensation" "interest" "hold" "deposit" "voucher"
                    "premium" "plan" "discount" "maintenance" "power" "water" "flight" "bag"
                    "luggage" "prescription" "results" "one" "update" "link" "invoice" "receipt"
                    "quote" "contracts" "system" "prices" "bills" "rest" "everything" "claim"
                    "case" "complaint" "report"
                )
            })
            && !(from..verb).any(|at| self.word(at) == "of")
    }

    fn customers(
        &self,
        subject: Subject,
        phrase: &Phrase,
        from: usize,
        at: usize,
        upto: usize,
    ) -> Option<Act> {
        match subject {
            Subject::Speaker => {
                let deed = phrase.customers_deed()?;
                self.made(ActKind::Promise, deed, Needs::Nothing, at, upto)
            }
            // "You'll have it by Monday."
            Subject::Other => {
                let has = phrase
                    .has("have it|get it|have them|have that|get that|have the|get the|have my");
                has.then(|| self.made(ActKind::Promise, Deed::Send, Needs::When, at, upto))?
            }
            Subject::Third => {
                let relative = matches!(self.word(from), "my")
                    && one_of!(self.word(from + 1);
                        "husband" "wife" "son" "daughter" "partner" "mum" "dad" "mother" "father"
                        "boss" "assistant" "accountant" "solicitor" "lawyer"
                    );
                let deed = phrase
                    .customers_deed()
                    .filter(|deed| matches!(deed, Deed::Call | Deed::Send))?;
                relative.then(|| self.made(ActKind::Promise, deed, Needs::Nothing, at, upto))?
            }
            Subject::Thing | Subject::Nobody => None,
        }
    }

    /// "Be calling you" as "call you".
    fn progressive(&self, at: usize, upto: usize) -> Option<Phrase> {
        let verb = self.word(at + 1).strip_suffix("ing").filter(|_| self.word(at) == "be")?;
        let verb = match verb {
            "com" => "come",
            "arriv" => "arrive",
            "gett" => "get",
            "giv" => "give",
            "tak" => "take",
            "chas" => "chase",
            "writ" => "write",
            "putt" => "put",
            "mak" => "make",
            "issu" => "issue",
            verb => verb,
        };
        Some(Phrase::of(std::iter::once(verb).chain((at + 2..upto).map(|at| self.word(at)))))
    }

    /// "I can …", "we could …", "what I can do is …", "let's …", "there's a slot …".
    fn offered(&self, from: usize, upto: usize) -> Option<Act> {
        let word = |at: usize| self.word(from + at);
        let at = match (word(0), word(1)) {
            ("let", "us") => Some(from + 2),
            // "How about Tuesday at two?"
            ("how" | "what", "about") => {
                let made = self.made(ActKind::Offer, Deed::Book, Needs::Day, from + 2, upto);
                return made.map(|act| Act { is_open: true, ..act });
            }
            ("what", "i" | "we") => (from..upto).find(|&at| self.word(at) == "is").map(|at| at + 1),
            ("there", "is") | ("i" | "we", "have") => {
                let phrase = self.phrase(from, upto);
                let has = phrase.has("slot|appointment|availability|opening|space");
                let is_free = has && !phrase.has("booked|scheduled|your appointment");
                let names_time =
                    !self.is_customer && word(1) == "have" && self.lists_times(from + 2);
                return (is_free || names_time)
                    .then(|| self.made(ActKind::Offer, Deed::Book, Needs::When, from, upto))?;
            }
            _ => {
                let modal = (from..upto.min(from + 6))
                    .find(|&at| matches!(self.word(at), "can" | "could"))?;
                match self.subject(from, modal)? {
                    // "Send it over so that we can look into it" offers nothing.
                    Subject::Speaker
                        if matches!(self.back(from, 1), "so" | "that")
                            && self.cutter.from < from =>
                    {
                        return None;
                    }
                    Subject::Speaker => Some(modal + 1),
                    // "A plumber who can be with you at nine."
                    Subject::Third if !self.is_customer => {
                        let at = self.past_adverbs(modal + 1, upto)?;
                        let phrase = self.phrase(at, upto);
                        let deed = phrase
                            .deed()
                            .filter(|deed| matches!(deed, Deed::Call | Deed::Visit))?;
                        return self.made(ActKind::Offer, deed, Needs::When, at, upto);
                    }
                    _ => return None,
                }
            }
        };
        let at = self.past_adverbs(at?, upto)?;
        if self.word(at) == "do" && !self.is_customer {
            return self.made(ActKind::Offer, Deed::Book, Needs::Day, at, upto);
        }
        let phrase = self.phrase(at, upto);
        let deed = if self.word(at) == "offer"
            && phrase
                .has("slot|appointment|monday|tuesday|wednesday|thursday|friday|saturday|sunday")
        {
            Deed::Book
        } else {
            self.deed(&phrase)?
        };
        let needs = if self.is_customer { Needs::When } else { Needs::Nothing };
        self.made(ActKind::Offer, deed, needs, at, upto)
    }

    /// "I've got Monday morning or Tuesday": times alone.
    pub(super) fn lists_times(&self, from: usize) -> bool {
        let at = from + usize::from(self.word(from) == "got");
        let at = at + usize::from(matches!(self.word(at), "a" | "the"));
        is_weekday(self.word(at)) || matches!(self.word(at), "tomorrow" | "today")
    }
}
