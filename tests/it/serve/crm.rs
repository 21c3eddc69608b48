//! Callers, outcomes and the outbox, with a CRM in memory that ignores every filter, as real ones do.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use backchannel::app::crm::{DeskSettings, Systems};
use backchannel::connect::crm::Crm;
use backchannel::connect::destination::{DeliveryError, Destination, RemoteId};
use backchannel::domain::*;
use backchannel::flow::feedback::outcome::{OutcomeSettings, Rule};
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::harness::*;
use super::wrapups::drafts;

#[derive(Default)]
pub struct Shape {
    contacts: Vec<Contact>,
    cases: Vec<(String, Case)>,
    made: Vec<(String, Effect)>,
    pub is_down: bool,
    pub refuses: bool,
    /// Look-ups by such a key wait, and are counted.
    pub held: Option<(&'static str, Arc<Semaphore>)>,
    pub waiting: usize,
}

/// A system in memory.
#[derive(Clone, Default)]
pub struct Filing(Arc<Mutex<Shape>>);

impl Filing {
    pub fn shape(&self) -> MutexGuard<'_, Shape> {
        self.0.lock().expect("no panic")
    }

    fn reached(&self) -> Result<MutexGuard<'_, Shape>, DeliveryError> {
        let shape = self.shape();
        match shape.is_down {
            true => Err(DeliveryError::Unreachable("connection refused".into())),
            false => Ok(shape),
        }
    }

    pub fn add(&self, id: &str, phone: &str) {
        let name = Some(Redacted::vouched(format!("Contact {id}")));
        let (id, phones) = (id.to_owned(), vec![phone.to_owned()]);
        let emails = vec![format!("{id}@example.test")];
        self.shape().contacts.push(Contact { id, name, phones, emails, ..Contact::default() });
    }

    pub fn add_case(&self, contact: &str, id: &str, subject: &str) {
        let case = Case {
            id: id.into(),
            subject: Redacted::vouched(subject),
            status: "open".into(),
            owner: Some("Bo".into()),
            ..Case::default()
        };
        self.shape().cases.push((contact.into(), case));
    }

    pub fn made(&self) -> Vec<Effect> {
        self.shape().made.iter().map(|(_, effect)| effect.clone()).collect()
    }
}

#[async_trait]
impl Destination for Filing {
    fn name(&self) -> &str {
        "crm"
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let mut shape = self.reached()?;
        if shape.refuses {
            return Err(DeliveryError::Refused("status 400".into()));
        }
        shape.made.push((key.as_str().to_owned(), effect.clone()));
        Ok(RemoteId(format!("r-{}", shape.made.len())))
    }

    async fn delivered(
        &self,
        _: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let shape = self.reached()?;
        let at = shape.made.iter().position(|(made, _)| made == key.as_str());
        Ok(at.map(|at| RemoteId(format!("r-{}", at + 1))))
    }
}

#[async_trait]
impl Crm for Filing {
    fn system(&self) -> &'static str {
        "filing"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let held = self.shape().held.clone();
        if let Some((_, gate)) = held.filter(|(kind, _)| *kind == key.kind()) {
            self.shape().waiting += 1;
            gate.acquire().await.expect("it stays open").forget();
        }
        Ok(self.reached()?.contacts.clone())
    }

    async fn open_cases(&self, of: &Contact, _: usize) -> Result<Vec<Case>, DeliveryError> {
        let shape = self.reached()?;
        let cases = shape.cases.iter().filter(|(contact, _)| *contact == of.id);
        Ok(cases.map(|(_, case)| case.clone()).collect())
    }

    async fn history(&self, _: &Contact, _: usize) -> Result<Vec<Activity>, DeliveryError> {
        Err(DeliveryError::Unclear("no answer in 5 s".into()))
    }

    async fn account_facts(&self, _: &Contact) -> Result<AccountFacts, DeliveryError> {
        Ok(AccountFacts { tier: Some("gold".into()), ..AccountFacts::default() })
    }

    async fn solved_cases(&self, words: &[String], _: usize) -> Result<Vec<Case>, DeliveryError> {
        assert!(words.contains(&"broadband".to_owned()), "{words:?}");
        Ok(self.shape().cases.iter().map(|(_, case)| case.clone()).collect())
    }
}

