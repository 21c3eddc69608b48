use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backchannel::connect::telephony::{CallSink, LiveCall};
use backchannel::domain::{ConversationId, EndReason, TenantId};
use backchannel::flow::driver::{
    CallError, CallOpening, CallSummary, Control, Full, News, Reservation,
};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::until;

/// What became of one call.
#[derive(Clone, Debug)]
pub struct Call {
    pub opening: CallOpening,
    pub audio: BTreeMap<usize, Vec<u8>>,
    /// The stamps of each leg's payloads.
    pub stamps: BTreeMap<usize, Vec<u64>>,
    pub controls: Vec<Control>,
    pub ended: Option<EndReason>,
    /// What the call hears of its audio.
    pub news: Option<mpsc::Sender<News>>,
}

/// Takes calls and writes down what comes.
#[derive(Clone, Default)]
pub struct Recorder {
    calls: Arc<Mutex<Vec<Call>>>,
    capacity: Option<usize>,
    /// Whether a full house says so before a call is opened, and how many were only refused then.
    keeps_places: bool,
    pub refused_late: Arc<AtomicUsize>,
    /// Told between the close of a call and its end.
    pub last_news: Arc<Mutex<Vec<News>>>,
}

struct RecordedCall {
    id: ConversationId,
    number: usize,
    recorder: Recorder,
    news: Option<mpsc::Receiver<News>>,
}

impl Recorder {
    /// Takes no more calls than that.
    pub fn with_capacity(calls: usize) -> Self {
        Self { capacity: Some(calls), ..Self::default() }
    }

    /// The same, but they hear of it as early as the service itself says so.
    pub fn with_places(calls: usize) -> Self {
        Self { keeps_places: true, ..Self::with_capacity(calls) }
    }

    /// The call with this number, from 0, as soon as it is as wanted.
    pub async fn call(&self, number: usize, wanted: impl Fn(&Call) -> bool) -> Call {
        let look = || self.calls.lock().expect("no panic").get(number).cloned();
        until("the call", || look().filter(|call| wanted(call))).await
    }

    pub async fn ended(&self, number: usize) -> Call {
        self.call(number, |call| call.ended.is_some()).await
    }

    pub fn count(&self) -> usize {
        self.calls.lock().expect("no panic").len()
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut Call)) {
        change(&mut self.calls.lock().expect("no panic")[number]);
    }
}

#[async_trait]
impl CallSink for Recorder {
    async fn open(&self, opening: CallOpening) -> Result<Box<dyn LiveCall>, CallError> {
        let mut calls = self.calls.lock().expect("no panic");
        let number = calls.len();
        if let Some(capacity) = self.capacity
            && number >= capacity
        {
            self.refused_late.fetch_add(1, Ordering::SeqCst);
            return Err(CallError::Busy(Full::Machine(capacity)));
        }
        let (tell, news) = mpsc::channel(64);
        let wanted = opening.wants_news;
        calls.push(Call {
            opening,
            audio: BTreeMap::new(),
            stamps: BTreeMap::new(),
            controls: Vec::new(),
            ended: None,
            news: wanted.then_some(tell),
        });
        let id = ConversationId::from(format!("c-{number}"));
        let recorder = self.clone();
        Ok(Box::new(RecordedCall { id, number, recorder, news: wanted.then_some(news) }))
    }

    fn reserve(&self, _tenant: &TenantId) -> Result<Reservation, CallError> {
        match self.capacity {
            Some(capacity) if self.keeps_places && self.count() >= capacity => {
                Err(CallError::Busy(Full::Machine(capacity)))
            }
            _ => Ok(Reservation::default()),
        }
    }
}

#[async_trait]
impl LiveCall for RecordedCall {
    fn id(&self) -> &ConversationId {
        &self.id
    }

    fn audio(&self, leg: usize, at_ms: Option<u64>, payload: Bytes) {
        self.recorder.change(self.number, |call| {
            call.audio.entry(leg).or_default().extend_from_slice(&payload);
            call.stamps.entry(leg).or_default().extend(at_ms);
        });
    }

    fn control(&mut self, control: Control) -> bool {
        self.recorder.change(self.number, |call| call.controls.push(control));
        true
    }

    fn take_news(&mut self) -> Option<mpsc::Receiver<News>> {
        self.news.take()
    }

    async fn close(self: Box<Self>, reason: EndReason) -> Result<CallSummary, CallError> {
        let mut tell = None;
        self.recorder.change(self.number, |call| tell = call.news.take());
        let last: Vec<News> = self.recorder.last_news.lock().expect("no panic").drain(..).collect();
        let turns = last.len();
        for news in last {
            tell.as_ref().expect("news were asked for").send(news).await.expect("heard");
        }
        self.recorder.change(self.number, |call| call.ended = Some(reason));
        Ok(CallSummary { turns, duration_ms: 20 })
    }
}
