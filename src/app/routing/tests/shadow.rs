//! Recommendations for another router: they stand over a plan and a restart, until their agent is lost.

use super::*;

async fn recommended(house: &House) -> [Option<String>; 2] {
    [house.item("i-1").await.recommended, house.item("i-2").await.recommended]
}

#[tokio::test]
async fn they_stay_over_a_plan_and_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let shadow = PLAN.replace("\"active\"", "\"shadow\"");
    let house = House::open(folder.path(), Some(&shadow)).await;
    house.presence("Bo", "available").await;
    for id in ["i-1", "i-2"] {
        house.offer(id, &[]).await;
    }
    let bo = || Some("Bo".to_owned());
    assert_eq!(recommended(&house).await, [bo(), bo()], "he has room while neither is his");
    let told = async |house: &House| {
        let kinds = house.kinds(ROUTING).await;
        kinds.iter().filter(|kind| *kind == "route.recommended").count()
    };
    let before = told(&house).await;
    house.put(&format!("{shadow}\n# another"), None).await.expect("put");
    assert_eq!((recommended(&house).await, told(&house).await), ([bo(), bo()], before));
    house.close().await;
    let house = House::open(folder.path(), Some(&shadow)).await;
    assert_eq!((recommended(&house).await, told(&house).await), ([bo(), bo()], before));
    house.presence("Emma", "available").await;
    house.presence("Bo", "away").await;
    let emma = || Some("Emma".to_owned());
    let one = recommended(&house).await;
    assert!(one.contains(&emma()) && !one.contains(&bo()), "{one:?}");
    house.presence("Emma", "away").await;
    assert_eq!(recommended(&house).await, [None, None]);
    house.close().await;
}

#[tokio::test]
async fn none_stands_once_routing_is_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let (shadow, off) = (PLAN.replace("\"active\"", "\"shadow\""), PLAN.replace("active", "off"));
    let theirs = Arc::new(Theirs::default());
    let open = || House::open_beside(folder.path(), Some(&shadow), Some(Arc::clone(&theirs)));
    let house = open().await;
    house.presence("Bo", "available").await;
    house.offer("i-1", &[]).await;
    let agent = async |house: &House| {
        let fields = house.desk.recommendation(&"t".into(), "WT-i-1").await.expect("asked");
        fields.and_then(|fields| fields.get("backchannel_agent").cloned())
    };
    let told = async |count: usize| -> Vec<Option<String>> {
        for _ in 0..1_000 {
            if theirs.0.lock().expect("nobody panicked").len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let told = theirs.0.lock().expect("nobody panicked").clone();
        told.into_iter().map(|(_, one)| one.decision.chosen.map(|one| one.agent)).collect()
    };
    assert_eq!(agent(&house).await.as_deref(), Some("Bo"));
    assert_eq!(told(1).await, [Some("Bo".to_owned())]);
    house.put(&off, None).await.expect("put");
    assert_eq!((agent(&house).await, house.item("i-1").await.recommended), (None, None));
    let last = house.last(ROUTING, "route.recommended").await;
    assert_eq!((&last["reason"], &last["mode"]), (&"routing is off".into(), &"off".into()));
    assert_eq!(told(2).await, [Some("Bo".to_owned()), None]);
    house.close().await;
    let house = open().await;
    assert_eq!(agent(&house).await, None);
    let decided = house.kinds(ROUTING).await;
    assert_eq!(decided.iter().filter(|kind| *kind == "route.recommended").count(), 2);
    house.close().await;
}
