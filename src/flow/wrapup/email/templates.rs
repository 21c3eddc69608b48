//! The program's own words in e-mails. They say nothing about the conversation.

use super::super::Language;
use crate::domain::{EmailPurpose, EmailTone};

/// The words of one language; three of a kind are friendly, professional and formal.
pub(super) struct Template {
    /// Before a name, and without one.
    greetings: [(&'static str, &'static str); 3],
    /// In the order of [`EmailPurpose::NAMED`], and for a custom one.
    openings: [&'static str; 6],
    subjects: [&'static str; 5],
    closings: [&'static str; 3],
    goodbyes: [&'static str; 3],
    pub told_us: &'static str,
    pub we_did: &'static str,
    pub next: &'static str,
    pub known: &'static str,
    pub agreed: &'static str,
    pub said: &'static str,
}

const fn of_tone(tone: EmailTone) -> usize {
    match tone {
        EmailTone::Friendly => 0,
        EmailTone::Professional => 1,
        EmailTone::Formal => 2,
    }
}

const fn of_purpose(purpose: &EmailPurpose) -> usize {
    match purpose {
        EmailPurpose::FollowUp => 0,
        EmailPurpose::Resolution => 1,
        EmailPurpose::Information => 2,
        EmailPurpose::Apology => 3,
        EmailPurpose::Appointment => 4,
        EmailPurpose::Custom(_) => 5,
    }
}

impl Template {
    pub(super) const fn greeting(&self, tone: EmailTone) -> (&'static str, &'static str) {
        self.greetings[of_tone(tone)]
    }

    pub(super) const fn opening(&self, purpose: &EmailPurpose) -> &'static str {
        self.openings[of_purpose(purpose)]
    }

    /// Empty for a custom purpose, whose own words are the subject.
    pub(super) fn subject(&self, purpose: &EmailPurpose) -> &'static str {
        self.subjects.get(of_purpose(purpose)).copied().unwrap_or_default()
    }

    pub(super) const fn closing(&self, tone: EmailTone) -> &'static str {
        self.closings[of_tone(tone)]
    }

    pub(super) const fn goodbye(&self, tone: EmailTone) -> &'static str {
        self.goodbyes[of_tone(tone)]
    }
}

pub(super) const fn template(language: Language) -> &'static Template {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
        Language::French => &FRENCH,
        Language::Spanish => &SPANISH,
    }
}

static ENGLISH: Template = Template {
    greetings: [("Hi ", "Hi,"), ("Hello ", "Hello,"), ("Dear ", "Dear Sir or Madam,")],
    openings: [
        "Thank you for contacting us. This is what we talked about.",
        "Thank you for contacting us. This is what has been done.",
        "Thank you for contacting us. This is what our help pages say.",
        "We apologise for the trouble that you have had.",
        "This is what we agreed.",
        "Thank you for contacting us.",
    ],
    subjects: [
        "Our conversation",
        "What has been done",
        "The information that you asked for",
        "Our apologies",
        "Your appointment",
    ],
    closings: [
        "If anything isn't right, just reply to this e-mail.",
        "If you have any questions, please reply to this e-mail.",
        "Should you have any further questions, please do not hesitate to reply to this e-mail.",
    ],
    goodbyes: ["Best wishes", "Kind regards", "Yours sincerely"],
    told_us: "You told us:",
    we_did: "What we told you about it:",
    next: "What happens next:",
    known: "From our help pages:",
    agreed: "What we agreed:",
    said: "What we told you:",
};

