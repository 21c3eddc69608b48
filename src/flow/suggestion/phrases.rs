//! Phrases of English conversation that `trigger` knows a turn by. None is about a subject.

/// Words that open a sentence and say nothing.
#[rustfmt::skip]
pub(super) const OPENERS: &[&str] = &[
    "ah", "alright", "and", "anyway", "actually", "aye", "because", "basically", "but", "cool",
    "er", "erm", "fine", "great", "hello", "hey", "hi", "hm", "hmm", "honestly", "i mean", "like",
    "listen", "look", "lovely", "mm", "mhm", "no", "now", "of course", "oh", "ok", "okay",
    "perfect", "please", "right", "say", "so", "sorry", "sure", "thank you", "thanks", "then",
    "uh", "um", "well", "yeah", "yep", "yes", "you know", "you see", "just", "also",
    "good morning", "good afternoon", "good evening", "brilliant", "cheers", "excellent",
    "wonderful",
];

/// Talk about the talk itself, courtesy and weather. A sentence is set aside when nothing with a
/// subject is left after these are taken out.
#[rustfmt::skip]
pub(super) const COURTESY: &[&str] = &[
    "thank you very much", "thank you so much", "thank you for calling", "thank you for waiting",
    "thanks for waiting", "thank you for holding", "thank you", "thanks", "many thanks", "cheers",
    "bye bye", "bye", "goodbye", "take care", "have a good day", "have a nice day",
    "have a lovely day", "have a good weekend", "have a lovely weekend", "have a great day",
    "youre welcome", "you are welcome", "no worries", "no problem", "not a problem",
    "how can i help you today", "how can i help you", "how can i help", "how may i help you",
    "how may i help", "what can i do for you today", "what can i do for you",
    "is there anything else i can help with today", "is there anything else i can help with",
    "is there anything else i can do", "is there anything else", "anything else",
    "can you hear me all right", "can you hear me okay", "can you hear me",
    "could you say that again", "can you say that again", "say that again",
    "could you repeat that", "can you repeat that", "repeat that", "bear with me", "hang on",
    "hold on", "one moment", "one second", "just a moment", "just a second", "give me a second",
    "give me a moment", "ill pop you on hold", "put you on hold", "how are you today",
    "how are you doing", "how are you", "nice to meet you", "nice talking to you", "good morning",
    "good afternoon", "good evening", "good night", "hello", "thats all", "thats everything",
    "thats great", "thats fine", "thats right", "thats correct", "thats lovely",
    "thats brilliant", "thats perfect", "thats it", "thats very kind", "youve been very helpful",
    "youve been really helpful", "very helpful", "for your help", "for all your help",
    "all your help", "your help", "for calling", "for your time", "for your patience",
    "im sorry to hear that", "sorry to hear that", "im sorry about that", "sorry about that",
    "i understand", "i see", "i appreciate that", "i appreciate it", "no thats", "will do",
    "sounds good", "makes sense", "got it", "fair enough", "never mind", "speaking with",
    "speaking to", "carry on", "go ahead", "the lines a bit crackly", "lovely", "great",
    "brilliant", "perfect", "fantastic", "excellent", "wonderful", "okay", "today", "day",
    "welcome", "moment", "second", "congratulations", "talk to you soon", "speak to you soon",
    "speak soon", "see you", "would that work for you", "does that work for you",
    "does that make sense", "is that okay", "is that all right", "is that right",
];

/// Somebody says who or where they are. The sentence is set aside whole.
#[rustfmt::skip]
pub(super) const IDENTITY: &[&str] = &[
    "my name is", "my names", "my full name is", "name on the account is", "names on the account",
    "my email is", "my email address is", "my e mail is", "email address is", "my postcode is",
    "the postcode is", "new postcode is", "post code is", "my address is", "the address is",
    "my account number is", "account number is", "my card number is", "card number is",
    "my phone number is", "my number is", "the number is", "my mobile number is",
    "my date of birth is", "date of birth is", "i was born", "my password is", "the password is",
    "reference is", "reference number is", "sort code is", "order number is", "spelled", "spelt",
];

