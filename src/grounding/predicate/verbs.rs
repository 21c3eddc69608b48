//! Words that carry or shape a predicate.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::grounding::reading::{Part, Reading, Word};

/// What stands before a verb and says when and whether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Helper {
    Will,
    May,
    Have,
    /// "is", "are"
    Is,
    /// "was", "been"
    Was,
    /// "be" and "being", which say nothing by themselves.
    Be,
    /// "it's done": is or has.
    Short,
    Did,
    Do,
}

pub(super) fn helper(reading: &Reading, at: usize) -> Option<Helper> {
    let word = &reading.words[at];
    let raw = reading.text.get(word.bytes.clone()).unwrap_or_default();
    // Without its apostrophe "we'll" is "well".
    if let Some((_, end)) = raw.rsplit_once(['\'', '’', '‘']) {
        match end.to_lowercase().as_str() {
            "ll" => return Some(Helper::Will),
            "ve" => return Some(Helper::Have),
            "re" | "m" => return Some(Helper::Is),
            "d" => return Some(Helper::May),
            "s" if SHORT.contains(&word.lower.as_str()) => return Some(Helper::Short),
            _ => {}
        }
    }
    Some(match word.lower.as_str() {
        "will" | "shall" | "wont" | "gonna" => Helper::Will,
        "can" | "cant" | "cannot" | "could" | "couldnt" | "may" | "might" | "must" | "should"
        | "shouldnt" | "would" | "wouldnt" => Helper::May,
        "have" | "has" | "had" | "havent" | "hasnt" | "hadnt" | "having" => Helper::Have,
        "is" | "are" | "am" | "isnt" | "arent" | "aint" => Helper::Is,
        "was" | "were" | "been" | "wasnt" | "werent" => Helper::Was,
        "be" | "being" => Helper::Be,
        "did" | "didnt" => Helper::Did,
        "do" | "does" | "dont" | "doesnt" => Helper::Do,
        _ => return None,
    })
}

const SHORT: &[&str] =
    &["its", "thats", "hes", "shes", "theres", "heres", "whats", "whos", "everythings"];

/// Stand between a verb and what shapes it.
pub(super) fn is_adverb(lower: &str) -> bool {
    const PLAIN: &[&str] = &[
        "not",
        "never",
        "also",
        "just",
        "already",
        "now",
        "then",
        "still",
        "even",
        "only",
        "always",
        "ever",
        "yet",
        "soon",
        "once",
        "first",
        "often",
        "both",
        "all",
        "actually",
        "gladly",
        "therefore",
        "however",
        "today",
        "again",
        "currently",
    ];
    PLAIN.contains(&lower) || (lower.ends_with("ly") && lower.len() > 4 && lower != "reply")
}

pub(in crate::grounding) fn is_subject(lower: &str) -> bool {
    matches!(lower, "i" | "we" | "you" | "they" | "he" | "she" | "it")
}

/// Behind one of these stands a noun.
pub(in crate::grounding) fn opens_noun(lower: &str) -> bool {
    matches!(
        lower,
        "a" | "an"
            | "the"
            | "my"
            | "your"
            | "our"
            | "his"
            | "her"
            | "their"
            | "its"
            | "this"
            | "that"
            | "these"
            | "those"
            | "any"
            | "no"
            | "some"
            | "each"
            | "every"
            | "another"
            | "which"
            | "what"
            | "of"
            | "for"
            | "with"
            | "by"
            | "about"
            | "full"
            | "partial"
            | "new"
    )
}

/// Whoever speaks of it with one of these doesn't say that it was done; "your claim" is a thing.
pub(super) fn is_wish(words: &[Word], at: usize) -> bool {
    const WISHES: &[&str] = &[
        "want",
        "wants",
        "wanted",
        "like",
        "wish",
        "need",
        "needs",
        "needed",
        "hope",
        "hoping",
        "ask",
        "asks",
        "asked",
        "asking",
        "request",
        "requests",
        "requested",
        "requesting",
        "demand",
        "demanded",
        "expect",
        "expecting",
        "await",
        "awaiting",
        "wait",
        "waiting",
        "apply",
        "applied",
        "claim",
        "consider",
        "considering",
        "discuss",
        "wondering",
        "whether",
        "if",
        "promise",
        "promised",
        "offer",
        "offered",
        "please",
        "try",
        "tried",
        "trying",
        "suggest",
        "suggested",
        "suggests",
        "recommend",
        "advise",
        "advised",
        "advises",
    ];
    WISHES.contains(&words[at].lower.as_str())
        && !at.checked_sub(1).is_some_and(|before| opens_noun(&words[before].lower))
}

