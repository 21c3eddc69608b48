//! What of a conversation goes back to the CRM, the agent's mailbox and calendar. No I/O.
//!
//! A plan is made from the drafts as they stand when somebody looks. Each entry has a key that is the same for
//! the same conversation and draft, however often it is planned, so that it is written once.

mod standing;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

pub use self::standing::{Stands, anew, as_written, is_same_for, otherwise};
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, ConversationId, DedupeKey, Direction, Due, DueAt, Effect,
    FollowUpKind, KnownContact, MailDraft, Mailbox, Meeting, NewCase, NewDelivery, NewNote,
    NewTask, Redacted, Role, Wording, WrapUpId,
};
use crate::insight::redaction;

const SUBJECT_CHARS: usize = 120;
/// Of a customer in a calendar entry.
const CUSTOMER_LINES: usize = 6;

/// Whether something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// When the conversation is over, without anybody's doing.
    Automatic,
    /// When the agent says so.
    Ask,
    Never,
}

impl Rule {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Ask => "ask",
            Self::Never => "never",
        }
    }
}

/// A tenant's choices, and where things go. A place that isn't there gets nothing.
#[derive(Clone, Debug)]
pub struct OutcomeSettings {
    pub note: Rule,
    pub call: Rule,
    pub case: Rule,
    pub task: Rule,
    pub mail: Rule,
    pub meeting: Rule,
    pub status: Rule,
    /// By a disposition's label, the status that a case gets.
    pub case_statuses: BTreeMap<String, String>,
    pub crm: Option<String>,
    pub mailbox: Option<String>,
    pub calendar: Option<String>,
    /// Who writes mails and invites.
    pub sender: Option<Mailbox>,
    /// Whether the mailbox may send invitations to meetings: no calendar server does, and it can send at all.
    pub invites: bool,
    pub meeting_minutes: u32,
    pub time_zone: TimeZone,
}

/// What a conversation came to.
#[derive(Clone, Debug)]
pub struct Ending {
    pub conversation: ConversationId,
    /// `voice`, `chat`.
    pub channel: String,
    pub direction: Direction,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    /// Sections with their headings, as plain text; the agent's own words where they changed it.
    pub summary: Option<(WrapUpId, Redacted)>,
    /// What it was about, in a line.
    pub matter: Option<Redacted>,
    /// As the agent chose it.
    pub disposition: Option<Redacted>,
    pub promises: Vec<Promise>,
    pub email: Option<Letter>,
    /// Identifiers of the messages that it consists of, oldest first, where it is a thread of mails.
    pub references: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Promise {
    pub id: WrapUpId,
    pub kind: FollowUpKind,
    pub promised_by: Role,
    pub sentence: Redacted,
    pub due: Option<Due>,
}

#[derive(Clone, Debug)]
pub struct Letter {
    pub id: WrapUpId,
    pub subject: Redacted,
    pub body: Redacted,
}

/// To which case it belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CaseChoice {
    #[default]
    None,
    /// One of the contact's, by the CRM's identifier.
    Existing(String),
    New,
}

/// One thing that may be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// `note`, `call`, `case`, `status:` and the case's, or `task:`, `meeting:`, `invite:`, `mail:`, `send:` and the draft's identifier.
    pub id: String,
    pub rule: Rule,
    /// For people.
    pub title: &'static str,
    pub destination: String,
    pub lane: String,
    pub key: DedupeKey,
    pub effect: Effect,
    pub from: Option<WrapUpId>,
}

impl Planned {
    pub fn delivery(&self, by: Option<String>, at: Timestamp) -> NewDelivery {
        NewDelivery {
            destination: self.destination.clone(),
            key: self.key.clone(),
            lane: self.lane.clone(),
            effect: self.effect.clone(),
            from: self.from.clone(),
            by,
            created_at: at,
        }
    }
}

