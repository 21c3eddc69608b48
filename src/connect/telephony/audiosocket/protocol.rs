use std::time::Duration;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::{ExpectedCall, Frame, Frames, Registry};
use crate::connect::telephony::{Line, MediaProtocol, Opening, Rejection};
use crate::domain::{Direction, EndReason, Role, TenantId};
use crate::flow::audio::Codec;
use crate::flow::driver::LegSpec;

/// So long a connection may take to say which call it brings.
const UUID_PATIENCE: Duration = Duration::from_secs(5);

/// What comes faster is thinned out to this.
const RATE_MAX_HZ: u32 = 48_000;

/// Bytes in, audio of one leg out. The UUID comes first; the call begins with the first audio,
/// which says its rate.
pub struct Protocol {
    line: Line,
    registry: Registry,
    frames: Frames,
    call: Option<(Uuid, ExpectedCall)>,
    sample_rate_hz: u32,
    thinner: Thinner,
}

impl Protocol {
    pub fn new(patience: Duration, registry: Registry) -> Self {
        Self {
            line: Line::new(patience),
            registry,
            frames: Frames::default(),
            call: None,
            sample_rate_hz: 0,
            thinner: Thinner::new(1),
        }
    }

    fn take(&mut self, now: Duration, frame: Frame) -> Result<(), Rejection> {
        let Frame { kind, payload } = frame;
        match kind {
            Frame::TERMINATE => self.line.stop(EndReason::Hangup),
            Frame::ERROR => self.line.stop(EndReason::Disconnected),
            Frame::UUID => self.identify(now, &payload)?,
            _ if self.call.is_none() => {
                let reason = "the first message must be the UUID";
                return Err(Rejection::new(Rejection::POLICY, reason));
            }
            Frame::DTMF => self.line.dtmf(),
            kind => {
                // What has no rate is a message of tomorrow.
                if let Some(sample_rate_hz) = Frame::sample_rate_hz(kind) {
                    self.hear(now, sample_rate_hz, payload)?;
                }
            }
        }
        Ok(())
    }

    fn identify(&mut self, now: Duration, payload: &[u8]) -> Result<(), Rejection> {
        let policy = |reason: &str| Rejection::new(Rejection::POLICY, reason);
        if self.call.is_some() {
            return Err(policy("a second UUID came"));
        }
        let id = Uuid::from_slice(payload)
            .map_err(|_| Rejection::new(Rejection::MALFORMED, "the UUID must have 16 bytes"))?;
        let call = self.registry.claim(&id).ok_or_else(|| {
            policy("no call with this UUID was announced, or it has come already")
        })?;
        self.line.heard(now);
        self.call = Some((id, call));
        Ok(())
    }

    fn hear(
        &mut self,
        now: Duration,
        sample_rate_hz: u32,
        payload: Bytes,
    ) -> Result<(), Rejection> {
        if self.line.is_waiting() {
            self.sample_rate_hz = sample_rate_hz;
            let factor = sample_rate_hz.div_ceil(RATE_MAX_HZ);
            self.thinner = Thinner::new(factor as usize);
            let opening = self.opening(sample_rate_hz / factor)?;
            self.line.start(now, opening);
        }
        if sample_rate_hz != self.sample_rate_hz {
            let reason = "the sample rate changed in mid-call";
            return Err(Rejection::new(Rejection::WRONG_KIND, reason));
        }
        self.line.heard(now);
        let payload = self.thinner.thin(payload);
        self.line.audio(0, None, payload);
        Ok(())
    }

    fn opening(&self, sample_rate_hz: u32) -> Result<Opening, Rejection> {
        let Some((id, ExpectedCall { notes, .. })) = &self.call else {
            return Err(Rejection::new(Rejection::POLICY, "the first message must be the UUID"));
        };
        let policy = |reason| Rejection::new(Rejection::POLICY, reason);
        let roles = notes.roles(1, &[Role::Mixed]).map_err(policy)?;
        let leg = |role| LegSpec { role, name: None, codec: Codec::PcmS16Le, sample_rate_hz };
        let mut attributes = notes.attributes.clone();
        attributes.insert("audiosocket_uuid".to_owned(), id.to_string());
        Ok(Opening {
            external_id: notes.external_id.clone().or(Some(id.to_string())),
            direction: notes.direction.unwrap_or(Direction::Inbound),
            legs: roles.into_iter().map(leg).collect(),
            attributes,
            wants_news: false,
        })
    }
}

impl MediaProtocol for Protocol {
    fn line(&self) -> &Line {
        &self.line
    }

    fn line_mut(&mut self) -> &mut Line {
        &mut self.line
    }

    fn handle_text(&mut self, _now: Duration, _text: &str) {
        let reason = "text came where messages are binary";
        self.line.reject(Rejection::new(Rejection::WRONG_KIND, reason));
    }

    fn handle_binary(&mut self, now: Duration, bytes: Bytes) {
        self.frames.push(&bytes);
        while !self.line.is_over()
            && let Some(frame) = self.frames.next_frame()
        {
            if let Err(rejection) = self.take(now, frame) {
                self.line.reject(rejection);
            }
        }
    }

    /// "Socket closure is also sufficient."
    fn handle_goodbye(&mut self) {
        self.line.stop(EndReason::Hangup);
    }

    fn tenant(&self) -> Option<TenantId> {
        self.call.as_ref().map(|(_, call)| call.tenant.clone())
    }

    fn handle_timeout(&mut self, now: Duration) {
        if self.call.is_none() && now >= UUID_PATIENCE {
            let reason = format!("no UUID for {} s", UUID_PATIENCE.as_secs());
            let ends = EndReason::Timeout;
            self.line.reject(Rejection { ends, ..Rejection::new(Rejection::POLICY, reason) });
        }
        self.line.check_patience(now);
    }

    fn deadline(&self) -> Duration {
        let deadline = self.line.deadline();
        if self.call.is_none() { deadline.min(UUID_PATIENCE) } else { deadline }
    }
}

/// Makes one sample of so many by their mean. Nobody hears what is above 24 kHz, and hardly
/// anything is there; so the mean is filter enough.
struct Thinner {
    factor: usize,
    rest: BytesMut,
}

impl Thinner {
    fn new(factor: usize) -> Self {
        Self { factor, rest: BytesMut::new() }
    }

    fn thin(&mut self, payload: Bytes) -> Bytes {
        if self.factor == 1 {
            return payload;
        }
        self.rest.extend_from_slice(&payload);
        let group_bytes = self.factor * 2;
        let whole = self.rest.len() - self.rest.len() % group_bytes;
        let groups = self.rest.split_to(whole);
        let mut thin = BytesMut::with_capacity(whole / self.factor);
        for group in groups.chunks_exact(group_bytes) {
            let samples = group.as_chunks::<2>().0.iter();
            let sum: i32 = samples.map(|sample| i32::from(i16::from_le_bytes(*sample))).sum();
            let mean = (sum / self.factor as i32) as i16;
            thin.extend_from_slice(&mean.to_le_bytes());
        }
        thin.freeze()
    }
}
