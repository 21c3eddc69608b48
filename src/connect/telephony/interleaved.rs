use bytes::{Bytes, BytesMut};

/// Cuts interleaved samples into one payload for each channel; what is no whole frame yet waits.
#[derive(Debug)]
pub struct Interleaved {
    channels: usize,
    bytes_per_sample: usize,
    /// Bytes of a frame (one sample of each channel) whose rest comes in the next message.
    rest: BytesMut,
}

impl Interleaved {
    pub fn new(channels: usize, bytes_per_sample: usize) -> Self {
        Self { channels: channels.max(1), bytes_per_sample, rest: BytesMut::new() }
    }

    pub fn count(&self) -> usize {
        self.channels
    }

    /// One payload for each channel, all of one length; it may be 0.
    pub fn split(&mut self, bytes: Bytes) -> Vec<Bytes> {
        if self.channels == 1 {
            // The decoder of the leg carries half samples over by itself.
            return vec![bytes];
        }
        self.rest.extend_from_slice(&bytes);
        let frame_bytes = self.channels * self.bytes_per_sample;
        let whole = self.rest.len() - self.rest.len() % frame_bytes;
        let frames = self.rest.split_to(whole);
        let mut payloads = vec![BytesMut::with_capacity(whole / self.channels); self.channels];
        for frame in frames.chunks_exact(frame_bytes) {
            for (payload, sample) in
                payloads.iter_mut().zip(frame.chunks_exact(self.bytes_per_sample))
            {
                payload.extend_from_slice(sample);
            }
        }
        payloads.into_iter().map(BytesMut::freeze).collect()
    }
}