/// Everything that may be written for a contact, in the order in which it has to be.
pub fn plan(
    ending: &Ending,
    known: &KnownContact,
    case: &CaseChoice,
    settings: &OutcomeSettings,
) -> Vec<Planned> {
    let planner = Planner { ending, known, settings };
    let mut all = Vec::new();
    if let Some(crm) = &settings.crm {
        let made = planner.case(crm);
        let of = match case {
            CaseChoice::None => None,
            CaseChoice::Existing(id) => Some(CaseRef::Id(id.clone())),
            CaseChoice::New => Some(CaseRef::MadeBy(made.key.clone())),
        };
        all.push(made);
        if let CaseChoice::Existing(id) = case {
            all.extend(planner.status(crm, id));
        }
        all.extend(planner.note(crm, of.clone()));
        all.push(planner.call(crm, of.clone()));
        all.extend(ending.promises.iter().filter_map(|one| planner.task(crm, one, of.clone())));
    }
    if let Some(calendar) = &settings.calendar {
        all.extend(ending.promises.iter().filter_map(|one| planner.meeting(calendar, one)));
    }
    if let Some(mailbox) = settings.mailbox.as_ref().filter(|_| settings.invites) {
        all.extend(ending.promises.iter().filter_map(|one| planner.invitation(mailbox, one)));
    }
    if let Some(mailbox) = &settings.mailbox {
        all.extend(planner.mails(mailbox));
    }
    all.retain(|one| one.rule != Rule::Never);
    all
}

/// What may become of each open case, for whoever hasn't chosen one yet.
pub fn statuses(ending: &Ending, known: &KnownContact, settings: &OutcomeSettings) -> Vec<Planned> {
    let Some(crm) = &settings.crm else { return Vec::new() };
    let planner = Planner { ending, known, settings };
    let all = known.cases.iter().filter_map(|case| planner.status(crm, &case.id));
    all.filter(|one| one.rule != Rule::Never).collect()
}

fn key_of(conversation: &ConversationId, contact_id: &str, id: &str) -> DedupeKey {
    DedupeKey::of(&[conversation.as_str(), contact_id, id])
}

struct Planner<'a> {
    ending: &'a Ending,
    known: &'a KnownContact,
    settings: &'a OutcomeSettings,
}

