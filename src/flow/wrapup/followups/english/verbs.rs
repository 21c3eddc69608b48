//! What English verbs promise: a call, something that is sent, a visit, or nothing beyond the call itself.

use crate::flow::wrapup::due::{holds, is_weekday, one_of};
use crate::flow::wrapup::followups::Deed;

/// A verb and what follows it in its clause, as " call you back on friday ".
pub struct Phrase {
    text: String,
}

impl Phrase {
    pub fn of<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut text = String::with_capacity(64);
        text.push(' ');
        for word in words {
            text.push_str(word);
            text.push(' ');
        }
        Self { text }
    }

    fn word(&self, at: usize) -> &str {
        self.text.split_ascii_whitespace().nth(at).unwrap_or_default()
    }

    /// Whether one of the phrases, which are parted by `|`, stands in it.
    pub fn has(&self, phrases: &str) -> bool {
        holds(&self.text, phrases)
    }

    /// Whether it begins with one of the phrases.
    pub fn begins(&self, phrases: &str) -> bool {
        let text = self.text.trim_start();
        phrases.split('|').any(|phrase| {
            text.strip_prefix(phrase).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    }

    /// The call, visit or meeting itself, and not what is said about one.
    fn is_call(&self) -> bool {
        const IN_TOUCH: &str = "call|ring|phone|telephone|get back to|come back to|be in touch|be back in touch|\
            be getting back|get in touch|get hold of you|touch base|reach out|reach back out|\
            follow up|try you|contact you|contact them|hear from|speak to you on|\
            speak to you tomorrow|circle back|check in with you|check back in|catch up|\
            contact the customer|buzz you";
        const GIVEN: &str = "a call|a ring|a bell|a buzz|a callback|a call back|a quick call|a quick ring|\
            a phone call|call you|ring you|phone you|call you back|contact you|call me|ring me|\
            phone me|callback|reach out to you|give you ring|get back to you|touch base|\
            in touch with you";
        // Whom they ring isn't the one they talk to.
        if self.begins(
            "call them|ring them|phone them|call the|ring the|phone the|call him|ring him|\
            call her|ring her",
        ) {
            return self.has("call you|ring you|back to you");
        }
        let is_other = self.begins("cancel|transfer|record|listen|end|take|email|text|send|post");
        self.begins(IN_TOUCH) || (!is_other && self.has(GIVEN))
    }

    fn is_visit(&self) -> bool {
        self.begins(
            "come out|come round|come over|come by|come to you|come to the|come and|come on|\
            come at|come in|come tomorrow|come today|come this|visit|attend|arrive|be there|\
            be with you|be round|be at your|be at the property|come back out|come between|come|\
            pop round|be out",
        ) || (self.begins("send|dispatch|get|have") && self.names_visitor())
            || self.has(
                "engineer out|technician out|someone out|somebody out|plumber out|tech out|\
                send an engineer|send a technician|send the engineer|send the technician|\
                technician out to",
            )
    }

    /// "Move your appointment to Friday" books one.
    pub fn is_moved(&self) -> bool {
        let what = self.has("appointment|visit|booking|engineer|slot|technician|that|it|you");
        let day = |word: &str| is_weekday(word) || matches!(word, "the" | "tomorrow" | "this");
        let mut words = self.text.split_ascii_whitespace();
        let to_day = words.any(|word| word == "to") && words.next().is_some_and(day);
        what && to_day
            && self.begins("move|change|reschedule|rearrange|rebook|push|switch|bring|put")
    }

    pub fn is_parting(&self) -> bool {
        self.begins("see you")
    }

    /// "An engineer with you on Thursday".
    pub fn is_of_visitor(&self) -> bool {
        self.has("engineer|technician|plumber|electrician|someone|somebody|fitter|surveyor")
            && self.has("with you|there|out|round")
    }

    /// "Send a plumber", "get our electrician there".
    fn names_visitor(&self) -> bool {
        fn is_visitor(word: &str) -> bool {
            one_of!(word;
                "engineer" "technician" "tech" "plumber" "electrician" "locksmith" "fitter"
                "surveyor" "mechanic" "patrol" "inspector" "installer" "handyman" "carpenter"
                "gardener"
            )
        }
        let goes = !self.begins("get|have") || self.has("out|there|to you|round|to your");
        let visitor = |at: usize| is_visitor(self.word(at));
        goes && ((1..4).any(visitor)
            || self.has("someone out|somebody out|someone round|somebody round"))
    }

    fn is_meeting(&self) -> bool {
        let nouns = self.has(
            "appointment|engineer|engineer's|technician|tech|visit|slot|meeting|demo|inspection|\
            survey|surveyor|plumber|fitter|viewing|test drive|installation|install|consultation",
        );
        let books = self.begins(
            "book|schedule|rebook|reschedule|arrange|set up|make|get|organise|organize|set|have|\
            fit|do",
        );
        (nouns && books)
            || (self.begins("book|schedule|rebook|reschedule") && !self.has("payment|refund|order"))
            || self.has("schedule you")
            || self.begins(
                "put it down|put it as|put it in for|put that in for|put you down|put you in|\
                pencil you in|book you in|get you in|get you booked|slot you in|fit you in|\
                squeeze you in|pop you in|book that in|book it in|book you|schedule you|\
                get that booked|see you|meet",
            )
    }

    /// Never a promise: what is, what somebody feels, what is said in the call.
    fn is_idle(&self) -> bool {
        let stays = self.begins("be")
            && !self.begins(
                "be in touch|be back in touch|be there|be with you|be round|be at your|be out to|\
                be getting back",
            );
        stays
            || self.begins(
                "need|have to|see if|see what|see how|see|hear|think|know|want|wait|hold|like|\
                love|understand|remember|guess|say|admit|explain|tell you what|tell you|\
                let you go|let you get|speak to you again|speak to you soon|talk to you soon|\
                speak soon|go to|go on|go up|go down|go|stay|appreciate|bet|do my best|\
                do our best|do what|try my best|never|hope|end|cost|forgive|leave it|leave you|\
                lose|struggle|probably|regret|ask you|ask for your|put you through|put you on|\
                pop you on|transfer you|pass you over|hand you|connect you|continue",
            )
            || self.has("read it back|read that back|on hold|be honest")
    }

    /// Something that is done after the call also where no day is named.
    fn is_later(&self) -> bool {
        self.begins(
            "raise|escalate|open a|log a|log it|log that|file|report|chase|investigate|look into|\
            find out|arrange|organise|organize|order|reorder|correct|ensure|make sure|\
            make certain|make a note|note|leave a|add a note|add it|add that|cancel|process|\
            replace|release|follow|notify|inform|prepare|write|let you know|let them know|\
            let him know|let her know|keep you|speak to my|speak to the|speak to our|speak with|\
            talk to my|talk to the|talk with|have a word|ask my|ask the|ask our|ask them|\
            ask someone|ask somebody|ask him|ask her|get that|get this|get it|get him to|\
            get her to|get them to|get someone|get somebody|get one of|get my|get our|get the|\
            have someone|have somebody|have my|have our|have one of|have the|have her|have him|\
            have them|have a colleague|have that|get a|sort|fix|set up|submit|waive|\
            take that off|take it off|remove|credit|refund|reimburse|compensate|repay|update|\
            change|check with|check on|double check with|request|put in a request|put a request|\
            put a note|put in a|put that in writing|put it in writing|put it in an email|pass|\
            flag|feed|review|monitor|keep an eye|drop off|deliver|collect|pick up|bring|\
            call them|call the|ring them|ring the|phone them|phone the|call him|call her|\
            ring him|ring her|work on|deal with|take care|handle|apply|expedite|extend|stop|\
            backdate|authorise|authorize|reinstate",
        )
    }

    fn is_sent(&self) -> bool {
        self.begins(
            "send|email|e-mail|mail|post|text|message|forward|ship|dispatch|issue|pop|shoot you|\
            drop you|get you a|get you the|pay|transfer|resend|fax|upload|put it in the post|\
            put that in the post|put one in the post|refund|credit|copy you",
        ) && (!self.begins("pop") || self.has("in the post|in the mail"))
    }

    /// What an agent or somebody on their side does.
    pub fn deed(&self) -> Option<Deed> {
        if self.has("himself|herself|themselves|yourself") {
            return None;
        }
        if self.begins("see you") {
            return Some(Deed::Book);
        }
        if self
            .begins("hold that slot|hold that appointment|hold the slot|hold that for|hold it for")
        {
            return Some(Deed::Book);
        }
        if self.is_idle() {
            return None;
        }
        Some(if self.is_moved() {
            Deed::Book
        } else if self.is_call() {
            Deed::Call
        } else if self.is_visit() {
            Deed::Visit
        } else if self.is_meeting() {
            Deed::Book
        } else if self.is_sent() {
            Deed::Send
        } else if self.is_later() {
            Deed::Task
        } else {
            Deed::Any
        })
    }

    /// What a customer does for the other side. They say much that they will do for themselves.
    pub fn customers_deed(&self) -> Option<Deed> {
        if self.begins("have my|get my|ask my") {
            let calls = self.has("call|ring|phone");
            return Some(if calls { Deed::Call } else { Deed::Any });
        }
        if self.begins(
            "call|ring|phone|get back to|come back to|be in touch|get in touch|give you a|\
            give them a|give him a|give her a|try again|call back|ring back|ring you",
        ) {
            let gives = self.begins("give");
            return (!gives || self.has("call|ring|bell|buzz|shout")).then_some(Deed::Call);
        }
        if self.begins(
            "come in|come by|come down|pop in|pop into|pop down|drop in|come into|come to the",
        ) {
            return Some(Deed::Visit);
        }
        if self.begins(
            "send|email|e-mail|mail|post|text|message|forward|upload|fax|let you know|fill|\
            get it to you|get that to you|get them to you|get it over|get that over|get it back|\
            pay|drop|bring|return|scan|sign|complete|submit|make a payment|make the payment|\
            put it in the post|put a cheque|provide",
        ) {
            return Some(Deed::Send);
        }
        let does =
            self.begins("do a bank|do the bank|do a transfer|do the transfer|transfer|settle");
        if does {
            return Some(Deed::Send);
        }
        self.begins(
            "do it|do that|do this|do them|try|check|take it|take them|take that|get it|get that|\
            get them|have it|have them|have that|book|order|set up|sort|look for|find|ask|\
            speak to|talk to|measure|take a|read the",
        )
        .then_some(Deed::Any)
    }

    /// What becomes of a thing: "be sent out", "arrive", "be in your account".
    pub fn fate(&self) -> Option<Deed> {
        fn is_done_to(word: &str) -> bool {
            one_of!(word;
                "sent" "posted" "emailed" "mailed" "delivered" "shipped" "dispatched" "refunded"
                "credited" "processed" "paid" "released" "issued" "replaced" "fixed" "repaired"
                "corrected" "updated" "removed" "applied" "reset" "restored" "switched"
                "reconnected" "completed" "done" "sorted" "resolved" "collected" "tested"
                "checked" "inspected" "added" "reimbursed" "activated" "returned" "installed"
                "connected" "reviewed" "transferred" "cancelled" "set" "looked" "back"
            )
        }
        const THERE: &str = "be with you|be in your|be at the pharmacy|be at your|be there|be ready|\
            be on its way|be in the post|be waiting|arrive|get to you|reach you|go out|show on|\
            show up on|show up in|appear on|hit your|come through|land in|ship|come in the|\
            come by|come tomorrow|come on|be on your|get there|come|be here|be out|\
            be in the mail|be in tomorrow|be delivered|clear|drop into|be at";
        if self.begins(THERE) {
            return Some(Deed::Task);
        }
        let verb =
            usize::from(matches!(self.word(0), "be" | "get")) + usize::from(self.word(1) == "all");
        (verb > 0 && is_done_to(self.word(verb))).then_some(Deed::Task)
    }

    /// "Cancel the appointment on Friday", "look into the charge on Monday".
    pub fn has_day_of_its_own(&self) -> bool {
        !self.is_moved() && self.begins("cancel|move|change|amend|remove|refund the|refund that|look into|investigate|query|\
            dispute|waive|credit the|check the|check your|review|correct|take off|take that off|\
            report") && !self.has("today|tomorrow|by|within|this afternoon|this morning|this evening|tonight")
    }

    /// "Get a letter", "hear from us", "have it by Monday".
    pub fn gets(&self) -> Option<Deed> {
        if self.begins("have to|get to|get used|get through|have a look|have any|have no") {
            return None;
        }
        if self.begins(
            "hear|be contacted|be called|get a call|receive a call|get a callback|\
            get a phone call|receive a phone call",
        ) {
            return Some(Deed::Call);
        }
        if self.begins("see") {
            let paid = self.has("credit|refund|money|payment|it back");
            return paid.then_some(Deed::Send);
        }
        let gets = self.begins(
            "get|receive|have|be refunded|be credited|be sent|be getting|be receiving|be paid",
        );
        gets.then_some(Deed::Send)
    }

    /// "Receive a confirmation email": something that comes, even without a day.
    pub fn is_parcel(&self) -> bool {
        self.begins("get|receive")
            && self.has(
                "email|confirmation|text|letter|call|refund|replacement|parcel|notification|\
                invite|link",
            )
            && !self.has("every|each|whenever|monthly|a month")
    }

    /// In the call itself.
    pub fn is_at_once(&self) -> bool {
        self.has(
            "now|right away|straight away|straight back|just now|for a moment|for a second|\
            one moment|in a moment|in a second|in a minute|while i|while we|immediately|\
            real quick|quickly|while you|on the line",
        )
    }
}
