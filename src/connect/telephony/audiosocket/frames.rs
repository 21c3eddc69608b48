use bytes::{Buf, Bytes, BytesMut};

/// One message: a type and its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub payload: Bytes,
}

impl Frame {
    /// Hangs up.
    pub const TERMINATE: u8 = 0x00;
    pub const UUID: u8 = 0x01;
    pub const DTMF: u8 = 0x03;
    pub const ERROR: u8 = 0xff;

    /// The sample rate of an audio message.
    pub fn sample_rate_hz(kind: u8) -> Option<u32> {
        Some(match kind {
            0x10 => 8_000,
            0x11 => 12_000,
            0x12 => 16_000,
            0x13 => 24_000,
            0x14 => 32_000,
            0x15 => 44_100,
            0x16 => 48_000,
            0x17 => 96_000,
            0x18 => 192_000,
            _ => return None,
        })
    }
}

/// Type and length, the length big-endian.
const HEADER_BYTES: usize = 3;

/// Cuts a stream of bytes into messages. It never holds more than one incomplete message.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: BytesMut,
}

impl Frames {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let [kind, high, low, ..] = self.buffer[..] else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if self.buffer.len() < HEADER_BYTES + length {
            return None;
        }
        self.buffer.advance(HEADER_BYTES);
        Some(Frame { kind, payload: self.buffer.split_to(length).freeze() })
    }
}
