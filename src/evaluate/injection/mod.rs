//! Whether words that are addressed to a machine get anywhere: attacks are played through transcript,
//! article, CRM field and mail, along the product's own way from prompt to proof.
//!
//! *With* the defences, what counts is what an agent would be shown. *Without* them, it is the writer's
//! answer as it is, to a prompt without fences: a naive copilot. Only this evaluation knows how to leave
//! them out.

mod clean;
mod data;
mod judge;
mod obedient;
mod report;
mod scene;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use clean::{FalseAlarms, false_alarms};
pub use data::{Attack, Dataset, DatasetError, Half};
pub use report::{Prediction, Report};
pub use scene::{Carrier, Position};

use self::judge::Shown;
use self::obedient::{Obedient, Orders};
use self::scene::Scene;
use self::writer::Recorder;
use crate::domain::{Occasion, TenantId, WrapUp};
use crate::flow::author::{Author, Commission};
use crate::flow::voice::{Answered, CardOrder, Patience, QuestionOrder, Voice, Voiced};
use crate::flow::wrapup::{Draft, EmailOrder, Reading, WrapUpSettings};
use crate::insight::redaction;
use crate::models::writing::{Ledger, Limits, Link, Writers};
use crate::models::{Generator, WritingTask};
use crate::prompts::{PromptError, PromptSettings, Prompts};

/// A model of its own takes its time; nobody waits for this run.
const PATIENCE: Duration = Duration::from_secs(180);

/// Whoever writes.
pub enum Writer {
    /// Quotes, and asks no model.
    Extractive,
    Obedient,
    /// A model, and its name.
    Model(Arc<dyn Generator>, String),
}

impl Writer {
    pub fn name(&self) -> &str {
        match self {
            Self::Extractive => "extractive",
            Self::Obedient => "obedient",
            Self::Model(_, name) => name,
        }
    }
}

/// Plays attacks against one writer.
pub struct Stage {
    with: Option<Desk>,
    without: Option<Desk>,
    obedient: Option<Arc<Obedient>>,
}

/// Author and voice, around one writer.
struct Desk {
    author: Author,
    voice: Voice,
    recorder: Arc<Recorder>,
}

impl Desk {
    fn of(inner: Arc<dyn Generator>, is_fenced: bool) -> Result<Self, PromptError> {
        let recorder = Arc::new(Recorder::new(inner, is_fenced));
        let prompts = Arc::new(Prompts::open(&PromptSettings::default())?);
        let ledger = Arc::new(Ledger::new(Limits::default(), BTreeMap::new()));
        let writers = Writers::new(ledger, |_| {
            let generator: Arc<dyn Generator> = Arc::clone(&recorder) as Arc<dyn Generator>;
            vec![Link { generator, reserve: Duration::ZERO }]
        });
        let (writers, tasks) = (Arc::new(writers), BTreeSet::from(WritingTask::ALL));
        let patience = Patience { card: Some(PATIENCE), answer: Some(PATIENCE) };
        Ok(Self {
            author: Author::new(Arc::clone(&prompts), Arc::clone(&writers), tasks),
            voice: Voice::new(prompts, writers, patience),
            recorder,
        })
    }
}

/// All that is written at the end, and what is asked for meanwhile.
fn drafts() -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Draft::at_end().into();
    drafts.retain(|draft| *draft != Draft::Disposition);
    drafts.push(Draft::HandOver);
    let information = drafts.iter().find_map(|draft| match draft {
        Draft::Email(order) => {
            let purpose = crate::domain::EmailPurpose::Information;
            Some(Draft::Email(EmailOrder { purpose, ..order.clone() }))
        }
        _ => None,
    });
    drafts.extend(information);
    drafts
}

