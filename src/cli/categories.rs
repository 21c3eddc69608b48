//! `backchannel categories lint [DIR]`, `categories test [DIR]`, `categories try "customer: text"…`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::Failure;
use crate::domain::{Evidence, Role};
use crate::insight::categories::{Categories, Line, Matched, Watch, play};

#[derive(Debug, Subcommand)]
pub enum CategoriesCommand {
    /// Check all rules, and tell every mistake with its file, line and field
    Lint(FolderArgs),
    /// Run the tests that stand beside the rules
    Test(FolderArgs),
    /// Hold a conversation against the rules, and say why each matched or not
    Try(TryArgs),
}

#[derive(Debug, Args)]
pub struct FolderArgs {
    #[arg(default_value = "categories")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct TryArgs {
    /// Turns in order: "customer: I want to cancel" "agent: Why?"
    #[arg(required = true, value_name = "TURN", value_parser = turn)]
    turns: Vec<Line>,
    #[arg(long, value_name = "DIR", default_value = "categories")]
    dir: PathBuf,
    /// What is known of the conversation: tier=gold
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    attribute: Vec<(String, String)>,
    /// This rule only; otherwise those that match, and those that some condition holds of
    #[arg(long)]
    rule: Vec<String>,
    /// The conversation ends after the last turn
    #[arg(long)]
    ended: bool,
}

fn turn(text: &str) -> Result<Line, String> {
    let hint = "write who speaks, a colon and the words, such as \"customer: hello\"";
    Line::parse(text).ok_or_else(|| hint.to_owned())
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as tier=gold")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// # Errors
/// The rules can't be read or are wrong, a test fails, or there is no rule of a name.
pub fn run(command: &CategoriesCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        CategoriesCommand::Lint(args) => lint(args, out),
        CategoriesCommand::Test(args) => test(args, out),
        CategoriesCommand::Try(args) => attempt(args, out),
    }
}

fn lint(args: &FolderArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let categories = Categories::open(&args.dir)?;
    let (rules, phrases, tests) =
        (categories.rules().len(), categories.phrases(), categories.trials().len());
    tell(out, &format!("{rules} rules, {phrases} phrases, {tests} tests"))
}

fn test(args: &FolderArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let categories = Arc::new(Categories::open(&args.dir)?);
    let mut failed = 0;
    for trial in categories.trials() {
        let Err(found) = trial.run(&categories) else { continue };
        failed += 1;
        let line = trial.at.map(|(line, _)| format!(":{line}")).unwrap_or_default();
        tell(out, &format!("{}{line}: {}: {}", trial.file, trial.path, trial.name))?;
        for id in found.missing {
            tell(out, &format!("  {id} should match and doesn't"))?;
        }
        for id in found.unwanted {
            tell(out, &format!("  {id} should not match and does"))?;
        }
    }
    let tested = |id: &str| {
        categories
            .trials()
            .iter()
            .any(|trial| trial.expect.iter().any(|(expected, ..)| expected == id))
    };
    for rule in categories.rules().iter().filter(|rule| !tested(&rule.id)) {
        tell(out, &format!("warning: no test expects {}", rule.id))?;
    }
    tell(out, &format!("{} tests, {failed} failed", categories.trials().len()))?;
    match failed {
        0 => Ok(()),
        1 => Err(Failure::invalid("one test failed, see above")),
        failed => Err(Failure::invalid(format!("{failed} tests failed, see above"))),
    }
}

fn attempt(args: &TryArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let categories = Arc::new(Categories::open(&args.dir)?);
    for id in &args.rule {
        if !categories.rules().iter().any(|rule| rule.id == *id) {
            let folder = args.dir.display();
            return Err(Failure::invalid(format!(
                "{folder} has no rule {id:?}; write the id of one"
            )));
        }
    }
    let attributes: BTreeMap<_, _> = args.attribute.iter().cloned().collect();
    let watch = Watch::new(&categories, &attributes);
    // One lets rules match, the other shows at the end how far each has come.
    let mut peeking = watch.clone().peeking();
    let mut matching = watch;
    let matched = play(&mut matching, &args.turns, args.ended);
    play(&mut peeking, &args.turns, args.ended);
    for (number, rule) in categories.rules().iter().enumerate() {
        let mine = matched.iter().filter(|one| one.category.category == rule.id);
        let mine: Vec<_> = mine.collect();
        let conditions = peeking.explain(number);
        let is_named = args.rule.contains(&rule.id);
        // A `not` that holds is no news.
        let comes_near = conditions.iter().any(|one| one.holds && one.is_happening);
        if !is_named && (!args.rule.is_empty() || (mine.is_empty() && !comes_near)) {
            continue;
        }
        for one in &mine {
            show(one, out)?;
        }
        if mine.is_empty() {
            tell(out, &format!("{}: no match", rule.id))?;
        }
        if mine.is_empty() || is_named {
            for one in conditions {
                let mark = if one.holds { "yes" } else { "no " };
                let indent = "  ".repeat(one.depth);
                tell(out, &format!("  {mark} {indent}{}", one.condition))?;
            }
        }
    }
    tell(out, &format!("{} rules, {} matches", categories.rules().len(), matched.len()))
}

