//! What the customer has bought, as the CRM says: articles about that are a little likelier to be what is asked
//! about.

use crate::domain::Redacted;
use crate::knowledge::SearchHit;

/// In log-odds: it decides between near equals and lifts nothing that doesn't answer over the threshold by itself.
const LIKELIER: f32 = 0.5;
/// More than anybody has; CRM fields hold anything.
const PRODUCTS_MAX: usize = 50;

#[derive(Clone, Debug, Default)]
pub(super) struct Owned(Vec<String>);

impl Owned {
    pub fn of(products: &[Redacted]) -> Self {
        Self(products.iter().take(PRODUCTS_MAX).map(|product| plain(product.as_str())).collect())
    }

    /// What it adds to a hit's log-odds.
    pub fn prior(&self, hit: &SearchHit) -> f32 {
        if self.product(hit).is_some() { LIKELIER } else { 0.0 }
    }

    /// The product of the hit's article that the customer has.
    pub fn product<'a>(&self, hit: &'a SearchHit) -> Option<&'a str> {
        let is_owned = |product: &&String| self.0.contains(&plain(product));
        hit.article.products.iter().find(is_owned).map(String::as_str)
    }
}

fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