/// Past forms that don't end in "-ed".
const PAST: &str = "paid sent took taken gave given got gotten went gone came made found left lost bought sold told \
    said kept held met ran broke broken spoke spoken wrote written chose chosen began begun brought caught felt heard \
    knew known led meant rang rung saw seen shown slept spent stood stolen stole swore taught thought threw thrown \
    understood withdrew withdrawn won wore worn drew drawn drove driven fell fallen flew flown forgot forgotten froze \
    frozen grew grown hid hidden rose risen shook sank sat sought shut undid undone overpaid repaid rebuilt built dealt \
    done had laid lent";
/// They end so and are no past.
const NO_PAST: &str = "need speed hundred feed indeed exceed proceed succeed embed weed breed united limited unlimited \
    agreed-upon sacred wicked naked bleed freed kindred shred seed deed heed reed greed supposed";

static PAST_FORMS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| PAST.split_whitespace().collect());
static NO_PAST_FORMS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| NO_PAST.split_whitespace().collect());

/// "refunded", "paid"
pub(super) fn is_past(lower: &str) -> bool {
    let regular = lower.len() >= 5 && lower.ends_with("ed") && !NO_PAST_FORMS.contains(lower);
    regular || PAST_FORMS.contains(lower)
}

pub(super) fn is_going_on(lower: &str) -> bool {
    lower.len() >= 5 && lower.ends_with("ing")
}

/// What settles a matter: nobody may make it up, in a summary either.
const DEEDS: &str = "approve authorise authorize grant cancel refund repay credit compensate waive reject decline refuse \
    deny replace repair pay charge deliver activate deactivate renew collect escalate unlock upgrade downgrade \
    extend install reinstate withdraw transfer disconnect dismiss settle overcharge deduct";
/// Verbs of the frame that grant something when they aren't followed by what was said.
const GRANTS: &str = "offer offered offers give gave given gives provide provided provides confirm confirmed confirms";

/// What people put for each other when they retell. The grounding's own stems know more.
const ALIKE: &[&str] = &[
    "refund repay credit",
    "cancel end close stop",
    "replace swap change",
    "repair mend restore",
    "approve accept authorise authorize grant allow agree",
    "waive remove drop lift",
    "reject decline refuse deny",
    "send post forward",
    "receive get",
    "pay debit settle",
    "charge bill debit cost deduct take",
    "book arrange schedule set appoint appointment",
    "visit come attend",
    "arrive come",
    "reach ring message write speak",
    "check look investigate review examine test",
    "finish complete end",
    "break fail fault defective faulty",
    "restart reset",
    "update change amend correct edit",
    "find locate discover",
    "buy order",
    "deliver bring arrive",
    "move relocate",
    "join register enrol subscribe",
    "request ask apply raise",
    "disconnect drop lose",
    "stay remain keep",
    "use try",
    "give provide offer get receive credit",
    "install fit set",
    "collect pick fetch",
    "pass forward transfer escalate",
    "notice realise discover spot see",
    "need require must",
    "prefer want",
    "happen occur",
    "explain tell say",
    "want like wish",
    "expire end run",
    "allow let permit",
];

/// Forms that no stem knows for one.
const FORMS: &[&str] = &[
    "take took taken",
    "give gave given",
    "come came",
    "go went gone",
    "see saw seen",
    "find found",
    "make made",
    "get got gotten",
    "keep kept",
    "tell told",
    "hold held",
    "bring brought",
    "know knew known",
    "show shown",
    "catch caught",
    "draw drew drawn",
    "withdraw withdrew withdrawn",
    "drive drove driven",
    "grow grew grown",
    "hide hid hidden",
    "rise rose risen",
    "steal stole stolen",
    "meet met",
    "build built",
    "throw threw thrown",
    "teach taught",
    "spend spent",
    "stand stood",
    "win won",
    "wear wore worn",
    "feel felt",
    "hear heard",
    "mean meant",
    "run ran",
    "fall fell fallen",
    "forget forgot forgotten",
    "undo undid undone",
    "deal dealt",
    "lead led",
    "understand understood",
    "sit sat",
    "sleep slept",
    "shake shook shaken",
    "seek sought",
    "lend lent",
    "say said",
    "overpay overpaid",
    "repay repaid",
    "rebuild rebuilt",
    "do did done",
    "eat ate eaten",
    "fly flew flown",
];

