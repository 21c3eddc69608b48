//! Articles between files and the log, by the command line: into a data folder and into a service.

use std::path::Path;
use std::process::{Command, Output};

use crate::serve::harness::{House, KEY};

fn backchannel(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_backchannel"))
        .args(arguments)
        .current_dir(folder)
        .env("BACKCHANNEL_API_KEY", KEY)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
        + &String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn last(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    text.lines().last().unwrap_or_default().to_owned()
}

/// Two articles as people keep them, and one that is broken.
fn tree(folder: &Path) {
    let docs = folder.join("docs/billing");
    std::fs::create_dir_all(&docs).expect("made");
    let fees = "---\ntitle: Late fees # see below\ntags: [x]\n---\r\n\n# Late fees\n\n## When\nAfter 14 days.\n";
    std::fs::write(docs.join("fees.md"), fees).expect("written");
    let refunds = "+++\nid = \"billing/refunds-too\"\ntitle = \"Refunds\"\naudience = [\"agent\"]\n+++\n\n## When\nIn 5 days.\n";
    std::fs::write(docs.join("refunds-too.md"), refunds).expect("written");
    std::fs::write(docs.join("bad.md"), "+++\ntitle = \"x\n+++\nBody.\n").expect("written");
    let faq = "question,answer\nWhere is it?,In the post.\n";
    std::fs::write(folder.join("faq.csv"), faq).expect("written");
}

fn goes_in_and_comes_back(folder: &Path, target: &[&str], others: usize) {
    let import = |paths: &[&str], more: &[&str]| {
        let start = ["knowledge", "import"];
        backchannel(&[&start[..], paths, target, more].concat(), folder)
    };
    let rehearsed = import(&["docs", "faq.csv"], &["--dry-run"]);
    assert!(last(&rehearsed).starts_with("would be: 3 new, 0 changed"), "{}", said(&rehearsed));
    let first = import(&["docs", "faq.csv"], &[]);
    assert_eq!(first.status.code(), Some(2), "one was refused: {}", said(&first));
    assert!(said(&first).contains("bad.md: front matter: "), "{}", said(&first));
    assert_eq!(
        last(&first),
        format!("3 new, 0 changed, 0 unchanged, 0 kept, {others} missing, 1 refused")
    );
    std::fs::remove_file(folder.join("docs/billing/bad.md")).expect("gone");
    let path = folder.join("docs/billing/fees.md");
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, text.replace("14 days", "21 days")).expect("written");
    let second = import(&["docs"], &[]);
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    assert!(said(&second).contains("missing   faq/where-is-it"), "{}", said(&second));
    let missing = others + 1;
    assert_eq!(
        last(&second),
        format!("0 new, 1 changed, 1 unchanged, 0 kept, {missing} missing, 0 refused")
    );

    let out = folder.join("out");
    let exported = backchannel(&[&["knowledge", "export", "out"], target].concat(), folder);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    for name in ["billing/fees.md", "billing/refunds-too.md"] {
        let before = std::fs::read(folder.join("docs").join(name)).expect("readable");
        assert_eq!(std::fs::read(out.join(name)).expect("readable"), before, "{name}");
    }
    let faq = std::fs::read_to_string(out.join("faq/where-is-it.md")).expect("readable");
    assert!(faq.contains("title = \"Where is it?\"") && faq.ends_with("In the post.\n"), "{faq}");
    let again =
        backchannel(&[&["knowledge", "import", "out"], target, &["--dry-run"]].concat(), folder);
    assert!(last(&again).contains("0 new"), "{}", said(&again));
}

#[test]
fn files_go_into_a_data_folder_and_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    tree(folder.path());
    goes_in_and_comes_back(folder.path(), &["--data", "data"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_go_into_a_running_service_and_come_back() {
    let house = House::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    tree(folder.path());
    let url = house.url("");
    let work = move || {
        goes_in_and_comes_back(folder.path(), &["--url", &url], 2);
        let wrong = backchannel(
            &["knowledge", "export", "x", "--url", "http://127.0.0.1:9"],
            folder.path(),
        );
        assert_eq!(wrong.status.code(), Some(75), "{}", said(&wrong));
        let none = backchannel(&["knowledge", "import", "nowhere", "--url", &url], folder.path());
        assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    };
    tokio::task::spawn_blocking(work).await.expect("it goes in and comes back");
    assert!(house.close().await);
}

/// The names of a zip with so many empty files.
fn crowd(path: &Path, files: usize) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(path).expect("made"));
    for number in 0..files {
        let plain = zip::write::SimpleFileOptions::default();
        writer.start_file(format!("{number}.md"), plain).expect("written");
    }
    writer.finish().expect("written");
}