static GERMAN: Template = Template {
    greetings: [
        ("Hallo ", "Hallo,"),
        ("Guten Tag ", "Guten Tag,"),
        ("Guten Tag ", "Sehr geehrte Damen und Herren,"),
    ],
    openings: [
        "vielen Dank, dass Sie sich an uns gewandt haben. Darüber haben wir gesprochen.",
        "vielen Dank, dass Sie sich an uns gewandt haben. Das ist geschehen.",
        "vielen Dank, dass Sie sich an uns gewandt haben. Das steht auf unseren Hilfeseiten.",
        "bitte entschuldigen Sie die Unannehmlichkeiten.",
        "das haben wir vereinbart.",
        "vielen Dank, dass Sie sich an uns gewandt haben.",
    ],
    subjects: [
        "Unser Gespräch",
        "Das ist geschehen",
        "Ihre Frage",
        "Wir bitten um Entschuldigung",
        "Ihr Termin",
    ],
    closings: [
        "Wenn etwas nicht stimmt, antworten Sie einfach auf diese E-Mail.",
        "Bei Fragen antworten Sie bitte auf diese E-Mail.",
        "Für Rückfragen stehen wir Ihnen gern zur Verfügung.",
    ],
    goodbyes: ["Viele Grüße", "Freundliche Grüße", "Mit freundlichen Grüßen"],
    told_us: "Sie sagten uns:",
    we_did: "Dazu haben wir Ihnen gesagt:",
    next: "Wie es weitergeht:",
    known: "Von unseren Hilfeseiten:",
    agreed: "Das haben wir vereinbart:",
    said: "Wir haben Ihnen gesagt:",
};

static FRENCH: Template = Template {
    greetings: [
        ("Bonjour ", "Bonjour,"),
        ("Bonjour ", "Bonjour,"),
        ("Bonjour ", "Madame, Monsieur,"),
    ],
    openings: [
        "Merci de nous avoir contactés. Voici ce dont nous avons parlé.",
        "Merci de nous avoir contactés. Voici ce qui a été fait.",
        "Merci de nous avoir contactés. Voici ce que disent nos pages d'aide.",
        "Nous vous prions de nous excuser pour la gêne occasionnée.",
        "Voici ce que nous avons convenu.",
        "Merci de nous avoir contactés.",
    ],
    subjects: [
        "Notre échange",
        "Ce qui a été fait",
        "Les informations demandées",
        "Nos excuses",
        "Votre rendez-vous",
    ],
    closings: [
        "Si quelque chose ne va pas, répondez simplement à cet e-mail.",
        "Pour toute question, merci de répondre à cet e-mail.",
        "Nous restons à votre disposition pour toute question.",
    ],
    goodbyes: ["Bien à vous", "Cordialement", "Veuillez agréer nos salutations distinguées"],
    told_us: "Vous nous avez dit :",
    we_did: "Ce que nous vous avons dit à ce sujet :",
    next: "La suite :",
    known: "Extrait de nos pages d'aide :",
    agreed: "Ce que nous avons convenu :",
    said: "Nous vous avons dit :",
};

static SPANISH: Template = Template {
    greetings: [
        ("Hola, ", "Hola:"),
        ("Buenos días, ", "Buenos días:"),
        ("Buenos días, ", "Estimados señores:"),
    ],
    openings: [
        "Gracias por ponerse en contacto con nosotros. Esto es lo que hablamos.",
        "Gracias por ponerse en contacto con nosotros. Esto es lo que se ha hecho.",
        "Gracias por ponerse en contacto con nosotros. Esto dicen nuestras páginas de ayuda.",
        "Le pedimos disculpas por las molestias.",
        "Esto es lo que acordamos.",
        "Gracias por ponerse en contacto con nosotros.",
    ],
    subjects: [
        "Nuestra conversación",
        "Lo que se ha hecho",
        "La información solicitada",
        "Nuestras disculpas",
        "Su cita",
    ],
    closings: [
        "Si algo no está bien, responda a este correo.",
        "Si tiene alguna pregunta, responda a este correo.",
        "Quedamos a su disposición para cualquier consulta.",
    ],
    goodbyes: ["Un saludo", "Saludos cordiales", "Atentamente"],
    told_us: "Usted nos dijo:",
    we_did: "Lo que le dijimos al respecto:",
    next: "Próximos pasos:",
    known: "De nuestras páginas de ayuda:",
    agreed: "Lo que acordamos:",
    said: "Le dijimos:",
};
