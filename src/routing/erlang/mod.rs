//! What queueing theory says of a pool of equal agents: Erlang C (everybody waits) and Erlang A (people give up).
//!
//! Erlang C: A. K. Erlang, 1917. Erlang A: C. Palm, 1946; O. Garnett, A. Mandelbaum and M. Reiman, *Designing a call
//! center with impatient customers*, M&SOM 4, 2002; the waiting time after S. Zeltyn and A. Mandelbaum, *Call centers
//! with impatient customers: many-server asymptotics of the M/M/n+G queue*, QUESTA 51, 2005.
//!
//! All sums are of positive terms, in the scale of their greatest, so nothing cancels and nothing overflows.

/// Calls that arrive at random and are handled in exponential time, by agents who are all alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    pub calls_per_hour: f64,
    /// Mean handling time in seconds, wrap-up included.
    pub handling_s: f64,
    pub agents: u32,
}

/// What stands in the way of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErlangError {
    #[error("{0} must be a number above zero")]
    NotPositive(&'static str),
    #[error("{0} must be at least 0 and below 1")]
    NotAShare(&'static str),
    #[error(
        "more than {MOST_AGENTS} agents would be needed: check calls, handling time and target"
    )]
    TooMany,
}

/// The search for a staffing ends here.
pub const MOST_AGENTS: u32 = 1_000_000;

impl Pool {
    /// # Errors
    /// Calls or handling time aren't positive numbers, or there is no agent.
    pub fn new(calls_per_hour: f64, handling_s: f64, agents: u32) -> Result<Self, ErlangError> {
        positive("calls an hour", calls_per_hour)?;
        positive("the handling time", handling_s)?;
        positive("the number of agents", f64::from(agents))?;
        Ok(Self { calls_per_hour, handling_s, agents })
    }

    /// Work that arrives, in agents who would be busy all the time (erlang).
    pub fn load(&self) -> f64 {
        self.calls_per_hour / 3600.0 * self.handling_s
    }

    /// Load by agents; with one or more, only impatience keeps the queue short.
    pub fn occupancy(&self) -> f64 {
        self.load() / f64::from(self.agents)
    }

    /// Probability that a call finds all agents busy and is lost, if nobody may wait (Erlang B).
    pub fn blocked(&self) -> f64 {
        let load = self.load();
        (1..=self.agents)
            .fold(1.0, |blocked, agents| load * blocked / (f64::from(agents) + load * blocked))
    }

    /// Erlang C: probability that a call has to wait; 1 when more arrives than can be handled.
    pub fn wait_probability(&self) -> f64 {
        let (load, agents) = (self.load(), f64::from(self.agents));
        if load >= agents {
            return 1.0;
        }
        let blocked = self.blocked();
        agents * blocked / (agents - load * (1.0 - blocked))
    }

    /// Erlang C: share of calls that are answered within `target_s`; 0 when the queue grows without end.
    pub fn service_level(&self, target_s: f64) -> f64 {
        let spare = f64::from(self.agents) - self.load();
        if spare <= 0.0 {
            return 0.0;
        }
        1.0 - self.wait_probability() * (-spare * target_s.max(0.0) / self.handling_s).exp()
    }

    /// Erlang C: mean wait of all calls in seconds; infinite when the queue grows without end.
    pub fn mean_wait_s(&self) -> f64 {
        let spare = f64::from(self.agents) - self.load();
        if spare <= 0.0 { f64::INFINITY } else { self.wait_probability() * self.handling_s / spare }
    }

    /// Erlang A: the same pool when callers give up after an exponential time of `patience_s` on average.
    ///
    /// # Errors
    /// The patience isn't a positive number.
    pub fn with_patience(self, patience_s: f64) -> Result<Impatient, ErlangError> {
        positive("the patience", patience_s)?;
        Ok(Impatient::new(self, patience_s))
    }
}

/// How many agents it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Staffing {
    /// Agents who answer.
    pub agents: u32,
    /// Agents to plan, when the share `shrinkage` of them is away.
    pub planned: u32,
    pub service_level: f64,
    pub occupancy: f64,
}

/// The fewest agents that answer the share `service_level` within `target_s` and are busy at most `max_occupancy` of
/// their time. With `patience_s` by Erlang A, else by Erlang C.
///
/// # Errors
/// A figure is out of its range, or [`MOST_AGENTS`] aren't enough.
pub fn agents_needed(
    calls_per_hour: f64,
    handling_s: f64,
    patience_s: Option<f64>,
    target: &Target,
) -> Result<Staffing, ErlangError> {
    share("the service level", target.service_level)?;
    share("the shrinkage", target.shrinkage)?;
    positive("the highest occupancy", target.max_occupancy)?;
    let reached = |agents: u32| -> Result<(f64, f64), ErlangError> {
        let pool = Pool::new(calls_per_hour, handling_s, agents)?;
        Ok(match patience_s {
            None => (pool.service_level(target.target_s), pool.occupancy()),
            Some(patience_s) => {
                let pool = pool.with_patience(patience_s)?;
                (pool.answered_within(target.target_s), pool.occupancy())
            }
        })
    };
    let enough = |agents: u32| -> Result<bool, ErlangError> {
        let (level, occupancy) = reached(agents)?;
        Ok(level >= target.service_level && occupancy <= target.max_occupancy)
    };
    // Both figures improve with each agent: double until it is enough, then halve the gap.
    let mut high = 1;
    while !enough(high)? {
        if high >= MOST_AGENTS {
            return Err(ErlangError::TooMany);
        }
        high = (high * 2).min(MOST_AGENTS);
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle)? { high = middle } else { low = middle }
    }
    let (service_level, occupancy) = reached(high)?;
    let planned = (f64::from(high) / (1.0 - target.shrinkage)).ceil() as u32;
    Ok(Staffing { agents: high, planned, service_level, occupancy })
}