fn show(matched: &Matched, out: &mut dyn Write) -> Result<(), Failure> {
    let category = &matched.category;
    let after = match &category.turn_id {
        Some(turn) => format!("after {turn}"),
        None => "at the end".to_owned(),
    };
    tell(out, &format!("{}: match {after}", category.category))?;
    for evidence in &category.evidence {
        let line = match evidence {
            Evidence::Said(said) => format!(
                "{} {} at {}..{}: \"{}\"",
                said.turn_id,
                said.role.as_str(),
                said.start_chars,
                said.end_chars,
                said.quote.as_str()
            ),
            Evidence::Signal { name, value, turn_id: Some(turn) } => {
                format!("{turn} {name} = {value}")
            }
            Evidence::Signal { name, value, turn_id: None } => format!("{name} = {value}"),
        };
        tell(out, &format!("  {line}"))?;
    }
    if let Some(alert) = &matched.alert {
        let to: Vec<_> = alert.to.iter().map(|role: &Role| role.as_str()).collect();
        let (severity, to) = (alert.severity.as_str(), to.join(" and "));
        tell(out, &format!("  alert ({severity}) to {to}: {}", alert.title))?;
    }
    Ok(())
}

fn tell(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}")
        .map_err(|error| Failure::new(crate::domain::ErrorKind::Internal, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: &CategoriesCommand) -> (String, Result<(), String>) {
        let mut out = Vec::new();
        let done = run(command, &mut out).map_err(|failure| failure.message);
        (String::from_utf8(out).expect("text"), done)
    }

    fn folder(rules: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.toml"), rules).expect("it writes");
        folder
    }

    const RULES: &str = r#"
[[rule]]
id = "leaving"
when = { all = [{ said = "want to cancel" }, { attribute = "tier", is = "gold" }] }
[[rule]]
id = "greeting"
when = { said = "hello" }
[[test]]
name = "a greeting"
turns = ["agent: hello"]
expect = ["greeting"]
"#;

    #[test]
    fn tests_of_rules_are_run() {
        let sound = folder(RULES);
        let args = FolderArgs { dir: sound.path().to_owned() };
        let (text, done) = told(&CategoriesCommand::Test(args));
        assert_eq!(text, "warning: no test expects leaving\n1 tests, 0 failed\n");
        assert_eq!(done, Ok(()));
        let wrong = folder(&RULES.replace("agent: hello", "agent: goodbye"));
        let args = FolderArgs { dir: wrong.path().to_owned() };
        let (text, done) = told(&CategoriesCommand::Test(args));
        assert!(text.contains("a.toml:8: test[0]: a greeting\n  greeting should match"), "{text}");
        assert_eq!(done, Err("one test failed, see above".into()));
    }

    #[test]
    fn mistakes_are_told() {
        let wrong = folder(&RULES.replace("said = \"hello\"", "sayd = \"hello\""));
        let args = FolderArgs { dir: wrong.path().to_owned() };
        let (_, done) = told(&CategoriesCommand::Lint(args));
        assert!(
            done.is_err_and(|message| message.contains("a.toml:7:8: rule[1].when: says nothing"))
        );
        let sound = folder(RULES);
        let args = FolderArgs { dir: sound.path().to_owned() };
        let (text, done) = told(&CategoriesCommand::Lint(args));
        assert_eq!((text.as_str(), done), ("2 rules, 2 phrases, 1 tests\n", Ok(())));
    }

    #[test]
    fn each_rule_is_explained() {
        let sound = folder(RULES);
        let attempt = |attribute: Vec<(String, String)>, rule: Vec<String>| {
            let turns = vec![turn("customer: Oh, I want to cancel!").expect("a turn")];
            let dir = sound.path().to_owned();
            let args = TryArgs { turns, dir, attribute, rule, ended: false };
            told(&CategoriesCommand::Try(args))
        };
        let (text, _) = attempt(vec![], vec![]);
        assert_eq!(
            text,
            "leaving: no match\n  no  all\n  yes   anyone says \"want to cancel\"\n  no    tier is gold\n2 rules, 0 matches\n"
        );
        let (text, _) = attempt(vec![("tier".into(), "gold".into())], vec![]);
        assert_eq!(
            text,
            "leaving: match after t-1\n  t-1 customer at 6..20: \"want to cancel\"\n  attribute.tier = gold\n2 rules, 1 matches\n"
        );
        let (_, done) = attempt(vec![], vec!["none".into()]);
        assert!(done.is_err_and(|message| message.contains("no rule \"none\"")));
    }
}
