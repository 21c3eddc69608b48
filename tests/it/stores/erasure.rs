//! Erasing from the command line: the bytes are gone from every file, backups open no more, and the chain holds.

use std::path::Path;
use std::sync::Arc;

use backchannel::domain::{Channel, ConversationStarted, Direction, EventBody, NewEvent, TenantId};
use backchannel::store::outbox::conformance::note;
use backchannel::store::{EventLog, Outbox as _, ReadQuery, Store as _};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::command_line::{found_in, run};
use crate::serve::harness::{card, ended, turn_saying};

/// Nobody else says it.
const WORD: &str = "zanzibarquagga";
const NUMBER: &str = "+442079460123";

async fn open(folder: &Path) -> EventLog {
    EventLog::open(folder, Arc::new(|_| ())).await.expect("the log opens")
}

/// Calls of two people in turns, each with what a call leaves; every second one is the contact's.
async fn fill(folder: &Path, calls: usize) {
    let log = open(folder).await;
    let tenant = TenantId::from("default");
    for number in 0..calls {
        let is_theirs = number % 2 == 0;
        let (from, word) =
            if is_theirs { (NUMBER, WORD) } else { ("+442079460999", "nothing else") };
        let began = EventBody::ConversationStarted(ConversationStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            external_id: Some(format!("CA{number}-{word}")),
            parties: Vec::new(),
            attributes: [("from".to_owned(), from.to_owned())].into(),
        });
        let said =
            |turn: usize| turn_saying(&format!("t-{turn}"), &format!("It is {word}, {turn}."));
        let mut bodies = vec![began];
        bodies.extend((0..20).map(said));
        bodies.extend([card(&format!("k-{number}")), ended()]);
        let id = format!("c-{number}").into();
        // One by one, so that the row of the list is written over and over.
        for body in bodies {
            let event = NewEvent::at(Timestamp::now(), body);
            log.append(&tenant, &id, vec![event]).await.expect("append");
        }
        let effect = note("crm", word, &format!("{number:02x}"));
        log.post(&tenant, &id, Vec::new(), vec![effect]).await.expect("posted");
    }
    log.close().await;
}

