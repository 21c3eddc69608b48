//! What every router that we recommend to must do: each sentence of the contract is one function here. Called by the
//! tests of each, with a server in this process that does what the vendor's documentation says.

use async_trait::async_trait;
use reqwest::Url;

use super::Fields;
use crate::connect::destination::{DeliveryError, Destination};
use crate::domain::{
    Candidate, Decision, Effect, Feature, FeatureValue, NewNote, Recommendation, Redacted,
    RoutingMode, Term,
};

/// The router from outside.
#[async_trait]
pub trait Look: Send + Sync {
    fn connector(&self, way: &Way) -> Box<dyn Destination>;

    /// An item that waits. Its identifier.
    fn add_item(&self) -> String;

    /// An identifier that no item has.
    fn nobody(&self) -> String;

    /// Ours of an item, without the prefix; what is none is left out.
    fn ours(&self, item: &str) -> Fields;

    /// What the company's own program had written when the item came.
    fn theirs(&self, item: &str) -> Option<String>;

    /// What the router does with the next request that changes something.
    fn next(&self, fault: Fault);

    /// It forgets what it was told, or doesn't keep attributes: it can't be asked, and takes what comes.
    fn is_told_only(&self) -> bool {
        false
    }
}

/// How the connector is set up.
#[derive(Clone, Debug)]
pub enum Way {
    Right,
    At(Url),
    WrongKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Asked too often; nothing is done.
    Limited,
    /// It is done, and the answer is lost.
    Lost,
    /// The company's own program writes first.
    Meanwhile,
}

/// What `Look::connector` must call `emma`.
pub const EMMAS_OTHER_NAME: &str = "worker-7";
/// What `Fault::Meanwhile` makes of `Look::theirs`.
pub const MEANWHILE: &str = "changed meanwhile";

/// Runs the suite.
///
/// # Panics
/// When the connector breaks a contract.
pub async fn all(look: &dyn Look) {
    it_stands_there_with_the_agent_in_their_words(look).await;
    told_twice_it_is_told_once(look).await;
    what_comes_late_does_not_take_the_place_of_what_is_newer(look).await;
    nobody_leaves_nobody_behind(look).await;
    a_long_brief_is_cut_and_odd_letters_stay(look).await;
    what_others_write_stays(look).await;
    trouble_is_told_apart(look).await;
}

/// A recommendation of its own for an item.
pub fn told(item: &str, number: u64) -> Recommendation {
    let candidate = |agent: &str, score| Candidate {
        agent: agent.to_owned(),
        score,
        terms: vec![Term { name: "resolves".into(), value: 0.9, why: "14 of 16".into() }],
    };
    Recommendation {
        conversation: "c-1".into(),
        external_id: item.to_owned(),
        decision: Decision {
            id: format!("d-{number}").as_str().into(),
            item: "i-1".into(),
            queue: "billing".to_owned(),
            mode: RoutingMode::Active,
            policy: "context".to_owned(),
            epoch: 1,
            chosen: Some(candidate("emma", 1.5)),
            runner_up: Some(candidate("bo", 1.25)),
            others: Vec::new(),
            rules_matched: Vec::new(),
            would_change: Vec::new(),
            reason: "emma resolves most of these".to_owned(),
            features: vec![Feature {
                name: "intent".into(),
                value: FeatureValue::Text("refund".to_owned()),
                source: "insight.intent".into(),
                as_of_ms: number,
            }],
            at_ms: 1_000 + number,
        },
        brief: Some(words("The refund is late.")),
        link: Some("https://copilot.example.test/desktop#c-1".to_owned()),
    }
}

fn words(text: &str) -> Redacted {
    crate::insight::redaction::typed(text)
}

fn effect(told: &Recommendation) -> Effect {
    Effect::Recommend(Box::new(told.clone()))
}

async fn deliver(at: &dyn Destination, told: &Recommendation) {
    let made = at.deliver(&effect(told), &told.key()).await.expect("it is delivered");
    assert!(!made.0.is_empty(), "{}: what it was told has a name", at.name());
}

async fn it_stands_there_with_the_agent_in_their_words(look: &dyn Look) {
    let (router, item) = (look.connector(&Way::Right), look.add_item());
    let told = told(&item, 1);
    deliver(router.as_ref(), &told).await;
    let ours = look.ours(&item);
    let wanted = [
        ("key", told.key().as_str().to_owned()),
        ("at_ms", "1001".to_owned()),
        ("decision", "d-1".to_owned()),
        ("agent", EMMAS_OTHER_NAME.to_owned()),
        ("agent_name", "emma".to_owned()),
        ("mode", "active".to_owned()),
        ("reason", told.decision.reason.clone()),
        ("intent", "refund".to_owned()),
    ];
    for (name, value) in wanted {
        assert_eq!(ours.get(name), Some(&value), "{name}");
    }
}

async fn told_twice_it_is_told_once(look: &dyn Look) {
    if look.is_told_only() {
        return;
    }
    let (router, item) = (look.connector(&Way::Right), look.add_item());
    let told = told(&item, 2);
    let found = router.delivered(&effect(&told), &told.key()).await;
    assert_eq!(found, Ok(None), "nothing was told yet");
    deliver(router.as_ref(), &told).await;
    let found = router.delivered(&effect(&told), &told.key()).await.expect("it can be asked");
    assert!(found.is_some(), "what was told is found");
    look.next(Fault::Limited);
    // It isn't asked to change anything, so it can't say that this is too often.
    deliver(router.as_ref(), &told).await;
    let again = router.deliver(&effect(&self::told(&item, 3)), &self::told(&item, 3).key()).await;
    assert!(matches!(again, Err(DeliveryError::Limited { .. })), "{again:?}");
}

