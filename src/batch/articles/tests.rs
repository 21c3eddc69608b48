use std::io::Write as _;

use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use super::*;
use crate::domain::Audience;

fn gathered(folder: &Path, prefix: &str) -> Vec<Found> {
    let mut all = Vec::new();
    gather(&[folder.to_owned()], prefix, &mut |found| all.push(found));
    all
}

fn read(name: &str, bytes: &[u8]) -> Vec<Found> {
    let origin = Origin { place: name.to_owned(), name: name.to_owned(), prefix: "" };
    let mut all = Vec::new();
    read_bytes(Kind::of(name).unwrap(), bytes, &origin, &mut |found| all.push(found));
    all
}

fn one(name: &str, bytes: &[u8]) -> FileArticle {
    let mut all = read(name, bytes);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).article.unwrap()
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn front_matter_is_read_in_both_forms_and_kept_to_the_letter() {
    let yaml = "---\r\ntitle: Refunds   # the usual\r\nproducts: [broadband, phone]\r\naudience: customer\r\n\
        layout: page\r\nvalid_until: 2027-01-31\r\n---\r\n\r\n## When\r\nIn five days.\r\n";
    let toml = "\u{feff}+++\ntitle = 'Refunds'\nvalid_from = 2026-05-01\nweight = 3\n[asked_as]\n\
        \"When\" = [\"how long\"]\n+++\n## When\nIn five days.";
    let none = "# Refunds\n\n## When\nIn five days.\n\n---\nA rule.\n";
    for (text, title) in [(yaml, "Refunds"), (toml, "Refunds"), (none, "Refunds")] {
        let article = one("billing/refunds.md", text.as_bytes());
        assert_eq!((article.id.as_str(), &*article.title), ("billing/refunds", title));
        assert!(!article.body.starts_with(['+', '\r', '\n']), "{:?}", article.body);
        assert_eq!(to_markdown(&article), text);
        // What has changed since can't come from the file as it was.
        let changed = FileArticle { title: "New".into(), products: vec!["x\"y".into()], ..article };
        let written = to_markdown(&changed);
        let again = one("billing/refunds.md", written.as_bytes());
        let same = |one: &FileArticle| FileArticle { front_matter: None, ..one.clone() };
        assert_eq!(same(&again), same(&changed), "{written}");
        crate::knowledge::read("billing/refunds.md", &written).unwrap();
    }
    let article = one("a.md", yaml.as_bytes());
    assert_eq!(article.audience, [Audience::Customer]);
    assert_eq!(article.valid_until, Some(jiff::civil::date(2027, 1, 31)));
    assert_eq!(one("a.md", toml.as_bytes()).asked_as["When"], ["how long"]);
}

#[test]
fn what_is_wrong_with_front_matter_is_that_articles_error() {
    for (text, expected) in [
        ("+++\ntitle = \"x\n+++\nBody.", "front matter: "),
        ("+++\ntitle = 'x'\nBody.", "front matter: is not closed"),
        ("---\ntitle: [x\n---\nBody.", "front matter: "),
        ("---\njust words\n---\nBody.", "front matter: is no list of fields"),
        ("---\naudience: robots\n---\nBody.", "audience: "),
        ("---\nvalid_from: soon\n---\nBody.", "valid_from: "),
        ("---\ntitle: 7\nproducts: {a: 1}\n---\nBody.", "products: "),
        ("---\ntitle: x\n---\n", "body: "),
    ] {
        let found = read("a.md", text.as_bytes()).remove(0);
        let why = found.article.unwrap_err();
        assert!(why.starts_with(expected), "{why}");
    }
}

#[test]
fn a_files_own_name_counts_where_it_says_the_same() {
    let named = |name: &str| {
        let text = format!("+++\ntitle = \"Fees\"\nid = \"{name}\"\n+++\nWe charge £5.\n");
        one("fees.md", text.as_bytes()).id.to_string()
    };
    assert_eq!([named("billing/fees"), named("fees")], ["billing/fees", "fees"]);
    assert_eq!(named("late-fees"), "fees", "another article");
}

