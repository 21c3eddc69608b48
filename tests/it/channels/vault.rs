//! What is masked can be had back with the private half of the vault's key, and with nothing else.

use std::path::Path;

use backchannel::config::Config;
use backchannel::flow::session::SessionSettings;
use serde_json::{Value, json};

use super::super::serve::harness::{House, Options};
use super::{chat, logged, say};
use crate::command_line::{found_in, run};

fn vault(arguments: &[&str]) -> (Option<i32>, String, String) {
    run(&[&["vault"], arguments].concat())
}

const IBAN: &str = "DE89 3704 0044 0532 0130 00";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_chat_masked_opens_with_the_private_key_until_it_is_erased() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name).display().to_string();
    let (data, key, other) = (at("data"), at("vault.key"), at("other.key"));
    let (code, settings, error) = vault(&["new", &key]);
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(vault(&["new", &other]).0, Some(0));
    let private = std::fs::read_to_string(&key).expect("a file");
    let (code, _, error) = vault(&["new", &key]);
    assert!(code == Some(2) && error.contains("is there already"), "{error}");
    assert_eq!(std::fs::read_to_string(&key).expect("a file"), private, "it is never written over");

    std::fs::write(at("settings.toml"), settings).expect("written");
    let config =
        Config::load(Some(at("settings.toml").as_ref()), std::iter::empty()).expect("it is right");
    let session = SessionSettings { vault: config.redaction.vault(), ..Default::default() };
    let folder = Some(data.clone().into());
    let house = House::open_with(Options { folder, session, ..Options::default() }).await;
    let id = chat(&house).await;
    let said = format!("My IBAN is {IBAN} and my password is Tr0ub4dor");
    say(&house, &id, "customer", &said).await;
    say(&house, &id, "agent", "And the card?").await;
    say(&house, &id, "customer", "It is 4539 1488 0343 6467, 12/27, cvv: 739").await;
    say(&house, &id, "customer", &format!("Again, {IBAN}")).await;
    let (status, _) = house.post(&format!("/v1/conversations/{id}/end"), json!({})).await;
    assert_eq!(status, 200);
    let sealed = logged(&house, &id).await;
    assert_eq!(sealed.iter().filter(|(kind, _)| kind == "insight.sealed").count(), 2, "{sealed:?}");
    let secrets = [IBAN, "DE89370400440532013000", "4539148803436467", "0343 6467", "Tr0ub4dor"];
    assert_eq!(found_in(Path::new(&data), &secrets), Vec::<String>::new(), "it stands in a file");

    // Beside the running service.
    let open = |key: &str, more: &[&str]| {
        vault(&[&["open", &id, "--key", key, "--data", &data, "--tenant", "demo"], more].concat())
    };
    let (code, out, error) = open(&key, &[]);
    assert_eq!(code, Some(0), "{error}");
    let lines: Vec<&str> = out.lines().collect();
    let [iban, card] = lines[..] else { panic!("{out}") };
    assert!(iban.ends_with(&format!("  [iban-1]  {IBAN}")), "{iban}");
    assert!(card.ends_with("  [card-1]  4539148803436467"), "{card}");
    let (_, out, _) = open(&key, &["--json"]);
    let first: Value = serde_json::from_str(out.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["placeholder"], &first["value"]), (&json!("[iban-1]"), &json!(IBAN)));
    let (code, out, error) = open(&other, &[]);
    assert!(code == Some(2) && error.contains("sealed for another key"), "{error}");
    assert_eq!(out, "");
    let (code, _, error) = open(&at("settings.toml"), &[]);
    assert!(code == Some(2) && error.contains("there is no line vault-private-1"), "{error}");

    let (status, done) = house.post("/v1/erasures", json!({"conversations": [id]})).await;
    assert_eq!(status, 200, "{done}");
    let (code, _, error) = open(&key, &[]);
    assert!(code == Some(2) && error.contains("nothing of it is sealed"), "{error}");
    assert!(house.close().await);
}
