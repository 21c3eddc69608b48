//! What of a plan stands already, and what of that was thrown away.

use super::{Planned, key_of};
use crate::domain::{CaseRef, ConversationId, DedupeKey, DueAt, Effect};

/// Something that was put into the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    pub destination: String,
    pub key: DedupeKey,
    pub is_discarded: bool,
}

/// Gives each thing the key of its newest revision, so that it is found where it is.
pub fn as_written(planned: &mut [Planned], stands: &[Stands]) {
    rekey(planned, |one| newest(one, stands).map(|(revision, _)| revision));
}

/// As `as_written`, and what was thrown away is a new thing: for whoever wants it after all.
pub fn anew(planned: &mut [Planned], stands: &[Stands]) {
    rekey(planned, |one| {
        newest(one, stands).map(|(revision, is_discarded)| revision + u32::from(is_discarded))
    });
}

/// Whether a key names the same thing, in any revision, as it was planned for another contact of the conversation.
pub fn is_same_for(
    one: &Planned,
    conversation: &ConversationId,
    contact_id: &str,
    key: &DedupeKey,
) -> bool {
    key_of(conversation, contact_id, &one.id).stem() == key.stem()
}

/// What somebody chose for a thing and doesn't stand, in words that follow "with"; none where it is the same.
/// Headlines and durations move by themselves: nobody chose them.
pub fn otherwise(stands: &Effect, wanted: &Effect) -> Option<&'static str> {
    if body_of(stands) != body_of(wanted) {
        return Some("other words");
    }
    if stands.case() != wanted.case() {
        return Some("another case or none");
    }
    (when(stands) != when(wanted)).then_some("another time")
}

fn body_of(effect: &Effect) -> Option<&str> {
    Some(match effect {
        Effect::CreateCase(one) => one.body.as_str(),
        Effect::AddNote(one) => one.body.as_str(),
        Effect::LogCall(one) => one.body.as_str(),
        Effect::CreateTask(one) => one.body.as_str(),
        Effect::DraftMail(one) | Effect::SendMail(one) => one.body.as_str(),
        Effect::PutMeeting(one) => one.body.as_str(),
        _ => return None,
    })
}

fn when(effect: &Effect) -> Option<(String, u32)> {
    let day = |due: &DueAt| (format!("{} {:?}", due.date, due.time), 0);
    match effect {
        Effect::CreateTask(one) => one.due.as_ref().map(day),
        Effect::PutMeeting(one) => Some((one.starts.timestamp().to_string(), one.minutes)),
        _ => None,
    }
}

fn newest(one: &Planned, stands: &[Stands]) -> Option<(u32, bool)> {
    let of_it = stands.iter().filter(|other| other.destination == one.destination);
    of_it
        .filter_map(|other| Some((revision(&other.key, one.key.stem())?, other.is_discarded)))
        .max()
}

fn revision(key: &DedupeKey, stem: &str) -> Option<u32> {
    match key.as_str().strip_prefix(stem)? {
        "" => Some(0),
        rest => rest.strip_prefix('r')?.parse().ok(),
    }
}

fn rekey(planned: &mut [Planned], revision: impl Fn(&Planned) -> Option<u32>) {
    let mut moved = Vec::new();
    for one in planned.iter_mut() {
        let Some(revision) = revision(one) else { continue };
        let key = one.key.revised(revision);
        moved.push((std::mem::replace(&mut one.key, key.clone()), key));
    }
    // What belongs to a new case belongs to the one that is made now.
    for one in planned {
        let Some(CaseRef::MadeBy(made)) = case_of(&mut one.effect) else { continue };
        if let Some((_, key)) = moved.iter().find(|(before, _)| before == made) {
            *made = key.clone();
        }
    }
}

