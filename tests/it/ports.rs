//! Ports for the programs of others, which can't be told to take any.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that nobody has, and that is given to no other test: below those that the kernel gives to whoever asks for any
/// (from 32,768 on), each tried by this process once.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first, which is even, of `count` such ports in a row, as RTP and its RTCP need them (RFC 3550 §11).
pub fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = (std::process::id() % 1_000) as u16 * 6;
    let pairs = count.div_ceil(2);
    loop {
        let at = begin.wrapping_add(NEXT.fetch_add(pairs, Ordering::Relaxed));
        let first = 20_000 + at % 6_000 * 2;
        if (first..first + count).all(is_free) {
            return first;
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
}
