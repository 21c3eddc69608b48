use proptest::prelude::*;

use super::super::quoted::{html, without_history};
use super::super::read::MESSAGE_MAX_BYTES;
use super::super::{Inbound, ReadError, read};

fn message(headers: &str, body: &str) -> Vec<u8> {
    let text = format!("From: Zoe <Zoe@Example.org>\nTo: ada@x.org\n{headers}\n\n{body}");
    text.replace('\n', "\r\n").into_bytes()
}

fn parsed(headers: &str, body: &str) -> Inbound {
    read(&message(headers, body)).expect("a message")
}

#[test]
fn a_message_is_taken_apart() {
    let one = parsed(
        "Subject: =?utf-8?Q?R=C3=BCckerstattung?=\nMessage-ID: <m-2@example.org>\n\
         References: <m-0@example.org> <m-1@example.org>\nIn-Reply-To: <m-1@example.org>\n\
         Date: Thu, 26 Nov 2026 10:00:00 +0100\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: quoted-printable",
        "Wo ist mein Geld=3F M=C3=BCller",
    );
    assert_eq!(one.message_id.as_deref(), Some("m-2@example.org"));
    assert_eq!(one.from.address, "zoe@example.org");
    assert_eq!(one.from.name.as_deref(), Some("Zoe"));
    assert_eq!(one.references, ["m-0@example.org", "m-1@example.org"]);
    assert_eq!(one.subject.as_str(), "Rückerstattung");
    assert_eq!(one.text.as_str(), "Wo ist mein Geld? Müller");
    assert_eq!(one.sent_at.expect("a date").to_string(), "2026-11-26T09:00:00Z");
    assert!(!one.is_automatic && !one.is_cut && one.attachments.is_empty());
}

#[test]
fn card_numbers_are_masked() {
    let one = parsed("Subject: my card 4111 1111 1111 1111", "It is 4111-1111-1111-1111.");
    assert!(!one.subject.as_str().contains("1111"), "{}", one.subject.as_str());
    assert!(!one.text.as_str().contains("1111"), "{}", one.text.as_str());
}

#[test]
fn attachments_are_named_and_not_read() {
    let one = parsed(
        "Content-Type: multipart/mixed; boundary=b",
        "--b\nContent-Type: text/plain\n\nSee the invoice.\n--b\nContent-Type: application/pdf\n\
         Content-Disposition: attachment; filename=\"invoice.pdf\"\nContent-Transfer-Encoding: base64\n\n\
         JVBERi0=\n--b--\n",
    );
    assert_eq!(one.text.as_str(), "See the invoice.");
    let attachment = &one.attachments[0];
    assert_eq!(attachment.name.as_ref().expect("a name").as_str(), "invoice.pdf");
    assert_eq!((attachment.media_type.as_str(), attachment.bytes), ("application/pdf", 5));
}

#[test]
fn programs_are_told_from_people() {
    for header in [
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "List-Id: <news.example.org>",
        "X-Auto-Response-Suppress: All",
        "Return-Path: <>",
        "Content-Type: multipart/report; boundary=b",
    ] {
        assert!(parsed(header, "Away.").is_automatic, "{header}");
    }
    assert!(!parsed("Auto-Submitted: no", "Hello.").is_automatic);
}

#[test]
fn what_is_no_message_is_refused() {
    assert_eq!(read(b""), Err(ReadError::NoMessage));
    assert_eq!(read(b"Subject: x\r\n\r\nhello"), Err(ReadError::NoSender));
    assert_eq!(read(&vec![b'a'; MESSAGE_MAX_BYTES + 1]), Err(ReadError::TooLong));
    let long = parsed("Subject: x", &"word ".repeat(10_000));
    assert!(long.is_cut && long.text.as_str().len() == 20_000);
}

