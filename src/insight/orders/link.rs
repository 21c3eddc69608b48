//! Addresses that somebody could be sent to.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A web or mail address as it stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub bytes: Range<usize>,
    /// Lower case, without scheme, `www.` and what closes a sentence: `example.com/offer`.
    pub target: String,
}

/// With a scheme, `www.`, an `@`, or a name that ends in a domain of the kinds that are sold.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        (?: [a-z][a-z0-9+.-]{1,15}:// [^\s<>"”“)\]]+
          | www\. [^\s<>"”“)\]]+
          | [\p{L}\p{N}._%+-]+ @ [\p{L}\p{N}-]+ (?: \. [\p{L}\p{N}-]+ )+
          | \b (?: [\p{L}\p{N}] [\p{L}\p{N}-]* \. )+
            (?: com|net|org|info|biz|io|co|app|dev|ai|xyz|online|site|shop|store|top|club|ly|me|tv|cc|us|uk|de|fr|es|it|nl|eu|ch|at
              | ru|cn|in|br|jp|tk|ml|gq|link|click|live|zip|page|cloud|tech|support|help|gov|edu )
            \b (?: [:/?\#] [^\s<>"”“)\]]* )?
          | \b \d{1,3} (?: \. \d{1,3} ){3} (?: : \d+ )? / [^\s<>"”“)\]]*
        )"#,
    )
    .expect("the expression is right: a test uses it")
});

/// All addresses of a text, in order.
pub fn links(text: &str) -> Vec<Link> {
    if !text.contains(['.', ':']) {
        return Vec::new();
    }
    let read = |found: regex::Match<'_>| {
        let shown = found.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '’']);
        let lower = shown.to_lowercase();
        let bare = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
        let bare = bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/');
        Link { bytes: found.start()..found.start() + shown.len(), target: bare.to_owned() }
    };
    ADDRESS.find_iter(text).map(read).filter(|link| !link.target.is_empty()).collect()
}
