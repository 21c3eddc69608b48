//! What counts for a day is known after a restart.

use super::*;

/// A zone where midnight is hours away, whenever this runs.
fn zone() -> &'static str {
    let hour = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour();
    if hour < 12 { "UTC" } else { "Etc/GMT+12" }
}

#[tokio::test]
async fn a_days_work_is_kept_though_its_items_are_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let zoned = format!("queues = [\"general\"]\ntime_zone = \"{}\"", zone());
    let plan = PLAN
        .replace("limit = 1", "limit = 3\nreset = \"end_of_day\"")
        .replace("queues = [\"general\"]", &zoned);
    let house = House::open(folder.path(), Some(&plan)).await;
    house.presence("Bo", "available").await;
    for id in ["i-1", "i-2", "i-3"] {
        house.offer(id, &[]).await;
    }
    for id in ["i-1", "i-2"] {
        house.step(id, Step::Accept).await.expect("accepted");
    }
    house.step("i-1", Step::Release).await.expect("released");
    // It wasn't begun, so it doesn't count.
    house.presence("Bo", "away").await;
    house.step("i-3", Step::Decline).await.expect("declined");
    let used = async |house: &House| {
        let agents = house.desk.agents(&"t".into()).await.expect("asked");
        let bo = agents.iter().find(|one| one.name == "Bo").expect("of the plan");
        bo.capacity[0].used
    };
    assert_eq!(used(&house).await, 2);
    house.close().await;
    for is_deleted in [false, true] {
        if is_deleted {
            std::fs::remove_file(folder.path().join("routing.json")).expect("it was kept");
        }
        let house = House::open(folder.path(), Some(&plan)).await;
        assert_eq!(used(&house).await, 2, "one is over, one is open");
        house.put(&format!("{plan}\n# another"), None).await.expect("put");
        assert_eq!(used(&house).await, 2);
        house.close().await;
    }
}