async fn what_comes_late_does_not_take_the_place_of_what_is_newer(look: &dyn Look) {
    if look.is_told_only() {
        return;
    }
    let (router, item) = (look.connector(&Way::Right), look.add_item());
    let (old, new) = (told(&item, 4), told(&item, 5));
    deliver(router.as_ref(), &new).await;
    let found = router.delivered(&effect(&old), &old.key()).await.expect("it can be asked");
    assert!(found.is_some(), "there is nothing left to tell");
    deliver(router.as_ref(), &old).await;
    assert_eq!(look.ours(&item).get("decision").map(String::as_str), Some("d-5"));
    deliver(router.as_ref(), &told(&item, 6)).await;
    assert_eq!(look.ours(&item).get("decision").map(String::as_str), Some("d-6"));
}

async fn nobody_leaves_nobody_behind(look: &dyn Look) {
    let (router, item) = (look.connector(&Way::Right), look.add_item());
    deliver(router.as_ref(), &told(&item, 7)).await;
    let mut nobody = told(&item, 8);
    (nobody.decision.chosen, nobody.decision.runner_up) = (None, None);
    nobody.decision.reason = "nobody has the skill".to_owned();
    deliver(router.as_ref(), &nobody).await;
    let ours = look.ours(&item);
    assert_eq!(ours.get("agent").map_or("", String::as_str), "", "emma isn't recommended any more");
    assert_eq!(ours.get("reason").map(String::as_str), Some("nobody has the skill"));
}

async fn a_long_brief_is_cut_and_odd_letters_stay(look: &dyn Look) {
    let (router, item) = (look.connector(&Way::Right), look.add_item());
    let mut told = told(&item, 9);
    told.brief = Some(words(&"é漢 \"x\" \\ & ".repeat(2_000)));
    told.decision.reason = "Zoë: “ja” & \"no\" \\ <b> 漢字".to_owned();
    deliver(router.as_ref(), &told).await;
    let ours = look.ours(&item);
    assert_eq!(ours.get("reason"), Some(&told.decision.reason));
    assert_eq!(ours.get("agent_name").map(String::as_str), Some("emma"));
}

async fn what_others_write_stays(look: &dyn Look) {
    if look.is_told_only() {
        return;
    }
    let (router, item) = (look.connector(&Way::Right), look.add_item());
    let before = look.theirs(&item);
    assert!(before.is_some(), "the item has something of their own");
    deliver(router.as_ref(), &told(&item, 10)).await;
    assert_eq!(look.theirs(&item), before);
    look.next(Fault::Meanwhile);
    deliver(router.as_ref(), &told(&item, 11)).await;
    assert_eq!(look.theirs(&item).as_deref(), Some(MEANWHILE));
    assert_eq!(look.ours(&item).get("decision").map(String::as_str), Some("d-11"));
}

async fn trouble_is_told_apart(look: &dyn Look) {
    let (router, item) = (look.connector(&Way::Right), look.add_item());
    let told = told(&item, 12);
    let tried = |router: Box<dyn Destination>, told: Recommendation| async move {
        router.deliver(&effect(&told), &told.key()).await.expect_err("it can't be told")
    };
    look.next(Fault::Limited);
    let limited = tried(look.connector(&Way::Right), told.clone()).await;
    assert!(matches!(limited, DeliveryError::Limited { retry_after: Some(_) }), "{limited:?}");
    assert!(look.ours(&item).is_empty(), "nothing was told");

    look.next(Fault::Lost);
    let lost = tried(look.connector(&Way::Right), told.clone()).await;
    assert!(matches!(lost, DeliveryError::Unclear(_)), "{lost:?}");
    let found = router.delivered(&effect(&told), &told.key()).await;
    match look.is_told_only() {
        true => assert!(matches!(found, Err(DeliveryError::Undecided(_))), "{found:?}"),
        false => assert!(matches!(found, Ok(Some(_))), "{found:?}"),
    }

    let denied = tried(look.connector(&Way::WrongKey), told.clone()).await;
    assert!(matches!(denied, DeliveryError::Denied(_)), "{denied:?}");
    // Nobody listens on the port of discard.
    let nowhere = Url::parse("http://127.0.0.1:9").expect("an address");
    let unreachable = tried(look.connector(&Way::At(nowhere)), told.clone()).await;
    assert!(matches!(unreachable, DeliveryError::Unreachable(_)), "{unreachable:?}");
    if !look.is_told_only() {
        let missing = tried(look.connector(&Way::Right), self::told(&look.nobody(), 13)).await;
        assert!(matches!(missing, DeliveryError::NotFound(_)), "{missing:?}");
    }
    let note = Effect::AddNote(NewNote {
        contact_id: "7".to_owned(),
        case: None,
        subject: words("A note"),
        body: words("is for the CRM."),
    });
    let other = router.deliver(&note, &told.key()).await;
    assert!(matches!(other, Err(DeliveryError::Unsupported(_))), "{other:?}");
}
