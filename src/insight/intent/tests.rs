use proptest::prelude::*;

use super::*;
use crate::domain::IntentSeen;
use crate::models::embedder::EmbedderError;

const DIMENSIONS: usize = 48;

/// Stands in for the embedder: words at places of their own, so texts with the same words are near each other.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSIONS];
    for word in text.split_whitespace() {
        let hash = word.bytes().fold(7u32, |hash, byte| hash.wrapping_mul(31) ^ u32::from(byte));
        for step in 0..3 {
            let at = hash.wrapping_mul(2 * step + 1).rotate_left(5 * step) as usize % DIMENSIONS;
            vector[at] += 1.0;
        }
    }
    vector
}

fn vectors(texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
    Ok(texts.iter().map(|text| vector(text)).collect())
}

fn model(examples: &[Example]) -> IntentModel {
    IntentModel::train(examples, &mut vectors).unwrap()
}

fn examples() -> Vec<Example> {
    let mut examples = vec![Example::name("report_fault"), Example::name("pay_bill")];
    for said in ["my internet is down", "the line is dead", "no internet since monday"] {
        examples.push(Example::said(said, "report_fault"));
    }
    for said in ["i want to pay my bill", "how do i pay the bill", "pay by card"] {
        examples.push(Example::said(said, "pay_bill"));
    }
    examples
}

fn seen(model: &IntentModel, text: &str) -> IntentSeen {
    model.predict(text, &vector(text), 5)
}

#[test]
fn a_few_examples_are_enough() {
    let model = model(&examples());
    assert_eq!(model.labels(), ["pay_bill", "report_fault"]);
    let fault = seen(&model, "internet is down since today");
    assert_eq!(fault.top().map(|intent| intent.label.as_str()), Some("report_fault"));
    assert!(fault.ranked[0].probability > 0.6, "{fault:?}");
    assert_eq!(seen(&model, "can i pay my bill").ranked[0].label, "pay_bill");
}

#[test]
fn what_is_like_no_example_is_left_alone() {
    let model = model(&examples());
    assert!(seen(&model, "elephants trumpet loudly").abstained);
    assert!(seen(&model, "elephants trumpet loudly").top().is_none());
    // Without a vector nothing is near, whatever the words are.
    assert!(model.predict("my internet is down", &[0.0; DIMENSIONS], 5).abstained);
}

#[test]
fn the_order_of_examples_changes_nothing() {
    let (forwards, mut backwards) = (examples(), examples());
    backwards.reverse();
    let (one, other) = (model(&forwards), model(&backwards));
    for text in ["my internet is down", "pay", "something else", ""] {
        assert_eq!(seen(&one, text), seen(&other, text));
    }
    assert_eq!(one.measures(), other.measures());
}

#[test]
fn equal_chances_are_told_in_the_order_of_the_labels() {
    let examples: Vec<Example> =
        ["zebra", "apple", "mango"].map(|label| Example::said("the same words", label)).into();
    let model = model(&examples);
    let ranked = model.predict("", &[0.0; DIMENSIONS], 5).ranked;
    let labels: Vec<&str> = ranked.iter().map(|intent| intent.label.as_str()).collect();
    assert_eq!(labels, ["apple", "mango", "zebra"]);
}

#[test]
fn examples_out_of_scope_teach_silence() {
    let mut some = examples();
    let before = seen(&model(&some), "pay for elephants");
    for beast in ["elephants", "lions", "tigers", "bears"] {
        for what in ["pay for", "feed the", "i like", "buy some", "where are", "my own"] {
            some.push(Example::out_of_scope(format!("{what} {beast}")));
        }
    }
    let model = model(&some);
    assert!(!before.abstained);
    assert!(seen(&model, "pay for elephants").abstained);
    assert!(!seen(&model, "how do i pay my bill").abstained);
    assert_eq!(model.measures().examples, 6);
}

