//! What came of a run.

/// Counts and sums of the contacts of one class and tier.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub offered: u64,
    /// By anybody, at least once.
    pub answered: u64,
    /// Answered within the target.
    pub in_time: u64,
    pub abandoned: u64,
    /// Seconds in queues, of everybody, until answered or given up, after a hand-over too.
    pub wait_s: f64,
    /// The same, times the customer's value.
    pub value_wait_s: f64,
    pub value: f64,
    /// First contacts that an agent finished, and of those the resolved ones.
    pub first: u64,
    pub first_resolved: u64,
    pub handed_over: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.in_time += other.in_time;
        self.abandoned += other.abandoned;
        self.wait_s += other.wait_s;
        self.value_wait_s += other.value_wait_s;
        self.value += other.value;
        self.first += other.first;
        self.first_resolved += other.first_resolved;
        self.handed_over += other.handed_over;
    }

    /// Share of all callers who are answered within the target; who gave up wasn't.
    pub fn service_level(&self) -> f64 {
        share(self.in_time as f64, self.offered)
    }

    pub fn abandonment(&self) -> f64 {
        share(self.abandoned as f64, self.offered)
    }

    pub fn mean_wait_s(&self) -> f64 {
        share(self.wait_s, self.offered)
    }

    /// Mean wait with each caller counting as often as the value says.
    pub fn value_wait_s(&self) -> f64 {
        if self.value > 0.0 { self.value_wait_s / self.value } else { 0.0 }
    }

    /// First contacts that were resolved, of those that an agent finished.
    pub fn first_contact_resolution(&self) -> f64 {
        share(self.first_resolved as f64, self.first)
    }

    pub fn handed_over(&self) -> f64 {
        share(self.handed_over as f64, self.offered)
    }
}

fn share(part: f64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part / whole as f64 }
}

/// One run of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    pub classes: usize,
    /// `class × tiers + tier`, contacts that came within the counted time.
    pub cells: Vec<Counts>,
    pub tiers: usize,
    /// Busy seconds of each agent within the counted time, and how long that agent was on duty.
    pub busy_s: Vec<f64>,
    pub duty_s: Vec<f64>,
    /// Arrivals, ends, hand-overs and abandonments that were worked off.
    pub events: u64,
}

impl Tally {
    pub fn total(&self) -> Counts {
        self.sum(|_, _| true)
    }

    pub fn class(&self, wanted: usize) -> Counts {
        self.sum(|class, _| class == wanted)
    }

    pub fn tier(&self, wanted: usize) -> Counts {
        self.sum(|_, tier| tier == wanted)
    }

    fn sum(&self, wanted: impl Fn(usize, usize) -> bool) -> Counts {
        let mut sum = Counts::default();
        for (at, cell) in self.cells.iter().enumerate() {
            if wanted(at / self.tiers, at % self.tiers) {
                sum.add(cell);
            }
        }
        sum
    }

    /// Busy share of all agents' time.
    pub fn occupancy(&self) -> f64 {
        let duty: f64 = self.duty_s.iter().sum();
        if duty > 0.0 { self.busy_s.iter().sum::<f64>() / duty } else { 0.0 }
    }

    /// Busy shares of the least and the most busy agent.
    pub fn occupancy_range(&self) -> (f64, f64) {
        let shares = self
            .busy_s
            .iter()
            .zip(&self.duty_s)
            .filter(|(_, duty)| **duty > 0.0)
            .map(|(busy, duty)| busy / duty);
        shares.fold((f64::INFINITY, 0.0), |(least, most), share| {
            (f64::min(least, share), f64::max(most, share))
        })
    }
}