#[test]
fn html_becomes_text_and_scripts_are_gone() {
    let html = "<!doctype html><html lang='de-DE'><head><title>Fees &amp; more</title>\
        <style>p{color:red}</style><script>alert(1)</script></head><body onload='alert(2)'>\
        <nav>Home</nav><h1>Fees</h1><h2>Late</h2><p>We charge <b>£5</b>. <a href='javascript:alert(3)'>more</a>\
        <a href=\"JavaScript:alert(7)\">again</a></p>\
        <img src=x onerror=alert(4)><table><tr><th>Plan</th></tr><tr><td>A</td></tr></table>\
        <ul><li>one</li></ul><iframe src='//evil'></iframe><svg><script>alert(5)</script></svg></body></html>";
    let article = one("fees.html", html.as_bytes());
    assert_eq!((&*article.title, &*article.language), ("Fees & more", "de"));
    assert!(article.body.contains("[more](#)[again](#)"), "{}", article.body);
    for gone in ["alert", "javascript", "color:red", "evil", "Home", "onload"] {
        let is_there = article.body.to_lowercase().contains(gone);
        assert!(!is_there, "{gone}: {}", article.body);
    }
    let body = &article.body;
    assert!(body.contains("## Late") && body.contains("£5") && body.contains("one"), "{body}");
}

#[test]
fn a_word_file_keeps_headings_lists_and_tables() {
    let xml = r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>
        <w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>Refund policy</w:t></w:r></w:p>
        <w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>When</w:t></w:r></w:p>
        <w:p><w:r><w:t xml:space="preserve">Within </w:t></w:r><w:r><w:t>five days.</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>
        <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>First</w:t></w:r></w:p>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Plan</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Fee</w:t></w:r></w:p></w:tc></w:tr>
        <w:tr><w:tc><w:p><w:r><w:t>A|B</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>5</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        </w:body></w:document>"#;
    let article = one("policy.docx", &archive(&[("word/document.xml", xml.as_bytes())]));
    assert_eq!(article.title, "Refund policy");
    for line in ["## When", "Within five days.", "- First", "| Plan | Fee |", "| A\\|B | 5 |"] {
        assert!(article.body.contains(line), "{line}: {}", article.body);
    }
    assert!(!article.body.contains("gone"));
    let why = read("x.docx", b"PK no").remove(0).article.unwrap_err();
    assert!(why.starts_with("is no Word file"), "{why}");
}

#[test]
fn the_text_of_a_pdf_is_read() {
    let stream = "BT /F1 24 Tf 72 720 Td (Refunds take five days.) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(pdf.len());
        pdf.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let xref = pdf.len();
    pdf.push_str("xref\n0 6\n0000000000 65535 f \n");
    places.iter().for_each(|at| pdf.push_str(&format!("{at:010} 00000 n \n")));
    pdf.push_str(&format!("trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF"));
    let article = one("how-to-refund.pdf", pdf.as_bytes());
    assert_eq!(article.title, "How to refund");
    assert!(article.body.contains("Refunds take five days."), "{}", article.body);
    assert!(read("x.pdf", b"%PDF-1.4 nothing").remove(0).article.is_err());
}

#[test]
fn tables_of_questions_are_articles() {
    let csv = "Question;Answer;Products\nHow long?;\"Five days;\nat most\";broadband, phone\n;;\nWhy?;;\n";
    let found = read("faq.csv", csv.as_bytes());
    let first = found[0].article.as_ref().unwrap();
    assert_eq!((first.id.as_str(), &*first.title), ("faq/how-long", "How long?"));
    assert_eq!(first.body, "## How long?\n\nFive days;\nat most\n");
    assert_eq!(first.products, ["broadband", "phone"]);
    assert!(found[1].article.is_err() && found[2].article.is_err());
    assert_eq!(found[2].place, "faq.csv:5");

    let json = r###"{"items": [{"id": "a/b", "title": "T", "body": "## H\nx"}, 7, {"q": "Why?", "a": "So."}]}"###;
    let found = read("faq.json", json.as_bytes());
    assert_eq!(found[0].article.as_ref().unwrap().id.as_str(), "a/b");
    assert_eq!(found[1].article, Err("is no object".into()));
    assert_eq!(found[2].article.as_ref().unwrap().body, "## Why?\n\nSo.\n");

    let lines = "{\"id\": \"a\", \"title\": \"T\", \"body\": \"x\", \"source_path\": \"p.md\", \"repo\": \"r\"}\n\n{oops\n";
    let found = read("articles.jsonl", lines.as_bytes());
    assert_eq!(found[0].article.as_ref().unwrap().source.as_deref(), Some("p.md"));
    assert_eq!((&*found[1].place, found[1].article.is_err()), ("articles.jsonl:3", true));
}

