//! Waiting calls, and agents who are free: linked lists in flat arrays, so that nothing is allocated for an event.

/// No call, no agent.
pub const NONE: u32 = u32::MAX;

/// Lists of waiting calls by state and tier, each oldest first.
pub struct Waiting {
    heads: Vec<u32>,
    tails: Vec<u32>,
    next: Vec<u32>,
    previous: Vec<u32>,
    count: usize,
}

impl Waiting {
    pub fn new(lists: usize) -> Self {
        Self {
            heads: vec![NONE; lists],
            tails: vec![NONE; lists],
            next: Vec::new(),
            previous: Vec::new(),
            count: 0,
        }
    }

    /// Makes room for so many calls.
    pub fn reach(&mut self, calls: usize) {
        if self.next.len() < calls {
            self.next.resize(calls, NONE);
            self.previous.resize(calls, NONE);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The oldest call of a list, or [`NONE`].
    pub fn head(&self, list: usize) -> u32 {
        self.heads[list]
    }

    pub fn push(&mut self, list: usize, call: u32) {
        let tail = self.tails[list];
        self.previous[call as usize] = tail;
        self.next[call as usize] = NONE;
        match tail {
            NONE => self.heads[list] = call,
            tail => self.next[tail as usize] = call,
        }
        self.tails[list] = call;
        self.count += 1;
    }

    pub fn remove(&mut self, list: usize, call: u32) {
        let (before, after) = (self.previous[call as usize], self.next[call as usize]);
        match before {
            NONE => self.heads[list] = after,
            before => self.next[before as usize] = after,
        }
        match after {
            NONE => self.tails[list] = before,
            after => self.previous[after as usize] = before,
        }
        self.count -= 1;
    }
}

/// Free agents, by number and by how long they have been free.
pub struct Idle {
    bits: Vec<u64>,
    order: Waiting,
    agents: usize,
    /// Where the next turn of round robin begins.
    turn: usize,
}

impl Idle {
    pub fn new(agents: usize) -> Self {
        let mut order = Waiting::new(1);
        order.reach(agents);
        Self { bits: vec![0; agents.div_ceil(64)], order, agents, turn: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn has(&self, agent: u32) -> bool {
        self.bits[agent as usize / 64] >> (agent % 64) & 1 == 1
    }

    pub fn add(&mut self, agent: u32) {
        if !self.has(agent) {
            self.bits[agent as usize / 64] |= 1 << (agent % 64);
            self.order.push(0, agent);
        }
    }

    pub fn remove(&mut self, agent: u32) {
        if self.has(agent) {
            self.bits[agent as usize / 64] &= !(1 << (agent % 64));
            self.order.remove(0, agent);
        }
    }

    /// The first by number.
    pub fn first(&self, weights: &[f32]) -> Option<u32> {
        self.from(0, weights)
    }

    /// The next in turn after the one who had the last turn.
    pub fn in_turn(&mut self, weights: &[f32]) -> Option<u32> {
        let agent = self.from(self.turn, weights).or_else(|| self.from(0, weights))?;
        self.turn = (agent as usize + 1) % self.agents;
        Some(agent)
    }

    fn from(&self, start: usize, weights: &[f32]) -> Option<u32> {
        let mut word = start / 64;
        let mut bits = self.bits[word] & (u64::MAX << (start % 64));
        loop {
            while bits != 0 {
                let agent = word * 64 + bits.trailing_zeros() as usize;
                if weights[agent] > 0.0 {
                    return Some(agent as u32);
                }
                bits &= bits - 1;
            }
            word += 1;
            bits = *self.bits.get(word)?;
        }
    }

    /// Who has been free for longest.
    pub fn longest(&self, weights: &[f32]) -> Option<u32> {
        let mut agent = self.order.head(0);
        while agent != NONE {
            if weights[agent as usize] > 0.0 {
                return Some(agent);
            }
            agent = self.order.next[agent as usize];
        }
        None
    }

    /// Who has been free for longest of those with at least the share `near` of the greatest weight.
    pub fn fittest(&self, weights: &[f32], near: f32) -> Option<u32> {
        let mut greatest = 0.0_f32;
        for (word, bits) in self.bits.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                greatest = greatest.max(weights[word * 64 + bits.trailing_zeros() as usize]);
                bits &= bits - 1;
            }
        }
        if greatest <= 0.0 {
            return None;
        }
        let least = greatest * near;
        let mut agent = self.order.head(0);
        while agent != NONE && weights[agent as usize] < least {
            agent = self.order.next[agent as usize];
        }
        (agent != NONE).then_some(agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_when_one_in_the_middle_goes() {
        let mut waiting = Waiting::new(2);
        waiting.reach(5);
        (0..5).for_each(|call| waiting.push(1, call));
        waiting.remove(1, 2);
        waiting.remove(1, 0);
        waiting.remove(1, 4);
        assert_eq!(waiting.head(1), 1);
        waiting.remove(1, 1);
        assert_eq!(waiting.head(1), 3);
        waiting.remove(1, 3);
        assert!(waiting.is_empty() && waiting.head(1) == NONE && waiting.head(0) == NONE);
    }

    #[test]
    fn agents_are_found_by_number_turn_time_and_weight() {
        let mut idle = Idle::new(70);
        [69, 3, 5].into_iter().for_each(|agent| idle.add(agent));
        let mut weights = vec![1.0; 70];
        weights[5] = 2.0;
        assert_eq!(idle.first(&weights), Some(3));
        assert_eq!(idle.longest(&weights), Some(69));
        assert_eq!(idle.fittest(&weights, 1.0), Some(5));
        assert_eq!(idle.fittest(&weights, 0.5), Some(69));
        assert_eq!(idle.fittest(&[0.0; 70], 0.5), None);
        let turns: Vec<_> = (0..4).map(|_| idle.in_turn(&weights)).collect();
        assert_eq!(turns, [Some(3), Some(5), Some(69), Some(3)]);
        weights[69] = 0.0;
        idle.remove(3);
        assert_eq!(idle.longest(&weights), Some(5));
        idle.remove(5);
        assert_eq!((idle.first(&weights), idle.is_empty()), (None, false));
    }
}
