//! One sentence against its sources.

use super::claim::Claim;
use super::facts::{self, Holding, Kind};
use super::ground::Ground;
use super::reading::Reading;
use super::support::{self, Support};
use crate::domain::{Fault, ProvenSentence, StruckSentence};

/// Below this share of its words in the sources a sentence isn't supported.
const SHARE_MIN: f32 = 0.5;

/// A sentence, read, with where it may come from.
pub(super) struct Case<'a> {
    pub ground: &'a Ground,
    pub reading: Reading,
    /// Cited sources; empty when the verifier looks for itself.
    pub cited: Vec<usize>,
    pub support: Support,
}

pub(super) type Finding = Result<(), (Fault, String)>;

pub(super) fn check(claim: &Claim, ground: &Ground) -> Result<ProvenSentence, StruckSentence> {
    let strike = |(fault, why)| StruckSentence { text: claim.text.clone(), fault, why };
    let mut cited = Vec::new();
    for id in &claim.cites {
        let Some(source) = ground.source_of(id) else {
            return Err(strike((
                Fault::UnknownSource,
                format!("there is no turn or passage {id:?}"),
            )));
        };
        cited.push(source);
    }
    let reading = Reading::stemmed(claim.text.as_str());
    let allowed = |unit: usize| {
        cited.is_empty()
            || cited.iter().any(|source| ground.units[unit].source.abs_diff(*source) <= 1)
    };
    let support = support::find(&reading, ground, &allowed);
    let case = Case { ground, reading, cited, support };
    exact(&case).and_then(|()| meaning(&case)).map_err(strike)?;
    Ok(ProvenSentence {
        text: claim.text.clone(),
        proofs: case.support.units.iter().filter_map(|unit| ground.proof(*unit)).collect(),
        support: case.support.share,
    })
}

/// Numbers, dates and codes stand in the sources.
fn exact(case: &Case) -> Finding {
    let units = case.support.units.iter().map(|unit| &case.ground.units[*unit].reading);
    let facts = units.flat_map(|reading| &reading.facts);
    for fact in case.reading.facts.iter().filter(|fact| fact.required) {
        let missing = match &fact.kind {
            Kind::Code(code) => !spelled(case, code),
            kind => facts::held(kind, facts.clone()) == Holding::Missing,
        };
        if missing {
            let said = case.reading.text.get(fact.bytes.clone()).unwrap_or_default();
            return Err((fact.kind.fault(), format!("\"{said}\" is in none of its sources")));
        }
    }
    Ok(())
}

/// The code stands in a source, in one piece or spelled.
fn spelled(case: &Case, code: &str) -> bool {
    case.support.units.iter().any(|unit| case.ground.units[*unit].reading.spells(code))
}

fn meaning(case: &Case) -> Finding {
    if case.support.units.is_empty() {
        return Err((Fault::NoSource, "nothing in the conversation is about this".into()));
    }
    if case.support.share < SHARE_MIN {
        let percent = (case.support.share * 100.0).round();
        return Err((
            Fault::Meaning,
            format!("only {percent} % of its words stand in its sources"),
        ));
    }
    Ok(())
}
