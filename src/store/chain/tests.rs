use jiff::Timestamp;

use super::*;

fn event() -> Recorded {
    Recorded {
        position: 7,
        id: "e-1".into(),
        tenant: "t".into(),
        conversation: "c-1".into(),
        sequence: 2,
        time: Timestamp::from_millisecond(1_764_000_000_123).expect("in range"),
        kind: "turn.final".into(),
        schema: "backchannel/turn.final/1".into(),
        data: r#"{"text":"Hello."}"#.into(),
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Computed outside of this program, from the description at the top of the module.
#[test]
fn the_bytes_are_those_of_the_description() {
    let commitment = commitment(&[7; 16], &event().data);
    assert_eq!(
        hex(&commitment),
        "dc49cebf2aa2ea8a867d21bdea2b2d5a382fe351de041e5982b52e91df89364e"
    );
    let link = link(&[1; 32], &event(), &commitment);
    assert_eq!(hex(&link), "12034997324c3991f1267105fe4a9b47503668a66c851ff75427a775d1de5eb4");
    assert_eq!(
        hex(&seal(&START, &link)),
        "a8fa1ee9dc5fb6c0f67af4b730fd9582cecadffa27c995be70967593c55c13dd"
    );
}

#[test]
fn every_field_counts_and_no_field_runs_into_the_next() {
    let body = [9; 32];
    let plain = link(&START, &event(), &body);
    let changed = [
        Recorded { position: 8, ..event() },
        Recorded { sequence: 3, ..event() },
        Recorded { id: "e-2".into(), ..event() },
        Recorded { tenant: "u".into(), ..event() },
        Recorded { conversation: "c-2".into(), ..event() },
        Recorded { tenant: "tc".into(), conversation: "-1".into(), ..event() },
        Recorded { kind: "turn.finals".into(), ..event() },
        Recorded { schema: "backchannel/turn.final/2".into(), ..event() },
        Recorded { time: Timestamp::UNIX_EPOCH, ..event() },
    ];
    for other in changed {
        assert_ne!(link(&START, &other, &body), plain, "{other:?}");
    }
    assert_ne!(link(&[1; 32], &event(), &body), plain);
    assert_ne!(link(&START, &event(), &[8; 32]), plain);
}

#[test]
fn a_head_reads_as_it_is_written_and_nothing_else_does() {
    let head = LogHead { position: 12, seal: [171; 32] };
    assert_eq!(head.to_string(), format!("12:{}", "ab".repeat(32)));
    assert_eq!(LogHead::parse(&format!(" {head}\n")), Some(head));
    for wrong in ["", "12", "12:", "12:abc", "x:00", &format!("12:{}", "é".repeat(32))] {
        assert_eq!(LogHead::parse(wrong), None, "{wrong}");
    }
}
