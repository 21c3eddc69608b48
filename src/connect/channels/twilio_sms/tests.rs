use super::*;

fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn webhook() -> Webhook {
    Webhook {
        connector: "twilio".into(),
        auth_token: "12345".into(),
        public: PublicUrl::parse("https://copilot.example.com").expect("an address"),
    }
}

#[test]
fn messages_are_read_with_their_addresses_as_everybody_writes_them() {
    let whole = form(&[
        ("MessageSid", "SM1"),
        ("From", "+442079460123"),
        ("To", "12345"),
        ("Body", "Where is  my refund?"),
        ("NumMedia", "0"),
    ]);
    let message = webhook().read(&whole).expect("a message");
    let route = &message.route;
    // White space is in no address.
    assert!(webhook().read(&form(&[("MessageSid", "SM1"), ("From", "a b"), ("To", "1")])).is_err());
    assert_eq!((route.theirs.as_str(), route.ours.as_str()), ("+442079460123", "12345"));
    assert_eq!((message.channel, message.text.as_str()), (Channel::Sms, "Where is  my refund?"));
}

#[test]
fn pictures_and_whatsapp_are_told() {
    let picture = form(&[
        ("MessageSid", "MM1"),
        ("From", "whatsapp:+442079460123"),
        ("To", "whatsapp:+15550100"),
        ("Body", ""),
        ("NumMedia", "1"),
    ]);
    let message = webhook().read(&picture).expect("a message");
    assert_eq!((message.channel, message.text.as_str()), (Channel::Chat, "[1 attachment]"));
    assert_eq!(message.route.theirs, "whatsapp:+442079460123");
    assert_eq!(message.name.as_deref(), Some("+442079460123"));
    for missing in ["MessageSid", "From", "To"] {
        let less: Vec<(String, String)> =
            picture.iter().filter(|(name, _)| name != missing).cloned().collect();
        assert!(webhook().read(&less).is_err_and(|error| error.to_string().contains(missing)));
    }
}

#[test]
fn another_form_or_address_is_not_signed() {
    let pairs = form(&[("From", "+442079460123"), ("Body", "Hi")]);
    // HMAC-SHA1 with the key 12345 of the address, `BodyHi` and `From+442079460123`
    let given =
        signature_of("https://copilot.example.com/v1/channels/twilioBodyHiFrom+442079460123");
    assert!(webhook().signs("/v1/channels/twilio", &pairs, &given));
    let other = form(&[("From", "+442079460123"), ("Body", "Ho")]);
    assert!(!webhook().signs("/v1/channels/twilio", &other, &given));
    assert!(!webhook().signs("/v1/channels/twilio?x=1", &pairs, &given));
    assert!(!webhook().signs("/v1/channels/twilio", &pairs, ""));
}

fn signature_of(text: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"12345").expect("a key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}