/// Identity, which agents ask for and give.
#[rustfmt::skip]
pub(super) const ASKS_IDENTITY: &[&str] = &[
    "your name", "your full name", "your surname", "your postcode", "your account number",
    "your date of birth", "your email address", "your phone number", "name on the account",
    "your address", "first line of", "can i take", "could i take", "can i get your",
    "could i have", "can i have", "may i have", "may i take", "can you confirm your",
    "could you confirm your", "youre speaking", "my name is", "this is", "speaking",
];

/// Anywhere in a sentence these mark a question, with or without a question mark.
#[rustfmt::skip]
pub(super) const QUESTION_MARKS: &[&str] = &[
    "how much", "how long", "how many", "how do", "how can", "how does", "how quick",
    "how quickly", "how soon", "how far", "how often", "how is", "how are", "how would",
    "how come", "when do", "when does", "when will", "when can", "when is", "when are",
    "when would", "what do", "what does", "what if", "what happens", "what is", "whats",
    "what are", "what will", "what would", "what can", "what should", "what about", "what have",
    "whatll", "where do", "where is", "wheres", "where can", "where are", "where does",
    "which one", "why is", "why are", "why do", "why does", "why did", "why have", "why has",
    "why cant", "why was", "who do", "who can", "who is", "who should", "can i", "can you",
    "can we", "can my", "can someone", "can somebody", "can they", "could i", "could you",
    "could we", "could someone", "could somebody", "cant you", "couldnt you", "do you", "do i",
    "do we", "do they", "does it", "does that", "does the", "did you", "is there", "is it",
    "is that", "is this", "are there", "are you", "are we", "am i", "will i", "will you",
    "will it", "will that", "will we", "will they", "will my", "will someone", "would i",
    "would you", "would it", "would that", "would we", "should i", "should we", "shall i",
    "have you", "have i got", "am i able", "any chance", "what time", "is my", "are my", "do my",
    "for how long",
];

/// These words open a question.
#[rustfmt::skip]
pub(super) const QUESTION_OPENERS: &[&str] = &[
    "who", "what", "when", "where", "why", "how", "which", "whats", "wheres", "whens", "hows",
    "whos", "can", "could", "do", "does", "did", "is", "are", "am", "will", "would", "should",
    "shall", "have", "has", "may",
];

/// Anywhere in a sentence these mark a request.
#[rustfmt::skip]
pub(super) const REQUEST_MARKS: &[&str] = &[
    "i want", "i need", "id like", "i would like", "id love", "we want", "we need", "wed like",
    "we would like", "i wanna", "i wish to", "let me talk", "let me speak", "put me through",
    "send me", "tell me", "help me", "show me", "give me", "i was hoping", "i was wondering",
    "im wondering", "im looking", "were looking", "im trying", "ive been trying", "i am trying",
    "im ringing to", "im calling to", "im ringing about", "im calling about", "im phoning",
    "wants to", "im after", "stop sending", "cancel my", "i dont want", "im interested",
    "im hoping",
];

