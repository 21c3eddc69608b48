//! What German, French and Spanish clauses promise, offer and ask for: by the forms of their verbs, which name the
//! speaker by themselves.

use super::{Act, ActKind, Clause, Deed, Needs};
use crate::flow::wrapup::Language;
use crate::flow::wrapup::due::{Token, is_one_of, one_of};

/// The words of one language.
struct Lexicon {
    /// "I" and "we", where the verb needs one beside it.
    speakers: &'static str,
    /// First person, or whoever works there.
    verbs: &'static [(Deed, &'static str)],
    /// Of somebody else: "kommt", "passera".
    thirds: &'static [(Deed, &'static str)],
    /// Who that is.
    people: &'static str,
    /// "Werde", "vais", "voy a": the verb comes behind.
    futures: &'static str,
    infinitives: &'static [(Deed, &'static str)],
    /// "You get": `sie erhalten`.
    gets: &'static str,
    /// "Is booked", "your appointment".
    booked: &'static str,
    conditions: &'static str,
    denials: &'static str,
    reports: &'static str,
    at_once: &'static str,
    offers: &'static str,
    requests: &'static str,
    /// Words between clauses.
    links: &'static str,
}

const GERMAN: Lexicon = Lexicon {
    speakers: "ich|wir",
    verbs: &[
        (Deed::Call, "rufe rufen melde melden kontaktiere telefoniere"),
        (
            Deed::Send,
            "schicke schicken sende senden maile mailen überweise überweisen erstatte erstatten bezahle bezahlen zahle zahlen faxe leite leiten",
        ),
        (Deed::Visit, "komme kommen"),
        (Deed::Book, "vereinbare vereinbaren buche buchen trage tragen"),
        (
            Deed::Task,
            "veranlasse veranlassen storniere stornieren bestelle bestellen kläre klären kümmere kümmern gebe geben bringe bringen hole holen reiche lasse lassen sorge sorgen frage fragen korrigiere ändere",
        ),
    ],
    thirds: &[
        (Deed::Call, "ruft meldet kontaktiert"),
        (Deed::Visit, "kommt"),
        (Deed::Task, "bringt holt liefert schickt wird"),
    ],
    people: "techniker|monteur|kollege|kollegin|mitarbeiter|mitarbeiterin|fahrer|handwerker|\
         installateur|er|sie|jemand|berater|teamleiter|chef|gutachter|paket|lieferung|router|\
         kurier",
    futures: "werde|werden",
    infinitives: &[
        (Deed::Call, "zurückrufen anrufen melden kontaktieren zurückmelden"),
        (
            Deed::Send,
            "schicken senden zuschicken zusenden mailen überweisen erstatten zahlen bezahlen gutschreiben weiterleiten",
        ),
        (Deed::Visit, "vorbeikommen kommen"),
        (Deed::Book, "buchen vereinbaren eintragen reservieren"),
        (
            Deed::Task,
            "veranlassen stornieren bestellen klären kümmern bringen abholen austauschen prüfen ändern korrigieren liefern",
        ),
    ],
    gets: "erhalten|bekommen|hören|kriegen",
    booked: "termin ist|ist gebucht|habe ich gebucht|habe ich eingetragen|ist eingetragen|\
         ist vereinbart|habe den termin|habe einen termin",
    conditions: "wenn|falls|sofern|ob|sollte|sollten",
    denials: "nicht|kein|keine|keinen|niemand|nie|niemals|würde|würden|hätte|hätten|könnte|\
         vielleicht|hoffentlich|normalerweise",
    reports: "gesagt|sagte|sagten|versprochen|hieß|meinte|angeblich|behauptet",
    at_once: "jetzt|gleich|kurz|sofort|moment|verbinde|eben",
    offers: "soll ich|sollen wir|darf ich|kann ich ihnen|ich kann|wir können|ich könnte|wir könnten|\
         möchten sie dass ich|wollen wir|wie wäre",
    requests: "können sie mich|könnten sie mich|können sie mir|könnten sie mir|kann mich jemand|\
         rufen sie mich|schicken sie mir|würden sie mich|würden sie mir",
    links: "und|aber|dann|oder",
};

