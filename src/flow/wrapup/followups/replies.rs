//! How somebody answers what was offered, asked for or promised.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use crate::flow::wrapup::due::{Token, one_of};

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
fn is_yes(word: &str) -> bool {
    one_of!(word;
        "yes" "yeah" "yep" "yup" "ya" "sure" "okay" "ok" "fine" "perfect" "great" "lovely"
        "brilliant" "please" "absolutely" "definitely" "certainly" "alright" "wonderful"
        "excellent" "cool" "awesome" "deal" "smashing" "super" "good" "ideal" "fantastic" "ja"
        "klar" "gerne" "gern" "prima" "genau" "oui" "d'accord" "volontiers" "entendu" "parfait"
        "sí" "vale" "claro" "perfecto" "bueno" "listo" "natürlich" "selbstverständlich"
        "certainement" "cheers" "ta" "thank" "thanks" "danke" "merci" "gracias"
    )
}
fn is_no(word: &str) -> bool {
    one_of!(word;
        "no" "nope" "nah" "nein" "non" "not" "don't" "nee"
    )
}

/// Takes what was offered.
const TAKES: u8 = 1;
/// Says no, also after "yeah, but".
const REFUSES: u8 = 1 << 1;
/// Says that it can't be then, or not at all.
const DECLINES: u8 = 1 << 2;
/// It has been done already.
const IS_DONE: u8 = 1 << 3;
/// It will be done, in so many words.
const COMMITS: u8 = 1 << 4;

const TABLE: &[(u8, &str)] = &[
    (
        TAKES,
        "of course|go on then|go ahead|go for it|that works|works for me|that's fine|that's good|\
         that's great|that's perfect|that would be|that'd be|sounds good|sounds great|put me in|\
         will do|no problem|no worries|not a problem|all right|yes please|by all means|that suits|\
         suits me|is fine|is good|'s fine|'s good|works|i can do that|makes sense|why not|let's do|\
         bien sûr|avec plaisir|ça me va|das passt|passt|mache ich|mach ich|in ordnung|de acuerdo|\
         por supuesto|me parece bien|i'll take it|i'll take that|book it|would be great",
    ),
    (
        REFUSES,
        "don't bother|don't call|don't ring|don't send|do not call|i can't do|can't do|can't make|\
         i can't|i'm away|won't be in|won't be here|i'm working|doesn't work|no good|not good|\
         rather not|let me check|let me think|let me speak|i'll leave it|leave it for now|too early|\
         too late|forget it|not really|you're all right|isn't something|i'm afraid|we don't|\
         can't arrange|not able to|unable to|geht nicht|kann ich nicht|lieber nicht|leider|\
         je ne peux pas|ne m'arrange pas|no puedo|no me viene|don't have that|have to ask",
    ),
    (
        DECLINES,
        "don't call|don't ring|don't send|do not call|don't bother|can't do|can't make|i'm away|\
         won't be in|won't be here|doesn't work|no good|i'm working|i'm not free|not free|instead|\
         too early|too late|rather you|make it|could we do|can we do|could you do|can we say|\
         could we make|can you make it|da kann ich nicht|geht nicht|je ne peux pas|no puedo",
    ),
    (
        IS_DONE,
        "done that|done it|that's done|is done|all done|just done|i've done|have done|i've sent|\
         just sent|already sent|i've emailed|i've cancelled|i've added|it's done|sent it|\
         gone through|you should have it now|that's gone|it's gone",
    ),
    (COMMITS, "will do|i will|i can do that|i'll do that|mache ich|je le ferai|lo haré"),
];

struct Lexicon {
    finder: AhoCorasick,
    /// Of each phrase what it says.
    what: Vec<u8>,
}

fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| {
        let entries = TABLE
            .iter()
            .flat_map(|(what, phrases)| phrases.split('|').map(|phrase| (*what, phrase)));
        let (what, phrases): (Vec<u8>, Vec<String>) =
            entries.map(|(what, phrase)| (what, format!(" {phrase} "))).unzip();
        let finder = AhoCorasick::new(phrases).expect("the table is small; this is a bug");
        Lexicon { finder, what }
    })
}

/// Everything that the words say.
fn said(text: &str) -> u8 {
    let lexicon = lexicon();
    let hits = lexicon.finder.find_overlapping_iter(text);
    hits.fold(0, |said, hit| said | lexicon.what[hit.pattern().as_usize()])
}

fn text(tokens: &[Token]) -> String {
    let mut text = String::with_capacity(tokens.len() * 6);
    text.push(' ');
    for token in tokens {
        text.push_str(&token.word);
        text.push(' ');
    }
    text
}

/// What a turn answers; `names_day` where its first words name a day.
pub fn reply(tokens: &[Token], names_day: bool) -> Reply {
    fn is_filler(word: &str) -> bool {
        one_of!(word;
            "um" "uh" "er" "erm" "oh" "hmm" "well" "so" "right" "and" "ah" "äh" "euh" "mhm"
        )
    }
    let skipped = tokens.iter().take_while(|token| is_filler(&token.word)).count();
    let text = text(&tokens[skipped..]);
    let first = tokens.get(skipped).map_or("", |token| token.word.as_str());
    let second = tokens.get(skipped + 1).map_or("", |token| token.word.as_str());
    let what = said(&text);
    // "No, that's great", "no problem".
    let is_easy = match (first, second) {
        ("no" | "not", "problem" | "problems" | "worries" | "a" | "trouble") => true,
        ("no", "that's" | "it's") => {
            let third = tokens.get(skipped + 2).map_or("", |token| token.word.as_str());
            matches!(third, "everything" | "all" | "great")
        }
        _ => false,
    };
    if what & DECLINES != 0 {
        Reply::Declines
    } else if (is_no(first) && !is_easy) || what & REFUSES != 0 {
        Reply::Refuses
    } else if is_easy || is_yes(first) || what & TAKES != 0 || names_day {
        Reply::Accepts
    } else {
        Reply::Else
    }
}

/// Says that it was done meanwhile.
pub fn is_done(tokens: &[Token]) -> bool {
    said(&text(tokens)) & IS_DONE != 0
}

/// Says in so many words that it will be done.
pub fn commits(tokens: &[Token]) -> bool {
    said(&text(tokens)) & COMMITS != 0
}
