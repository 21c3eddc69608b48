//! A plan that can't be put while work is open.

use super::*;

/// The plan with its workstream under another name.
fn renamed() -> String {
    PLAN.replace("name = \"calls\"", "name = \"phone\"")
}

fn mistake(refused: Result<u64, PlanRefusal>) -> String {
    let PlanRefusal::Mistakes(mistakes) = refused.expect_err("refused") else {
        panic!("mistakes are told")
    };
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn open_work_is_not_lost_with_its_workstream() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "available").await;
    for id in ["i-1", "i-2"] {
        house.offer(id, &[]).await;
    }
    for plan in [renamed(), "mode = \"active\"".to_owned()] {
        let told = mistake(house.put(&plan, None).await);
        let wanted = "workstreams: `calls` is missing, and 2 open work items belong to it; keep";
        assert!(told.starts_with(wanted), "{told}");
    }
    assert_eq!(house.epoch().await, 1);
    assert_eq!(house.item("i-1").await.agent.as_deref(), Some("Bo"));
    assert_eq!(house.item("i-2").await.state, "waiting");
    for id in ["i-1", "i-2"] {
        house.step(id, Step::End).await.expect("ended");
    }
    let over = house.step("i-2", Step::End).await.expect("again");
    assert_eq!(over.state, "ended");
    assert_eq!(house.put(&renamed(), None).await.expect("nothing is open"), 2);
    house.close().await;
}

#[tokio::test]
async fn the_settings_plan_waits_until_no_open_work_needs_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.offer("i-1", &[]).await;
    house.close().await;
    let house = House::open(folder.path(), Some(&renamed())).await;
    assert_eq!(house.epoch().await, 1, "the old one is kept");
    assert_eq!(house.item("i-1").await.state, "waiting");
    house.step("i-1", Step::End).await.expect("ended");
    house.close().await;
    let house = House::open(folder.path(), Some(&renamed())).await;
    assert_eq!(house.epoch().await, 2);
    house.close().await;
}

#[tokio::test]
async fn whoever_is_at_work_stays_in_the_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let without_bo = PLAN.replace("name = \"Bo\"", "name = \"Ben\"");
    let house = House::open(folder.path(), Some(PLAN)).await;
    house.presence("Bo", "available").await;
    house.offer("i-1", &[]).await;
    house.step("i-1", Step::Accept).await.expect("accepted");
    let told = mistake(house.put(&without_bo, None).await);
    let wanted = "agents: `Bo` is missing, and 1 open work item belongs to it; keep `Bo`";
    assert!(told.starts_with(wanted), "{told}");
    assert_eq!(house.epoch().await, 1);
    house.step("i-1", Step::End).await.expect("ended");
    house.step("i-1", Step::Release).await.expect("released");
    // What is only offered to him can be offered to others.
    assert_eq!(house.offer("i-2", &[]).await.agent.as_deref(), Some("Bo"));
    assert_eq!(house.put(&without_bo, None).await.expect("nobody is at work"), 2);
    assert_eq!(house.item("i-2").await.state, "waiting");
    // Back again, he is where he was.
    house.put(PLAN, None).await.expect("put");
    let item = house.item("i-2").await;
    assert_eq!((item.state.as_str(), item.agent.as_deref()), ("offered", Some("Bo")));
    house.close().await;
}
