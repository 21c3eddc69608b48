//! What binds somebody: verbs, denials and conditions of any language, and questions back.

use super::{Role, material};
use crate::domain::{ArticleId, Citation, Fault, PassageId, Redacted};
use crate::grounding::{Claim, Ground, Verifier};
use crate::models::Material;

fn call() -> Material {
    let (customer, agent) = (Role::Customer, Role::Agent);
    let mut material = material(&[
        (customer, "My broadband has been down since Saturday and the box shows error E-104."),
        (agent, "There's a fault at the exchange because a card has failed."),
        (agent, "I've booked an engineer for you. He will be with you on Thursday at two."),
        (
            customer,
            "And I was charged 42 pounds for last month. I want compensation for the trouble.",
        ),
        (agent, "I can't promise any compensation. I'll refund the 42 pounds today."),
        (customer, "Has my tariff been changed? And can you unlock the phone?"),
        (agent, "We can unlock the phone. The bill is on its way, it was posted on Friday."),
    ]);
    material.passages.push(Citation {
        article_id: ArticleId::from("billing/late"),
        passage_id: PassageId::from("billing/late#1"),
        revision: 1,
        start_chars: 0,
        end_chars: 110,
        quote: "A late payment fee of 12 pounds is charged after 14 days. Overpaid bills are refunded by cheque."
            .into(),
    });
    material
}

fn fault(ground: &Ground, sentence: &str) -> Option<Fault> {
    let claim = Claim::new(Redacted::vouched(sentence), Vec::<String>::new());
    Verifier.check(&claim, ground).err().map(|struck| struck.fault)
}

#[test]
fn a_noun_bears_out_no_verb() {
    let ground = Ground::of(&call()).strictly();
    for sentence in [
        "Your compensation was approved.",
        "We approved your compensation.",
        "We offered you compensation.",
        "Our engineer repaired the exchange.",
        "We replaced the card at the exchange.",
        "We cancelled your engineer.",
        "You will pay 42 pounds on Thursday at two.",
        "Your refund of 42 pounds was paid.",
        "Your late payment fee was waived.",
        "Your compensation is approved.",
        "Your engineer has been cancelled and the fault repaired.",
    ] {
        assert!(
            matches!(fault(&ground, sentence), Some(Fault::Meaning | Fault::Negation)),
            "{sentence}"
        );
    }
}

#[test]
fn a_promise_is_no_deed() {
    let ground = Ground::of(&call()).strictly();
    let cases = [
        // What is to come isn't done, what can be isn't promised.
        ("We refunded the 42 pounds.", Some(Fault::Meaning)),
        ("The 42 pounds have been refunded.", Some(Fault::Meaning)),
        ("The 42 pounds will be refunded today.", None),
        ("We will refund the 42 pounds today.", None),
        ("We will unlock the phone.", Some(Fault::Meaning)),
        ("The phone was unlocked.", Some(Fault::Meaning)),
        ("We can unlock the phone.", None),
        ("The engineer came on Thursday.", Some(Fault::Meaning)),
        ("The engineer will be with you on Thursday.", None),
        // A question says nothing.
        ("Your tariff has been changed.", Some(Fault::Meaning)),
        // Done is done, in other words too.
        ("We have booked an engineer for you.", None),
        ("An engineer has been arranged for you.", None),
        ("The bill was sent on Friday.", None),
        // What is done for all isn't done for one.
        ("Your bills were refunded by cheque.", Some(Fault::Meaning)),
        ("Overpaid bills are refunded by cheque.", None),
    ];
    for (sentence, expected) in cases {
        assert_eq!(fault(&ground, sentence), expected, "{sentence}");
    }
}

#[test]
fn a_summary_makes_up_nothing_that_settles_a_matter() {
    let ground = Ground::of(&call());
    for (sentence, expected) in [
        ("The compensation was approved.", Some(Fault::Meaning)),
        ("The 42 pounds were refunded.", Some(Fault::Meaning)),
        ("The customer wants compensation for the trouble.", None),
        ("The agent will refund the 42 pounds today.", None),
        ("The agent arranged for an engineer on Thursday.", None),
    ] {
        assert_eq!(fault(&ground, sentence), expected, "{sentence}");
    }
}

