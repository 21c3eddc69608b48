//! Transcripts as plain text: `Customer: …`, a line a turn.

use crate::batch::conversation::{ItemError, RawTurn, role};
use crate::domain::Role;

/// A label is no longer than this; what stands before a later colon belongs to what is said.
const LABEL_CHARS_MAX: usize = 40;

/// Reads a transcript. A line without a known label goes on with the turn before it; in a text with
/// no labels at all each line is a turn of nobody in particular. `[00:12]` or `00:12` before the
/// label is the time.
pub fn turns(text: &str) -> Result<Vec<RawTurn>, ItemError> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let has_labels = lines().any(|line| label(timed(line).1).is_some());
    let mut turns: Vec<RawTurn> = Vec::new();
    for line in lines() {
        let (start_ms, rest) = timed(line);
        match label(rest) {
            Some((role, said)) => turns.push(turn(role, said, start_ms)),
            None if has_labels => {
                // Without a turn before it, it is a heading: a date, a file's name.
                if let Some(last) = turns.last_mut() {
                    last.text.push('\n');
                    last.text.push_str(line);
                }
            }
            None => turns.push(turn(Role::Mixed, rest, start_ms)),
        }
    }
    if turns.is_empty() {
        return Err(ItemError::invalid("holds no words"));
    }
    Ok(turns)
}

fn turn(role: Role, said: &str, start_ms: Option<u64>) -> RawTurn {
    let text = said.to_owned();
    RawTurn { role, name: None, text, start_ms, end_ms: None, language: None }
}

/// `Customer: hello`, `AGENT (Ann): hello`, `#Person1#: hello`; the first person came with something.
fn label(line: &str) -> Option<(Role, &str)> {
    let (label, said) = line.split_once(':')?;
    if label.chars().count() > LABEL_CHARS_MAX {
        return None;
    }
    let word = label.split('(').next().unwrap_or(label).trim();
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit()).trim();
    let role = match label.trim() {
        "#Person1#" => Some(Role::Customer),
        "#Person2#" => Some(Role::Agent),
        _ => role(word),
    }?;
    Some((role, said.trim()))
}

/// Splits a time off the front of a line.
fn timed(line: &str) -> (Option<u64>, &str) {
    let inner = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (clock, rest) = match inner {
        Some(parts) => parts,
        None => match line.split_once(char::is_whitespace) {
            Some(parts) => parts,
            None => return (None, line),
        },
    };
    match clock_ms(clock.trim()) {
        Some(ms) => (Some(ms), rest.trim()),
        None => (None, line),
    }
}

/// `1:02`, `01:02.5` or `1:00:02`.
fn clock_ms(clock: &str) -> Option<u64> {
    let parts: Vec<&str> = clock.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let mut seconds = 0.0;
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let allowed = |c: char| c.is_ascii_digit() || (is_last && c == '.');
        if part.is_empty() || part.len() > 9 || !part.chars().all(allowed) {
            return None;
        }
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    // A float's cast saturates, and people write no larger numbers than these.
    Some((seconds * 1_000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_times_and_lines_that_go_on() {
        let text = "Call of 3 March\n[00:01] Customer: It's broken:\n  the lamp\n\
                    00:07.5 AGENT (Ann): I see.\nSupervisor 2: so\n";
        let turns = turns(text).expect("a transcript");
        let read: Vec<_> =
            turns.iter().map(|turn| (turn.role, turn.text.as_str(), turn.start_ms)).collect();
        assert_eq!(
            read,
            [
                (Role::Customer, "It's broken:\nthe lamp", Some(1_000)),
                (Role::Agent, "I see.", Some(7_500)),
                (Role::Supervisor, "so", None),
            ]
        );
    }

    #[test]
    fn a_text_without_labels_is_still_read() {
        let turns = turns("well: hello\nI see").expect("a transcript");
        assert!(turns.iter().all(|turn| turn.role == Role::Mixed));
        assert_eq!(turns.len(), 2);
        assert!(super::turns(" \n\t\n").is_err());
    }
}