impl Planner<'_> {
    fn planned(
        &self,
        id: String,
        rule: Rule,
        title: &'static str,
        destination: &str,
        effect: Effect,
    ) -> Planned {
        let key = self.key(&id);
        let lane = self.known.contact.id.clone();
        let destination = destination.to_owned();
        Planned { id, rule, title, destination, lane, key, effect, from: None }
    }

    /// What was thrown away for one contact is another thing than the same for the next one.
    fn key(&self, id: &str) -> DedupeKey {
        key_of(&self.ending.conversation, &self.known.contact.id, id)
    }

    fn contact_id(&self) -> String {
        self.known.contact.id.clone()
    }

    /// "Call of 28 November 2026, 10:14".
    fn headline(&self) -> Redacted {
        let what = match self.ending.channel.as_str() {
            "voice" => "Call",
            "mail" => "E-mails",
            "sms" => "Text messages",
            _ => "Chat",
        };
        let began = self.ending.started_at.to_zoned(self.settings.time_zone.clone());
        redaction::typed(&format!("{what} of {}", began.strftime("%-d %B %Y, %H:%M")))
    }

    /// The summary and where it comes from.
    fn body(&self) -> Redacted {
        let source = redaction::typed(&format!("conversation {}", self.ending.conversation));
        let end = [Wording::Fixed("Written by Backchannel from "), Wording::Of(&source)];
        match &self.ending.summary {
            Some((_, text)) => {
                let parts = [Wording::Of(text), Wording::Fixed("\n\n"), end[0], end[1]];
                Redacted::assembled(&parts)
            }
            None => Redacted::assembled(&end),
        }
    }

    fn subject(&self) -> Redacted {
        match &self.ending.matter {
            Some(matter) => shortened(matter),
            None => self.headline(),
        }
    }

    fn case(&self, crm: &str) -> Planned {
        let effect = Effect::CreateCase(NewCase {
            contact_id: self.contact_id(),
            subject: self.subject(),
            body: self.body(),
            priority: None,
        });
        self.planned("case".into(), self.settings.case, "New case", crm, effect)
    }

    /// What the disposition makes of a case that there is.
    fn status(&self, crm: &str, case_id: &str) -> Option<Planned> {
        let disposition = self.ending.disposition.as_ref()?.as_str().trim().to_lowercase();
        let mut statuses = self.settings.case_statuses.iter();
        let (_, status) = statuses.find(|(label, _)| label.trim().to_lowercase() == disposition)?;
        if self.known.cases.iter().any(|case| case.id == case_id && case.status == *status) {
            return None;
        }
        let effect = Effect::UpdateCase(CaseUpdate {
            contact_id: self.contact_id(),
            case_id: case_id.to_owned(),
            status: Some(status.clone()),
            priority: None,
            expected_version: None,
        });
        let id = format!("status:{case_id}");
        // Another disposition is another status, and has to be written too.
        let key = self.key(&format!("{id}:{status}"));
        let rule = by_hand(self.settings.status);
        Some(Planned { key, ..self.planned(id, rule, "Status of the case", crm, effect) })
    }

    fn note(&self, crm: &str, case: Option<CaseRef>) -> Option<Planned> {
        let (from, _) = self.ending.summary.as_ref()?;
        let effect = Effect::AddNote(NewNote {
            contact_id: self.contact_id(),
            case,
            subject: self.headline(),
            body: self.body(),
        });
        let planned =
            self.planned("note".into(), self.settings.note, "Note with the summary", crm, effect);
        Some(Planned { from: Some(from.clone()), ..planned })
    }

    fn call(&self, crm: &str, case: Option<CaseRef>) -> Planned {
        let effect = Effect::LogCall(CallRecord {
            contact_id: self.contact_id(),
            case,
            direction: self.ending.direction,
            started_at: self.ending.started_at,
            duration_s: self.ending.duration_ms.div_ceil(1_000),
            subject: self.headline(),
            outcome: self.ending.disposition.clone(),
            body: self.body(),
        });
        self.planned("call".into(), self.settings.call, "Entry in the contact's log", crm, effect)
    }

    /// Of what we promised; what the customer promised is in the summary.
    fn task(&self, crm: &str, promise: &Promise, case: Option<CaseRef>) -> Option<Planned> {
        if promise.promised_by == Role::Customer {
            return None;
        }
        let due = promise.due.as_ref().and_then(|due| {
            Some(DueAt { date: due.date?, time: due.time, time_zone: due.time_zone.clone() })
        });
        let effect = Effect::CreateTask(NewTask {
            contact_id: self.contact_id(),
            case,
            subject: shortened(&promise.sentence),
            body: self.told(promise),
            due,
        });
        let id = format!("task:{}", promise.id);
        let planned =
            self.planned(id, self.settings.task, "Task for what was promised", crm, effect);
        Some(Planned { from: Some(promise.id.clone()), ..planned })
    }

    /// "“I'll call you on Thursday.” Promised in the call of …".
    fn told(&self, promise: &Promise) -> Redacted {
        let headline = self.headline();
        Redacted::assembled(&[
            Wording::Fixed("“"),
            Wording::Of(&promise.sentence),
            Wording::Fixed("”\n\nPromised: "),
            Wording::Of(&headline),
        ])
    }

    fn meeting(&self, calendar: &str, promise: &Promise) -> Option<Planned> {
        let effect = Effect::PutMeeting(self.appointment(promise)?);
        let id = format!("meeting:{}", promise.id);
        let planned = self.planned(id, self.settings.meeting, "Calendar entry", calendar, effect);
        Some(Planned { from: Some(promise.id.clone()), ..planned })
    }

    /// The same event by mail, to whoever is to come; never done by itself.
    fn invitation(&self, mailbox: &str, promise: &Promise) -> Option<Planned> {
        let meeting = self.appointment(promise).filter(|meeting| !meeting.attendees.is_empty())?;
        let id = format!("invite:{}", promise.id);
        let (rule, effect) = (by_hand(self.settings.meeting), Effect::PutMeeting(meeting));
        let planned = self.planned(id, rule, "Send the invitation", mailbox, effect);
        // The key makes the event's UID: calendars of both sides have one event.
        let meeting = format!("meeting:{}", promise.id);
        let key = self.key(&meeting);
        Some(Planned { key, from: Some(promise.id.clone()), ..planned })
    }

    /// Only where day and time are certain.
    fn appointment(&self, promise: &Promise) -> Option<Meeting> {
        if promise.kind == FollowUpKind::Task || promise.promised_by == Role::Customer {
            return None;
        }
        let due = promise.due.as_ref()?;
        let starts = moment(due)?;
        let told = self.told(promise);
        let (subject, body, attendees) = match (promise.kind, self.customer()) {
            (FollowUpKind::Meeting, Some(customer)) => {
                (shortened(&promise.sentence), told, vec![customer])
            }
            // What is in our calendar only says whom it is about.
            (FollowUpKind::Meeting, None) => {
                (self.with("Meeting", promise), self.with_customer(told), Vec::new())
            }
            _ => (self.with("Call back", promise), self.with_customer(told), Vec::new()),
        };
        Some(Meeting {
            subject,
            body,
            starts,
            minutes: window_minutes(due).unwrap_or(self.settings.meeting_minutes),
            organizer: self.settings.sender.clone()?,
            attendees,
            revision: 0,
            is_cancelled: false,
        })
    }

    /// "Call back Ada Lovelace, +44 20 7946 0123: “I'll call you on Thursday.”"
    fn with(&self, what: &'static str, promise: &Promise) -> Redacted {
        let contact = &self.known.contact;
        let who = contact.name.as_ref().map(|name| name.as_str()).into_iter();
        let who: Vec<Redacted> = who
            .map(redaction::typed)
            .chain(contact.phones.first().map(|phone| redaction::attribute("phone", phone, &[])))
            .collect();
        let mut line = vec![Wording::Fixed(what)];
        for (at, one) in who.iter().enumerate() {
            line.extend([Wording::Fixed(if at == 0 { " " } else { ", " }), Wording::Of(one)]);
        }
        line.extend([Wording::Fixed(": "), Wording::Of(&promise.sentence)]);
        shortened(&Redacted::assembled(&line))
    }

    /// Name, numbers and addresses as the CRM has them, a line each.
    fn with_customer(&self, told: Redacted) -> Redacted {
        let contact = &self.known.contact;
        let name = contact.name.as_ref().map(|name| name.as_str()).into_iter();
        let phones = contact.phones.iter().map(|phone| redaction::attribute("phone", phone, &[]));
        let emails = contact.emails.iter().map(|email| redaction::typed(email));
        let lines: Vec<Redacted> =
            name.map(redaction::typed).chain(phones).chain(emails).take(CUSTOMER_LINES).collect();
        let mut all = Vec::new();
        for line in &lines {
            all.extend([Wording::Of(line), Wording::Fixed("\n")]);
        }
        all.extend([Wording::Fixed("\n"), Wording::Of(&told)]);
        Redacted::assembled(&all)
    }

    /// As a draft, and to be sent: the second is never done by itself.
    fn mails(&self, mailbox: &str) -> Vec<Planned> {
        let (Some(letter), Some(customer)) = (&self.ending.email, self.customer()) else {
            return Vec::new();
        };
        let mail = MailDraft {
            to: vec![customer],
            subject: letter.subject.clone(),
            body: letter.body.clone(),
            references: self.ending.references.clone(),
            about: Some(letter.id.clone()),
        };
        let from = || Some(letter.id.clone());
        let draft = Effect::DraftMail(mail.clone());
        let drafted = self.planned(
            format!("mail:{}", letter.id),
            self.settings.mail,
            "E-mail draft in your mailbox",
            mailbox,
            draft,
        );
        let sent = self.planned(
            format!("send:{}", letter.id),
            by_hand(self.settings.mail),
            "Send the e-mail",
            mailbox,
            Effect::SendMail(mail),
        );
        vec![Planned { from: from(), ..drafted }, Planned { from: from(), ..sent }]
    }

    /// To whom a mail goes: nobody where the CRM has several addresses.
    fn customer(&self) -> Option<Mailbox> {
        let [address] = self.known.contact.emails.as_slice() else { return None };
        let name = self.known.contact.name.as_ref().map(|name| name.as_str().to_owned());
        Some(Mailbox { name, address: address.clone() })
    }
}