/// One of each that can't be taken, among some that can.
fn bad_tree(folder: &Path) {
    let docs = folder.join("docs");
    std::fs::create_dir_all(&docs).expect("made");
    let write = |name: &str, text: &str| std::fs::write(docs.join(name), text).expect("written");
    write("good.md", "# Good\n\n## When\nThe code G-100 is good.\n");
    write("front.md", "---\ntitle: [x\n---\nBody.\n");
    write("twice.html", "<h1>Twice</h1><p>Second.</p>");
    write("twice.csv", "id,title,body\ntwice,Twice,First.\ntwice,Twice,Third.\n");
    write("self.md", "# Self\n\nSee [this](self.md). The code S-200 links.\n");
    write(
        "script.html",
        "<html><head><title>Fees</title><script>steal()</script></head><body onload='steal()'>\
         <p>The code H-300 costs.</p><script>steal()</script><a href='javascript:steal()'>x</a>\
         <img src=x onerror='steal()'></body></html>",
    );
    std::fs::File::create(docs.join("long.md")).expect("made").set_len(50 << 20).expect("long");
    // More than fit the number that an archive usually says.
    crowd(&docs.join("crowd.zip"), 70_000);
}

fn is_named_and_the_rest_is_taken(folder: &Path, target: &[&str]) {
    let arguments = [&["knowledge", "import", "docs"], target].concat();
    let imported = backchannel(&arguments, folder);
    assert_eq!(imported.status.code(), Some(2), "{}", said(&imported));
    let report = said(&imported);
    let has = |line: &str| assert!(report.lines().any(|one| one == line), "{line} in {report}");
    for id in ["good", "script", "self", "twice"] {
        has(&format!("new       {id}"));
    }
    has("refused   docs/crowd.zip: holds 70000 files, 20000 are the most");
    has("refused   docs/long.md: is 50 MiB long, 240 KiB are the most");
    has("refused   docs/twice.csv:3: the id twice stands twice; docs/twice.csv:2 was taken");
    has("refused   docs/twice.html: the id twice stands twice; docs/twice.csv:2 was taken");
    has("note      docs/self.md: links to itself: self.md");
    assert!(report.contains("refused   docs/front.md: front matter: "), "{report}");
    assert!(last(&imported).starts_with("4 new, 0 changed, 0 unchanged, 0 kept, "), "{report}");
    assert!(last(&imported).ends_with("5 refused"), "{report}");
}

