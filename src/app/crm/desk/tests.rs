//! Two who order at once, and contacts whom the CRM loses; `tests/it/serve/crm` has what a client sees.

use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;

use super::*;
use crate::app::crm::{DeskSettings, Systems};
use crate::connect::crm::Crm;
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::domain::{
    AccountFacts, Activity, Case, CaseRef, Contact, ContactKey, DedupeKey, Effect, KnownContact,
};
use crate::flow::feedback::outcome::OutcomeSettings;
use crate::serve::Change;
use crate::store::outbox::conformance::conversation;
use crate::store::{ArticleLog, Outbox, SqliteStore, Store};

/// A CRM in memory, whose contacts can be merged.
#[derive(Clone, Default)]
struct Filing(Arc<Mutex<Shape>>);

#[derive(Default)]
struct Shape {
    contacts: Vec<String>,
    made: Vec<Effect>,
    loses_answers: bool,
}

impl Shape {
    fn reach(&self, effect: &Effect) -> Result<(), DeliveryError> {
        let contact = effect.contact_id().unwrap_or_default();
        match self.contacts.iter().any(|id| id == contact) {
            true => Ok(()),
            false => Err(DeliveryError::NotFound("status 404".into())),
        }
    }
}

impl Filing {
    fn shape(&self) -> std::sync::MutexGuard<'_, Shape> {
        self.0.lock().expect("no panic")
    }
}

#[async_trait]
impl Destination for Filing {
    fn name(&self) -> &str {
        "crm"
    }

    async fn deliver(&self, effect: &Effect, _: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let mut shape = self.shape();
        shape.reach(effect)?;
        shape.made.push(effect.clone());
        if shape.loses_answers {
            return Err(DeliveryError::Unclear("the connection broke".into()));
        }
        Ok(RemoteId(format!("r-{}", shape.made.len())))
    }

    async fn delivered(
        &self,
        effect: &Effect,
        _: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        self.shape().reach(effect).map(|()| None)
    }
}

#[async_trait]
impl Crm for Filing {
    fn system(&self) -> &'static str {
        "filing"
    }

    /// A contact's number is what stands in its identifier.
    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let shape = self.shape();
        let is_it = |id: &&String| match key {
            ContactKey::Id(wanted) => *id == wanted,
            _ => key.value().ends_with(id.as_str()),
        };
        Ok(shape.contacts.iter().filter(is_it).map(|id| contact(id)).collect())
    }

    async fn open_cases(&self, _: &Contact, _: usize) -> Result<Vec<Case>, DeliveryError> {
        Ok(Vec::new())
    }

    async fn history(&self, _: &Contact, _: usize) -> Result<Vec<Activity>, DeliveryError> {
        Ok(Vec::new())
    }

    async fn account_facts(&self, _: &Contact) -> Result<AccountFacts, DeliveryError> {
        Ok(AccountFacts::default())
    }
}

const LOSER: &str = "0123";
const KEEPER: &str = "0124";

fn number(id: &str) -> String {
    format!("+44207946{id}")
}

fn contact(id: &str) -> Contact {
    Contact { id: id.to_owned(), phones: vec![number(id)], ..Contact::default() }
}

struct Scene {
    _folder: tempfile::TempDir,
    filing: Filing,
    desk: CrmDesk,
    outbox: Arc<dyn Outbox>,
    tenant: TenantId,
    id: ConversationId,
}

