//! Words that tell what a sentence does: complains, promises, thanks. By hand, in four languages.

use std::ops::{BitOr, BitOrAssign};
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// What the words of a sentence do; a sentence may do several things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cues(u32);

impl Cues {
    pub const PROBLEM: Self = Self(1);
    /// Wants or asks for something.
    pub const WISH: Self = Self(1 << 1);
    /// Courtesy and small talk: says nothing by itself.
    pub const COURTESY: Self = Self(1 << 2);
    /// Asks who somebody is, or for details of theirs.
    pub const IDENTITY: Self = Self(1 << 3);
    /// Tells somebody to do something.
    pub const ADVICE: Self = Self(1 << 4);
    /// Tells what was done about it already.
    pub const TRIED: Self = Self(1 << 5);
    /// Says what somebody will do.
    pub const PROMISE: Self = Self(1 << 6);
    /// Says why.
    pub const CAUSE: Self = Self(1 << 7);
    /// Says how it ended.
    pub const OUTCOME: Self = Self(1 << 8);
    /// Says what comes.
    pub const COMING: Self = Self(1 << 9);
    /// Keeps somebody waiting for a moment.
    pub const HOLD: Self = Self(1 << 10);
    /// Says what was seen or looked up.
    pub const FINDING: Self = Self(1 << 11);
    pub const CALLBACK: Self = Self(1 << 12);
    pub const MEETING: Self = Self(1 << 13);
    pub const APOLOGY: Self = Self(1 << 14);
    pub const ERROR: Self = Self(1 << 15);
    pub const NEGATION: Self = Self(1 << 16);
    /// Says that somebody doesn't know.
    pub const DOUBT: Self = Self(1 << 17);

    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Cues {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Cues {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// In the form that `words` gives a sentence.
const TABLE: &[(Cues, &str)] = &[
    (
        Cues::PROBLEM,
        "problem|problems|issue|issues|trouble|wrong|broken|broke|fault|faulty|error|failed|fails|\
         failing|not working|isnt working|doesnt work|wont work|stopped working|not able to|unable to|\
         cant|cannot|could not|couldnt|wont let|wont|never arrived|not arrived|hasnt arrived|havent received|\
         not received|didnt receive|still waiting|been waiting|late|delayed|delay|missing|lost|charged twice|charged me|\
         overcharged|double|down|slow|crash|crashes|crashing|crashed|freezes|freezing|cancelled|complaint|\
         complain|disappointed|frustrated|frustrating|unacceptable|terrible|awful|worst|ridiculous|keeps|\
         dropping|cut off|disconnected|damaged|stolen|scam|locked out|incorrect|never|nobody|no one|no internet|no signal|\
         kaputt|problem mit|funktioniert nicht|geht nicht|fehler|falsch|störung|leider nicht|defekt|ausgefallen|beschwerde|\
         problème|panne|ne marche pas|ne fonctionne pas|erreur|retard|réclamation|\
         problema|no funciona|avería|error en|no puedo|retraso|queja",
    ),
    (
        Cues::WISH,
        "i want|i need|i would like|i am calling|i am ringing|i am trying|i was wondering|i wanted|id like|can you|could you|can i|could i|\
         how do i|how can i|how long|when will|where is|wheres|why is|why are|why do|why did|why was|what is going on|is there|please help|\
         help me|any idea|any ideas|looking to|want to|wants to|calling about|ringing about|question about|\
         ich möchte|ich hätte gern|ich brauche|können sie|kann ich|wie kann|warum|wann|ich rufe an|\
         je voudrais|j ai besoin|pouvez vous|je souhaite|pourquoi|comment puis|je vous appelle|\
         quisiera|quiero|necesito|puede usted|me gustaría|por qué|cuándo|llamo por|llamo porque",
    ),
    (
        Cues::COURTESY,
        "thank you|thanks|cheers|youre welcome|you are welcome|no problem at all|have a good|have a great|have a nice|have a lovely|take care|goodbye|\
         bye|good morning|good afternoon|good evening|how are you|how can i help|how may i help|anything else|happy to help|glad to hear|\
         glad we could|great to hear|nice to hear|here to help|here for you|let us know if|just a tweet|just give us a shout|reach out to us anytime|\
         appreciate your|my pleasure|speaking with|you are speaking|thanks for|thank you for|i understand|we understand|that is great|thats great|\
         no worries|sounds good|awesome|well done|we would love to help|we want to help|wed love to help|wed like to help|\
         danke|vielen dank|gern geschehen|auf wiederhören|guten tag|guten morgen|schönen tag|\
         merci|bonjour|bonne journée|au revoir|je vous en prie|\
         gracias|buenos días|buenas tardes|de nada|adiós",
    ),
    (
        Cues::IDENTITY,
        "account number|your name|full name|your postcode|your email|email address|date of birth|phone number|order number|confirm your|\
         verify|security question|spell that|reference number please|first line of your address|\
         kundennummer|ihr name|geburtsdatum|postleitzahl|numéro de client|votre nom|code postal|date de naissance|\
         número de cliente|su nombre|código postal|fecha de nacimiento",
    ),
    (
        Cues::ADVICE,
        "please try|try to|try the|try and|have you tried|could you try|can you try|you can|you could|you should|you need to|you will need to|make sure|restart|reboot|reset|reinstall|\
         uninstall|unplug|plug it|switch it off|turn it off|log out|sign out|clear your|update your|check your|check the|please check|please send|\
         send us|dm us|please dm|direct message|reach out|follow the|follow these|click|go to|contact|call us|give us a call|visit|head to|fill out|\
         i recommend|we recommend|we suggest|i suggest|please contact|please call|please visit|please follow|please reach|please provide|please share|please let us know|\
         bitte|versuchen sie|starten sie|prüfen sie|sie können|sie müssen|veuillez|essayez|redémarrez|vérifiez|vous pouvez|\
         por favor|intente|reinicie|compruebe|usted puede|puede reiniciar",
    ),
    (
        Cues::TRIED,
        "i have tried|i tried|i have switched|i have turned|i already|already tried|i have already|have restarted|i restarted|i have reset|i reset|i have rebooted|i rebooted|i turned it|i switched it|i unplugged|\
         i have unplugged|i reinstalled|i have reinstalled|i called|i phoned|i rang|i emailed|i have called|i have phoned|i have emailed|i contacted|i checked|i have checked|\
         we tried|we have tried|we have reset|we have restarted|\
         ich habe schon|ich habe bereits|habe neu gestartet|schon versucht|j ai déjà|j ai essayé|j ai redémarré|\
         ya he|he intentado|he reiniciado|ya lo he",
    ),
    (
        Cues::PROMISE,
        "i will|we will|i am going to|we are going to|someone will|somebody will|engineer will|a colleague will|my colleague will|the team will|they will|ill|\
         will call you|will be in touch|will get back|will send|will email|will refund|will credit|you will get|you will receive|you will have it|you will hear|i promise|\
         ich werde|wir werden|ich rufe sie|ich schicke|wir schicken|wir melden uns|ich melde mich|sie bekommen|sie erhalten|ich kümmere mich|\
         je vais|nous allons|je vous rappelle|je vous envoie|vous recevrez|nous vous|je m occupe|\
         voy a|vamos a|le llamaré|le enviaré|le llamaremos|le enviaremos|recibirá|me encargo",
    ),
    (
        Cues::CAUSE,
        "because|due to|caused by|the cause|the reason|thats why|that is why|as a result of|turns out|it looks like|looks like|it seems|it appears|been an outage|theres an outage|there is an outage|\
         theres a fault|there is a fault|usually means|that means|can make|known issue|known problem|the system had|expired|declined|\
         weil|wegen|der grund|liegt an|liegt daran|ursache|parce que|à cause|en raison|la cause|\
         porque|debido a|la causa|a causa de",
    ),
    (
        Cues::OUTCOME,
        "i have done|i have refunded|i have booked|i have cancelled|i have sent|i have put|i have added|i have changed|i have updated|i have raised|i have credited|i have applied|i have removed|i have arranged|i have set|i have moved|\
         we have refunded|we have booked|we have cancelled|we have sent|we have credited|has been refunded|has been sent|has been booked|has been cancelled|has been resolved|has been fixed|have been credited|\
         is booked|is sorted|all sorted|all done|all set|is done|thats done|that is done|is fixed|its fixed|fixed now|working now|works now|its working|is working|it worked|that worked|is back on|back up and running|resolved|confirmed|\
         booked in|booked for|gone through|is cancelled|refund of|credit of|i can offer|\
         ist erledigt|habe ich gebucht|ist gebucht|funktioniert wieder|geht wieder|ist behoben|erstattet|storniert|\
         c est fait|est réglé|ça marche|fonctionne à nouveau|remboursé|est réservé|annulé|\
         ya está|está resuelto|funciona ahora|ya funciona|reembolsado|está reservado|cancelado",
    ),
    (
        Cues::COMING,
        "you will get|you will receive|you should receive|you should get|you should hear|will be with you|will arrive|within|working days|business days|by the end of|in the next|next step|next steps|\
         once you|as soon as|should be back|will be back|expect|from the first|starts on|\
         innerhalb|werktage|werktagen|nächste schritt|sobald|d ici|jours ouvrables|prochaine étape|dès que|\
         en un plazo|días laborables|próximo paso|en cuanto",
    ),
    (
        Cues::HOLD,
        "bear with me|one moment|one second|hold on|just a moment|just a second|let me check|let me look|let me see|let me just|let me have a look|let me pull|let me find|i will just check|i will just have|i will check|i will have a look|i will take a look|i will look into|\
         i will just|give me a|hang on|einen moment|moment bitte|ich schaue|un instant|un moment|je regarde|un momento|déjeme ver|voy a ver|voy a mirar",
    ),
    (
        Cues::FINDING,
        "i can see|we can see|i see that|i can confirm|it shows|it says|according to|we have checked|as checked|i have checked|looking at|on your account|\
         ich sehe|hier steht|je vois|je constate|veo que|aquí dice",
    ),
    (
        Cues::CALLBACK,
        "call you back|ring you back|book a call|phone you back|give you a call|give you a ring|call back|callback|call you|ring you|phone you|call me back|ring me back|\
         ich rufe sie|rufe sie zurück|rufen sie zurück|zurückrufen|rückruf|vous rappelle|vous rappeler|rappellerons|\
         le llamaré|le llamaremos|devolver la llamada|volver a llamar",
    ),
    (
        Cues::MEETING,
        "appointment|engineer visit|engineer is booked|engineer for|book an engineer|come round|come out|visit you|meeting|meet you|see you on|be with you on|booked you in|booked in|slot|engineer out|technician out|send an engineer|send a technician|\
         termin|techniker kommt|vorbeikommen|rendez vous|technicien passera|cita|técnico irá|visita",
    ),
    (
        Cues::APOLOGY,
        "sorry|apologies|apologise|apologize|our apologies|entschuldigung|tut mir leid|entschuldigen|désolé|désolée|excuses|lo siento|disculpe|lamento",
    ),
    (
        Cues::ERROR,
        "error code|error|code|fehlercode|fehlermeldung|code d erreur|código de error|fault code",
    ),
    (
        Cues::NEGATION,
        "not|no|never|cannot|cant|dont|doesnt|didnt|wont|isnt|arent|wasnt|couldnt|wouldnt|havent|hasnt|nicht|kein|keine|pas|jamais|nunca|unable",
    ),
    (
        Cues::DOUBT,
        "i dont know|we dont know|not sure|not certain|no idea|i am unsure|im unsure|couldnt say|couldnt tell you|wouldnt know|have to ask|have to check|\
         need to ask|need to check|find out|weiß ich nicht|bin nicht sicher|muss nachfragen|je ne sais pas|pas sûr|pas sûre|me renseigner|\
         no lo sé|no estoy seguro|no estoy segura|tengo que preguntar",
    ),
];

struct Lexicon {
    finder: AhoCorasick,
    cues: Vec<Cues>,
}

fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| {
        let entries = TABLE
            .iter()
            .flat_map(|(cues, phrases)| phrases.split('|').map(|phrase| (*cues, phrase.trim())));
        let (cues, patterns): (Vec<_>, Vec<_>) =
            entries.map(|(cues, phrase)| (cues, format!(" {phrase} "))).unzip();
        let finder = AhoCorasick::new(patterns).expect("the table is small; this is a bug");
        Lexicon { finder, cues }
    })
}

/// What the words do. `words` is a sentence in the form of [`words`].
pub fn cues(words: &str) -> Cues {
    let lexicon = lexicon();
    let mut found = Cues::default();
    for hit in lexicon.finder.find_overlapping_iter(words) {
        found |= lexicon.cues[hit.pattern().as_usize()];
    }
    found
}

/// Lower-case words between single spaces, with one before and after: " i will call you ".
/// Short forms are written out, so that "we'll" is no "well".
pub fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    let mut rest = text.chars().peekable();
    let mut in_word = false;
    while let Some(c) = rest.next() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
            in_word = true;
            continue;
        }
        if matches!(c, '\'' | '’') && in_word {
            match rest.peek().map(|next| next.to_ascii_lowercase()) {
                Some('l') if followed(&rest, "ll") => {
                    out.push_str(" will");
                    rest.nth(1);
                    continue;
                }
                Some('v') if followed(&rest, "ve") => {
                    out.push_str(" have");
                    rest.nth(1);
                    continue;
                }
                Some('r') if followed(&rest, "re") => {
                    out.push_str(" are");
                    rest.nth(1);
                    continue;
                }
                Some('m') if followed(&rest, "m") => {
                    out.push_str(" am");
                    rest.next();
                    continue;
                }
                // "it's" and "don't" lose the mark, "j'ai" becomes two words.
                Some('s' | 't' | 'd') => continue,
                _ => {}
            }
        }
        // Between digits: "42.50".
        if matches!(c, '.' | ':') && in_word && rest.peek().is_some_and(char::is_ascii_digit) {
            out.push(c);
            continue;
        }
        if in_word {
            out.push(' ');
            in_word = false;
        }
    }
    if in_word {
        out.push(' ');
    }
    out
}

/// Whether these letters come next, and then no other.
fn followed(rest: &std::iter::Peekable<std::str::Chars>, letters: &str) -> bool {
    let mut ahead = rest.clone();
    letters.chars().all(|letter| ahead.next().is_some_and(|c| c.eq_ignore_ascii_case(&letter)))
        && !ahead.next().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_written_out() {
        assert_eq!(words("We'll call, it's £42.50!"), " we will call its 42.50 ");
        assert_eq!(words("J’ai, DON'T  I've"), " j ai dont i have ");
        assert_eq!(words(" ?! "), " ");
    }

    #[test]
    fn sentences_do_what_they_say() {
        let of = |text: &str| cues(&words(text));
        assert!(of("We'll call you back").has(Cues::PROMISE));
        assert!(of("We'll call you back").has(Cues::CALLBACK));
        assert!(!of("Well, hello").has(Cues::PROMISE));
        assert!(of("Mein Router geht nicht").has(Cues::PROBLEM));
        assert!(of("I'll just check that").has(Cues::HOLD));
        assert_eq!(of("My sister has a dog"), Cues::default());
    }
}
