//! `[routing]` → what the router needs, every mistake with its place.

use std::collections::BTreeMap;

use super::RoutingSettings;
use super::plan::read;
use super::router::router;
use crate::app::insights;
use crate::config::{self, Config};
use crate::connect::telephony::auth::PublicUrl;
use crate::domain::{PlanForm, RoutingMode};
use crate::routing::context::{ContextSettings, Limits};
use crate::routing::plan::{Plan, nearest};

/// Of the company that `serve --demo` plays.
const DEMO_PLAN: &str = include_str!("../../../routing/plan.toml");
const DEMO_ESCALATED_BY: [&str; 3] = ["bot_hands_over", "bot_is_lost", "asks_for_a_person"];
const CHANNELS: [&str; 4] = ["voice", "chat", "sms", "mail"];
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// A plan as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanText {
    pub form: PlanForm,
    pub text: String,
}

/// What `check` tells of the settings.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The plan in numbers, and the router that is told: a line each.
    pub lines: Vec<String>,
    pub mistakes: Vec<String>,
}

/// # Errors
/// All mistakes, a line each, with file, line and field, or with the setting.
pub fn settings(config: &Config, demo: bool) -> Result<RoutingSettings, String> {
    let mut mistakes = Vec::new();
    let own = &config.routing;
    let mode = own.mode.as_deref().and_then(|mode| {
        let found = RoutingMode::parse(mode);
        if found.is_none() {
            mistakes.push(format!("routing.mode: is off, shadow or active, not {mode:?}"));
        }
        found
    });
    let mut plan = None;
    let mut read_plan = None;
    match written(own, demo) {
        Ok(None) => {}
        Ok(Some((name, text))) => match read(text.form, &text.text, mode) {
            Ok(found) => {
                read_plan = Some(found);
                plan = Some(text);
            }
            Err(wrong) => mistakes.extend(wrong.iter().map(|one| {
                let place = one
                    .line_column
                    .map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
                let field = if one.place.is_empty() { "the plan" } else { &one.place };
                format!("{name}{place}: {field}: {}; {}", one.what, one.instead)
            })),
        },
        Err(why) => mistakes.push(why),
    }
    let workstreams = workstreams(own, demo, read_plan.as_ref(), &mut mistakes);
    let escalated_by = escalated_by(config, demo, &mut mistakes);
    check_context(&own.context, &mut mistakes);
    let router = router(&own.router).map_err(|why| mistakes.push(why)).ok().flatten();
    let media_url = config.media.public_url.as_deref().map(PublicUrl::parse).transpose();
    // That setting's own check says what is wrong with it.
    let media_url = media_url.ok().flatten();
    if router.as_ref().is_some_and(|told| told.callback.is_some()) && media_url.is_none() {
        tracing::debug!("TaskRouter's callback can't be proven without media.public_url");
    }
    if !mistakes.is_empty() {
        return Err(mistakes.join("\n"));
    }
    Ok(RoutingSettings {
        plan,
        mode,
        workstreams,
        escalated_by,
        wrap_up_ms: own.wrap_up_s.saturating_mul(1_000),
        context: context(&own.context),
        router,
        agents: own.router.agents.clone(),
        party_attributes: config.crm.identify_by.clone(),
        public_url: config.serve.public_url.clone(),
        media_url,
        everybody_is_there: demo,
    })
}

/// What the settings come to, for `backchannel check`.
pub fn check(config: &Config) -> Checked {
    match settings(config, false) {
        Ok(made) => {
            let mut lines = Vec::new();
            if let Some(plan) = &made.plan
                && let Ok(plan) = read(plan.form, &plan.text, made.mode)
            {
                lines.push(format!(
                    "routing: mode {}, {} queues, {} agents, {} workstreams",
                    plan.mode.as_str(),
                    plan.queues.len(),
                    plan.agents.len(),
                    plan.workstreams.len()
                ));
            }
            if let Some(router) = &made.router {
                lines.push(format!(
                    "router: {}, called {:?}",
                    router.system,
                    router.destination.name()
                ));
            }
            Checked { lines, mistakes: Vec::new() }
        }
        Err(why) => {
            Checked { lines: Vec::new(), mistakes: why.lines().map(str::to_owned).collect() }
        }
    }
}

