//! What telephone lines carry besides speech, made from formulas: the same every time.

use std::f32::consts::TAU;

const RATE_HZ: f32 = 8_000.0;

/// A name and 8 kHz samples.
pub type Sound = (String, Vec<i16>);

/// Deterministic noise, -1 to 1.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / (u32::MAX / 2) as f32 - 1.0
    }
}

/// `level` of each sample, -1 to 1, from its time in seconds, over a line with noise.
fn sound(seconds: f32, peak_dbfs: f32, noise_dbfs: f32, level: impl Fn(f32) -> f32) -> Vec<i16> {
    let gain = |dbfs: f32| 10_f32.powf(dbfs / 20.0);
    let mut noise = Noise(0x9E37_79B9);
    (0..(seconds * RATE_HZ) as usize)
        .map(|n| {
            let sample = level(n as f32 / RATE_HZ) * gain(peak_dbfs);
            let hiss = noise.next() * gain(noise_dbfs);
            ((sample + hiss).clamp(-1.0, 1.0) * 32_767.0) as i16
        })
        .collect()
}

fn sine(hz: f32, t: f32) -> f32 {
    (TAU * hz * t).sin()
}

/// Frequencies together, sounding and silent by turns; times in seconds.
fn cadence(tones_hz: &[f32], rhythm: &[(f32, bool)], t: f32) -> f32 {
    let period: f32 = rhythm.iter().map(|(seconds, _)| seconds).sum();
    let mut at = t % period;
    for (seconds, sounding) in rhythm {
        if at < *seconds {
            let sum: f32 = tones_hz.iter().map(|hz| sine(*hz, t)).sum();
            return if *sounding { sum / tones_hz.len() as f32 } else { 0.0 };
        }
        at -= seconds;
    }
    0.0
}

/// A row and a column of the keypad (ITU-T Q.23), another key each `period` seconds.
fn keys(t: f32, period: f32) -> f32 {
    const ROWS_HZ: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS_HZ: [f32; 3] = [1_209.0, 1_336.0, 1_477.0];
    let number = (t / period) as usize;
    let sounding = t % period < period / 2.0;
    let (row, column) = (ROWS_HZ[number * 7 % 4], COLUMNS_HZ[number * 5 % 3]);
    if sounding { 0.5 * (sine(row, t) + sine(column, t)) } else { 0.0 }
}

/// The mains and its harmonics, the odd ones louder, as a bad earth gives.
fn hum(mains_hz: f32, t: f32) -> f32 {
    (1..12)
        .map(|k| sine(mains_hz * k as f32, t) / if k % 2 == 1 { k as f32 } else { 3.0 * k as f32 })
        .sum::<f32>()
        / 1.5
}

const SCALE_HZ: [f32; 8] = [262.0, 294.0, 330.0, 392.0, 440.0, 523.0, 587.0, 659.0];
const CHORDS_HZ: [[f32; 3]; 4] =
    [[131.0, 165.0, 196.0], [110.0, 131.0, 165.0], [175.0, 220.0, 262.0], [196.0, 247.0, 294.0]];

fn harmonics(hz: f32, t: f32, count: usize) -> f32 {
    (1..=count).map(|k| sine(hz * k as f32, t) / k as f32).sum::<f32>() / 2.0
}

/// Plucked notes over held chords.
fn guitar(t: f32) -> f32 {
    let note = SCALE_HZ[(t / 0.4) as usize * 5 % 8];
    let decay = (-(t % 0.4) * 5.0).exp();
    let chord = CHORDS_HZ[(t / 3.2) as usize % 4];
    0.6 * decay * harmonics(note, t, 6)
        + 0.2 * chord.iter().map(|hz| harmonics(*hz, t, 3)).sum::<f32>()
}

/// A bowed melody with vibrato, the nearest that music comes to a voice.
fn strings(t: f32) -> f32 {
    let note = SCALE_HZ[(t / 1.2) as usize * 3 % 8];
    // The phase is the integral of the frequency, so that the pitch swings by 1.2 %.
    let vibrato = 0.012 * note / 5.5 * (TAU * 5.5 * t).sin();
    let swell = (std::f32::consts::PI * (t % 1.2) / 1.2).sin().sqrt();
    let phase = note * t + vibrato;
    0.7 * swell * (1..10).map(|k| (TAU * k as f32 * phase).sin() / k as f32).sum::<f32>() / 2.0
}