async fn scene() -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path(), Arc::new(|_| ())).await.expect("opens");
    let store = Arc::new(store);
    let filing = Filing::default();
    filing.shape().contacts = vec![LOSER.to_owned(), KEEPER.to_owned()];
    let settings = DeskSettings {
        outcome: OutcomeSettings {
            note: Rule::Never,
            call: Rule::Automatic,
            case: Rule::Ask,
            task: Rule::Never,
            mail: Rule::Never,
            meeting: Rule::Never,
            status: Rule::Never,
            case_statuses: [].into(),
            crm: Some("crm".into()),
            mailbox: None,
            calendar: None,
            sender: None,
            invites: false,
            meeting_minutes: 15,
            time_zone: TimeZone::UTC,
        },
        settle: Duration::from_secs(60),
        pushes_articles: false,
        region: "GB".into(),
        identify_by: Vec::new(),
        automatic_after: Duration::ZERO,
        room: None,
        public_url: None,
    };
    let to: Arc<dyn Destination> = Arc::new(filing.clone());
    let systems = Systems {
        crm: Some(Arc::new(filing.clone())),
        destinations: vec![("crm".into(), "crm", "filing", to)],
        settings,
    };
    let (log, outbox): (Arc<dyn Store>, Arc<dyn Outbox>) = (store.clone(), store.clone());
    let articles: Arc<dyn ArticleLog> = store;
    let tenant = TenantId::from("t");
    let id = conversation(log.as_ref(), &tenant).await;
    let desk = CrmDesk::new(systems, log, outbox.clone(), articles, Arc::new(|_, _| true));
    let known = KnownContact { contact: contact(LOSER), ..KnownContact::default() };
    let context = CrmContext {
        connector: "crm".into(),
        searched: None,
        identity: Identity::Known(Box::new(known)),
        latency_ms: 0,
    };
    desk.tell_of_customer(&tenant, &id, context).await.expect("told");
    Scene { _folder: folder, filing, desk, outbox, tenant, id }
}

fn order(items: &[&str], case: CaseChoice, words: Option<(&str, &str)>) -> OutcomeOrder {
    let change = |text: &str| Change { text: Some(text.to_owned()), ..Change::default() };
    OutcomeOrder {
        items: items.iter().map(|id| (*id).to_owned()).collect(),
        case,
        changes: words.into_iter().map(|(id, text)| (id.to_owned(), change(text))).collect(),
    }
}

impl Scene {
    async fn put(&self, order: OutcomeOrder, by: &str) -> Result<Vec<Delivery>, Failure> {
        self.desk.write(&self.tenant, &self.id, order, by).await
    }

    async fn choose(&self, id: &str) -> Result<CrmContext, Failure> {
        let wanted = WantedContact::By(ContactKey::Phone(number(id)));
        self.desk.identify(&self.tenant, &self.id, wanted, "Bea").await
    }

    async fn deliver(&self) {
        self.deliver_in(Duration::ZERO).await;
    }

    async fn deliver_in(&self, later: Duration) {
        let courier = &self.desk.places[0].courier;
        courier.round(Timestamp::now() + later).await.expect("a round");
    }

    async fn shown(&self) -> Outcome {
        self.desk.outcome(&self.tenant, &self.id).await.expect("a plan")
    }

    async fn all(&self) -> Vec<Delivery> {
        let query = DeliveryQuery::all(self.tenant.clone());
        self.outbox.deliveries(&query).await.expect("reads").items
    }
}

fn body(effect: &Effect) -> &str {
    match effect {
        Effect::LogCall(call) => call.body.as_str(),
        Effect::CreateCase(case) => case.body.as_str(),
        other => panic!("{}", other.operation()),
    }
}

#[tokio::test]
async fn of_two_with_words_of_their_own_the_second_hears_of_it() {
    let scene = scene().await;
    let words = |text| order(&["call"], CaseChoice::None, Some(("call", text)));
    let (bea, cyd) = tokio::join!(
        scene.put(words("Refund granted."), "Bea"),
        scene.put(words("Refund denied."), "Cyd"),
    );
    bea.expect("put");
    let told = cyd.expect_err("it stands with other words");
    assert_eq!(told.kind, ErrorKind::Conflict);
    assert!(told.message.contains("by Bea already, with other words"), "{told}");
    assert!(!told.message.contains("Refund"), "nobody's words: {told}");
    scene.put(words("Refund granted."), "Bea").await.expect("the same again changes nothing");
    let unchanged = order(&["call"], CaseChoice::None, None);
    scene.put(unchanged, "Cyd").await.expect_err("the draft isn't what stands, either");
    assert_eq!(scene.all().await.len(), 1);
    // Who looks sees what was put, and the draft of what wasn't.
    let shown = scene.shown().await;
    let of = |id| shown.planned.iter().find(|one| one.id == id).expect("planned");
    assert_eq!(body(&of("call").effect), "Refund granted.");
    assert!(body(&of("case").effect).starts_with("Written by"));
    scene.deliver().await;
    assert_eq!(scene.filing.shape().made.len(), 1);
    assert_eq!(body(&scene.filing.shape().made[0]), "Refund granted.");
}