/// The plan's text, with the name of its file.
fn written(own: &config::Routing, demo: bool) -> Result<Option<(String, PlanText)>, String> {
    let Some(file) = &own.plan_file else {
        let text = PlanText { form: PlanForm::Toml, text: DEMO_PLAN.to_owned() };
        return Ok(demo.then(|| ("routing/plan.toml".to_owned(), text)));
    };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("routing.plan_file: {name}: can't be read: {error}"))?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let form = if is_json { PlanForm::Json } else { PlanForm::Toml };
    Ok(Some((name, PlanText { form, text })))
}

fn workstreams(
    own: &config::Routing,
    demo: bool,
    plan: Option<&Plan>,
    mistakes: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut all = own.workstreams.clone();
    if demo && all.is_empty() && own.plan_file.is_none() {
        all.insert("voice".to_owned(), "calls".to_owned());
        all.insert("chat".to_owned(), "chats".to_owned());
    }
    for (channel, workstream) in &all {
        if !CHANNELS.contains(&channel.as_str()) {
            let known = CHANNELS.join(", ");
            mistakes.push(format!("routing.workstreams.{channel}: is no channel; {known} are"));
        }
        // What is put over the API later may have it.
        if plan.is_some_and(|plan| !plan.names.workstreams.contains_key(workstream)) {
            let what = format!("the plan has no workstream {workstream:?}");
            mistakes.push(format!("routing.workstreams.{channel}: {what}"));
        }
    }
    all
}

/// Categories by which bots give up; each must be one of the company's. The demo has those of its `bots.toml`.
fn escalated_by(config: &Config, demo: bool, mistakes: &mut Vec<String>) -> Vec<String> {
    let own = &config.routing;
    for (at, _) in own.bots.iter().enumerate().filter(|(_, name)| name.trim().is_empty()) {
        mistakes.push(format!("routing.bots[{at}]: is empty; write the name of a bot"));
    }
    if own.escalated_by.is_empty() && demo && config.categories.folder.is_none() {
        return DEMO_ESCALATED_BY.map(str::to_owned).to_vec();
    }
    if own.escalated_by.is_empty() {
        return Vec::new();
    }
    // Their own check says what is wrong with them.
    let Ok(categories) = insights::categories(config, demo) else { return Vec::new() };
    let known: Vec<&str> = categories.rules().iter().map(|rule| rule.id.as_str()).collect();
    for (at, name) in own.escalated_by.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            let instead = match known.is_empty() {
                true => "name a folder of them in categories.folder".to_owned(),
                false => nearest(name, known.iter().copied()),
            };
            mistakes.push(format!(
                "routing.escalated_by[{at}]: there is no category {name:?}; {instead}"
            ));
        }
    }
    own.escalated_by.clone()
}

/// Nothing is known for no time at all, and no contact takes none. After-work may, and nobody need come back.
fn check_context(own: &config::RoutingContext, mistakes: &mut Vec<String>) {
    for (name, value) in [
        ("intent_minutes", own.intent_minutes),
        ("sentiment_minutes", own.sentiment_minutes),
        ("crm_minutes", own.crm_minutes),
        ("last_agent_days", own.last_agent_days),
        ("experience_days", own.experience_days),
        ("handling_s", own.handling_s),
    ] {
        if value == 0 {
            mistakes.push(format!("routing.context.{name}: is 0; write 1 or more"));
        }
    }
}