/// Something is broken, missing, wrong, lost, or feared.
#[rustfmt::skip]
pub(super) const TROUBLE: &[&str] = &[
    "not", "cant", "cannot", "wont", "doesnt", "didnt", "isnt", "arent", "wasnt", "havent",
    "hasnt", "never", "nobody", "noone", "nothing", "no", "without", "down", "broken", "broke",
    "fault", "faulty", "failed", "fails", "failing", "wrong", "missing", "missed", "lost",
    "stolen", "nicked", "robbed", "stopped", "stops", "dead", "slow", "slower", "slowly", "off",
    "error", "problem", "problems", "issue", "issues", "trouble", "twice", "double",
    "overcharged", "charged", "overdrawn", "bounced", "rejected", "declined", "blocked", "locked",
    "hacked", "scam", "scammed", "conned", "fraud", "dodgy", "suspicious", "flashing", "blinking",
    "red", "orange", "amber", "cutting", "cuts", "drops", "dropping", "dropped", "crackling",
    "noise", "stuck", "late", "delayed", "waiting", "waited", "still", "complain", "complaint",
    "unhappy", "unacceptable", "disgusted", "angry", "fed", "disappointed", "leave", "leaving",
    "cancel", "cancelling", "canceling", "switch", "switching", "moving", "move", "ringing",
    "died", "passed", "disabled", "deaf", "blind", "ill", "sick", "hospital", "vulnerable",
    "redundant", "struggling", "afford", "behind", "debt", "expensive", "unplugged", "damaged",
    "smashed", "chewed", "forgotten", "forgot", "expired", "increase", "increased", "risen",
    "gone", "higher", "extra", "unexpected", "mistake", "fee", "refund", "compensation",
    "changed", "upgrade", "downgrade", "going", "travelling", "traveling", "flying", "abroad",
    "swap", "swapped", "attorney", "behalf", "away", "cut", "keeps", "forever", "useless",
    "barely", "hardly", "only", "unable", "worse", "hot", "smell", "shock", "landed", "landing",
];

/// All is well: a sentence with one of these needs nothing.
#[rustfmt::skip]
pub(super) const ALL_WELL: &[&str] = &[
    "working fine", "working now", "works now", "working again", "back on now", "all sorted",
    "sorted now", "came through", "was very polite", "was great", "was lovely", "was brilliant",
    "fixed now", "no problems", "all good", "no complaints", "ill check", "ill have a look",
];

/// What follows is an answer about who somebody is.
#[rustfmt::skip]
pub(super) const ASKS_WHO: &[&str] = &[
    "your name", "your full name", "your first name", "your surname", "your postcode",
    "your account number", "your date of birth", "your order number", "your mobile number",
    "your address", "security word", "name on the account", "the postcode", "the new postcode",
    "the account number", "the surname", "the order number", "whats the name", "whats the number",
    "who am i speaking", "name and postcode", "name and the postcode", "letters of",
    "was his name", "was her name", "name please", "what name",
];

/// Somebody has no answer: what was asked is beyond this call.
#[rustfmt::skip]
pub(super) const KNOWS_NOTHING: &[&str] = &[
    "i dont know", "i really dont know", "i honestly dont know", "not sure", "couldnt say",
    "couldnt tell you", "no idea", "not that i know of", "wouldnt know", "not certain",
    "sadly not", "i havent sorry", "i havent im afraid", "youd have to ask", "id ask", "i dont sorry",
    "i dont im afraid", "id ring them", "i cant im afraid",
];

/// An agent says that they look something up.
#[rustfmt::skip]
pub(super) const LOOKUPS: &[&str] = &[
    "let me check", "let me just check", "let me look up", "let me just look up", "let me find",
    "let me see what", "let me see if", "let me see whether", "ill check", "ill just check",
    "ill look up", "ill find out", "im checking", "im just checking", "while i check",
    "while i look up", "while i look at", "while i find", "let me have a look at",
    "ill have a look at", "need to check", "have to check", "bring up the", "let me pull up",
    "find out about", "find out what",
];

/// Somebody reads out what a screen shows.
#[rustfmt::skip]
pub(super) const READS_OUT: &[&str] = &[
    "error", "code", "says", "saying", "screen", "showing", "shows", "message", "displays",
    "fault",
];

/// Pieces of dates and of numbers that are read out.
#[rustfmt::skip]
pub(super) const CALENDAR: &[&str] = &[
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday",
    "saturday", "sunday", "first", "second", "third", "fourth", "fifth", "sixth", "seventh",
    "eighth", "ninth", "tenth", "eleventh", "twelfth", "double", "triple", "dash", "hyphen",
    "slash",
];
