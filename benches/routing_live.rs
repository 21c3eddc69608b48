//! From an event of a conversation to the recommendation that follows from it, both durable, as anybody who follows the
//! log sees them: what the router takes besides the disk's own time for two commits.
//!
//! `CONVERSATIONS` wait in the shadow plan below while `AGENTS` are there. One after the other is understood anew, so
//! that it goes to another queue, `PAUSE` after the one before. Printed are the times from the commit of
//! `insight.intent` to that of `route.recommended`. `-- --conversations 5000 --events 2000`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backchannel::app::routing::{PlanText, RoutingDesk, RoutingSettings, RoutingSurroundings};
use backchannel::bus::{Bus, Heard, MemoryBus, Signal};
use backchannel::domain::{
    Channel, ConversationId, ConversationStarted, Direction, EventBody, Intent, IntentSeen,
    NewEvent, PlanForm, Recorded, TenantId, TurnIntent,
};
use backchannel::serve::RoutingDoor;
use backchannel::store::{SqliteStore, Store};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

const AGENTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(10);

fn plan() -> String {
    let mut plan = "mode = \"shadow\"\n[[profiles]]\nname = \"chat\"\nlimit = 3\n".to_owned();
    for queue in ["billing", "technical", "general"] {
        let _ = write!(
            plan,
            "[[queues]]\nname = \"{queue}\"\nchannel = \"messaging\"\nmethod = \"context\"\n"
        );
    }
    for agent in 0..AGENTS {
        let queue = ["billing", "technical"][agent % 2];
        let _ = write!(
            plan,
            "[[agents]]\nname = \"agent {agent}\"\nqueues = [\"{queue}\", \"general\"]\n\
             profiles = [{{ profile = \"chat\" }}]\n"
        );
    }
    plan.push_str(
        "[[workstreams]]\nname = \"chats\"\nchannel = \"messaging\"\nfallback_queue = \"general\"\n\
         profiles = [\"chat\"]\n\
         [[workstreams.routes]]\nname = \"money\"\nqueue = \"billing\"\n\
         when = { attribute = \"intent\", is = \"refund\" }\n\
         [[workstreams.routes]]\nname = \"faults\"\nqueue = \"technical\"\n\
         when = { attribute = \"intent\", is = \"no_internet\" }\n",
    );
    plan
}

fn number(name: &str, usual: usize) -> usize {
    let mut args = std::env::args().skip_while(|arg| arg != name);
    args.nth(1).and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (conversations, events) = (number("--conversations", 1_000), number("--events", 1_000));
    let folder = tempfile::tempdir().expect("a folder");
    let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new(65_536));
    let to_bus = Arc::clone(&bus);
    let hook = Arc::new(move |events: &[Arc<Recorded>]| {
        events.iter().for_each(|event| to_bus.publish(Signal::Event(Arc::clone(event))));
    });
    let store = Arc::new(SqliteStore::open(folder.path(), hook).await.expect("it opens"));
    let stop = CancellationToken::new();
    let tenant = TenantId::from("t");
    let settings = RoutingSettings {
        plan: Some(PlanText { form: PlanForm::Toml, text: plan() }),
        workstreams: [("chat".to_owned(), "chats".to_owned())].into(),
        everybody_is_there: true,
        ..RoutingSettings::default()
    };
    let around = RoutingSurroundings {
        tenant: tenant.clone(),
        folder: folder.path().to_owned(),
        store: store.clone(),
        outbox: store.clone(),
        bus: Arc::clone(&bus),
        stop: stop.clone(),
    };
    let (desk, tasks) = RoutingDesk::start(settings, around);
    desk.plan(&tenant).await.expect("it is ready").expect("the plan stands");
    for number in 0..conversations {
        append(&store, &tenant, number, started()).await;
    }
    let last = format!("i-c-{}", conversations - 1);
    while desk.item(&tenant, &last.as_str().into()).await.expect("asked").is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut subscription = bus.subscribe();
    let (mut took, mut missing) = (Vec::new(), 0);
    for event in 0..events {
        let number = event % conversations;
        let label = if (event / conversations) % 2 == 0 { "refund" } else { "no_internet" };
        append(&store, &tenant, number, understood(label)).await;
        let id = ConversationId::from(format!("c-{number}"));
        match tokio::time::timeout(PATIENCE, between(&mut *subscription, &id)).await {
            Ok(passed) => took.push(passed),
            Err(_) => missing += 1,
        }
        tokio::time::sleep(PAUSE).await;
    }
    stop.cancel();
    for task in tasks {
        task.await.expect("no panic");
    }
    store.close().await;
    took.sort_unstable();
    let at = |share: f64| {
        let index = ((took.len() as f64 - 1.0) * share).round() as usize;
        took.get(index).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    };
    println!(
        "{conversations} waiting, {AGENTS} agents, {events} events, {missing} without a recommendation"
    );
    println!(
        "event → recommendation, durable: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
}

/// From the commit of the intent to that of the recommendation.
async fn between(
    subscription: &mut dyn backchannel::bus::Subscription,
    id: &ConversationId,
) -> Duration {
    let mut since = None;
    loop {
        let Heard::Signal(Signal::Event(event)) = subscription.next().await else { continue };
        if event.conversation != *id {
            continue;
        }
        match &*event.kind {
            "insight.intent" => since = Some(Instant::now()),
            "route.recommended" => {
                if let Some(since) = since {
                    return since.elapsed();
                }
            }
            _ => {}
        }
    }
}

async fn append(store: &Arc<SqliteStore>, tenant: &TenantId, number: usize, body: EventBody) {
    let id = ConversationId::from(format!("c-{number}"));
    let event = NewEvent::at(Timestamp::now(), body);
    store.append(tenant, &id, vec![event]).await.expect("written");
}

fn started() -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Chat,
        direction: Direction::Inbound,
        external_id: None,
        parties: Vec::new(),
        attributes: BTreeMap::new(),
    })
}

fn understood(label: &str) -> EventBody {
    let ranked = vec![Intent { label: label.to_owned(), probability: 0.9 }];
    let seen = IntentSeen { ranked, abstained: false };
    EventBody::IntentSeen(Box::new(TurnIntent { turn_id: "t-1".into(), seen }))
}
