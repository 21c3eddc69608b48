//! The built pages (`ui/dist`), which the binary carries.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::error::{self, Problem, shown};

/// `build.rs` names the folder: the built pages, or one page that says how to build them.
static DIST: Dir<'_> = include_dir!("$BACKCHANNEL_UI_DIST");

static PAGES: LazyLock<HashMap<String, Page>> = LazyLock::new(|| {
    let mut pages = HashMap::new();
    collect(&DIST, &mut pages);
    let addresses = [
        ("/", "/index.html"),
        ("/desktop", "/desktop.html"),
        ("/knowledge", "/knowledge.html"),
        ("/outbox", "/outbox.html"),
        ("/floor/routing", "/floor-routing.html"),
        ("/chat", "/chat.html"),
    ];
    for (address, file) in addresses {
        if let Some(page) = pages.get(file).cloned() {
            pages.insert(address.to_owned(), page);
        }
    }
    pages
});

#[derive(Clone)]
struct Page {
    bytes: &'static [u8],
    mime: String,
    etag: HeaderValue,
    /// Its name changes with its content.
    hashed: bool,
}

pub fn is_page(path: &str) -> bool {
    PAGES.contains_key(path)
}

/// The demo's page of a company is nothing for a real service.
pub async fn hidden() -> Problem {
    Problem::not_found("this page is there in the demo only")
}

/// Everything that is no route: a page or nothing.
pub async fn serve(request: Request) -> Response {
    let Some(page) = PAGES.get(request.uri().path()) else {
        let path = shown(request.uri().path());
        return Problem::not_found(format!("there is nothing at {path}")).into_response();
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET,HEAD")];
        return (allow, error::method_not_allowed(request).await).into_response();
    }
    let caching = if page.hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::ETAG, page.etag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
    ];
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| {
        let tags = value.to_str().unwrap_or_default();
        tags.split(',').any(|tag| page.etag == *tag.trim().trim_start_matches("W/"))
    });
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let mut answer =
        (headers, [(header::CONTENT_TYPE, page.mime.clone())], page.bytes).into_response();
    if request.uri().path().ends_with(".js") {
        // A company's own page loads the chat from here. What is in the scripts is no secret.
        let any = HeaderValue::from_static("*");
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    }
    answer
}

fn collect(dir: &Dir<'static>, pages: &mut HashMap<String, Page>) {
    for file in dir.files() {
        let path = file.path();
        let mut mime = mime_guess::from_path(path).first_or_octet_stream().to_string();
        if mime.starts_with("text/") {
            mime.push_str("; charset=utf-8");
        }
        let hash: String = Sha256::digest(file.contents())
            .iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).expect("hex; this is a bug");
        let hashed = path.starts_with("assets");
        let page = Page { bytes: file.contents(), mime, etag, hashed };
        pages.insert(format!("/{}", path.display()), page);
    }
    for sub in dir.dirs() {
        collect(sub, pages);
    }
}