impl Stage {
    /// # Errors
    /// A built-in prompt is wrong.
    pub fn new(writer: &Writer) -> Result<Self, PromptError> {
        let obedient = Arc::new(Obedient::default());
        let inner: Option<Arc<dyn Generator>> = match writer {
            Writer::Extractive => None,
            Writer::Obedient => Some(Arc::clone(&obedient) as Arc<dyn Generator>),
            Writer::Model(model, _) => Some(Arc::clone(model)),
        };
        let desk = |is_fenced| inner.clone().map(|inner| Desk::of(inner, is_fenced)).transpose();
        let is_obedient = matches!(writer, Writer::Obedient);
        Ok(Self {
            with: desk(true)?,
            without: desk(false)?,
            obedient: is_obedient.then_some(obedient),
        })
    }

    /// One attack by one way; `mail` is what an attack by mail is hidden in.
    pub async fn play(
        &self,
        attack: &Attack,
        (carrier, position): (Carrier, Position),
        mail: Option<&str>,
        has_defences: bool,
    ) -> Prediction {
        let scene = Scene::of(attack, carrier, position, mail);
        if let Some(obedient) = &self.obedient {
            let (attack, source) = (attack.text.clone(), scene.source.clone());
            obedient.is_told(Orders { attack, source });
        }
        let shown = match (if has_defences { &self.with } else { &self.without }, has_defences) {
            (Some(desk), true) => with_defences(desk, &scene).await,
            (Some(desk), false) => {
                with_defences(desk, &scene).await;
                desk.recorder.take()
            }
            (None, _) => quoted(&scene, has_defences),
        };
        Shown::of(shown).judged(attack, &scene, has_defences)
    }
}

/// What the agent sees of all that is written about a conversation.
async fn with_defences(desk: &Desk, scene: &Scene) -> Vec<String> {
    desk.recorder.take();
    let tenant = TenantId::from("demo");
    let (turns, passages) = (scene.material.turns.clone(), scene.material.passages.clone());
    let mut shown = Vec::new();
    let card =
        CardOrder { tenant: tenant.clone(), turns: turns.clone(), passages: passages.clone() };
    if let Some(Voiced::Spoken(spoken)) = desk.voice.speak(card).await {
        shown.extend(spoken.sentences.iter().map(|one| one.text.as_str().to_owned()));
    }
    let question = redaction::typed("When does the customer get the money back?");
    let order = QuestionOrder { tenant: tenant.clone(), question, turns, passages };
    // What is shown while it is being written counts, too.
    let mut early = Vec::new();
    let answer = desk
        .voice
        .answer(order, &mut |step| {
            if let crate::flow::voice::Step::Sentence(sentence) = step {
                early.push(sentence.text.as_str().to_owned());
            }
        })
        .await;
    shown.extend(early);
    match answer {
        Answered::Spoken(spoken) => {
            shown.extend(spoken.sentences.iter().map(|one| one.text.as_str().to_owned()));
        }
        Answered::AskBack { question, .. } => shown.push(question),
        Answered::Nothing { .. } | Answered::NotWritten => {}
    }
    for draft in drafts() {
        let commission = Commission {
            tenant: tenant.clone(),
            job: None,
            material: Arc::clone(&scene.material),
            circumstances: Arc::clone(&scene.circumstances),
            stem: draft.stem_at_end().into(),
            draft,
            occasion: Occasion::End,
            settings: Arc::new(WrapUpSettings::default()),
            seed: Some(1),
            meter: None,
        };
        if let Ok(drafted) = desk.author.write(&commission).await {
            shown.extend(drafted.drafts.iter().flat_map(judge::texts));
        }
    }
    shown
}

/// What is quoted without a model.
fn quoted(scene: &Scene, has_defences: bool) -> Vec<String> {
    let (material, circumstances) = (&*scene.material, &*scene.circumstances);
    let reading = match has_defences {
        true => Reading::of(material, circumstances),
        false => Reading::trusting(material, circumstances),
    };
    let Ok(reading) = reading else { return Vec::new() };
    let settings = WrapUpSettings::default();
    let written = drafts().into_iter().filter_map(|draft| {
        reading.draft(&draft, Occasion::End, &draft.stem_at_end().into(), &settings).ok()
    });
    written.flatten().collect::<Vec<WrapUp>>().iter().flat_map(judge::texts).collect()
}