const FRENCH: Lexicon = Lexicon {
    speakers: "je|j|nous|on",
    verbs: &[
        (
            Deed::Call,
            "rappelle rappellerai rappelons rappellerons appelle appellerai appellerons recontacte recontacterai recontacterons contacte contacterai contacterons rappellera recontactera contactera",
        ),
        (
            Deed::Send,
            "envoie enverrai envoyons enverrons transmets transmettrai transmettrons rembourse rembourserai remboursons rembourserons paie paierai verserai virerai enverra remboursera",
        ),
        (Deed::Visit, "passerai viendrai viendrons"),
        (Deed::Book, "réserve réserverai réservons fixe fixerai programme"),
        (
            Deed::Task,
            "annule annulerai commande commanderai occupe occuperai vérifierai ferai ferons demanderai demande corrige corrigerai préviens préviendrai tiens tiendrai",
        ),
    ],
    thirds: &[
        (Deed::Call, "rappellera appellera contactera recontactera"),
        (Deed::Visit, "passera viendra passe vient interviendra"),
        (Deed::Task, "livrera enverra apportera sera seront"),
    ],
    people: "technicien|technicienne|conseiller|conseillère|collègue|livreur|responsable|il|elle|\
         quelqu'un|service|colis|remboursement|commande|expert|plombier",
    futures: "vais|allons|va",
    infinitives: &[
        (Deed::Call, "rappeler appeler contacter recontacter"),
        (Deed::Send, "envoyer transmettre rembourser payer virer verser adresser"),
        (Deed::Visit, "passer venir intervenir"),
        (Deed::Book, "réserver fixer programmer"),
        (
            Deed::Task,
            "annuler commander occuper demander corriger prévenir livrer faire changer remplacer",
        ),
    ],
    gets: "recevrez|aurez|serez",
    booked: "rendez-vous est|est réservé|est fixé|est prévu|ai réservé|ai fixé",
    conditions: "si|s'il|s'ils",
    denials: "ne|n|pas|jamais|personne|plus|normalement|peut-être|espère",
    reports: "dit|promis|disait|annoncé|assuré|prétendu",
    at_once: "maintenant|instant|immédiatement",
    offers: "est-ce que je|je peux|nous pouvons|on peut|je pourrais|voulez-vous que|\
         souhaitez-vous que|puis-je",
    requests: "pouvez-vous me|pourriez-vous me|vous pouvez me|vous pourriez me|\
         est-ce que vous pouvez me",
    links: "et|mais|puis|ou",
};

const SPANISH: Lexicon = Lexicon {
    speakers: "",
    verbs: &[
        (
            Deed::Call,
            "llamo llamaré llamamos llamaremos contacto contactaré contactaremos llamará llamarán contactarán",
        ),
        (
            Deed::Send,
            "envío enviaré enviamos enviaremos mando mandaré mandamos mandaremos devolveré devolveremos reembolsaremos pagaré pago ingresaremos ingresaré enviarán mandarán",
        ),
        (Deed::Visit, "iré iremos pasaré pasaremos"),
        (Deed::Book, "reservo reservaré agendo agendaré programo"),
        (
            Deed::Task,
            "cancelo cancelaré pido pediré encargo encargaré ocupo avisaré aviso avisaremos gestionaré gestiono tramitaré cambiaré consultaré traigo traeré",
        ),
    ],
    thirds: &[
        (Deed::Call, "llamará contactará"),
        (Deed::Visit, "irá vendrá pasará viene"),
        (Deed::Task, "llegará entregará enviará"),
    ],
    people: "técnico|técnica|compañero|compañera|responsable|repartidor|supervisor|supervisora|\
         fontanero|paquete|pedido|tarjeta|perito",
    futures: "voy|vamos|va|van",
    infinitives: &[
        (Deed::Call, "llame llamar llamarle llamarlo llamarla contactar contactarle"),
        (
            Deed::Send,
            "enviar enviarle mandar mandarle devolver devolverle reembolsar pagar ingresar abonar",
        ),
        (Deed::Visit, "ir pasar venir"),
        (Deed::Book, "reservar agendar programar reservarle"),
        (
            Deed::Task,
            "cancelar pedir gestionar tramitar avisar avisarle cambiar encargar consultar",
        ),
    ],
    gets: "recibirá|tendrá|recibirán",
    booked: "cita es|está reservada|cita queda|queda reservada|he reservado|he agendado",
    conditions: "si",
    denials: "no|nunca|nadie|quizás|tal|ojalá|normalmente|espero",
    reports: "dijo|dijeron|prometieron|prometió|dicho|decía|aseguraron",
    at_once: "ahora|momento|inmediatamente|ahorita",
    offers: "puedo|podemos|podría|quiere que|quieren que|le parece",
    requests: "me puede|puede llamarme|podría llamarme|puede enviarme|podría enviarme|me podría|\
         pueden llamarme",
    links: "y|pero|luego|o|e",
};

/// Pronouns that stand between a French or Spanish subject and its verb.
fn is_between(word: &str) -> bool {
    one_of!(word;
        "vous" "te" "le" "la" "les" "l" "lui" "leur" "en" "y" "me" "m" "nous" "se" "lo" "los"
        "las" "sie" "ihnen" "ihn" "es" "das" "mich" "uns"
    )
}