#[test]
fn an_intent_of_one_example_is_found() {
    let mut some = examples();
    some.push(Example::said("i am moving house", "move_home"));
    let moving = seen(&model(&some), "moving house next month");
    assert_eq!(moving.ranked[0].label, "move_home");
    let alone = model(&[Example::said("i am moving house", "move_home")]);
    assert_eq!(seen(&alone, "moving house").ranked[0].probability, 1.0);
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let train = |examples: &[Example]| IntentModel::train(examples, &mut vectors).err();
    assert!(matches!(train(&[]), Some(IntentError::NoExamples)));
    assert!(matches!(train(&[Example::out_of_scope("hello")]), Some(IntentError::NoExamples)));
    let mut short = |_: &[&str]| Ok(vec![vec![1.0]]);
    let error = IntentModel::train(&examples(), &mut short).err();
    assert!(matches!(error, Some(IntentError::Shape { .. })), "{error:?}");
    let mut stopped = |_: &[&str]| Err(EmbedderError::Stopped);
    let error = IntentModel::train(&examples(), &mut stopped).err();
    assert!(matches!(error, Some(IntentError::Vectors(EmbedderError::Stopped))));
}

#[test]
fn a_label_is_read_as_words() {
    for label in ["card_arrival", "CardArrival", "card-arrival", "Card arrival"] {
        assert_eq!(Example::name(label).text, "card arrival");
    }
    assert_eq!(Example::name("W2Form").text, "w2 form");
}

#[test]
fn more_examples_than_landmarks_are_used() {
    let words = ["pay", "bill", "card", "move", "house", "line", "down", "slow", "refund", "name"];
    let text = |at: usize| format!("{} {} {at}", words[at % 10], words[at / 10 % 10]);
    let examples: Vec<Example> =
        (0..2_100).map(|at| Example::said(text(at), words[at % 10])).collect();
    let model = model(&examples);
    assert!(model.measures().accuracy > 0.8, "{:?}", model.measures());
    assert_eq!(seen(&model, "move card 17").ranked[0].label, "move");
}

mod of_files {
    use super::*;

