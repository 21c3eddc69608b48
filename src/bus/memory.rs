//! Inside one process.

use async_trait::async_trait;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Bus, Heard, Signal, Subscription};

/// A ring of the newest signals. Size: `capacity`. When it is full: the oldest is overwritten and
/// whoever had not heard it is told. Gauge: `backchannel_bus_subscriptions`.
pub struct MemoryBus {
    sender: broadcast::Sender<Signal>,
}

impl MemoryBus {
    pub fn new(capacity: usize) -> Self {
        Self { sender: broadcast::Sender::new(capacity.max(1)) }
    }
}

impl Bus for MemoryBus {
    fn publish(&self, signal: Signal) {
        // Without a listener there is nobody to tell, which is fine.
        let _ = self.sender.send(signal);
    }

    fn subscribe(&self) -> Box<dyn Subscription> {
        Box::new(MemorySubscription { receiver: self.sender.subscribe() })
    }
}

struct MemorySubscription {
    receiver: broadcast::Receiver<Signal>,
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn next(&mut self) -> Heard {
        match self.receiver.recv().await {
            Ok(signal) => Heard::Signal(signal),
            Err(RecvError::Lagged(missed)) => {
                metrics::counter!("backchannel_bus_signals_missed_total").increment(missed);
                Heard::Lagged(missed)
            }
            Err(RecvError::Closed) => Heard::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::bus::conformance::all(|capacity| Box::new(MemoryBus::new(capacity))).await;
    }
}
