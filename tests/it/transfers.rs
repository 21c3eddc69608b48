//! A leg that somebody else is heard on from now on: its clock, its gaps, its pauses.

use backchannel::domain::{EndReason, EventBody, Party, Role};
use backchannel::flow::audio::Codec;
use backchannel::flow::session::{Output, Session, SessionLeg, SessionSettings};

fn party(id: &str, role: Role) -> Party {
    Party { id: id.into(), role, name: None }
}

fn session() -> Session {
    let leg = |id: &str, role| SessionLeg {
        party: party(id, role),
        codec: Codec::PcmS16Le,
        sample_rate_hz: 8_000,
    };
    let legs = vec![leg("p-1", Role::Customer), leg("p-2", Role::Agent)];
    Session::new(legs, &SessionSettings::default()).expect("8 kHz is fine")
}

fn events(session: &mut Session) -> Vec<EventBody> {
    let outputs = std::iter::from_fn(|| session.poll_output());
    let event = |output| match output {
        Output::Event(body) => Some(body),
        _ => None,
    };
    outputs.filter_map(event).collect()
}

/// So many milliseconds of silence on a leg of the wire.
fn quiet(session: &mut Session, leg: usize, from_ms: Option<u64>, quiet_ms: usize) {
    for frame in 0..quiet_ms / 20 {
        let at_ms = from_ms.map(|from| from + 20 * frame as u64);
        session.audio(leg, at_ms, 0, &[0; 320]).expect("it resamples");
    }
}

#[test]
fn whoever_comes_after_hours_is_on_the_calls_clock() {
    let mut session = session();
    for _ in 0..2 {
        session.pause();
        session.resume(Some(3_000_000)).expect("it resamples");
    }
    session.transfer(1, party("p-3", Role::Agent)).expect("it is heard");
    quiet(&mut session, 0, None, 1_000);
    quiet(&mut session, 1, None, 1_000);
    session.close(EndReason::Hangup);
    let stopped: Vec<u64> = events(&mut session)
        .into_iter()
        .filter_map(|event| match event {
            EventBody::AudioStopped(stopped) => Some(stopped.duration_ms),
            _ => None,
        })
        .collect();
    let [customer, before, after] = stopped[..] else { panic!("{stopped:?}") };
    assert!(customer > 6_000_500 && before < customer, "{stopped:?}");
    assert!(after.abs_diff(customer) < 50, "{stopped:?}");
}

#[test]
fn what_is_missing_after_a_transfer_is_missed() {
    let mut session = session();
    quiet(&mut session, 1, Some(0), 2_000);
    session.transfer(1, party("p-3", Role::Agent)).expect("it is heard");
    quiet(&mut session, 1, Some(2_000), 200);
    events(&mut session);
    quiet(&mut session, 1, Some(7_200), 200);
    let gaps: Vec<EventBody> = events(&mut session);
    let [EventBody::AudioGap(gap)] = &gaps[..] else { panic!("{gaps:?}") };
    assert_eq!((gap.party.id.as_str(), gap.lost_ms), ("p-3", 5_000));
    // Also where it is the first that is heard of the one who took over.
    session.transfer(1, party("p-4", Role::Agent)).expect("it is heard");
    events(&mut session);
    quiet(&mut session, 1, Some(10_400), 200);
    let gaps: Vec<EventBody> = events(&mut session);
    let [EventBody::AudioGap(gap)] = &gaps[..] else { panic!("{gaps:?}") };
    assert_eq!((gap.party.id.as_str(), gap.lost_ms), ("p-4", 3_000));
}

#[test]
fn each_pause_has_its_end() {
    let mut session = session();
    quiet(&mut session, 0, None, 500);
    session.pause();
    session.transfer(1, party("p-3", Role::Agent)).expect("it is heard");
    session.transfer(1, party("p-4", Role::Agent)).expect("it is heard");
    session.resume(None).expect("it resamples");
    let (mut paused, mut resumed) = (Vec::new(), Vec::new());
    for event in events(&mut session) {
        match event {
            EventBody::AudioPaused(one) => paused.push(one.party.id),
            EventBody::AudioResumed(one) => resumed.push(one.party.id),
            _ => {}
        }
    }
    paused.sort();
    resumed.sort();
    assert_eq!(paused, resumed);
    assert_eq!(paused.len(), 4, "{paused:?}");
}