/// Verbs that say too little to have been said: "you get" is said of what somebody sends.
pub(super) fn is_weak(lower: &str) -> bool {
    matches!(
        lower,
        "get"
            | "gets"
            | "getting"
            | "got"
            | "gotten"
            | "make"
            | "makes"
            | "making"
            | "made"
            | "go"
            | "goes"
            | "going"
            | "went"
            | "gone"
            | "need"
            | "needs"
            | "needed"
            | "think"
            | "thinks"
            | "thought"
            | "feel"
            | "feels"
    )
}

pub(super) fn is_start(lower: &str) -> bool {
    matches!(lower, "start" | "started" | "starts" | "began" | "begun" | "begins")
}

/// "Done." – what was just promised.
pub(super) fn is_done(words: &[Word]) -> bool {
    let lower = |at: usize| words.get(at).map_or("", |word| word.lower.as_str());
    lower(0) == "done"
        || matches!((lower(0), lower(1)), ("all" | "thats" | "its", "done"))
        || matches!(
            (lower(0), lower(1), lower(2)),
            ("that" | "it", "is", "done") | ("thats" | "its", "all", "done")
        )
}

fn stems(words: &str) -> Vec<String> {
    Reading::stemmed(words).words.into_iter().map(|word| word.stem).collect()
}

static DEED_STEMS: LazyLock<HashSet<String>> = LazyLock::new(|| stems(DEEDS).into_iter().collect());
static GRANT_FORMS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| GRANTS.split_whitespace().collect());
static ALIKE_STEMS: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut alike: HashMap<String, Vec<String>> = HashMap::new();
    let forms: Vec<Vec<String>> = FORMS.iter().map(|forms| stems(forms)).collect();
    let of_group = |group: &&str| -> Vec<String> {
        let whole = stems(group).into_iter().flat_map(|stem| {
            let others = forms.iter().find(|forms| forms.contains(&stem)).cloned();
            others.unwrap_or_else(|| vec![stem])
        });
        whole.collect()
    };
    for stems in ALIKE.iter().map(of_group).chain(forms.iter().cloned()) {
        for stem in &stems {
            let others = alike.entry(stem.clone()).or_default();
            for other in stems.iter().filter(|other| *other != stem) {
                if !others.contains(other) {
                    others.push(other.clone());
                }
            }
        }
    }
    alike
});

pub(super) fn is_deed(stem: &str) -> bool {
    DEED_STEMS.contains(stem)
}

/// "We offered you compensation" grants; "we confirmed that" only tells.
pub(super) fn is_grant(words: &[Word], at: usize) -> bool {
    let tells = words.get(at + 1).is_some_and(|next| {
        matches!(next.lower.as_str(), "that" | "whether" | "if" | "how" | "what" | "why" | "when")
    });
    words[at].part == Part::Frame && GRANT_FORMS.contains(words[at].lower.as_str()) && !tells
}

/// Stems of what may stand for a verb.
pub(super) fn alike(stem: &str) -> &'static [String] {
    ALIKE_STEMS.get(stem).map_or(&[], Vec::as_slice)
}

/// "pay it back", "it goes back", "your money back": a refund without the word. "Ring back" and "get
/// back to you" are none.
pub(super) fn is_given_back(words: &[Word], at: usize) -> bool {
    const GIVES: &[&str] = &[
        "pay",
        "pays",
        "paid",
        "paying",
        "put",
        "puts",
        "give",
        "gives",
        "gave",
        "given",
        "go",
        "goes",
        "going",
        "went",
        "gone",
        "send",
        "sent",
        "money",
        "pounds",
        "be",
        "transfer",
        "transferred",
    ];
    words[at].lower == "back"
        && words[at.saturating_sub(4)..at].iter().any(|word| GIVES.contains(&word.lower.as_str()))
        && words.get(at + 1).is_none_or(|next| {
            matches!(
                next.lower.as_str(),
                "to" | "on" | "onto" | "into" | "in" | "within" | "by" | "for"
            ) || next.clause != words[at].clause
        })
}
