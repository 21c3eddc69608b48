//! TaskRouter's assignment callback: which worker it has reserved, and what it is to do.
//!
//! A form with `TaskSid`, `TaskAttributes`, `WorkerSid`, `ReservationSid`, signed like every webhook of Twilio's; the
//! answer is `{"instruction": …}` in JSON, within five seconds
//! (<https://www.twilio.com/docs/taskrouter/handle-assignment-callbacks>).

use serde_json::{Value, json};

use super::fields::{self, Fields};
use crate::connect::telephony::twilio::signature;

/// What TaskRouter is told when it has reserved a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Instruction {
    /// Nothing: the worker's own client answers the reservation.
    #[default]
    None,
    Accept,
    /// The caller is taken out of the queue and connected; with the number that is shown.
    Dequeue {
        from: Option<String>,
    },
}

/// Checks, reads and answers the callback.
pub struct Callback {
    pub auth_token: String,
    pub instruction: Instruction,
    /// The activity into which a worker goes whom we did not recommend, and the reservation is rejected, so that the
    /// task is offered to the next one; none: whoever TaskRouter chose gets it. Only in the mode `active`.
    pub reject_others: Option<String>,
}

/// What TaskRouter has reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    pub task_sid: String,
    pub worker_sid: String,
    pub reservation_sid: String,
    /// Ours among the task's attributes.
    pub ours: Fields,
}

impl Reserved {
    /// Whether it is the worker whom we recommended; none where we recommended nobody.
    pub fn is_followed(&self) -> Option<bool> {
        let agent = self.ours.get("agent").filter(|agent| !agent.is_empty())?;
        Some(*agent == self.worker_sid)
    }
}

impl Callback {
    /// Whether Twilio signed this form for this address.
    pub fn signs(&self, url: &str, form: &[(String, String)], given: &str) -> bool {
        let params: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        signature::signs(&self.auth_token, url, &params, given)
    }

    /// # Errors
    /// Which field is missing. Attributes that aren't JSON hold none of ours.
    pub fn read(form: &[(String, String)]) -> Result<Reserved, &'static str> {
        let field = |wanted: &str| {
            form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        };
        let attributes = field("TaskAttributes").unwrap_or_default();
        let attributes: Value = serde_json::from_str(&attributes).unwrap_or_default();
        Ok(Reserved {
            task_sid: field("TaskSid").ok_or("TaskSid is missing")?,
            worker_sid: field("WorkerSid").ok_or("WorkerSid is missing")?,
            reservation_sid: field("ReservationSid").ok_or("ReservationSid is missing")?,
            ours: fields::ours(&attributes),
        })
    }

    /// What TaskRouter is to do; an empty object leaves it to the worker.
    pub fn answer(&self, reserved: &Reserved) -> Value {
        let is_active = reserved.ours.get("mode").is_some_and(|mode| mode == "active");
        if let Some(activity) = &self.reject_others
            && is_active
            && reserved.is_followed() == Some(false)
        {
            return json!({"instruction": "reject", "activity_sid": activity});
        }
        match &self.instruction {
            Instruction::None => json!({}),
            Instruction::Accept => json!({"instruction": "accept"}),
            Instruction::Dequeue { from: None } => json!({"instruction": "dequeue"}),
            Instruction::Dequeue { from: Some(from) } => {
                json!({"instruction": "dequeue", "from": from})
            }
        }
    }
}