/// A team chat in memory.
struct Chat(Filing);

#[async_trait]
impl Destination for Chat {
    fn name(&self) -> &str {
        "team"
    }
    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        self.0.deliver(effect, key).await
    }
    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        self.0.delivered(effect, key).await
    }
}

fn settings(rule: Rule) -> DeskSettings {
    DeskSettings {
        outcome: OutcomeSettings {
            note: rule,
            call: rule,
            case: Rule::Ask,
            task: rule,
            mail: Rule::Ask,
            meeting: Rule::Ask,
            status: Rule::Ask,
            case_statuses: [("Fault".to_owned(), "solved".to_owned())].into(),
            crm: Some("crm".into()),
            mailbox: None,
            calendar: None,
            sender: None,
            invites: false,
            meeting_minutes: 15,
            time_zone: TimeZone::UTC,
        },
        settle: Duration::from_secs(60),
        pushes_articles: rule == Rule::Automatic,
        region: "GB".into(),
        identify_by: Vec::new(),
        automatic_after: Duration::ZERO,
        room: Some("help".into()),
        public_url: Some("https://copilot.example.test".into()),
    }
}

/// For everybody who needs none.
pub fn no_systems() -> Systems {
    let mut settings = settings(Rule::Ask);
    settings.outcome.crm = None;
    Systems { crm: None, destinations: Vec::new(), settings }
}

pub async fn house(filing: &Filing, rule: Rule) -> House {
    house_in(None, filing, rule).await
}

/// Where the log stays, if it is to.
pub async fn house_in(folder: Option<PathBuf>, filing: &Filing, rule: Rule) -> House {
    let crm: Arc<dyn Crm> = Arc::new(filing.clone());
    let to: Arc<dyn Destination> = crm.clone();
    let chat: Arc<dyn Destination> = Arc::new(Chat(filing.clone()));
    let systems = Systems {
        crm: Some(crm),
        destinations: vec![
            ("crm".into(), "crm", "filing", to),
            ("team".into(), "team", "matrix", chat),
        ],
        settings: settings(rule),
    };
    House::open_with(Options { systems, folder, ..Options::default() }).await
}

pub fn call_from(number: &str) -> EventBody {
    let EventBody::ConversationStarted(mut begins) = started() else { panic!("a beginning") };
    begins.attributes.insert("from".into(), number.into());
    EventBody::ConversationStarted(begins)
}

/// Asks until it is so.
pub async fn until(house: &House, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..400 {
        let (status, seen) = house.get(path).await;
        assert_eq!(status, 200, "{seen}");
        if is_so(&seen) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} never got so")
}

pub async fn context(house: &House, id: &str) -> Value {
    let path = format!("/v1/conversations/{id}");
    until(house, &path, |seen| !seen["crm"].is_null()).await["crm"].clone()
}

#[tokio::test]
async fn whoever_calls_is_looked_up_and_nobody_else_who_comes_back() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    // The same last digits, and the same number abroad.
    filing.add("bob", "+44 161 946 0123");
    filing.add("cyd", "+1 207 946 0123");
    filing.add_case("ada", "9", "Charged twice");
    let house = house(&filing, Rule::Ask).await;
    let mut follower = house.follow("/v1/events?types=crm.context", None).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    let event = follower.next().await.expect("a context").envelope;
    assert_eq!(event["data"]["state"], "known", "{event}");
    assert_eq!(event["data"]["contact"]["name"], "Contact ada");
    let seen = context(&house, "c-1").await;
    assert_eq!(seen["facts"]["tier"], "gold");
    assert_eq!(seen["open_cases"][0]["subject"], "Charged twice");
    let missing = seen["missing"].as_array().expect("what couldn't be read");
    assert_eq!(
        missing,
        &[json!("last contacts: it is unknown whether it was done: no answer in 5 s")]
    );
}