fn well(arguments: &[&str]) -> String {
    let (code, out, error) = run(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {out}{error}");
    out
}

async fn standing(folder: &Path) -> usize {
    let log = EventLog::open_to_read(folder).await.expect("it can be read");
    let mut query = ReadQuery::all("default".into(), 0);
    query.kinds = backchannel::store::KindFilter::exactly("turn.final");
    let count = log.read(&query).await.expect("reads").len();
    log.close().await;
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_is_gone_from_every_file_and_every_backup() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name).display().to_string();
    let (data, backup, keyring, certificate) =
        (at("data"), at("backup"), at("keyring"), at("certificate.json"));
    fill(Path::new(&data), 10).await;
    let words = [WORD, NUMBER];
    assert!(!found_in(Path::new(&data), &words).is_empty(), "it is there before");
    well(&["backup", &backup, "--data", &data]);
    assert_eq!(found_in(Path::new(&backup), &words), Vec::<String>::new(), "it is sealed");
    assert_eq!(found_in(Path::new(&backup), &["nothing else"]), Vec::<String>::new());
    let before = well(&["audit", "head", "--data", &data]);

    let contact = ["erase", "--data", &data, "--contact", "phone:+44 20 7946 0123"];
    let would: Value =
        serde_json::from_str(&well(&[&contact[..], &["--dry-run"]].concat())).expect("JSON");
    assert_eq!(standing(Path::new(&data)).await, 200, "nothing went");
    let nowhere = at("none/certificate.json");
    let (code, _, error) = run(&[&contact[..], &["--out", &nowhere]].concat());
    assert!(code == Some(2) && error.contains("nothing was erased"), "{code:?} {error}");
    assert_eq!(standing(Path::new(&data)).await, 200, "nobody would have its certificate");
    let said = well(&[&contact[..], &["--out", &certificate]].concat());
    assert!(said.contains("5 conversations erased"), "{said}");
    let text = std::fs::read_to_string(&certificate).expect("a certificate");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(told["erased"]["events"], would["erased"]["events"]);
    assert_eq!(told["erased"]["events"]["turn.final"], 100);
    assert_eq!(
        (&told["erased"]["backup_keys"], &told["erased"]["deliveries"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(found_in(Path::new(&data), &words), Vec::<String>::new(), "it stands in a file");
    assert_eq!(standing(Path::new(&data)).await, 100, "the others stand");

    // The chain holds, from the head of before to the one of the certificate.
    let head = told["head"].as_str().expect("a head");
    for head in [before.trim(), head] {
        let report = well(&["audit", "verify", "--data", &data, "--head", head]);
        assert!(report.contains("the chain holds"), "{report}");
    }
    let there = run(&[&contact[..], &["--out", &certificate]].concat());
    assert_eq!(there.0, Some(2), "a certificate is never written over: {}", there.2);

    // The backup, restored with the keys that are left.
    well(&["keyring", "export", &keyring, "--data", &data]);
    let restored = at("restored");
    let (code, _, error) = run(&["restore", &backup, "--data", &restored]);
    assert!(code == Some(2) && error.contains("--keyring"), "{error}");
    let said = well(&["restore", &backup, "--data", &restored, "--keyring", &keyring]);
    assert!(said.contains("5 conversations are erased"), "{said}");
    assert_eq!(found_in(Path::new(&restored), &words), Vec::<String>::new());
    assert_eq!(standing(Path::new(&restored)).await, 100);
    let report = well(&["audit", "verify", "--data", &restored, "--head", before.trim()]);
    assert!(
        report.contains("the chain holds") && report.contains("the text is erased"),
        "{report}"
    );

    // And one flipped byte is still found.
    let seed: u64 = rand::rng().random();
    println!("seed {seed}");
    let position = StdRng::seed_from_u64(seed).random_range(1..=230);
    change(&data, position).await;
    let (code, out, _) = run(&["audit", "verify", "--data", &data]);
    assert!(code == Some(2) && out.contains(&format!("(position {position})")), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_which_a_byte_has_changed_is_told_of() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name).display().to_string();
    let (data, backup) = (at("data"), at("backup"));
    fill(Path::new(&data), 2).await;
    well(&["backup", &backup, "--data", &data]);
    let report = well(&["audit", "verify", "--store", &backup]);
    assert!(report.contains("the chain holds"), "{report}");
    let file = Path::new(&backup).join("events.sqlite");
    let mut bytes = std::fs::read(&file).expect("reads");
    // Among the sealed pieces: no chain is over them, and SQLite finds nothing wrong in them.
    let last = bytes.iter().rposition(|byte| *byte > 0x7f).expect("something is sealed");
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).expect("writes");
    let (code, out, error) = run(&["audit", "verify", "--store", &backup]);
    let told = format!("{out}{error}");
    assert!(code == Some(2) && told.contains("isn't the file that backup.json tells of"), "{told}");
    assert!(!told.contains("the chain holds"), "{told}");
}

/// Changes one event past the store, erased or not.
async fn change(data: &str, position: i64) {
    use sqlx::Connection as _;
    let file = format!("sqlite:{data}/events.sqlite");
    let mut connection = sqlx::SqliteConnection::connect(&file).await.expect("opens");
    sqlx::query("UPDATE events SET time = time + 1 WHERE position = ?")
        .bind(position)
        .execute(&mut connection)
        .await
        .expect("changed");
    connection.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_old_goes_by_the_settings_of_its_tenant() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name).display().to_string();
    let (data, config) = (at("data"), at("settings.toml"));
    fill(Path::new(&data), 4).await;
    let settings = |text: &str| std::fs::write(&config, text).expect("written");
    let sweep = |more: &[&str]| {
        well(&[&["retention", "--data", &data, "--config", &config][..], more].concat())
    };
    settings("");
    assert!(sweep(&[]).contains("keep everything for ever"));
    // All of them have just ended.
    settings(
        "[retention.all]\nconversations_days = 1\n[retention.tenants.other]\ndrafts_days = 1\n",
    );
    assert!(sweep(&[]).contains("nothing is older"));
    assert_eq!(standing(Path::new(&data)).await, 80);
    // Two days ago.
    older(&data).await;
    settings(
        "[retention.all]\nsuggestions_days = 1\n[retention.tenants.default]\nsuggestions_days = 3\n",
    );
    assert!(sweep(&[]).contains("nothing is older"), "the tenant has a time of its own");
    settings("[retention.all]\nsuggestions_days = 1\n");
    let would = sweep(&["--dry-run"]);
    assert!(would.contains("suggestions") && would.contains("4 events"), "{would}");
    let gone = sweep(&[]);
    assert!(gone.contains("suggestions") && gone.contains("4 events"), "{gone}");
    assert_eq!(standing(Path::new(&data)).await, 80, "only the cards");
    settings("[retention.all]\nconversations_days = 1\n");
    // What the router knows of them goes too.
    let items = Path::new(&data).join("routing.json");
    std::fs::write(&items, "{}").expect("written");
    assert!(sweep(&[]).contains("4 conversations"));
    assert!(!items.exists(), "the router's file stands");
    assert_eq!(standing(Path::new(&data)).await, 0);
    assert!(sweep(&[]).contains("nothing is older"));
    assert_eq!(found_in(Path::new(&data), &[WORD, NUMBER]), Vec::<String>::new());
    let report = well(&["audit", "verify", "--data", &data]);
    assert!(report.contains("the chain holds"), "{report}");
}

/// Sets the ends of all conversations back, in the list only.
async fn older(data: &str) {
    use sqlx::Connection as _;
    let file = format!("sqlite:{data}/events.sqlite");
    let mut connection = sqlx::SqliteConnection::connect(&file).await.expect("opens");
    sqlx::query("UPDATE conversations SET ended_at = ended_at - 2 * 86400000")
        .execute(&mut connection)
        .await
        .expect("changed");
    connection.close().await.expect("closed");
}