/// What leaves the house goes by a person's click.
const fn by_hand(rule: Rule) -> Rule {
    match rule {
        Rule::Never => Rule::Never,
        Rule::Automatic | Rule::Ask => Rule::Ask,
    }
}

/// The moment that a due date names; none where its day or time is open, or doesn't exist.
fn moment(due: &Due) -> Option<Zoned> {
    let zone = TimeZone::get(&due.time_zone).ok()?;
    let ambiguous = zone.to_ambiguous_zoned(due.date?.to_datetime(due.time?));
    // An hour that the clocks skip, or that comes twice, is no certain moment.
    ambiguous.unambiguous().ok()
}

/// How long a window is that was named: "between two and four".
fn window_minutes(due: &Due) -> Option<u32> {
    let span = due.time?.duration_until(due.until?);
    u32::try_from(span.as_mins()).ok().filter(|minutes| *minutes > 0)
}

/// The first words, for a line.
fn shortened(text: &Redacted) -> Redacted {
    let whole = text.as_str();
    let Some((end, _)) = whole.char_indices().nth(SUBJECT_CHARS) else { return text.clone() };
    let end = whole[..end].rfind(' ').unwrap_or(end);
    Redacted::assembled(&[Wording::Of(&text.slice(0..end)), Wording::Fixed("…")])
}

#[cfg(test)]
mod tests;