/// What a staffing has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    pub service_level: f64,
    pub target_s: f64,
    /// 1 when it doesn't matter.
    pub max_occupancy: f64,
    /// Share of the paid time in which agents don't answer, from 0 to below 1.
    pub shrinkage: f64,
}

/// Erlang A, M/M/n+M: what is needed of its stationary state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impatient {
    pool: Pool,
    patience_s: f64,
    wait_probability: f64,
    mean_queue: f64,
}

impl Impatient {
    fn new(pool: Pool, patience_s: f64) -> Self {
        let (load, agents) = (pool.load(), f64::from(pool.agents));
        // Weights of j waiting calls, against all agents busy and nobody waiting; in the scale of the greatest.
        let leaving = pool.handling_s / patience_s;
        let (mut weight, mut sum, mut queued, mut first) = (1.0_f64, 1.0_f64, 0.0_f64, 1.0_f64);
        let mut waiting = 0.0;
        loop {
            waiting += 1.0;
            let factor = load / (agents + waiting * leaving);
            weight *= factor;
            sum += weight;
            queued += waiting * weight;
            if sum > 1e200 {
                for scaled in [&mut weight, &mut sum, &mut queued, &mut first] {
                    *scaled *= 1e-200;
                }
            }
            // Beyond here the weights fall at least as fast as a geometric series with this factor.
            if factor < 1.0 && weight * waiting / (1.0 - factor) < 1e-17 * sum {
                break;
            }
        }
        // One over Erlang B is the weight of all states up to "all busy", so that state's share follows.
        let blocked = pool.blocked();
        let all = first + blocked * (sum - first);
        Self {
            pool,
            patience_s,
            wait_probability: blocked * sum / all,
            mean_queue: blocked * queued / all,
        }
    }

    /// Probability that a call finds all agents busy.
    pub fn wait_probability(&self) -> f64 {
        self.wait_probability
    }

    /// Calls that wait, on average.
    pub fn mean_queue(&self) -> f64 {
        self.mean_queue
    }

    /// Mean time in the queue in seconds of all calls, those who give up included.
    pub fn mean_wait_s(&self) -> f64 {
        self.mean_queue / self.pool.calls_per_hour * 3600.0
    }

    /// Share of callers who give up.
    pub fn abandoned(&self) -> f64 {
        self.mean_wait_s() / self.patience_s
    }

    /// Share of the agents' time that is busy.
    pub fn occupancy(&self) -> f64 {
        self.pool.occupancy() * (1.0 - self.abandoned())
    }

    /// Share of all calls that are answered within `target_s`: who gave up before isn't answered.
    pub fn answered_within(&self, target_s: f64) -> f64 {
        let target_s = target_s.max(0.0);
        let (arrivals, leaving) = (self.pool.calls_per_hour / 3600.0, 1.0 / self.patience_s);
        let ending = f64::from(self.pool.agents) / self.pool.handling_s;
        let unanswered = |from_s: f64, rate: f64| {
            // The logarithm of the integral of exp(arrivals × (1 − e^(−leaving × x)) / leaving − rate × x) from `from_s`.
            let fading = (-leaving * from_s).exp();
            let grown = arrivals / leaving * -(-leaving * from_s).exp_m1() - rate * from_s;
            grown + ln_series(rate / leaving, arrivals / leaving * fading) - leaving.ln()
        };
        // Relative to the weight of all waits: the virtual wait has that density, and e^(−leaving × x) still wait.
        let all = unanswered(0.0, ending);
        let ever = (unanswered(0.0, ending + leaving) - all).exp();
        let later = (unanswered(target_s, ending + leaving) - all).exp();
        (1.0 - self.wait_probability * (1.0 - (ever - later).max(0.0))).clamp(0.0, 1.0)
    }
}

/// The logarithm of `Σ zᵏ / (c (c+1) … (c+k))`, the series of the lower incomplete gamma function.
fn ln_series(c: f64, z: f64) -> f64 {
    let (mut term, mut sum, mut scale, mut k) = (1.0_f64, 1.0_f64, 0.0_f64, 0.0_f64);
    loop {
        k += 1.0;
        let factor = z / (c + k);
        term *= factor;
        sum += term;
        if sum > 1e200 {
            term *= 1e-200;
            sum *= 1e-200;
            scale += 200.0 * std::f64::consts::LN_10;
        }
        if factor < 1.0 && term / (1.0 - factor) < 1e-17 * sum {
            return sum.ln() + scale - c.ln();
        }
    }
}

fn positive(what: &'static str, figure: f64) -> Result<(), ErlangError> {
    if figure.is_finite() && figure > 0.0 { Ok(()) } else { Err(ErlangError::NotPositive(what)) }
}

fn share(what: &'static str, figure: f64) -> Result<(), ErlangError> {
    if (0.0..1.0).contains(&figure) { Ok(()) } else { Err(ErlangError::NotAShare(what)) }
}

#[cfg(test)]
mod tests;
