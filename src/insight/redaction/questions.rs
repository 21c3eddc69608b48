//! What was asked for lately, and may be answered now.

use std::collections::VecDeque;
use std::sync::LazyLock;

use regex::Regex;

use super::INTERJECTION_MAX_WORDS;
use super::find::{self, Before};
use super::kind::{Kinds, Secret};
use crate::domain::PartyId;

/// What was asked for may be answered within so many turns.
const TURNS: usize = 2;
/// For so many turns of more than a few words after somebody spoke of a bank, an account is one of it.
const BANK_TURNS: usize = 8;
/// Whoever begins like this says once more what they said wrong.
static CORRECTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^\W*(?:sorry|no|oops|wait|actually|correction|i mean|i meant|rather|scratch that|make that|typo|nein|entschuldigung|pardon|perdón)\b",
    )
    .expect("a pattern of this file")
});

#[derive(Default)]
pub(super) struct Questions {
    /// What the last turns, of any party, asked for.
    asked: VecDeque<(PartyId, Before)>,
    /// What somebody said in their last turn.
    given: Option<(PartyId, Kinds)>,
    /// Turns for which a bank's account is still the matter.
    bank_turns: usize,
}

impl Questions {
    /// What this party may answer with a text: what others asked lately, what it began to say itself a moment ago, and what
    /// it corrects.
    pub fn before(&self, party: &PartyId, text: &str) -> Before {
        let last = self.asked.len().saturating_sub(1);
        let open = self.asked.iter().enumerate().filter(|(at, (by, _))| by != party || *at == last);
        let mut all = open.fold(Before::default(), |all, (_, (_, one))| all.and(*one));
        all.of_bank |= self.bank_turns > 0;
        if all.account && all.of_bank {
            all.asked = all.asked.and(Kinds::of(&[Secret::BankAccount]));
        }
        match &self.given {
            Some((by, kinds)) if by == party && CORRECTS.is_match(text) => {
                all.and(Before { asked: *kinds, ..Before::default() })
            }
            _ => all,
        }
    }

    /// Takes note of what was asked in a turn.
    pub fn hear(&mut self, party: &PartyId, text: &str) {
        self.bank_turns = match find::speaks_of_bank(text) {
            true => BANK_TURNS,
            false if text.split_whitespace().nth(INTERJECTION_MAX_WORDS).is_none() => {
                self.bank_turns
            }
            false => self.bank_turns.saturating_sub(1),
        };
        self.asked.push_back((party.clone(), find::asked(text)));
        if self.asked.len() > TURNS {
            self.asked.pop_front();
        }
    }