fn context(own: &config::RoutingContext) -> ContextSettings {
    ContextSettings {
        limits: Limits {
            intent_ms: own.intent_minutes.saturating_mul(MINUTE_MS),
            mood_ms: own.sentiment_minutes.saturating_mul(MINUTE_MS),
            crm_ms: own.crm_minutes.saturating_mul(MINUTE_MS),
            last_agent_ms: own.last_agent_days.saturating_mul(DAY_MS),
            experience_ms: own.experience_days.saturating_mul(DAY_MS),
        },
        half_life_ms: own.experience_days.saturating_mul(DAY_MS).max(1),
        repeat_window_ms: own.repeat_days.saturating_mul(DAY_MS),
        handling_s: own.handling_s as f64,
        after_work_s: own.after_work_s as f64,
        ..ContextSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Result<RoutingSettings, String> {
        settings(&toml::from_str(text).expect("settings"), false)
    }

    #[test]
    fn without_settings_nothing_is_routed_and_the_demo_shows_something() {
        let none = made("").unwrap_or_else(|why| panic!("{why}"));
        assert!(none.plan.is_none() && none.router.is_none() && none.workstreams.is_empty());
        let demo = settings(&Config::default(), true).unwrap_or_else(|why| panic!("{why}"));
        let plan = demo.plan.expect("the demo's");
        let plan = read(plan.form, &plan.text, None).expect("it is sound");
        assert_eq!(plan.mode, RoutingMode::Shadow, "it recommends, and takes nobody's work");
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("plan.toml");
        std::fs::write(&file, "mode = \"on\"\n[[queues]]\nname = \"a\"\npriority = \"high\"\n")
            .expect("written");
        let text = format!(
            "[routing]\nplan_file = {:?}\nmode = \"on\"\n[routing.workstreams]\nfax = \"calls\"\n\
             [routing.router]\nsystem = \"acd\"",
            file.display().to_string()
        );
        let why = made(&text).err().expect("it is wrong");
        for part in [
            "routing.mode:",
            "plan.toml:1:",
            "queues[0].priority",
            "routing.workstreams.fax:",
            "routing.router.system:",
        ] {
            assert!(why.contains(part), "{part} in {why}");
        }
        let gone = made("[routing]\nplan_file = \"/nowhere/plan.toml\"").err().expect("it is gone");
        assert!(gone.starts_with("routing.plan_file:"), "{gone}");
    }

    #[test]
    fn what_is_known_is_known_for_a_while() {
        let zero = "intent_minutes = 0\nrepeat_days = 0\nhandling_s = 0\nafter_work_s = 0";
        let why = made(&format!("[routing.context]\n{zero}")).err().expect("it is wrong");
        let places = why.lines().filter_map(|line| line.split(": ").next()).collect::<Vec<_>>();
        assert_eq!(places, ["routing.context.intent_minutes", "routing.context.handling_s"]);
    }

    #[test]
    fn bots_give_up_by_categories_that_there_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let rule = "[[rule]]\nid = \"gives_up\"\ntitle = \"Gives up\"\nwhen = { said = \"colleague\", by = \"bot\" }\n";
        std::fs::write(folder.path().join("bots.toml"), rule).expect("written");
        let text = |category: &str| {
            format!(
                "[categories]\nfolder = {:?}\n[routing]\nbots = [\"Otto\"]\nescalated_by = [{category:?}]",
                folder.path().display().to_string()
            )
        };
        let sound = made(&text("gives_up")).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(sound.escalated_by, ["gives_up"]);
        let why = made(&text("give_up")).err().expect("there is none");
        assert!(why.contains("routing.escalated_by[0]:") && why.contains("`gives_up`"), "{why}");
        let why = made("[routing]\nbots = [\" \"]\nescalated_by = [\"x\"]").err();
        let why = why.expect("there are none");
        assert!(why.contains("routing.bots[0]:") && why.contains("categories.folder"), "{why}");
        let demo = settings(&Config::default(), true).unwrap_or_else(|why| panic!("{why}"));
        let rules = insights::categories(&Config::default(), true).expect("sound");
        for name in &demo.escalated_by {
            assert!(rules.rules().iter().any(|rule| rule.id == *name), "{name}");
        }
        assert!(!demo.escalated_by.is_empty());
    }
}
