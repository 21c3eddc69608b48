//! Stage 1: wire bytes → 16 kHz frames per party.

/// How samples stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// 16-bit signed little-endian.
    PcmS16Le,
    /// G.711 µ-law.
    Mulaw,
    /// G.711 A-law.
    Alaw,
}

/// Audio that never arrived, on the leg's own clock. Silence stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub start_ms: u64,
    pub lost_ms: u64,
}
