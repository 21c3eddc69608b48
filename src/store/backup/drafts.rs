//! Drafts of this program that nobody has reviewed go with the conversations that they rest on (`writer/drafts`), so
//! they stand in a backup under the keys of all of these together, with what was told of them.
//!
//! Each key seals a share: as many random bytes as there are, but for the last, which is the text combined with them.
//! Without any one of them the others tell nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use sqlx::Error;

use super::copy::Table;
use super::pieces::{self, Pieces, Whose};
use crate::domain::TenantId;
use crate::store::articles::codec::SEALED;
use crate::store::sql::{Connection, Sql, Value};
use crate::store::{SYSTEM, codec, wire, writer};

/// The drafts of a log, and whose they are.
#[derive(Default)]
pub struct Drafts {
    by_position: HashMap<i64, BTreeSet<Whose>>,
    /// Positions by tenant, article and number.
    positions: HashMap<(String, String, i64), i64>,
    /// Tenant and id of articles whose newest revision is one.
    articles: HashSet<(String, String)>,
}

impl Drafts {
    pub async fn of_log(from: &mut Connection) -> Result<Self, Error> {
        let mut all = Self::default();
        for tenant in tenants(from).await? {
            let rows = from.rows(writer::drafted(&tenant)).await?;
            for one in writer::resting(&rows) {
                let owners = one.on.into_iter().map(|id| (tenant.to_string(), id)).collect();
                all.by_position.insert(one.position, owners);
                all.articles.insert((tenant.to_string(), one.article.clone()));
                all.positions.insert((tenant.to_string(), one.article, one.number), one.position);
            }
        }
        Ok(all)
    }

    /// Takes out of a row what says something of a draft: a share for each whose it is.
    pub fn take(&self, table: &Table, row: &mut [Value]) -> Vec<(Whose, Pieces)> {
        if table.name == "articles" {
            self.blank(table, row);
            return Vec::new();
        }
        let Some(owners) = self.owners(table, row) else { return Vec::new() };
        let pieces = match table.name {
            "events" => pieces::take(table, row).pop().map(|(_, pieces)| pieces),
            _ => Some(content(table, row)),
        };
        let Some(pieces) = pieces else { return Vec::new() };
        let count = owners.len().to_string();
        let shares = split(&pieces::json(&pieces), owners.len());
        let piece = |(whose, share)| (whose, vec![Some(share), Some(count.clone())]);
        owners.into_iter().zip(shares).map(piece).collect()
    }

    fn owners(&self, table: &Table, row: &[Value]) -> Option<BTreeSet<Whose>> {
        let of = |column: &str| pieces::text(&row[table.index(column)]);
        match table.name {
            "article_revisions" => match row[0] {
                Value::Int(Some(position)) => self.by_position.get(&position).cloned(),
                _ => None,
            },
            "events"
                if of("kind") == Some(codec::ARTICLE_DRAFTED)
                    && of("conversation") == Some(SYSTEM) =>
            {
                let told: wire::ArticleChanged = serde_json::from_str(of("data")?).ok()?;
                let tenant = of("tenant")?.to_owned();
                let key = (tenant.clone(), told.article_id, i64::from(told.revision));
                let mut owners = self.by_position.get(self.positions.get(&key)?)?.clone();
                owners.insert((tenant, SYSTEM.to_owned()));
                Some(owners)
            }
            _ => None,
        }
    }

    /// An article's row says what its newest revision does; `settle` makes it anew.
    fn blank(&self, table: &Table, row: &mut [Value]) {
        let of = |column: &str| pieces::text(&row[table.index(column)]).unwrap_or_default();
        if !self.articles.contains(&(of("tenant").to_owned(), of("id").to_owned())) {
            return;
        }
        for (column, blank) in
            [("title", ""), ("audience", "[]"), ("products", "[]"), ("language", "")]
        {
            row[table.index(column)] = Value::from(blank);
        }
        row[table.index("review_by")] = Value::Text(None);
        row[table.index("content_hash")] = Value::from("");
    }
}

/// The shares of a row, as they are opened.
#[derive(Default)]
pub struct Shares {
    wanted: usize,
    open: Vec<String>,
}

impl Shares {
    pub fn add(&mut self, pieces: Pieces) -> Result<(), String> {
        let odd = || "a draft's share is odd".to_owned();
        let Ok([Some(share), Some(count)]) = <[_; 2]>::try_from(pieces) else { return Err(odd()) };
        self.wanted = count.parse().map_err(|_| odd())?;
        self.open.push(share);
        Ok(())
    }

