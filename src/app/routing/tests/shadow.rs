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
