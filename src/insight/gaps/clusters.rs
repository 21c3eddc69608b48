//! Questions that are alike, together. Online: each joins the nearest group or opens one and stays there, so that a
//! restart, or another reading of the log, finds the same groups.

/// Questions that ask about the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Position of the question that opened it.
    pub first: u64,
    pub count: u64,
    /// Of its questions' vectors.
    pub sum: Vec<f32>,
    /// Position of the question that stands for it, and its vector: of those that came, the one that was nearer to
    /// all before it than the one before.
    pub medoid: u64,
    pub medoid_vector: Vec<f32>,
}

impl Cluster {
    fn of(question: u64, vector: Vec<f32>) -> Self {
        Self {
            first: question,
            count: 1,
            sum: vector.clone(),
            medoid: question,
            medoid_vector: vector,
        }
    }

    /// The mean of the cosines to its questions ("average linkage"): a large group is no nearer for its size, as it
    /// would be by its centroid, which is short of noise.
    fn nearness(&self, vector: &[f32]) -> f32 {
        dot(&self.sum, vector) / self.count as f32
    }

    fn add(&mut self, question: u64, vector: &[f32]) {
        self.count += 1;
        self.sum.iter_mut().zip(vector).for_each(|(sum, one)| *sum += one);
        if dot(&self.sum, vector) > dot(&self.sum, &self.medoid_vector) {
            self.medoid = question;
            self.medoid_vector = vector.to_vec();
        }
    }
}

/// All groups of a tenant.
#[derive(Clone, Debug, Default)]
pub struct Clusters {
    nearness: f32,
    all: Vec<Cluster>,
}

impl Clusters {
    /// `nearness`: from which mean cosine on a question joins a group; `all`: what was kept of it, in any order.
    pub fn new(nearness: f32, all: Vec<Cluster>) -> Self {
        Self { nearness, all }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The group that a question is about, if there is one; of two that are as near, the older.
    pub fn nearest(&self, vector: &[f32]) -> Option<&Cluster> {
        self.place(vector).map(|at| &self.all[at])
    }

    fn place(&self, vector: &[f32]) -> Option<usize> {
        let near = self.all.iter().map(|cluster| cluster.nearness(vector));
        let by_nearness = |a: &(usize, f32), b: &(usize, f32)| {
            let older = || self.all[b.0].first.cmp(&self.all[a.0].first);
            a.1.total_cmp(&b.1).then_with(older)
        };
        let (at, nearness) = near.enumerate().max_by(by_nearness)?;
        (nearness >= self.nearness).then_some(at)
    }

    /// Takes a question into its group, or opens one; vectors have length 1.
    pub fn add(&mut self, question: u64, vector: &[f32]) -> &Cluster {
        let at = match self.place(vector) {
            Some(at) => {
                self.all[at].add(question, vector);
                at
            }
            None => {
                self.all.push(Cluster::of(question, vector.to_vec()));
                self.all.len() - 1
            }
        };
        &self.all[at]
    }
}

/// Eight sums side by side, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::gaps::{WORDS_NEARNESS, word_vector};

    fn groups(questions: &[&str]) -> Vec<u64> {
        let mut clusters = Clusters::new(WORDS_NEARNESS, Vec::new());
        let first = |(at, text): (usize, &&str)| clusters.add(at as u64, &word_vector(text)).first;
        questions.iter().enumerate().map(first).collect()
    }

    #[test]
    fn what_asks_the_same_in_much_the_same_words_is_one_group() {
        let found = groups(&[
            "Do you do a student discount?",
            "Which cable goes into the socket?",
            "Is there a student discount at all?",
            "So what's the student discount then",
            "the socket, which cable is it",
        ]);
        assert_eq!(found, [0, 1, 0, 0, 1]);
    }

    #[test]
    fn a_group_goes_on_from_what_was_kept_of_it() {
        let questions =
            ["student discount", "a discount for students", "lost parcel", "parcel is lost"];
        let vectors = questions.map(word_vector);
        let mut whole = Clusters::new(WORDS_NEARNESS, Vec::new());
        let mut resumed = whole.clone();
        for (at, vector) in vectors.iter().enumerate() {
            let kept = resumed.all.clone();
            resumed = Clusters::new(WORDS_NEARNESS, kept);
            assert_eq!(whole.add(at as u64, vector), resumed.add(at as u64, vector));
        }
        assert_eq!(whole.all.len(), 2);
    }

    #[test]
    fn the_question_in_the_middle_stands_for_its_group() {
        let unit = |degrees: f32| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
        let mut clusters = Clusters::new(0.5, Vec::new());
        for (at, degrees) in [0.0, 40.0, 20.0].into_iter().enumerate() {
            clusters.add(at as u64, &unit(degrees));
        }
        assert_eq!((clusters.all.len(), clusters.all[0].medoid), (1, 2));
        assert!(clusters.nearest(&unit(130.0)).is_none());
        assert_eq!(clusters.nearest(&unit(-20.0)).map(|near| near.first), Some(0));
    }
}