#[test]
fn denials_and_conditions_hold_in_four_languages() {
    use Fault::{Condition, Negation};
    type Case = (&'static [&'static str], &'static [(&'static str, Option<Fault>)]);
    let cases: &[Case] = &[
        (
            &[
                "Die Gebühr von 20 Euro können wir Ihnen leider nicht erstatten.",
                "Sonntags schicken wir keinen Techniker in die Wohnung.",
                "Wenn Sie die Rechnung bezahlen, schalten wir den Anschluss am Montag frei.",
                "Das Gerät tauschen wir nur gegen Vorlage der Quittung um.",
                "Wir stellen den Vertrag zum Mai auf den kleinen Tarif um.",
                "Den Preis erhöhen wir in diesem Jahr nicht.",
            ],
            &[
                ("Die Gebühr von 20 Euro können wir Ihnen erstatten.", Some(Negation)),
                ("Die Gebühr von 20 Euro können wir leider nicht erstatten.", None),
                ("Sonntags schicken wir einen Techniker in die Wohnung.", Some(Negation)),
                ("Wir schalten den Anschluss am Montag frei.", Some(Condition)),
                (
                    "Wenn Sie die Rechnung bezahlen, schalten wir den Anschluss am Montag frei.",
                    None,
                ),
                ("Das Gerät tauschen wir um.", Some(Condition)),
                ("Den Vertrag stellen wir zum Mai auf den kleinen Tarif um.", None),
                ("Wir stellen den Vertrag nicht zum Mai auf den kleinen Tarif um.", Some(Negation)),
                ("Wir erhöhen den Preis in diesem Jahr.", Some(Negation)),
                ("Wir erhöhen den Preis in diesem Jahr nicht.", None),
                ("Ihr Vertrag wurde gekündigt.", Some(Fault::Meaning)),
                ("Der kleine Tarif wurde genehmigt.", Some(Fault::Meaning)),
            ],
        ),
        (
            &[
                "Nous ne pouvons pas vous rembourser la facture de mars.",
                "Nous remplaçons la box à condition que vous renvoyiez l’ancienne.",
                "Le colis arrivera jeudi avec un nouveau câble.",
                "Votre abonnement est maintenu sauf si vous le résiliez avant lundi.",
            ],
            &[
                ("Nous pouvons vous rembourser la facture de mars.", Some(Negation)),
                ("Nous ne pouvons pas rembourser la facture de mars.", None),
                ("Nous remplaçons la box.", Some(Condition)),
                ("Le colis arrivera jeudi.", None),
                ("Le colis n’arrivera pas jeudi.", Some(Negation)),
                ("Votre abonnement est maintenu.", Some(Condition)),
                ("Le câble a été annulé.", Some(Fault::Meaning)),
                ("Nous avons annulé le colis.", Some(Fault::Meaning)),
            ],
        ),
        (
            &[
                "Nunca enviamos un técnico el domingo.",
                "Le devolvemos el dinero solo si devuelve el equipo completo.",
                "El lunes cambiamos la tarifa de su contrato.",
                "No podemos reembolsar la factura de marzo.",
            ],
            &[
                ("Enviamos un técnico el domingo.", Some(Negation)),
                ("Nunca enviamos un técnico el domingo.", None),
                ("Le devolvemos el dinero.", Some(Condition)),
                ("Cambiamos la tarifa de su contrato el lunes.", None),
                ("Podemos reembolsar la factura de marzo.", Some(Negation)),
                ("No podemos reembolsar la factura de marzo.", None),
                ("Su contrato fue aprobado.", Some(Fault::Meaning)),
            ],
        ),
    ];
    for (said, sentences) in cases {
        let turns: Vec<(Role, &str)> = said.iter().map(|text| (Role::Agent, *text)).collect();
        let ground = Ground::of(&material(&turns)).strictly();
        for (sentence, expected) in *sentences {
            assert_eq!(fault(&ground, sentence), *expected, "{sentence}");
        }
    }
}

#[test]
fn a_question_back_tells_nothing() {
    let ground = Ground::of(&call()).strictly();
    let asks = |text: &str| Verifier.asks(&Redacted::vouched(text), &ground);
    for question in [
        "Which month is the bill for?",
        "Is it the broadband or the phone?",
        "Could you tell me which bill you mean?",
        "For which product, the broadband or the phone?",
        "Do you know whether the fee was charged?",
        "We can unlock the phone, so when do you need it?",
    ] {
        assert!(asks(question), "{question}");
    }
    for told in [
        "Your refund is approved and the fee is waived. Which card should the refund go to?",
        "Your refund is approved, which card should it go to?",
        "Your compensation is approved, which card should it go to?",
        "Which card should it go to, since your refund is approved?",
        "Which card, which we replaced, do you mean?",
        "The fee is waived and which card do you use?",
        "Which card? The fee is waived. Is it this one?",
        "Your fee is waived?",
        "The fee is waived.",
        "Is it the 77 pounds?",
        "",
    ] {
        assert!(!asks(told), "{told}");
    }

    let german = [
        (
            Role::Customer,
            "Ich habe zwei Karten und suche eine Rechnung, auf der eine Gebühr steht.",
        ),
        (Role::Agent, "Die Gebühr können wir Ihnen nicht erlassen."),
    ];
    let ground = Ground::of(&material(&german)).strictly();
    let asks = |text: &str| Verifier.asks(&Redacted::vouched(text), &ground);
    assert!(asks("Welche Rechnung meinen Sie?"));
    assert!(asks("Können Sie mir sagen, welche Rechnung Sie meinen?"));
    assert!(!asks("Die Gebühr ist erlassen, welche Rechnung meinen Sie?"));
}