    /// What was taken, if all shares are there.
    pub fn joined(self) -> Result<Option<Pieces>, String> {
        if self.open.is_empty() || self.open.len() < self.wanted {
            return Ok(None);
        }
        let text = join(&self.open);
        let pieces = text.and_then(|text| serde_json::from_str(&text).ok());
        pieces.map(Some).ok_or_else(|| "the shares of a draft don't fit together".to_owned())
    }
}

/// Puts back what `take` took.
pub fn put(table: &Table, row: &mut [Value], pieces: Pieces) -> Result<(), String> {
    if table.name == "events" {
        return pieces::put(table, row, pieces);
    }
    let Ok([Some(content), comment]) = <[_; 2]>::try_from(pieces) else {
        return Err("an article's revision has pieces that don't fit".to_owned());
    };
    row[table.index("content")] = Value::from(content);
    row[table.index("comment")] = Value::from(comment);
    Ok(())
}

/// Whether a revision's row still says nothing.
pub fn is_sealed(table: &Table, row: &[Value]) -> bool {
    table.name == "article_revisions" && pieces::text(&row[table.index("content")]) == Some(SEALED)
}

/// Does to a restored log what an erasure does: drafts that rest on what is gone go with it, and so does what was told
/// of them. `gone` are positions of revisions; the rows of articles are made anew.
pub async fn settle(connection: &mut Connection, gone: &BTreeSet<i64>) -> Result<(), Error> {
    for tenant in tenants(connection).await? {
        if !gone.is_empty() {
            let rows = connection.rows(writer::drafted(&tenant)).await?;
            let drafts = writer::unreviewed_at(&rows, gone);
            writer::let_go(connection, &tenant, &drafts).await?;
        }
        let sql = Sql::new("SELECT id FROM articles WHERE tenant = $1 AND content_hash = ''");
        let rows = connection.rows(sql.with(tenant.as_str())).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.text(0).to_owned()).collect();
        for id in ids {
            writer::show_newest(connection, &tenant, &id).await?;
        }
    }
    Ok(())
}

async fn tenants(connection: &mut Connection) -> Result<Vec<TenantId>, Error> {
    let sql = Sql::new("SELECT DISTINCT tenant FROM article_revisions");
    let rows = connection.rows(sql).await?;
    Ok(rows.iter().map(|row| TenantId::from(row.text(0))).collect())
}

fn content(table: &Table, row: &mut [Value]) -> Pieces {
    let (content, comment) = (table.index("content"), table.index("comment"));
    let pieces = [content, comment].map(|at| pieces::text(&row[at]).map(str::to_owned));
    row[content] = Value::from(SEALED);
    row[comment] = Value::Text(None);
    pieces.into()
}

fn split(text: &str, count: usize) -> Vec<String> {
    let mut last = text.as_bytes().to_vec();
    let mut shares = Vec::with_capacity(count);
    for _ in 1..count {
        let mut share = vec![0_u8; last.len()];
        rand::rng().fill_bytes(&mut share);
        combine(&mut last, &share);
        shares.push(STANDARD.encode(share));
    }
    shares.push(STANDARD.encode(last));
    shares
}

fn join(shares: &[String]) -> Option<String> {
    let (first, others) = shares.split_first()?;
    let mut bytes = STANDARD.decode(first).ok()?;
    for share in others {
        let share = STANDARD.decode(share).ok().filter(|share| share.len() == bytes.len())?;
        combine(&mut bytes, &share);
    }
    String::from_utf8(bytes).ok()
}

fn combine(bytes: &mut [u8], with: &[u8]) {
    for (byte, with) in bytes.iter_mut().zip(with) {
        *byte ^= with;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_to_whoever_has_all_of_its_shares() {
        for count in 1..5 {
            let shares = split("It's two hours – at most.", count);
            assert_eq!(shares.len(), count);
            assert_eq!(join(&shares).as_deref(), Some("It's two hours – at most."));
            if count > 1 {
                assert_ne!(join(&shares[1..]).as_deref(), Some("It's two hours – at most."));
            }
        }
        let mut some = Shares::default();
        some.add(vec![Some(split("[null]", 2).remove(0)), Some("2".to_owned())]).expect("a share");
        assert_eq!(some.joined(), Ok(None));
        assert!(Shares::default().add(vec![None]).is_err());
    }
}
