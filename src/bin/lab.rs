use backchannel::flow::audio::{AudioFile, Resampler};
use backchannel::flow::transcript::*;
fn main() {
    for name in ["billing-double-charge", "moving-home", "outage-cancel-threat"] {
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(format!("tests/calls/{name}.json")).unwrap()).unwrap();
        let f = AudioFile::open(format!("tests/calls/{name}.wav").as_ref()).unwrap();
        let mut offs = vec![];
        let mut pauses = vec![];
        for ch in 0..2 {
            let mut r = Resampler::new(8000, 16000).unwrap();
            let mut out = vec![];
            let f32s: Vec<f32> = f.channels[ch].clone();
            r.push(&f32s, &mut out).unwrap();
            r.flush(&mut out).unwrap();
            let mut g = Gate::default();
            let all: Vec<Frame> = {let mut g = Gate::default(); out.chunks_exact(256).map(|c| g.frame(c.try_into().unwrap())).collect()};
            if ch==1 && name.starts_with("bil") { for (a,b) in [(300,900),(4400,5800),(18700,20200)] { println!("-- {a}"); for i in (a/16)..(b/16) { print!("{}:{:.2}/{:.0} ", i*16, all[i].score, all[i].level_dbfs); } println!(); } }
            let fr: Vec<bool> = out.chunks_exact(256).map(|c| g.frame(c.try_into().unwrap()).voiced).collect();
            for t in json["turns"].as_array().unwrap() {
                let sp = if ch == 0 { "customer" } else { "agent" };
                if t["speaker"] != sp { continue; }
                let (a, b, e) = (t["start_ms"].as_u64().unwrap(), t["end_ms"].as_u64().unwrap(), t["speech_end_ms"].as_u64().unwrap());
                let (ia, ib) = ((a.saturating_sub(200) / 16) as usize, ((b + 300) / 16) as usize);
                let last = (ia..ib.min(fr.len())).rev().find(|i| fr[*i]).unwrap_or(0) as i64 * 16 + 16;
                offs.push(last - e as i64);
                let mut run = 0; let mut started = false;
                for i in ia..(last as usize / 16) { if fr[i] { if started && run >= 6 { pauses.push(run * 16); } run = 0; started = true; } else { run += 1; } }
            }
        }
        offs.sort(); pauses.sort();
        println!("{name}: last voiced - speech_end: {offs:?}\n  pauses {pauses:?}");
    }
}