#[tokio::test]
async fn a_filter_that_is_ignored_finds_nobody() {
    let filing = Filing::default();
    filing.add("bob", "+44 161 946 0123");
    let house = house(&filing, Rule::Automatic).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    let seen = context(&house, "c-1").await;
    assert_eq!(seen["state"], "unavailable", "{seen}");
    assert!(seen["detail"].as_str().expect("why").contains("ignores what is searched for"));
    house.append("c-1", drafts()).await;
    house.append("c-1", vec![ended()]).await;
    let (_, outcome) = house.get("/v1/conversations/c-1/outcome").await;
    assert_eq!(outcome["items"], json!([]));
    let order = json!({"items": ["note"]});
    let (status, problem) = house.post("/v1/conversations/c-1/outcome", order).await;
    assert_eq!(status, 409, "{problem}");
    assert!(filing.made().is_empty());
}

#[tokio::test]
async fn several_who_share_a_number_are_a_choice() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    filing.add("bob", "+442079460123");
    let house = house(&filing, Rule::Automatic).await;
    house.append("c-1", vec![call_from("02079460123")]).await;
    let seen = context(&house, "c-1").await;
    assert_eq!(seen["state"], "ambiguous");
    let ids: Vec<&Value> =
        seen["candidates"].as_array().expect("some").iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["ada", "bob"]);
    house.append("c-1", drafts()).await;
    house.append("c-1", vec![ended()]).await;
    let (_, outcome) = house.get("/v1/conversations/c-1/outcome").await;
    assert_eq!(outcome["why_not"], "2 contacts fit; choose one, and it can be written");

    let path = "/v1/conversations/c-1/crm/contact";
    let (status, _) = house.post(path, json!({"contact_id": "cyd"})).await;
    assert_eq!(status, 422, "nobody who wasn't found");
    let (status, _) = house.post(path, json!({"contact_id": "ada", "none": true})).await;
    assert_eq!(status, 422, "one thing at a time");
    let (status, chosen) = house.post(path, json!({"contact_id": "bob"})).await;
    assert_eq!((status.as_u16(), &chosen["contact"]["id"]), (200, &json!("bob")));
    assert_eq!(chosen["chosen_by"], "Emma");
    // The end was before the choice, which is when the rules have somebody to write about.
    let written = |seen: &Value| seen["writes"].as_array().is_some_and(|all| all.len() == 3);
    let seen = until(&house, "/v1/conversations/c-1", written).await;
    let to = |one: &Value| one["contact_id"] == "bob" && one["by"].is_null();
    assert!(seen["writes"].as_array().expect("writes").iter().all(to), "{seen}");

    let (status, written) =
        house.post("/v1/conversations/c-1/outcome", json!({"items": ["note"]})).await;
    assert_eq!((status.as_u16(), &written["items"][0]["contact_id"]), (200, &json!("bob")));
    let (status, problem) = house.post(path, json!({"phone": "+1 555 0100"})).await;
    assert_eq!(status, 503, "nobody else bears it: {problem}");
    filing.add("eve", "+1 555 010 0199");
    let (status, problem) = house.post(path, json!({"phone": "+1 555 010 0199"})).await;
    assert_eq!(status, 409, "a conversation has one customer: {problem}");
}

#[tokio::test]
async fn a_crm_that_was_down_is_asked_again_and_the_call_goes_on() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    filing.shape().is_down = true;
    let house = house(&filing, Rule::Automatic).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    assert_eq!(context(&house, "c-1").await["detail"], "it can't be reached: connection refused");
    house.append("c-1", drafts()).await;
    house.append("c-1", vec![ended()]).await;
    filing.shape().is_down = false;
    let known = |seen: &Value| seen["crm"]["state"] == "known";
    until(&house, "/v1/conversations/c-1", known).await;
    let written = |seen: &Value| seen["writes"].as_array().is_some_and(|all| all.len() == 3);
    let seen = until(&house, "/v1/conversations/c-1", written).await;
    assert_eq!(seen["writes"][0]["operation"], "add_note", "{seen}");
}