const fn lexicon(language: Language) -> &'static Lexicon {
    match language {
        Language::German | Language::English => &GERMAN,
        Language::French => &FRENCH,
        Language::Spanish => &SPANISH,
    }
}

/// A word without the elided one before it: "l'envoie", and that one: "j'envoie".
fn words(tokens: &[Token]) -> Vec<(&str, usize)> {
    let mut out = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        match token.word.split_once('\'') {
            Some((elided, rest)) if elided.len() == 1 => out.extend([(elided, at), (rest, at)]),
            _ => out.push((token.word.as_str(), at)),
        }
    }
    out
}

pub fn read(tokens: &[Token], is_customer: bool, language: Language) -> Vec<Clause> {
    let lexicon = lexicon(language);
    let words = words(tokens);
    let mut clauses = Vec::new();
    let (mut from, mut sentence) = (0, 0);
    while from < words.len() {
        let is_end = |at: &usize| {
            tokens[words[*at].1].is_last
                && words.get(at + 1).is_none_or(|next| next.1 != words[*at].1)
        };
        let upto = (from..words.len()).find(is_end).map_or(words.len(), |at| at + 1);
        let all = Reading { lexicon, words: &words, tokens, from, upto, is_customer, language };
        all.read(sentence, &mut clauses);
        from = upto;
        sentence += 1;
    }
    clauses
}

struct Reading<'a> {
    lexicon: &'static Lexicon,
    words: &'a [(&'a str, usize)],
    tokens: &'a [Token],
    from: usize,
    upto: usize,
    is_customer: bool,
    language: Language,
}

fn among(list: &[(Deed, &str)], word: &str) -> Option<Deed> {
    list.iter().find(|(_, verbs)| verbs.split(' ').any(|verb| verb == word)).map(|(deed, _)| *deed)
}

