//! What is wrong with a request, in the words of its format and not of this program's types.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// What serde says, and what it means.
static WORDS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"^Failed to (?:deserialize|parse) [^:]*: ", ""),
        (r"^Invalid URL: ", ""),
        (r"\bexpected (?:a nonzero )?(?:u8|u16|u32|u64|u128|usize)\b", "expected a whole number, 0 or more"),
        (r"\bto an? `(?:u8|u16|u32|u64|u128|usize)`", "to a whole number, 0 or more"),
        (r"\bexpected (?:a nonzero )?(?:i8|i16|i32|i64|i128|isize)\b", "expected a whole number"),
        (r"\bto an? `(?:i8|i16|i32|i64|i128|isize)`", "to a whole number"),
        (r"\bexpected (?:f32|f64)\b", "expected a number"),
        (r"\binvalid (type|value): (?:floating point|integer) `", "invalid $1: number `"),
        (r"\bexpected (?:an? )?(?:internally tagged enum|adjacently tagged enum|tuple struct|newtype struct|unit struct|struct(?: variant)?) [\w:]+", "expected an object"),
        (r"expected (?:a )?map\b", "expected an object"),
        (r"invalid type: map\b", "invalid type: object"),
        (r"expected (?:a )?sequence\b", "expected a list"),
        (r"invalid type: sequence\b", "invalid type: list"),
        (r"invalid type: unit value\b", "invalid type: null"),
        (r"expected (?:a )?(?:variant identifier|(?:string or map|enum \w+))", "expected one of its values"),
        (r"\bunknown variant\b", "unknown value"),
        (r"data did not match any variant of untagged enum \w+", "it has none of the forms that it may have"),
        (r"invalid digit found in string", "not a whole number"),
        (r"cannot parse integer from empty string|cannot parse float from empty string", "empty"),
        (r"number too (?:large|small) to fit in target type", "a number out of range"),
        (r"invalid float literal", "not a number"),
        (r"provided string was not `true` or `false`", "neither `true` nor `false`"),
    ]
    .map(|(pattern, plain)| (Regex::new(pattern).expect("a pattern of this file"), plain))
    .into()
});

/// `role: unknown value `boss`, expected one of `agent`, `customer` at line 1 column 16`.
pub(super) fn plain(said: &str) -> String {
    let mut said = Cow::Borrowed(said);
    for (pattern, instead) in WORDS.iter() {
        if pattern.is_match(&said) {
            said = Cow::Owned(pattern.replace_all(&said, *instead).into_owned());
        }
    }
    said.into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::error::Problem;
    use super::super::extract::{Json, Query};
    use axum::body::Body;
    use axum::extract::{FromRequest as _, FromRequestParts as _, Request};
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read in")]
    struct Asked {
        limit: Option<u32>,
        share: Option<f32>,
        role: Option<Role>,
        party: Option<Party>,
        tags: Option<Vec<String>>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Role {
        Agent,
        Customer,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only read in")]
    struct Party {
        name: String,
    }

    fn detail_of(problem: &Problem) -> String {
        let document = serde_json::to_value(problem).expect("a document");
        document["detail"].as_str().expect("a text").to_owned()
    }

    async fn refused(body: &str) -> String {
        let request = Request::builder().header("content-type", "application/json");
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let problem = Json::<Asked>::from_request(request, &()).await.err().expect("refused");
        detail_of(&problem)
    }

    #[tokio::test]
    async fn a_wrong_body_is_told_without_names_of_types() {
        for (body, said) in [
            (
                r#"{"limit":-1}"#,
                "limit: invalid value: number `-1`, expected a whole number, 0 or more at line 1 column 11",
            ),
            (
                r#"{"share":"x"}"#,
                r#"share: invalid type: string "x", expected a number at line 1 column 12"#,
            ),
            (
                r#"{"role":"boss"}"#,
                "role: unknown value `boss`, expected `agent` or `customer` at line 1 column 14",
            ),
            (
                r#"{"party":"Ann"}"#,
                r#"party: invalid type: string "Ann", expected an object at line 1 column 14"#,
            ),
            (
                r#"{"u64":1}"#,
                "u64: unknown field `u64`, expected one of `limit`, `share`, `role`, `party`, `tags` at line 1 column 6",
            ),
            (r#"{"party":{}}"#, "party: missing field `name` at line 1 column 11"),
            (r#"{"tags":{}}"#, "tags: invalid type: object, expected a list at line 1 column 8"),
        ] {
            assert_eq!(refused(body).await, said, "{body}");
        }
        let broken = refused("{\"limit\": }").await;
        assert!(broken.starts_with("limit: expected value at line 1"), "{broken}");
    }

    #[tokio::test]
    async fn a_wrong_query_is_told_likewise() {
        let request = Request::builder().uri("/x?limit=many").body(Body::empty());
        let (mut parts, _) = request.expect("a request").into_parts();
        let refused = Query::<Asked>::from_request_parts(&mut parts, &()).await;
        let said = detail_of(&refused.err().expect("refused"));
        assert_eq!(said, "limit: not a whole number");
    }
}
