#![no_main]

use backchannel::flow::audio::AudioFile;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(file) = AudioFile::parse(input.to_vec()) {
        assert!((1..=2).contains(&file.channels.len()));
        assert!(file.channels.iter().all(|channel| channel.len() == file.channels[0].len()));
    }
});
