//! `queries.toml`: questions in people's words and the articles that answer them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::error::ArticleError;
use crate::domain::ArticleId;

/// One question. No articles: nothing should be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledQuery {
    pub text: String,
    pub articles: BTreeSet<ArticleId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryFile {
    #[serde(default)]
    query: Vec<QueryRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryRow {
    text: String,
    articles: Vec<String>,
}

/// Reads the questions; `knows` tells whether an article exists.
///
/// # Errors
/// The first row that is wrong, with its line.
pub fn parse(
    file: &str,
    text: &str,
    knows: &dyn Fn(&ArticleId) -> bool,
) -> Result<Vec<LabelledQuery>, ArticleError> {
    let complain = |at: usize, field: &str, reason: String| ArticleError {
        file: file.into(),
        line: text[..at.min(text.len())].matches('\n').count() + 1,
        field: field.into(),
        reason,
    };
    let rows: QueryFile = toml::from_str(text).map_err(|error| {
        complain(error.span().map_or(0, |span| span.start), "query", error.message().to_owned())
    })?;
    let mut queries = Vec::with_capacity(rows.query.len());
    for row in rows.query {
        let articles: BTreeSet<ArticleId> = row.articles.into_iter().map(ArticleId::from).collect();
        if let Some(unknown) = articles.iter().find(|id| !knows(id)) {
            let at = text.find(&format!("\"{unknown}\"")).unwrap_or(0);
            return Err(complain(at, "articles", format!("there is no article {unknown}")));
        }
        queries.push(LabelledQuery { text: row.text, articles });
    }
    Ok(queries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_article_is_named_with_its_line() {
        let text = "[[query]]\ntext = \"a\"\narticles = [\"x/y\"]\n\n[[query]]\ntext = \"b\"\narticles = [\"x/z\"]\n";
        let error = parse("queries.toml", text, &|id| id.as_str() == "x/y").unwrap_err();
        assert_eq!(error.to_string(), "queries.toml:7: articles: there is no article x/z");
        assert_eq!(parse("queries.toml", text, &|_| true).unwrap().len(), 2);
    }
}