#[test]
fn what_is_bad_is_named_and_the_rest_goes_into_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    bad_tree(folder.path());
    is_named_and_the_rest_is_taken(folder.path(), &["--data", "data"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_bad_is_named_and_the_rest_goes_into_a_service() {
    let house = House::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    bad_tree(folder.path());
    let url = house.url("");
    let work = move || is_named_and_the_rest_is_taken(folder.path(), &["--url", &url]);
    tokio::task::spawn_blocking(work).await.expect("it is named");
    for (code, id) in [("G-100", "good"), ("S-200", "self"), ("H-300", "script")] {
        let (_, found) = house.get(&format!("/v1/articles/search?q={code}")).await;
        assert_eq!(found["items"][0]["article_id"], id, "{found}");
    }
    let (_, shown) = house.get("/v1/articles/script").await;
    assert!(!shown.to_string().contains("steal"), "{shown}");
    for (filter, named) in
        [("colour=blue", "colour"), ("audience=robots", "robots"), ("language=en&valid=x", "valid")]
    {
        let (status, problem) = house.get(&format!("/v1/articles/search?q=fees&{filter}")).await;
        assert_eq!(status, 422, "{filter}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|why| why.contains(named)), "{problem}");
    }
    assert!(house.close().await);
}

const GREETINGS: &str = "help/gr%C3%BC%C3%9Fe";

/// A site with pages that can be taken and some that can't.
async fn site() -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    use axum::response::{Html, Redirect};
    use axum::routing::get;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let xml = |text: String| ([("content-type", "application/xml")], text);
    let root = format!(
        "<sitemapindex><sitemap><loc>http://{address}/help.xml</loc></sitemap>\
         <sitemap><loc>http://elsewhere.invalid/more.xml</loc></sitemap></sitemapindex>"
    );
    let pages = [
        "help/fees.html",
        "help/moved",
        "help/away",
        "help/gone",
        "help/film",
        "help/fees.html#top",
        GREETINGS,
    ];
    let mut all: String =
        pages.map(|page| format!("<url><loc>http://{address}/{page}</loc></url>")).concat();
    all.push_str("<url><loc>http://elsewhere.invalid/x</loc></url>");
    let app = axum::Router::new()
        .route("/sitemap.xml", get(move || async move { xml(root) }))
        .route("/help.xml", get(move || async move { xml(format!("<urlset>{all}</urlset>")) }))
        .route("/help/fees.html", get(|| async { Html("<h1>Fees</h1><p>The code W-1 costs.</p>") }))
        .route(
            &format!("/{GREETINGS}"),
            get(|| async {
                let latin1 = b"<h1>Gr\xfc\xdfe</h1><p>Die W-3.</p>".to_vec();
                ([("content-type", "text/html; charset=ISO-8859-1")], latin1)
            }),
        )
        .route("/help/moved", get(|| async { Redirect::permanent("/help/new") }))
        .route("/help/new", get(|| async { Html("<h1>Moved</h1><p>The code W-2 moved.</p>") }))
        .route("/help/away", get(|| async { Redirect::temporary("http://elsewhere.invalid/y") }))
        .route("/help/film", get(|| async { ([("content-type", "video/mp4")], "x") }));
    let served = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    (address, served)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_sitemap_are_taken_from_allowed_hosts_only() {
    let (address, served) = site().await;
    let work = move || {
        let folder = tempfile::tempdir().expect("a folder");
        let sitemap = format!("http://{address}/sitemap.xml");
        let import = |more: &[&str]| {
            let start = ["knowledge", "import", &sitemap, "--data", "data", "--prefix", "web/"];
            backchannel(&[&start[..], more].concat(), folder.path())
        };
        let refused = import(&[]);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains("--allow-host 127.0.0.1"), "{}", said(&refused));
        let host = address.to_string();
        let first = import(&["--allow-host", &host]);
        let told = said(&first);
        assert_eq!(last(&first), "3 new, 0 changed, 0 unchanged, 0 kept, 0 missing, 5 refused");
        for part in [
            "more.xml: is on elsewhere.invalid",
            "elsewhere.invalid/x: is on elsewhere.invalid",
            "help/away: is on elsewhere.invalid",
            "help/gone: answers 404",
            "help/film: is \"video/mp4\"",
        ] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
        let again = import(&["--allow-host", &host]);
        assert!(last(&again).starts_with("0 new, 0 changed, 3 unchanged"), "{}", said(&again));
        let out = ["knowledge", "export", "out", "--data", "data"];
        assert_eq!(backchannel(&out, folder.path()).status.code(), Some(0));
        let moved = std::fs::read_to_string(folder.path().join("out/web/help/moved.md"));
        let moved = moved.expect("exported");
        assert!(
            moved.contains("W-2") && moved.contains(&format!("{address}/help/moved")),
            "{moved}"
        );
        let greetings = std::fs::read_to_string(folder.path().join("out/web/help/grüße.md"));
        assert!(greetings.expect("exported").contains("# Grüße"), "decoded as the site says");
        let page = format!("http://{address}/help/fees.html");
        let none = ["knowledge", "import", &page, "--data", "data", "--allow-host", "127.0.0.1"];
        let none = backchannel(&none, folder.path());
        assert!(said(&none).contains("is no sitemap"), "{}", said(&none));
    };
    tokio::task::spawn_blocking(work).await.expect("pages are taken");
    served.abort();
}
