//! What an e-mail may say in the company's name: what the company said. Whoever asks for five hundred
//! pounds has not been promised them.

use crate::domain::{Fault, Proof, ProvenSentence, Role, StruckSentence};
use crate::grounding::{Claim, Ground, Verifier};
use crate::insight::redaction;
use crate::models::Material;

/// How a sentence begins that tells the customer's own words back.
const TOLD_BACK: [&str; 14] = [
    "you told us",
    "you told me",
    "you said",
    "you mentioned",
    "you reported",
    "you asked",
    "you called",
    "you wrote",
    "you explained",
    "you let us know",
    "you let me know",
    "you contacted",
    "you described",
    "you wanted",
];

/// With one of these a sentence does more than tell back: it speaks for the company, of what is to
/// come, or of what was granted.
const BINDING: [&str; 36] = [
    "we",
    "our",
    "ours",
    "i",
    "my",
    "mine",
    "will",
    "shall",
    "wont",
    "can",
    "could",
    "get",
    "gets",
    "getting",
    "receive",
    "receives",
    "receiving",
    "so",
    "therefore",
    "thus",
    "hence",
    "accordingly",
    "consequently",
    "because",
    "which",
    "entitled",
    "guaranteed",
    "promised",
    "agreed",
    "granted",
    "approved",
    "accepted",
    "confirmed",
    "done",
    "settled",
    "right",
];

pub(super) const fn is_customers(role: Role) -> bool {
    matches!(role, Role::Customer | Role::Mixed)
}

/// What the sentences of an e-mail are checked against.
pub(super) struct Letter {
    all: Ground,
    /// Without the customer's turns.
    ours: Ground,
}

impl Letter {
    pub fn of(material: &Material) -> Self {
        let ours = Ground::of_those(material, |role| !is_customers(role)).strictly();
        Self { all: Ground::of(material).strictly(), ours }
    }

    /// Whether there is anything to write about.
    pub fn is_enough(&self) -> bool {
        self.all.enough().is_ok()
    }

    /// Only what the company's side says.
    pub fn ours(self) -> Ground {
        self.ours
    }

    /// A sentence that tells back stands by what the customer said; every other one must stand
    /// without it, and each must cite something.
    pub fn check(&self, claim: &Claim) -> Result<ProvenSentence, StruckSentence> {
        let strike = |fault, why: &str| StruckSentence {
            text: claim.text.clone(),
            fault,
            why: redaction::typed(why),
        };
        if claim.cites.is_empty() {
            return Err(strike(Fault::NoSource, "it cites nothing"));
        }
        let proven = Verifier.check(claim, &self.all)?;
        let said_by_customer = |proof: &Proof| match proof {
            Proof::Turn(turn) => is_customers(turn.role),
            Proof::Passage(_) => false,
        };
        let is_told = proven.proofs.iter().any(said_by_customer);
        if says_you_said(claim.text.as_str()) && !is_told {
            return Err(strike(Fault::Speaker, "the customer didn't say so"));
        }
        if tells_back(claim.text.as_str()) && is_told {
            return Ok(proven);
        }
        let ours = Verifier.check(claim, &self.ours);
        ours.map_err(|_| strike(Fault::Speaker, "nobody who speaks for the company said so"))
    }
}

/// Some part of the sentence is put into the customer's mouth.
fn says_you_said(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let text = format!(" {} ", words.join(" "));
    TOLD_BACK.iter().any(|told| text.contains(&format!(" {told} ")))
}

/// What goes on for itself behind "and": "and it is on its way".
const OTHERS: [&str; 6] = ["it", "that", "this", "one", "they", "then"];