#[test]
fn a_tree_is_read_and_what_can_t_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("sub")).unwrap();
    for (name, text) in [
        ("README.md", "For people."),
        ("good.md", "Good."),
        ("sub/self.md", "See [this](self.md) and [that](#part)."),
        ("sub/READ me!.md", "Odd name."),
        ("sub/.hidden.md", "Hidden."),
        ("sub/picture.png", "no text"),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    std::fs::write(path("bad.txt"), b"\xff\xfe").unwrap();
    std::fs::File::create(path("long.md")).unwrap().set_len(50 << 20).unwrap();
    std::os::unix::fs::symlink(folder.path(), path("sub/loop")).unwrap();
    let entries =
        archive(&[("in/side.md", b"Inside."), ("../out.md", b"Outside."), ("in/x.zip", b"z")]);
    std::fs::write(path("pack.zip"), entries).unwrap();

    let all = gathered(folder.path(), "kb/");
    let ids: Vec<&str> = all
        .iter()
        .filter_map(|found| found.article.as_ref().ok())
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(ids, ["kb/good", "kb/in/side", "kb/sub/READ-me-", "kb/sub/self"]);
    let noted = all.iter().find(|found| found.place.ends_with("self.md")).unwrap();
    assert_eq!(noted.notes, ["links to itself: self.md"]);
    let why = |end: &str| {
        let found = all.iter().find(|found| found.place.ends_with(end)).unwrap();
        found.article.clone().unwrap_err()
    };
    assert_eq!(why("bad.txt"), "is not UTF-8 at byte 0");
    assert_eq!(why("long.md"), "is 50 MiB long, 240 KiB are the most");
    assert!(why("sub/loop").contains("loop"), "{}", why("sub/loop"));
    assert_eq!(why("in/x.zip"), "is an archive in an archive");
    assert_eq!(all.len(), ids.len() + 4);
    let alone = gathered(&path("sub/picture.png"), "");
    assert!(alone[0].article.as_ref().unwrap_err().starts_with("is no md"));
}

#[test]
fn an_archive_of_too_many_files_is_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for number in 0..70_000 {
        writer.start_file(format!("{number}.md"), SimpleFileOptions::default()).unwrap();
    }
    writer.finish().unwrap();
    let all = gathered(&path, "");
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].article, Err("holds 70000 files, 20000 are the most".into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for name in ["a.md", "a.html", "a.txt", "a.pdf", "a.docx", "a.csv", "a.json", "a.jsonl"] {
            for head in [&b""[..], b"---\n", b"+++\n", b"%PDF-1.4\n", b"PK\x03\x04", b"{\"a\":"] {
                read(name, &[head, &bytes].concat());
            }
        }
    }

    #[test]
    fn markdown_comes_back_to_the_letter(text in "(\\PC|\n|\r\n|---\n|\\+\\+\\+\n|# |title: x\n){0,60}") {
        if let Ok(article) = read_markdown(&"a/b".into(), &text) {
            prop_assert_eq!(to_markdown(&article), text);
        }
    }
}

#[test]
fn what_is_packed_or_nested_beyond_all_measure_is_refused() {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..257 {
        packed.write_all(&zeros).unwrap();
    }
    let mut bomb = b"%PDF-1.4\n1 0 obj\n<</Filter /FlateDecode>>\nstream\n".to_vec();
    bomb.extend(packed.finish().unwrap());
    bomb.extend(b"\nendstream\nendobj\n");
    assert!(bomb.len() < 1 << 20);
    let why = read("bomb.pdf", &bomb).remove(0).article.unwrap_err();
    assert!(why.contains("256 MiB"), "{why}");

    let deep = format!("<html><body>{}text</body></html>", "<div>".repeat(20_000));
    let why = read("deep.html", deep.as_bytes()).remove(0).article.unwrap_err();
    assert!(why.contains("400 deep"), "{why}");
    // Ends that may be left out make nothing deep.
    let long = format!("<html><body><h2>x</h2>{}</body></html>", "<p>a line<br>".repeat(2_000));
    assert!(one("long.html", long.as_bytes()).body.contains("a line"));
}