#[tokio::test]
async fn what_stands_without_a_case_isnt_put_into_one_unsaid() {
    let scene = scene().await;
    scene.put(order(&["call"], CaseChoice::None, None), "Bea").await.expect("put");
    let told = scene.put(order(&["call", "case"], CaseChoice::New, None), "Cyd").await;
    let told = told.expect_err("the call stands without one");
    assert!(told.message.contains("another case"), "{told}");
    assert_eq!(scene.all().await.len(), 1, "nothing of the order was put");
    scene.put(order(&["case"], CaseChoice::New, None), "Cyd").await.expect("the rest");
    // In the order of one click, what belongs to a case is put with it, as often as it comes.
    let scene = self::scene().await;
    for _ in 0..2 {
        let put = scene.put(order(&["call"], CaseChoice::New, None), "Bea").await.expect("put");
        assert!(matches!(put[1].new.effect.case(), Some(CaseRef::MadeBy(_))));
    }
}

#[tokio::test]
async fn who_was_merged_into_another_is_nobodys_customer_any_more() {
    let scene = scene().await;
    scene.put(order(&["call"], CaseChoice::None, None), "Bea").await.expect("put");
    scene.deliver().await;
    let told = scene.choose(KEEPER).await.expect_err("the first one is there");
    assert!(told.message.contains("stays theirs"), "{told}");

    scene.filing.shape().contacts.retain(|id| id != LOSER);
    scene.put(order(&["case"], CaseChoice::New, None), "Bea").await.expect("put");
    scene.deliver().await;
    let dead = scene.all().await.remove(0);
    assert_eq!(dead.progress.state, DeliveryState::Failed);
    // It may have been done, for all that is known here.
    let told = scene.choose(KEEPER).await.expect_err("a dead letter is left");
    assert!(told.message.contains("no longer has the contact"), "{told}");
    scene.desk.discard(&scene.tenant, dead.position).await.expect("thrown away");
    scene.choose(KEEPER).await.expect("nothing holds the conversation any more");

    // The CRM has moved the call to the one that was kept.
    let shown = scene.shown().await;
    let of = |id| shown.planned.iter().position(|one| one.id == id).expect("planned");
    let before = shown.before[of("call")].as_ref().expect("it was done");
    assert_eq!(before.contact_id.as_deref(), Some(LOSER));
    assert_eq!(shown.planned[of("call")].rule, Rule::Ask);
    assert_eq!(shown.before[of("case")], None, "that was never done");
    let left = scene.desk.write_automatic(&scene.tenant, &scene.id).await.expect("written");
    assert_eq!(left, 0, "no rule does it again");
    scene.put(order(&["call", "case"], CaseChoice::New, None), "Bea").await.expect("who says so");
    scene.deliver().await;
    scene.deliver().await;
    assert_eq!(scene.filing.shape().made.len(), 3);
}

#[tokio::test]
async fn what_may_have_been_done_is_put_again_by_a_person_alone() {
    let scene = scene().await;
    scene.filing.shape().loses_answers = true;
    scene.put(order(&["call"], CaseChoice::None, None), "Bea").await.expect("put");
    scene.deliver().await;
    // Merged before anybody could look for it.
    scene.filing.shape().contacts.retain(|id| id != LOSER);
    scene.filing.shape().loses_answers = false;
    scene.deliver_in(Duration::from_secs(61)).await;
    let dead = scene.all().await.remove(0);
    let told = dead.progress.problem.as_deref().unwrap_or_default();
    assert!(told.starts_with("it may have been done: "), "{told}");

    scene.desk.discard(&scene.tenant, dead.position).await.expect("thrown away");
    scene.choose(KEEPER).await.expect("nothing holds the conversation");
    let left = scene.desk.write_automatic(&scene.tenant, &scene.id).await.expect("written");
    assert_eq!(left, 0, "no rule does it again");
    let shown = scene.shown().await;
    let at = shown.planned.iter().position(|one| one.id == "call").expect("planned");
    let before = shown.before[at].as_ref().expect("it may have been done");
    assert_eq!((before.state.as_str(), shown.planned[at].rule), ("discarded", Rule::Ask));
    scene.put(order(&["call"], CaseChoice::None, None), "Bea").await.expect("who says so");
}
