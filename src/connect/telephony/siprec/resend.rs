//! What has to be said again until the other side has heard it (RFC 3261, 13.3.1.4 and 17).

use std::time::Duration;

use super::agent::Peer;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(4);
/// 64 times the first pause.
const IN_ALL: Duration = Duration::from_secs(32);

/// One message on its way again and again, ever less often.
#[derive(Clone, Debug)]
pub(super) struct Resend {
    pub to: Peer,
    pub bytes: Vec<u8>,
    next: Duration,
    pause: Duration,
    until: Duration,
}

impl Resend {
    /// `again`: the transport may lose it.
    pub fn new(now: Duration, to: Peer, bytes: Vec<u8>, again: bool) -> Self {
        let until = now + IN_ALL;
        Self { to, bytes, next: if again { now + FIRST } else { until }, pause: FIRST, until }
    }

    /// Heard: it isn't sent any more by itself, but remembered for a while.
    pub fn heard(&mut self) {
        self.next = self.until;
    }

    pub fn deadline(&self) -> Duration {
        self.next.min(self.until)
    }

    pub fn is_over(&self, now: Duration) -> bool {
        now >= self.until
    }

    /// Whether it is due now; the next time is later then.
    pub fn is_due(&mut self, now: Duration) -> bool {
        if now < self.next || self.is_over(now) {
            return false;
        }
        self.pause = (self.pause * 2).min(LONGEST);
        self.next = now + self.pause;
        true
    }
}