    fn read_one(text: &str) -> Result<IntentFiles, Vec<String>> {
        parse([("intents/a.toml", text)].into_iter())
            .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_file_gives_examples_of_all_kinds() {
        let text = r#"
out_of_scope = ["What is the weather?"]
[[intent]]
label = "report_fault"
description = "Something is broken"
examples = ["It is down", "It is slow"]
"#;
        let examples = read_one(text).unwrap().examples();
        let said: Vec<(&str, Kind)> =
            examples.iter().map(|one| (one.text.as_str(), one.kind)).collect();
        assert_eq!(
            said,
            [
                ("report fault", Kind::About),
                ("Something is broken", Kind::About),
                ("It is down", Kind::Said),
                ("It is slow", Kind::Said),
                ("What is the weather?", Kind::Said),
            ]
        );
        assert_eq!(examples[4].label, None);
    }

    #[test]
    fn each_mistake_names_its_file_line_and_field() {
        let unknown = "[[intent]]\nlabel = \"a\"\nexample = [\"b\"]\n";
        assert!(read_one(unknown).unwrap_err()[0].starts_with("intents/a.toml:3: intent[0]"));
        let kind = "[[intent]]\nlabel = \"a\"\nexamples = [\n  1]\n";
        let said = read_one(kind).unwrap_err();
        assert!(said[0].starts_with("intents/a.toml:4: intent[0].examples: "), "{said:?}");
        let several = "[[intent]]\nlabel = \"a\"\nexamples = []\n[[intent]]\nlabel = \"a\"\n\
                       examples = [\"x\", \" \"]\n";
        assert_eq!(
            read_one(several).unwrap_err(),
            [
                "intents/a.toml:3: intent[0].examples: write at least one sentence that a customer \
                 says",
                "intents/a.toml:5: intent[1].label: a is also in intents/a.toml:2: put its examples \
                 there, or rename",
                "intents/a.toml:6: intent[1].examples[1]: write 1 to 1000 characters",
            ]
        );
        assert!(read_one("[[intent]\n").unwrap_err()[0].starts_with("intents/a.toml:1: "));
    }

    #[test]
    fn the_demo_companys_list_can_be_read_and_holds_what_it_needs() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("intents");
        let files = read(&folder).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        assert!(files.intents.len() >= 20 && files.out_of_scope.len() >= 20);
        assert!(files.intents.iter().all(|intent| intent.examples.len() >= 3));
        assert!(read(&folder.join("nowhere")).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_comes_is_ranked_and_sums_to_one(
        text in "\\PC{0,60}",
        vector in prop::collection::vec(
            prop_oneof![
                8 => -1.0f32..1.0, 1 => Just(0.0), 1 => Just(f32::NAN), 1 => Just(f32::MAX),
            ],
            0..=DIMENSIONS + 1,
        ),
        top in 0usize..4,
    ) {
        let model = model(&examples());
        let all = model.predict(&text, &vector, 2);
        let sum: f32 = all.ranked.iter().map(|intent| intent.probability).sum();
        prop_assert!((sum - 1.0).abs() < 1e-4, "{}", sum);
        prop_assert!(all.ranked[0].probability > all.ranked[1].probability - 2e-6);
        prop_assert_eq!(model.predict(&text, &vector, top).ranked.len(), top.min(2));
        prop_assert_eq!(&all, &model.predict(&text, &vector, 2));
    }

    #[test]
    fn any_examples_train_alike_twice(
        said in prop::collection::vec(("[a-e ]{0,12}", 0usize..4), 1..14),
    ) {
        let labels = [Some("one"), Some("two"), Some("three"), None];
        let mut some: Vec<Example> = said
            .iter()
            .map(|(text, label)| Example {
                text: text.clone(),
                label: labels[*label].map(str::to_owned),
                kind: Kind::Said,
            })
            .collect();
        some.push(Example::name("one"));
        let (first, second) = (model(&some), model(&some));
        let seen = seen(&first, "a b c");
        prop_assert_eq!(&seen, &second.predict("a b c", &vector("a b c"), 5));
        let sum: f32 = seen.ranked.iter().map(|intent| intent.probability).sum();
        prop_assert!((sum - 1.0).abs() < 1e-4);
    }
}

/// A folder in memory.
#[derive(Default)]
struct Kept(std::cell::RefCell<std::collections::BTreeMap<String, Vec<u8>>>);

impl Shelf for Kept {
    fn find(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }
    fn keep(&self, name: &str, bytes: &[u8]) {
        self.0.borrow_mut().insert(name.to_owned(), bytes.to_vec());
    }
}

#[test]
fn the_same_examples_are_learnt_once() {
    use super::learnt::Learnt;

    let (kept, text) = (Kept::default(), "can i pay my bill");
    let train = |examples: &[Example]| {
        IntentModel::train_on(examples, 100, &mut vectors, &kept).expect("trained")
    };
    let first = train(&examples());
    let mut reversed = examples();
    reversed.reverse();
    assert_eq!(seen(&train(&reversed), text), seen(&first, text));
    assert_eq!(kept.0.borrow().len(), 1);
    // What is found is what is used.
    let (name, bytes) =
        kept.0.borrow().first_key_value().map(|(a, b)| (a.clone(), b.clone())).unwrap();
    let mut learnt = Learnt::read(&bytes).expect("whole");
    learnt.measures.examples = 4_711;
    kept.keep(&name, &learnt.written());
    assert_eq!(train(&examples()).measures().examples, 4_711);
    // Damaged, it is learnt again; other examples are learnt by themselves.
    kept.keep(&name, &bytes[1..]);
    assert_eq!(train(&examples()).measures(), first.measures());
    let mut more = examples();
    more.push(Example::said("cancel my contract", "leave"));
    assert_eq!(train(&more).labels().len(), 3);
    assert_eq!(kept.0.borrow().len(), 2);
}

#[test]
fn of_too_many_examples_some_of_each_intent_are_taken() {
    let model = IntentModel::train_on(&examples(), 4, &mut vectors, &Kept::default()).unwrap();
    assert_eq!(model.labels(), ["pay_bill", "report_fault"]);
}
