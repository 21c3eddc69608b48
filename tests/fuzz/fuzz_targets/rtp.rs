#![no_main]

use std::time::Duration;

use backchannel::connect::telephony::siprec::{Format, RtpStream};
use backchannel::flow::audio::Codec;

/// Datagrams: one byte for the length, one for the time since the last in units of 10 ms.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let format = Format { payload_type: 0, codec: Codec::Mulaw };
    let mut stream = RtpStream::new(format, Some(101));
    let (mut rest, mut now, mut ready) = (input, Duration::ZERO, Vec::new());
    while let [length, pause, behind @ ..] = rest {
        let (datagram, behind) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = behind;
        now += Duration::from_millis(u64::from(*pause) * 10);
        stream.handle(now, datagram, &mut ready);
        stream.tick(now, &mut ready);
        assert!(ready.iter().all(|(_, payload)| payload.len() <= 40_000));
        ready.clear();
    }
});