impl Reading<'_> {
    fn word(&self, at: usize) -> &str {
        if (self.from..self.upto).contains(&at) { self.words[at].0 } else { "" }
    }

    fn holds(&self, range: (usize, usize), words: &str) -> bool {
        (range.0..range.1).any(|at| is_one_of(words, self.word(at)))
    }

    /// Phrases of several words.
    fn names(&self, range: (usize, usize), phrases: &str) -> bool {
        phrases.split('|').any(|phrase| {
            (range.0..range.1).any(|at| {
                phrase.split(' ').enumerate().all(|(ahead, word)| self.word(at + ahead) == word)
            })
        })
    }

    fn read(&self, sentence: usize, out: &mut Vec<Clause>) {
        let is_asked = self.tokens[self.words[self.upto - 1].1].is_asked;
        let mut edges = vec![self.from];
        for at in self.from + 1..self.upto {
            let is_link = is_one_of(self.lexicon.links, self.word(at - 1));
            let is_marked = self.tokens[self.words[at - 1].1].is_marked
                && self.words[at - 1].1 != self.words[at].1;
            let begins = self.deed_near(at, (at + 4).min(self.upto)).is_some();
            if (is_link || is_marked) && begins && self.deed_near(self.from, at).is_some() {
                edges.push(at);
            }
        }
        edges.push(self.upto);
        let whole = (self.from, self.upto);
        let is_polite = self.names(
            whole,
            "wenn sie möchten|wenn sie wollen|wenn es ihnen passt|si vous voulez|si vous souhaitez|si ça vous va|\
             si quiere|si le parece|si lo prefiere",
        );
        let is_condition = !is_polite && self.holds(whole, self.lexicon.conditions);
        let is_reported = self.holds(whole, self.lexicon.reports);
        for edge in edges.windows(2) {
            let range = (edge[0], edge[1]);
            let act = (!is_condition && !is_reported).then(|| self.act(range, is_asked)).flatten();
            out.push(Clause {
                from: self.words[range.0].1,
                upto: self.words[range.1 - 1].1 + 1,
                sentence,
                act,
                is_past: is_reported,
                is_condition,
                is_linked: range.0 > self.from,
                is_asked,
                is_about_it: false,
                is_away: self.holds(range, self.lexicon.denials),
            });
        }
    }

    fn act(&self, range: (usize, usize), is_asked: bool) -> Option<Act> {
        let when = self.holds(range, self.lexicon.at_once);
        let needs = |needs| if when { Needs::When } else { needs };
        let made = |kind, deed, needs| Act {
            kind,
            deed,
            needs,
            is_then: false,
            is_asked,
            is_of_object: false,
            is_open: false,
            is_moved: false,
        };
        if self.is_customer && self.names(range, self.lexicon.requests) {
            let deed = self.infinitive(range).unwrap_or(Deed::Call);
            return Some(made(ActKind::Request, deed, Needs::Nothing));
        }
        if self.holds(range, self.lexicon.denials) {
            return None;
        }
        let offers = self.names(range, self.lexicon.offers);
        if offers {
            let deed = self.infinitive(range).or_else(|| self.deed_near(range.0, range.1))?;
            return Some(made(ActKind::Offer, self.kind(range, deed), Needs::Nothing));
        }
        if !self.is_customer && self.names(range, self.lexicon.booked) {
            return Some(made(ActKind::Booked, Deed::Book, Needs::When));
        }
        if let Some(deed) = self.deed_near(range.0, range.1) {
            let kind = if is_asked { ActKind::Offer } else { ActKind::Promise };
            // A customer who has something done by a day.
            let needs = if self.is_customer { Needs::When } else { needs(Needs::Nothing) };
            return Some(made(kind, self.kind(range, deed), needs));
        }
        if self.is_customer || is_asked {
            return None;
        }
        if let Some(deed) = self.third(range) {
            return Some(made(ActKind::Promise, self.kind(range, deed), needs(Needs::Nothing)));
        }
        let gets = self.holds(range, self.lexicon.gets)
            && (self.language == Language::Spanish || self.holds(range, "sie|vous"));
        gets.then(|| made(ActKind::Promise, Deed::Send, Needs::When))
    }

    /// "Eine Störung melden" is none, a technician who is sent is a visit.
    fn kind(&self, range: (usize, usize), deed: Deed) -> Deed {
        let person =
            self.holds(range, "techniker|monteur|technicien|técnico|termin|rendez-vous|cita");
        match deed {
            Deed::Book | Deed::Visit => Deed::Visit,
            Deed::Task | Deed::Send if person => Deed::Visit,
            deed => deed,
        }
    }

    /// A verb of the first person, with its subject beside it where there has to be one.
    fn deed_near(&self, from: usize, upto: usize) -> Option<Deed> {
        let speakers = self.lexicon.speakers;
        let is_speaker = |at: usize| is_one_of(speakers, self.word(at));
        (from..upto).find_map(|at| {
            let word = self.word(at);
            let deed = among(self.lexicon.verbs, word);
            let future = is_one_of(self.lexicon.futures, word);
            if deed.is_none() && !future {
                return None;
            }
            let mut before = at;
            while before > from
                && is_between(self.word(before - 1))
                && !is_one_of(speakers, self.word(before - 1))
            {
                before -= 1;
            }
            let beside = match self.language {
                // "Ich schicke es heute und rufe Sie morgen an."
                Language::German if at > self.from && self.word(at - 1) == "und" => deed.is_some(),
                Language::German => {
                    (at > from && is_speaker(at - 1)) || (is_speaker(at + 1) && at + 1 < upto)
                }
                Language::French => {
                    (before > from && is_speaker(before - 1))
                        || (at > from && self.word(at - 1) == "nous")
                }
                // The ending says who; "llamo por" says why.
                _ => self.is_spanish_verb(at, word),
            };
            if !beside {
                return None;
            }
            match deed {
                Some(deed) => Some(deed).filter(|_| {
                    !matches!(self.word(at + 1), "por" | "porque" | "pour" | "wegen" | "an,")
                }),
                None => self.infinitive((at, upto)),
            }
        })
    }

    /// Of somebody who isn't in the call: only with an object, or as "I" and "we".
    fn is_spanish_verb(&self, at: usize, word: &str) -> bool {
        let future = is_one_of(self.lexicon.futures, word);
        let object = at > self.from
            && matches!(
                self.word(at - 1),
                "le" | "les" | "lo" | "la" | "te" | "se" | "los" | "las" | "os"
            );
        let is_own = word.ends_with(['o', 'é']) || word.ends_with("mos") || word == "voy";
        if future {
            return (is_own || object) && self.word(at + 1) == "a";
        }
        (is_own && (object || word.ends_with('é') || word.ends_with("mos") || !self.is_customer))
            || (object && !self.is_customer)
    }

    fn infinitive(&self, range: (usize, usize)) -> Option<Deed> {
        (range.0..range.1).rev().find_map(|at| among(self.lexicon.infinitives, self.word(at)))
    }

    /// "Der Techniker kommt", "un conseiller vous rappellera".
    fn third(&self, range: (usize, usize)) -> Option<Deed> {
        let person = (range.0..range.1).any(|at| is_one_of(self.lexicon.people, self.word(at)));
        let deed = (range.0..range.1).find_map(|at| {
            let word = self.word(at);
            match among(self.lexicon.thirds, word) {
                Some(Deed::Task) if matches!(word, "wird" | "sera" | "seront") => {
                    self.infinitive((at, range.1))
                }
                Some(deed) => Some(deed),
                None if is_one_of(self.lexicon.futures, word) => self.infinitive((at, range.1)),
                None => None,
            }
        })?;
        person.then_some(deed)
    }
}