fn case_of(effect: &mut Effect) -> Option<&mut CaseRef> {
    match effect {
        Effect::AddNote(one) => one.case.as_mut(),
        Effect::LogCall(one) => one.case.as_mut(),
        Effect::CreateTask(one) => one.case.as_mut(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NewCase, NewNote, NewTask, Redacted};
    use crate::flow::feedback::outcome::Rule;

    fn planned(id: &str, key: &DedupeKey, effect: Effect) -> Planned {
        Planned {
            id: id.to_owned(),
            rule: Rule::Ask,
            title: "",
            destination: "crm".to_owned(),
            lane: "7".to_owned(),
            key: key.clone(),
            effect,
            from: None,
        }
    }

    fn stands(key: DedupeKey, is_discarded: bool) -> Stands {
        Stands { destination: "crm".to_owned(), key, is_discarded }
    }

    fn keys(planned: &[Planned]) -> Vec<&DedupeKey> {
        planned.iter().map(|one| &one.key).collect()
    }

    #[test]
    fn what_was_thrown_away_is_a_new_thing_for_whoever_wants_it_after_all() {
        let (case, note) = (DedupeKey::of(&["case"]), DedupeKey::of(&["note"]));
        let contact_id = "7".to_owned();
        let text = Redacted::vouched("Charged twice.");
        let new_case = NewCase {
            contact_id: contact_id.clone(),
            subject: text.clone(),
            body: text.clone(),
            priority: None,
        };
        let of = Some(CaseRef::MadeBy(case.clone()));
        let new_note = NewNote { contact_id, case: of, subject: text.clone(), body: text };
        let plan = || {
            vec![
                planned("case", &case, Effect::CreateCase(new_case.clone())),
                planned("note", &note, Effect::AddNote(new_note.clone())),
            ]
        };
        let mut one = plan();
        anew(&mut one, &[]);
        assert_eq!(keys(&one), [&case, &note]);

        let thrown = [stands(case.clone(), true), stands(note.clone(), false)];
        as_written(&mut one, &thrown);
        assert_eq!(keys(&one), [&case, &note], "who looks sees that it was thrown away");
        anew(&mut one, &thrown);
        assert_eq!(keys(&one), [&case.revised(1), &note]);
        assert_eq!(one[1].effect.case(), Some(&CaseRef::MadeBy(case.revised(1))));

        let again = [stands(case.revised(1), false), stands(case.clone(), true)];
        for rekey in [as_written, anew] {
            let mut one = plan();
            rekey(&mut one, &again);
            assert_eq!(one[0].key, case.revised(1), "the newest stands");
        }
        let elsewhere = [Stands { destination: "mail".to_owned(), ..stands(case.clone(), true) }];
        let mut one = plan();
        anew(&mut one, &elsewhere);
        assert_eq!(one[0].key, case);
    }

    #[test]
    fn what_somebody_chose_is_compared_and_a_headline_isnt() {
        let due = |date: &str| DueAt {
            date: date.parse().expect("a day"),
            time: None,
            time_zone: "Europe/London".to_owned(),
        };
        let task = NewTask {
            contact_id: "7".to_owned(),
            case: None,
            subject: Redacted::vouched("Call back"),
            body: Redacted::vouched("I'll call you."),
            due: Some(due("2026-12-03")),
        };
        let stands = Effect::CreateTask(task.clone());
        let with = |change: fn(&mut NewTask)| {
            let mut task = task.clone();
            change(&mut task);
            otherwise(&stands, &Effect::CreateTask(task))
        };
        assert_eq!(with(|_| ()), None);
        assert_eq!(with(|task| task.subject = Redacted::vouched("Call Ada")), None);
        assert_eq!(with(|task| task.body = Redacted::vouched("Soon.")), Some("other words"));
        let of = Some("another case or none");
        assert_eq!(with(|task| task.case = Some(CaseRef::Id("9".into()))), of);
        assert_eq!(with(|task| task.due = None), Some("another time"));
        let later = NewTask { due: Some(due("2026-12-04")), ..task.clone() };
        assert_eq!(otherwise(&stands, &Effect::CreateTask(later)), Some("another time"));
    }
}