#[tokio::test]
async fn what_is_chosen_is_written_once_and_in_order() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    filing.add_case("ada", "9", "Charged twice");
    let house = house(&filing, Rule::Ask).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    context(&house, "c-1").await;
    house.append("c-1", drafts()).await;
    let path = "/v1/conversations/c-1/outcome";
    let (_, outcome) = house.get(path).await;
    let ids: Vec<&str> = outcome["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    assert_eq!(ids, ["case", "note", "call", "task:w-end-followup-1"]);
    assert_eq!(outcome["cases"][0]["id"], "9");
    assert_eq!(outcome["items"][3]["due"]["date"], "1970-01-02");
    assert_eq!(outcome["items"][1]["write"], Value::Null);
    let note = outcome["items"][1]["text"].as_str().expect("text");
    assert!(note.starts_with("Issue: "), "{note}");
    assert!(note.ends_with("Written by Backchannel from conversation c-1"), "{note}");

    for wrong in [
        json!({"items": []}),
        json!({"items": ["note"], "case": "10"}),
        json!({"items": ["note"], "changes": {"call": {"text": "x"}}}),
        json!({"items": ["nothing"]}),
    ] {
        let (status, problem) = house.post(path, wrong.clone()).await;
        assert_eq!(status, 422, "{wrong}: {problem}");
    }
    let order = json!({
        "items": ["task:w-end-followup-1", "note"],
        "case": "new",
        "changes": {"note": {"text": "She pays by card 4111 1111 1111 1111."}},
    });
    let (status, written) = house.post(path, order.clone()).await;
    assert_eq!(status, 200, "{written}");
    let operations: Vec<&Value> =
        written["items"].as_array().expect("items").iter().map(|one| &one["operation"]).collect();
    assert_eq!(operations, ["create_case", "add_note", "create_task"]);
    house.post(path, order).await;
    let all_done = |seen: &Value| {
        let writes = seen["writes"].as_array().expect("writes");
        writes.len() == 3 && writes.iter().all(|one| one["state"] == "done")
    };
    let seen = until(&house, "/v1/conversations/c-1", all_done).await;
    assert_eq!(seen["writes"][1]["by"], "Emma");
    assert_eq!(seen["writes"][1]["wrapup_id"], "w-end-summary-1");
    let made = filing.made();
    let [Effect::CreateCase(_), Effect::AddNote(note), Effect::CreateTask(task)] = &made[..] else {
        panic!("{} effects", made.len())
    };
    assert_eq!(note.case, Some(CaseRef::Id("r-1".into())), "of the case that was made");
    assert_eq!(task.case, Some(CaseRef::Id("r-1".into())));
    assert!(note.body.as_str().contains("[card-1]"), "{}", note.body.as_str());
    let other = json!({"text": "She pays in cash."});
    let order = json!({"items": ["note"], "case": "new", "changes": {"note": other}});
    let (status, problem) = house.post(path, order).await;
    assert_eq!(status, 409, "it stands with other words: {problem}");
    let (_, outcome) = house.get(path).await;
    let note = &outcome["items"][1];
    assert_eq!(note["write"]["state"], "done");
    assert!(note["text"].as_str().is_some_and(|text| text.contains("[card-1]")), "{note}");
}