#[test]
fn history_and_signatures_are_left_out() {
    for (whole, fresh) in [
        (
            "Yes, please.\n\nOn Mon, 2 Nov 2026 at 10:00, Ada <ada@x.org> wrote:\n> Shall we?\n> Ada",
            "Yes, please.",
        ),
        (
            "Yes.\n\nOn Mon, 2 Nov 2026 at 10:00, Ada Agent\n<ada@x.org> wrote:\n\n> Shall we?",
            "Yes.",
        ),
        ("Ja.\n\nAm 02.11.26 um 10:00 schrieb Ada:\n> Sollen wir?", "Ja."),
        ("Oui.\n\nLe lun. 2 nov. 2026 à 10:00, Ada <ada@x.org> a écrit :\n> On y va ?", "Oui."),
        // History without marks: all of it is.
        ("Yes.\n\nOn Mon, 2 Nov 2026 at 10:00, Ada wrote:\nShall we?\nAda", "Yes."),
        // The answer stands below.
        (
            "On Mon, 2 Nov 2026 at 10:00, Ada wrote:\n> Shall we?\n\nYes, on Friday.",
            "Yes, on Friday.",
        ),
        // And between.
        ("> Shall we?\nYes.\n> When?\nOn Friday.", "Yes.\nOn Friday."),
        ("Yes.\n\n-----Original Message-----\nFrom: Ada\nShall we?", "Yes."),
        (
            "Ja.\n\n________________________________\nVon: Ada <ada@x.org>\nGesendet: Montag\nAn: Zoe\nBetreff: x\n\nSollen wir?",
            "Ja.",
        ),
        ("Yes.\n\nFrom: Ada <ada@x.org>\nSent: Monday\nTo: Zoe\nSubject: x\n\nShall we?", "Yes."),
        ("Yes.\n-- \nZoe Müller\n+44 20 7946 0123", "Yes."),
        ("Yes.\n\nSent from my iPhone", "Yes."),
        ("Yes.\n\nVon meinem iPhone gesendet\n", "Yes."),
        // No history at all.
        (
            "From: London to Paris\nI want to move my booking.",
            "From: London to Paris\nI want to move my booking.",
        ),
        ("From: London\nTo: Paris\nDate: 3 May", "From: London\nTo: Paris\nDate: 3 May"),
        ("On Monday I wrote:\nnothing came back.", "On Monday I wrote:\nnothing came back."),
        ("The order is:\n--- two lamps ---\nThanks", "The order is:\n--- two lamps ---\nThanks"),
        // Nothing else would be left.
        ("> only a quotation", "> only a quotation"),
        ("-- \nZoe", "-- \nZoe"),
        ("", ""),
    ] {
        assert_eq!(without_history(whole), fresh, "{whole}");
    }
}

#[test]
fn html_is_read_up_to_its_history() {
    let one = parsed(
        "Content-Type: text/html; charset=utf-8",
        "<html><head><style>p {color: red}</style></head><body><p>Yes &amp; thanks</p>\
         <div class=\"gmail_quote\"><div>On Monday Ada wrote:</div><blockquote>Shall we?</blockquote></div></body></html>",
    );
    assert_eq!(one.text.as_str(), "Yes & thanks");
    let text = |text: &str| text.to_owned();
    assert_eq!(html("a<BLOCKQUOTE>b", text), "a");
    assert_eq!(html("<blockquote>b</blockquote>", text), "<blockquote>b</blockquote>");
    assert_eq!(html("Yes.<div dir=\"ltr\" class=\"gmail_quote\">b", text), "Yes.");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&raw);
    }

    #[test]
    fn no_message_makes_it_panic(
        headers in "((Subject|References|Content-Type|Date|Message-ID|To): (\\PC|=\\?utf-8\\?[BQ]\\?|<|>|multipart/mixed; boundary=b|message/rfc822){0,12}\n){0,6}",
        body in "(--b\n|--b--\n|Content-Type: |text/html|multipart/alternative; boundary=b|message/rfc822|>|On |wrote:|From: |Sent: |<blockquote|<div |\n|\\PC){0,80}",
    ) {
        if let Ok(one) = read(&message(headers.trim_end(), &body)) {
            prop_assert!(!one.text.as_str().contains('\r'));
            prop_assert!(one.from.address == "zoe@example.org");
        }
    }

    #[test]
    fn what_is_new_is_never_lost_without_marks(text in "[a-zà-ü ,.!?\n]{0,200}") {
        let fresh = without_history(&text);
        prop_assert_eq!(fresh, text.trim());
    }
}
