//! The frozen set of drafts that contradict, repeat or add to the sample base stays true to the base.

use std::collections::BTreeSet;
use std::path::Path;

use backchannel::domain::ArticleId;
use backchannel::evaluate::conflicts::{Dataset, Half, Report, judge};
use backchannel::knowledge::{Library, LibrarySettings, Source};
use backchannel::models::embedder::EmbedderHandle;
use backchannel::models::minilm::{MiniLm, MiniLmFiles};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    id: String,
    kind: String,
    title: String,
    answer: Vec<String>,
    against: Vec<Against>,
    duplicate_of: Option<ArticleName>,
    related: Vec<ArticleName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Against {
    draft_sentence: usize,
    article_id: ArticleName,
    passage_heading: String,
    sentence: String,
    what: String,
}

type ArticleName = String;

#[test]
fn each_draft_names_what_stands_in_the_base() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = LibrarySettings::new(Source::Folder(root.join("knowledge")));
    let library = Library::open(&settings).expect("the sample base");
    let article = |id: &str| {
        library.article(&ArticleId::from(id)).unwrap_or_else(|| panic!("there is no {id}"))
    };
    let text = std::fs::read_to_string(root.join("tests/corpus/conflicts/drafts.jsonl"));
    let mut ids = BTreeSet::new();
    let (mut contradictions, mut duplicates, mut new) = (0, 0, 0);
    for line in text.expect("the set").lines() {
        let draft: Draft = serde_json::from_str(line).expect("a draft");
        let id = &draft.id;
        assert!(ids.insert(id.clone()), "{id} stands twice");
        assert!(!draft.title.is_empty() && !draft.answer.is_empty(), "{id}");
        match draft.kind.as_str() {
            "contradiction" => contradictions += 1,
            "duplicate" => duplicates += 1,
            "new" => new += 1,
            other => panic!("{id} is {other}"),
        }
        assert_eq!(draft.against.is_empty(), draft.kind != "contradiction", "{id}");
        assert!(draft.kind != "duplicate" || draft.duplicate_of.is_some(), "{id}");
        for name in draft.related.iter().chain(&draft.duplicate_of) {
            article(name);
        }
        for against in &draft.against {
            assert!(against.draft_sentence < draft.answer.len(), "{id}");
            assert!(!against.what.is_empty(), "{id}");
            let found = article(&against.article_id);
            let stands = found.passages.iter().any(|passage| {
                let words: Vec<&str> = passage.text.split_whitespace().collect();
                passage.heading == against.passage_heading
                    && words.join(" ").contains(&against.sentence)
            });
            assert!(stands, "{id}: {} no longer says {:?}", against.article_id, against.sentence);
        }
    }
    assert_eq!((contradictions, duplicates, new), (86, 70, 70));
}

/// What is reached on the half that nobody looked at while the detector was built, and a little less:
/// duplicates 0.71 at 0.83, contradictions 0.35 at 0.45. The bar is 0.8 at 0.8 of both, and neither
/// is there. Values are found; most contradictions of conditions, of who does something and of what comes
/// first are not, since they need more than words that are near to each other.
#[test]
fn contradictions_and_duplicates_are_told_from_what_is_new() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = LibrarySettings::new(Source::Folder(root.join("knowledge")));
    let library = Library::open(&settings).expect("the sample base");
    let folder = backchannel::models::installed("all-minilm-l6-v2").expect("`models pull`").folder;
    let model = MiniLm::open(&MiniLmFiles::in_folder(&folder), 2).expect("the model");
    library.attach_vectors(EmbedderHandle::spawn(Box::new(model), 8), |_, _| {}).expect("vectors");
    let dataset = Dataset::open(&root.join("tests/corpus/conflicts")).expect("the set");
    let of_test = dataset.drafts.iter().filter(|draft| draft.half() == Half::Test);
    let judged = judge(of_test, &library).expect("the model runs");
    let Report { drafts, contradictions, duplicates, .. } = Report::of(&judged, Some(Half::Test));
    assert_eq!(drafts, 113);
    let (found, right) = (contradictions.recall(), contradictions.precision());
    assert!(found >= 0.33 && right >= 0.43, "contradictions {found:.3} {right:.3}");
    let (found, right) = (duplicates.recall(), duplicates.precision());
    assert!(found >= 0.70 && right >= 0.81, "duplicates {found:.3} {right:.3}");
}
