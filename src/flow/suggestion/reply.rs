//! Whether what an agent types after a question back is its answer, or the next question.

/// More words are no answer to "which one?".
const ANSWER_WORDS: usize = 8;

/// Words that ask, wherever they stand. English, German, French, Spanish, as below.
const ASKING: [&str; 4] = [
    "what whats when whens where wheres who whos whom whose why which how hows tell explain",
    "wann wo wohin woher wer wen wem wessen warum wieso weshalb welche welcher welches welchen wie \
     wieviel",
    "quoi quand où qui pourquoi comment combien quel quelle quels quelles",
    "qué cuándo dónde adónde quién quiénes cómo cuánto cuánta cuántos cuántas cuál cuáles",
];

/// Verbs that make a sentence. Not those that are names of things as well: "late fee charge".
const VERBS: [&str; 4] = [
    "is are isnt arent was were am be been do does dont doesnt did didnt done can cant could \
     might must shall should will wont would has have hasnt havent had get gets got need needs want \
     wants wanted know knows find pay pays paid cancel cancels give gives take takes took make makes \
     send sends sent keep keeps go goes come comes happen happens apply applies said says",
    "ist sind war waren wird werden wurde kann können darf dürfen muss müssen soll sollen möchte \
     hat haben gibt gilt bekommt bekommen kommt dauert kostet zahlt",
    "est sont était ont peut peuvent doit faut fait veut sera",
    "está están puede pueden puedo debe tiene tengo hay quiero hace cuesta tarda",
];

/// How an answer begins, with a verb or without: "it is the second one".
const ANSWERING: [&str; 4] = [
    "yes no it its that thats this both neither",
    "ja nein es das",
    "oui non cest",
    "sí ninguno ninguna",
];

/// Whether a text asks something by itself. A few words without a verb, or words that tell which, go
/// with a question that was asked before.
pub fn is_own_question(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .map(|word| word.replace(['\'', '’'], "").to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let is_of = |list: &[&str], word: &String| {
        list.iter().any(|words| words.split_whitespace().any(|known| known == word))
    };
    let any = |list: &[&str]| words.iter().any(|word| is_of(list, word));
    let tells = !text.trim_end().ends_with('?')
        && words.first().is_some_and(|first| is_of(&ANSWERING, first));
    words.len() > ANSWER_WORDS || any(&ASKING) || (!tells && any(&VERBS))
}

#[cfg(test)]
mod tests {
    use super::is_own_question;

    #[test]
    fn an_answer_is_told_from_the_next_question() {
        for answer in [
            "a duplicate payment",
            "the late fee",
            "late fee?",
            "Larkfield Fibre 100, since March",
            "3 May 2026",
            "the second one",
            "yes",
            "No, the other contract",
            "it is the direct debit",
            "it's a business account",
            "it was the mobile contract",
            "No, I don't know",
            "That's the one from March.",
            "both of them",
            "eine doppelte Zahlung",
            "Es ist die Mahngebühr.",
            "les frais de retard",
            "c’est le contrat mobile",
            "el pago doble",
            "",
        ] {
            assert!(!is_own_question(answer), "{answer}");
        }
        for question in [
            "How much is the late payment fee?",
            "late payment fee how much",
            "can a customer keep the number",
            "is the router theirs?",
            "Is it covered?",
            "It has to be paid when?",
            "does the fee apply to mobiles",
            "tell me about the router's warranty",
            "the customer wants to cancel",
            "which form for a bereavement",
            "customer moved house last week and the new flat has no line yet",
            "Wie lange dauert die Erstattung?",
            "Kann der Kunde den Vertrag kündigen?",
            "Was kostet ein Router",
            "combien coûte le routeur",
            "Le client peut résilier ?",
            "¿Cuánto tarda el reembolso?",
            "puede cancelar el contrato",
        ] {
            assert!(is_own_question(question), "{question}");
        }
    }
}