    /// These were said in a turn, and answer what was asked.
    pub fn given(&mut self, party: &PartyId, kinds: &[Secret]) {
        for kind in kinds {
            self.asked.iter_mut().for_each(|(_, asked)| *asked = asked.without(*kind));
        }
        let is_theirs = self.given.as_ref().is_some_and(|(by, _)| by == party);
        if !kinds.is_empty() {
            self.given = Some((party.clone(), Kinds::of(kinds)));
        } else if is_theirs {
            self.given = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::insight::redaction::Masker;

    fn answered(messages: &[&str]) -> String {
        let mut masker = Masker::default();
        let mut last = String::new();
        for (number, message) in (1..).zip(messages) {
            let party = if message.starts_with('>') { "p-2" } else { "p-1" };
            let turn = format!("t-{number}");
            last = masker
                .typed_turn(&party.into(), &turn.as_str().into(), message)
                .text
                .as_str()
                .to_owned();
        }
        last
    }

    #[test]
    fn an_answer_is_masked_however_it_was_asked_for() {
        for (question, answer, kept) in [
            ("> CVV please", "771", "[security_code-1]"),
            ("> And the security code please", "it is 771", "it is [security_code-1]"),
            ("> And the security code", "Yes, 771", "Yes, [security_code-1]"),
            ("> the last three digits on the signature strip?", "771", "[security_code-1]"),
            ("> And the sort code, please", "201133", "[bank_account-1]"),
            ("> Please read me the code", "661728", "[one_time_code-1]"),
            ("> What code did you get?", "661728", "[one_time_code-1]"),
            ("> What does the text say?", "661728", "[one_time_code-1]"),
            (
                "> I have just texted you a code, can you read it to me?",
                "661728",
                "[one_time_code-1]",
            ),
            ("> Which password did you try?", "Kestrel2024x", "[password-1]"),
            ("> What is your password?", "it says Kestrel2024x", "it says [password-1]"),
            ("> driving licence number?", "MORGA657054SM9IJ", "[driving_licence-1]"),
            ("> What is your order number?", "771234", "771234"),
            ("> Can I take your account number, please?", "11779911", "11779911"),
            ("> For the refund, what's your account number?", "11779911", "[bank_account-1]"),
            ("> What account number would you like it paid into?", "11779911", "[bank_account-1]"),
            ("> What's the new account number for the transfer?", "11779911", "[bank_account-1]"),
            ("> Wie ist Ihre Kontonummer?", "11779911", "[bank_account-1]"),
            ("> To refund it: your account number with us, please?", "11779911", "11779911"),
            ("> It's on its way back. The account number on your bill?", "11779911", "11779911"),
            (
                "> To pay what is on your bill by direct debit, what's your account number?",
                "11779911",
                "[bank_account-1]",
            ),
            ("> And the account number, and its sort code?", "11779911", "[bank_account-1]"),
            ("> Thank you for the code.", "See you on 14 May", "See you on 14 May"),
        ] {
            assert_eq!(answered(&[question, answer]), kept, "{question}");
        }
    }

    #[test]
    fn an_account_is_a_banks_where_a_bank_is_spoken_of() {
        let asked = "> Right. What's the account number?";
        let (own, banks) = ("11779911", "[bank_account-1]");
        for (before, kept) in [
            ("I looked at my bank account and you took it twice.", own),
            ("I can't log in.", own),
            ("I was transferred to the wrong department.", own),
            ("I use your wireless router, in a separate room.", own),
            ("Can I change my direct debit date?", own),
            ("Please pay it into my savings account.", banks),
            ("I want to set up a monthly direct debit.", banks),
            ("It's with my bank, Barclays.", banks),
            ("The sort code is on the letter.", banks),
            ("I'd like a refund please.", banks),
            ("I want my money back.", banks),
            ("I have gone overdrawn.", banks),
            ("Can I pay by check?", banks),
            ("Ich warte auf die Rückerstattung.", banks),
        ] {
            assert_eq!(answered(&[before, asked, "11779911"]), kept, "{before}");
            let later = [before, "> One moment.", "ok", "> Thanks.", asked, "it's 11779911"];
            assert_eq!(answered(&later), format!("it's {kept}"), "{before}");
        }
    }

    #[test]
    fn what_is_asked_for_one_after_the_other_is_no_card() {
        let asked = ["> Can I take your account number?", "11779911", "> And your date of birth?"];
        let [first, number, second] = asked;
        assert_eq!(answered(&[first, number, second, "14 03 1987"]), "[birth_date-1]");
        let bank = ["> For the refund, your sort code?", "20-11-53", "> And the account number?"];
        let [first, code, second] = bank;
        assert_eq!(answered(&[first, code, second, "11779911"]), "[bank_account-2]");
        let card = ["> Your date of birth?", "4539 1488 03", "> Sorry?", "43 64 67"];
        assert!(answered(&card).starts_with("[card-1]"));
    }

    #[test]
    fn who_corrects_themselves_says_it_once_more() {
        let birth = ["> When were you born?", "14/03/1987", "sorry 15/03/1987"];
        assert_eq!(answered(&birth), "sorry [birth_date-2]");
        let password = ["my password is Gandalf99", "sorry, Gandalf98"];
        assert_eq!(answered(&password), "sorry, [password-2]");
        let nothing = ["my password is Gandalf99", "ok", "no, I live in London"];
        assert_eq!(answered(&nothing), "no, I live in London");
    }

    #[test]
    fn a_question_of_before_a_restart_is_answered() {
        let mut after = Masker::default();
        let asked = crate::domain::Redacted::vouched("And the three digits on the back?");
        after.remember(&"p-2".into(), &asked);
        let answer = after.typed_turn(&"p-1".into(), &"t-2".into(), "771");
        assert_eq!(answer.text.as_str(), "[security_code-1]");
    }
}
