//! Conversations that a bot begins.

use super::*;

fn with_bot(channel: Channel) -> EventBody {
    let party = |id: &str, role| Party { id: id.into(), role, name: None };
    EventBody::ConversationStarted(ConversationStarted {
        channel,
        direction: Direction::Inbound,
        external_id: None,
        parties: vec![party("p-1", Role::Customer), party("p-3", Role::Bot)],
        attributes: BTreeMap::new(),
    })
}

fn matched(category: &str) -> EventBody {
    EventBody::CategoryMatched(Box::new(CategoryMatched {
        category: category.into(),
        title: "Gives up".into(),
        turn_id: Some("t-2".into()),
        times: 1,
        evidence: Vec::new(),
    }))
}

#[tokio::test]
async fn what_a_bot_has_is_work_once_it_gives_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    let is_work = async |house: &House, id: &str| {
        house.desk.item(&"t".into(), &id.into()).await.expect("asked").is_some()
    };
    // What begins before the plan is written is nobody's work after a restart.
    house.append("c-0", vec![chat()]).await;
    house.until("i-c-0", |item| item.queue.is_some()).await;
    for id in ["c-1", "c-2", "c-3"] {
        house.append(id, vec![with_bot(Channel::Chat), matched("leaving"), refund()]).await;
    }
    // Behind them: they have been heard.
    house.append("c-4", vec![chat()]).await;
    house.until("i-c-4", |item| item.queue.is_some()).await;
    for id in ["i-c-1", "i-c-2", "i-c-3"] {
        assert!(!is_work(&house, id).await, "{id} is the bot's");
    }
    // What was understood meanwhile counts.
    house.append("c-1", vec![matched("gives_up")]).await;
    house.until("i-c-1", |item| item.queue.as_deref() == Some("billing")).await;
    house.append("c-3", vec![ended()]).await;
    house.close().await;
    // A restart takes nothing from a bot, and misses nothing.
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.append("c-5", vec![chat()]).await;
    house.until("i-c-5", |item| item.queue.is_some()).await;
    assert!(!is_work(&house, "i-c-2").await && is_work(&house, "i-c-1").await);
    house.append("c-2", vec![matched("gives_up")]).await;
    house.until("i-c-2", |item| item.queue.is_some()).await;
    assert!(!is_work(&house, "i-c-3").await, "the bot helped");
    house.close().await;
}

#[tokio::test]
async fn an_agent_who_comes_takes_it_from_the_bot() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.append("c-1", vec![with_bot(Channel::Voice), joined(Some("Emma"))]).await;
    let item = house.until("i-c-1", |item| item.agent.is_some()).await;
    assert_eq!((item.state.as_str(), item.agent.as_deref()), ("active", Some("Emma")));
    house.append("c-2", vec![with_bot(Channel::Chat)]).await;
    let turn = Turn {
        id: "t-1".into(),
        party: Party { id: "p-2".into(), role: Role::Agent, name: None },
        start_ms: 0,
        end_ms: 1,
        text: Redacted::vouched("I am a person."),
        display_text: None,
        words: vec![],
        mean_logprob: None,
        language: "en".into(),
    };
    house.append("c-2", vec![EventBody::TurnFinal(turn)]).await;
    house.until("i-c-2", |item| item.queue.is_some()).await;
    house.close().await;
}