#[tokio::test]
async fn rules_write_by_themselves_when_it_is_over() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    let house = house(&filing, Rule::Automatic).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    context(&house, "c-1").await;
    house.append("c-1", drafts()).await;
    // Thrown away is thrown away.
    let verdict = json!({"verdict": "discarded"});
    let path = "/v1/conversations/c-1/wrapups/w-end-followup-1/verdict";
    assert_eq!(house.post(path, verdict).await.0, 200);
    house.append("c-1", vec![ended()]).await;
    let done = |seen: &Value| {
        let writes = seen["writes"].as_array().expect("writes");
        writes.len() == 2 && writes.iter().all(|one| one["state"] == "done")
    };
    let seen = until(&house, "/v1/conversations/c-1", done).await;
    assert_eq!(seen["writes"][0].get("by"), None, "a rule did");
    let made = filing.made();
    assert!(matches!(&made[..], [Effect::AddNote(_), Effect::LogCall(_)]), "{}", made.len());
}

#[tokio::test]
async fn what_is_published_goes_to_the_crms_own_base_once() {
    let filing = Filing::default();
    let house = house(&filing, Rule::Automatic).await;
    let seeded = house.log.in_force(&"demo".into(), None).await.expect("read").remove(0);
    let changed = || {
        EventBody::ArticleChanged(Box::new(ArticleChanged {
            article_id: seeded.article.clone(),
            revision: seeded.number,
            action: ArticleAction::Publish,
            title: seeded.content.title.clone(),
            by: "Ada".into(),
            comment: None,
            hash: None,
        }))
    };
    house.append("system", vec![changed(), changed()]).await;
    let done = |seen: &Value| !seen["items"][0].is_null();
    let seen = until(&house, "/v1/outbox?state=done", done).await;
    assert_eq!(seen["items"][0]["operation"], "push_article");
    house.append("system", vec![changed()]).await;
    let made = filing.made();
    let [Effect::PushArticle(pushed)] = &made[..] else { panic!("{} effects", made.len()) };
    assert_eq!((&pushed.article, pushed.revision), (&seeded.article, seeded.number));
    assert!(pushed.body.as_str().contains("Within five days."));
}

#[tokio::test]
async fn a_dead_letter_can_be_read_retried_and_thrown_away() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    filing.shape().refuses = true;
    let house = house(&filing, Rule::Ask).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    context(&house, "c-1").await;
    house.append("c-1", drafts()).await;
    let order = json!({"items": ["note", "call"]});
    assert_eq!(house.post("/v1/conversations/c-1/outcome", order).await.0, 200);
    let two = |seen: &Value| seen["items"].as_array().is_some_and(|items| items.len() == 2);
    let seen = until(&house, "/v1/outbox?state=failed", two).await;
    let (call, note) = (&seen["items"][0], &seen["items"][1]);
    assert_eq!(note["problem"], "it refuses: status 400");
    assert_eq!(note["by"], "Emma");
    assert_eq!(seen["tally"], json!([{"destination": "crm", "state": "failed", "count": 2}]));
    let (_, systems) = house.get("/v1/systems").await;
    let crm = json!({"name": "crm", "kind": "crm", "system": "filing", "resting": false, "problem": null, "waiting": 0, "failed": 2});
    assert_eq!(systems["items"][0], crm);

    filing.shape().refuses = false;
    let retry = format!("/v1/outbox/{}/retry", note["id"]);
    assert_eq!(house.post(&retry, json!(null)).await.0, 200);
    let discard = format!("/v1/outbox/{}/discard", call["id"]);
    let (status, gone) = house.post(&discard, json!(null)).await;
    assert_eq!((status.as_u16(), &gone["state"]), (200, &json!("discarded")));
    until(&house, "/v1/outbox?state=done", |seen| seen["items"][0]["id"] == note["id"]).await;
    assert_eq!(house.post(&retry, json!(null)).await.0, 409, "what is done is done");
    assert_eq!(house.post(&discard, json!(null)).await.0, 409);
    assert_eq!(house.post("/v1/outbox/999/retry", json!(null)).await.0, 404);
    let (status, _) = house.call_as(OTHER_KEY, Method::POST, &retry, json!(null)).await;
    assert_eq!(status, 404, "another tenant's");
    assert_eq!(house.get("/v1/outbox?state=lost").await.0, 422);
    assert_eq!(filing.made().len(), 1);
}
