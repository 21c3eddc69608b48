use crate::models::embedder::Embedder;

use super::*;

const LIST: &str = r#"
[[intent]]
label = "report_fault"
examples = ["my internet is down", "the line is dead", "no internet since monday"]

[[intent]]
label = "pay_bill"
examples = ["i want to pay my bill", "how do i pay the bill", "pay by card"]
"#;

/// Says so often that it is busy, then makes vectors by the letters of a text.
struct Busy(u32);

impl Embedder for Busy {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        if let Some(left) = self.0.checked_sub(1) {
            self.0 = left;
            return Err(EmbedderError::Busy);
        }
        let vector = |text: &&str| {
            let letter = |letter| text.bytes().filter(|one| *one == letter).count() as f32;
            (b'a'..=b'z').map(letter).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
    fn dimensions(&self) -> usize {
        26
    }
    fn fingerprint(&self) -> &str {
        "letters"
    }
}

fn known(embedder: Busy) -> watch::Receiver<Meaning> {
    watch::channel(Meaning::Known(EmbedderHandle::spawn(Box::new(embedder), 4))).1
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("a folder").count()
}

/// The clock is the runtime's: it goes on by itself while everybody waits.
#[tokio::test(start_paused = true)]
async fn a_busy_model_is_asked_until_it_answers() {
    let list = parse([("list.toml", LIST)].into_iter()).expect("sound");
    let model = trained(list, known(Busy(3)), None).await.expect("it was trained");
    assert_eq!(model.labels(), ["pay_bill", "report_fault"]);
}

#[tokio::test]
async fn what_was_embedded_and_learnt_is_one_file_each_and_found_again() {
    let cache = tempfile::tempdir().expect("a folder");
    let examples: Vec<String> = (0..40).map(|one| format!("\"how do i pay bill {one}\"")).collect();
    let list = format!("{LIST}\n[[intent]]\nlabel = \"bill\"\nexamples = [{}]", examples.join(","));
    for start in 0..2 {
        let list = parse([("list.toml", list.as_str())].into_iter()).expect("sound");
        let cache = Some(cache.path().to_owned());
        let model = trained(list, known(Busy(0)), cache).await.expect("it was trained");
        assert_eq!(model.labels().len(), 3, "{start}");
    }
    assert_eq!(files(&cache.path().join("embeddings/letters")), 1);
    assert_eq!(files(&cache.path().join("intents")), 1);
}

#[test]
fn calls_keep_the_other_cores() {
    assert_eq!(beside_calls(rayon::current_num_threads), 1);
}

#[test]
fn the_demo_has_categories_and_a_company_has_what_it_names() {
    let none = Config::default();
    assert!(categories(&none, true).is_ok_and(|all| !all.rules().is_empty()));
    assert!(categories(&none, false).is_ok_and(|all| all.rules().is_empty()));
    assert!(intents(&none, true).is_ok(), "{:?}", intents(&none, true).err());
    assert!(intents(&none, false).is_ok_and(|files| files.is_none()));
    assert!(!signals(&none, false, false).expect("sound").tells_sentiment);
    assert!(signals(&none, false, true).expect("sound").tells_sentiment);
}

#[test]
fn mistakes_name_file_line_and_field() {
    let (rules, list) = (tempfile::tempdir(), tempfile::tempdir());
    let (rules, list) = (rules.expect("a folder"), list.expect("a folder"));
    std::fs::write(rules.path().join("a.toml"), "[[rule]]\nid = \"a\"\nwhen = { sad = 1 }\n")
        .expect("written");
    std::fs::write(list.path().join("b.toml"), "[[intent]]\nexamples = []\n").expect("written");
    let mut config = Config::default();
    config.categories.folder = Some(rules.path().to_owned());
    config.intents.folder = Some(list.path().to_owned());
    let wrong = categories(&config, false).err().unwrap_or_default();
    assert!(wrong.contains("a.toml:3") && wrong.contains("rule[0].when"), "{wrong}");
    let wrong = intents(&config, false).err().unwrap_or_default();
    assert!(wrong.contains("b.toml:"), "{wrong}");
}
