#![no_main]

use backchannel::domain::{PartyId, TurnId};
use backchannel::insight::redaction::{Kinds, Masker, published, typed};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let mut masker = Masker::of(Kinds::EVERY);
    for (number, turn) in text.split('\n').enumerate() {
        let party = PartyId::from(if number % 2 == 0 { "p-1" } else { "p-2" });
        masker.partial(&party, turn);
        masker.typed_turn(&party, &TurnId::from(format!("t-{number}")), turn);
    }
    masker.finish();
    typed(&text);
    published(&text);
});