/// Chords, a bass line and drums at 110 beats a minute.
fn band(t: f32) -> f32 {
    let beat = 60.0 / 110.0;
    let chord = CHORDS_HZ[(t / (4.0 * beat)) as usize % 4];
    let stab = (-(t % beat) * 3.0).exp();
    let bass = harmonics(chord[0] / 2.0, t, 5);
    let kick_at = t % (2.0 * beat);
    let kick = (-kick_at * 18.0).exp() * sine(60.0 + 60.0 * (-kick_at * 30.0).exp(), kick_at);
    let snare_at = (t + beat) % (2.0 * beat);
    // A sum of many unrelated sinusoids is close to noise.
    let rattle: f32 =
        (0..24).map(|k| sine(1_300.0 + 97.3 * k as f32 + (k * k) as f32, t)).sum::<f32>() / 8.0;
    0.35 * stab * chord.iter().map(|hz| harmonics(2.0 * hz, t, 4)).sum::<f32>() / 1.5
        + 0.25 * bass
        + 0.5 * kick
        + 0.3 * (-snare_at * 25.0).exp() * rattle
}

/// Its name, its frequencies, and how long it sounds and rests.
type Tone<'a> = (&'a str, &'a [f32], &'a [(f32, bool)]);
/// What sounds at this second.
type Tune = fn(f32) -> f32;

/// Ten minutes and more in all.
pub fn all() -> Vec<Sound> {
    const ALWAYS: &[(f32, bool)] = &[(1.0, true)];
    let mut sounds: Vec<Sound> = Vec::new();
    sounds.push(("digital silence".into(), vec![0; 60 * RATE_HZ as usize]));
    for noise_dbfs in [-70.0, -50.0, -35.0] {
        let made = sound(20.0, -100.0, noise_dbfs, |_| 0.0);
        sounds.push((format!("line noise at {noise_dbfs} dBFS"), made));
    }
    let tones: [Tone; 8] = [
        ("British dial tone", &[350.0, 440.0], ALWAYS),
        ("European dial tone", &[425.0], ALWAYS),
        (
            "British ring-back",
            &[400.0, 450.0],
            &[(0.4, true), (0.2, false), (0.4, true), (2.0, false)],
        ),
        ("American ring-back", &[440.0, 480.0], &[(2.0, true), (4.0, false)]),
        ("European ring-back", &[425.0], &[(1.0, true), (4.0, false)]),
        ("busy", &[400.0], &[(0.375, true), (0.375, false)]),
        ("congestion", &[480.0, 620.0], &[(0.25, true), (0.25, false)]),
        ("recording beep", &[1_400.0], &[(0.3, true), (4.7, false)]),
    ];
    for (name, hz, rhythm) in tones {
        for (peak_dbfs, noise_dbfs) in [(-6.0, -90.0), (-20.0, -50.0)] {
            let made = sound(18.0, peak_dbfs, noise_dbfs, |t| cadence(hz, rhythm, t));
            sounds.push((format!("{name} at {peak_dbfs} dBFS"), made));
        }
    }
    for (period, peak_dbfs) in [(0.2, -9.0), (0.5, -9.0), (0.16, -25.0)] {
        let made = sound(18.0, peak_dbfs, -60.0, |t| keys(t, period));
        sounds.push((format!("DTMF every {period} s at {peak_dbfs} dBFS"), made));
    }
    for (mains_hz, peak_dbfs) in [(50.0, -15.0), (60.0, -15.0), (50.0, -35.0)] {
        let made = sound(18.0, peak_dbfs, -60.0, |t| hum(mains_hz, t));
        sounds.push((format!("{mains_hz} Hz hum at {peak_dbfs} dBFS"), made));
    }
    let music: [(&str, Tune); 3] = [("guitar", guitar), ("strings", strings), ("band", band)];
    for (name, play) in music {
        for (peak_dbfs, noise_dbfs) in [(-6.0, -80.0), (-18.0, -50.0), (-30.0, -55.0)] {
            let made = sound(20.0, peak_dbfs, noise_dbfs, play);
            sounds.push((format!("{name} at {peak_dbfs} dBFS"), made));
        }
    }
    sounds
}
