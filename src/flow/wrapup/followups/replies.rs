//! How somebody answers what was offered, asked for or promised.

use crate::flow::wrapup::due::{Token, is_one_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Accepts,
    /// Says no.
    Refuses,
    /// Says that it can't be then, or not at all.
    Declines,
    /// Says something else.
    Else,
}

/// Says yes as the first word.
const YES: &str = "yes|yeah|yep|yup|ya|sure|okay|ok|fine|perfect|great|lovely|brilliant|please|absolutely|\
     definitely|certainly|alright|wonderful|excellent|cool|awesome|deal|smashing|super|good|\
     ideal|fantastic|ja|klar|gerne|gern|prima|genau|oui|d'accord|volontiers|entendu|parfait|sí|\
     vale|claro|perfecto|bueno|listo|natürlich|selbstverständlich|certainement|cheers|ta|thank|\
     thanks|danke|merci|gracias";
const YES_WORDS: &str = "of course|go on then|go ahead|go for it|that works|works for me|that's fine|that's good|\
     that's great|that's perfect|that would be|that'd be|sounds good|sounds great|put me in|\
     will do|no problem|no worries|not a problem|all right|yes please|by all means|that suits|\
     suits me|is fine|is good|'s fine|'s good|works|i can do that|makes sense|why not|let's do|\
     bien sûr|avec plaisir|ça me va|das passt|passt|mache ich|mach ich|in ordnung|de acuerdo|\
     por supuesto|me parece bien|i'll take it|i'll take that|book it|would be great";
const NO: &str = "no|nope|nah|nein|non|not|don't|nee";
/// Says no in more words, also after "yeah, but".
const NO_WORDS: &str = "don't bother|don't call|don't ring|don't send|do not call|i can't do|can't do|can't make|\
     i can't|i'm away|won't be in|won't be here|i'm working|doesn't work|no good|not good|\
     rather not|let me check|let me think|let me speak|i'll leave it|leave it for now|too early|\
     too late|forget it|not really|you're all right|isn't something|i'm afraid|we don't|\
     can't arrange|not able to|unable to|geht nicht|kann ich nicht|lieber nicht|leider|\
     je ne peux pas|ne m'arrange pas|no puedo|no me viene|don't have that|have to ask";
const DECLINED: &str = "don't call|don't ring|don't send|do not call|don't bother|can't do|can't make|i'm away|\
     won't be in|won't be here|doesn't work|no good|i'm working|i'm not free|not free|instead|\
     too early|too late|rather you|make it|could we do|can we do|could you do|can we say|\
     could we make|can you make it|da kann ich nicht|geht nicht|je ne peux pas|no puedo";
/// It has been done already.
const DONE: &str = "done that|done it|that's done|is done|all done|just done|i've done|have done|i've sent|\
     just sent|already sent|i've emailed|i've cancelled|i've added|it's done|sent it|\
     gone through|you should have it now|that's gone|it's gone";

fn text(tokens: &[Token]) -> String {
    let mut text = String::with_capacity(tokens.len() * 6);
    text.push(' ');
    for token in tokens {
        text.push_str(&token.word);
        text.push(' ');
    }
    text
}

/// Whether one of the phrases stands in it.
fn holds(text: &str, phrases: &str) -> bool {
    phrases.split('|').any(|phrase| {
        text.match_indices(phrase)
            .any(|(at, _)| text[..at].ends_with(' ') && text[at + phrase.len()..].starts_with(' '))
    })
}

/// What a turn answers; `names_day` where its first words name a day.
pub fn reply(tokens: &[Token], names_day: bool) -> Reply {
    const FILLERS: &str = "um|uh|er|erm|oh|hmm|well|so|right|and|ah|äh|euh|mhm";
    let skipped = tokens.iter().take_while(|token| is_one_of(FILLERS, &token.word)).count();
    let said = text(&tokens[skipped..]);
    let first = tokens.get(skipped).map_or("", |token| token.word.as_str());
    let second = tokens.get(skipped + 1).map_or("", |token| token.word.as_str());
    let is_easy = matches!(
        (first, second),
        ("no" | "not", "problem" | "problems" | "worries" | "a" | "trouble")
    ) || (first == "no"
        && (second == "that's" || second == "it's")
        && !said.contains(" not ")
        && holds(&said, "that's everything|that's all|that's great"));
    if holds(&said, DECLINED) {
        return Reply::Declines;
    }
    if !is_easy && is_one_of(NO, first) {
        return Reply::Refuses;
    }
    if holds(&said, NO_WORDS) {
        return Reply::Refuses;
    }
    let chooses = names_day;
    let accepts = is_easy || is_one_of(YES, first) || holds(&said, YES_WORDS) || chooses;
    if accepts { Reply::Accepts } else { Reply::Else }
}

/// Says that it was done meanwhile.
pub fn is_done(tokens: &[Token]) -> bool {
    holds(&text(tokens), DONE)
}

/// Says in so many words that it will be done.
pub fn commits(tokens: &[Token]) -> bool {
    holds(&text(tokens), "will do|i will|i can do that|i'll do that|mache ich|je le ferai|lo haré")
}