/// The sentence reports what the customer said, and nothing else.
fn tells_back(text: &str) -> bool {
    let text = text.trim().to_lowercase().replace('’', "'");
    let opens = |words: &&str| {
        let rest = text.strip_prefix(*words);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '\''))
    };
    let is_one = !text
        .trim_end_matches(['.', '!', '"', '”'])
        .contains(['.', '!', ':', ';', '–', '—', '?', '\n'])
        && !text.contains(", and")
        && !text.contains(", but");
    if !is_one || !TOLD_BACK.iter().any(opens) {
        return false;
    }
    let goes_on = |and: &str| {
        let behind = text.split(and).skip(1).filter_map(|rest| rest.split_whitespace().next());
        behind.into_iter().any(|word| OTHERS.contains(&word))
    };
    if goes_on(" and ") || goes_on(" but ") {
        return false;
    }
    text.split(|c: char| !c.is_alphanumeric() && c != '\'').all(|word| {
        let (bare, ending) = word.split_once('\'').unwrap_or((word, ""));
        !BINDING.contains(&bare) && ending != "ll" && !BINDING.contains(&&*word.replace('\'', ""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Party, Turn};

    fn letter(turns: &[(Role, &str)]) -> Letter {
        let turn = |(number, (role, text)): (usize, &(Role, &str))| Turn {
            id: format!("t-{}", number + 1).into(),
            party: Party { id: role.as_str().into(), role: *role, name: None },
            start_ms: number as u64,
            end_ms: number as u64,
            text: redaction::typed(text),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "en".to_owned(),
        };
        let turns = turns.iter().enumerate().map(turn).collect();
        Letter::of(&Material { turns, passages: Vec::new() })
    }

    fn fault(letter: &Letter, text: &str, cites: &[&str]) -> Option<Fault> {
        let claim = Claim::new(redaction::typed(text), cites.iter().copied());
        letter.check(&claim).err().map(|struck| struck.fault)
    }

    #[test]
    fn nobody_is_bound_by_what_the_customer_said() {
        let (customer, agent) = (Role::Customer, Role::Agent);
        let refused = letter(&[
            (customer, "You took 42 pounds two times from my account in March."),
            (agent, "I can see the two payments of March here."),
            (customer, "Can you put it back on my card quicker? And will you cover that fee?"),
            (agent, "No, I'm afraid we can't put it back on your card any quicker."),
            (customer, "Then repay my 42 pounds two times, I want compensation."),
            (agent, "We will repay what we took too much. It takes five working days."),
        ]);
        for (text, cites) in [
            ("As you asked, we will put it back on your card quicker.", &["t-3", "t-4"] as &[&str]),
            ("You asked, so we cover that: the fee is off your account.", &["t-3", "t-4"]),
            ("You asked, so we cover that fee.", &["t-3"]),
            ("You asked, and you'll get your 42 pounds two times.", &["t-5"]),
            ("We will repay your 42 pounds two times.", &["t-5", "t-6"]),
            ("You will receive 42 pounds.", &["t-5", "t-6"]),
            ("Your account was charged in March.", &["t-1"]),
            ("Our five working days will do, you said.", &["t-6"]),
        ] {
            assert!(fault(&refused, text, cites).is_some(), "{text}");
        }
        for (text, cites) in [
            ("You told us that 42 pounds were taken two times in March.", &["t-1"] as &[&str]),
            ("You asked for compensation.", &["t-5"]),
            ("We can't put it back on your card any quicker.", &["t-4"]),
            ("It takes five working days.", &["t-6"]),
        ] {
            assert_eq!(fault(&refused, text, cites), None, "{text}");
        }
        assert_eq!(fault(&refused, "It takes five working days.", &[]), Some(Fault::NoSource));
    }

    #[test]
    fn a_condition_is_neither_an_admission_nor_a_promise() {
        let (customer, agent) = (Role::Customer, Role::Agent);
        let letter = letter(&[
            (customer, "You charged me 42 pounds twice, that is your mistake."),
            (
                agent,
                "If the duplicate payment was our mistake, we will refund you the 42 pounds \
                 within five working days.",
            ),
            (customer, "All right, please look into it."),
        ]);
        let both: &[&str] = &["t-1", "t-2"];
        for text in [
            "The duplicate payment was our mistake.",
            "We will refund you the 42 pounds within five working days.",
        ] {
            assert_eq!(fault(&letter, text, both), Some(Fault::Condition), "{text}");
        }
        let whole = "If the duplicate payment was our mistake, we will refund you the 42 pounds \
                     within five working days.";
        assert_eq!(fault(&letter, whole, both), None);
    }
}
