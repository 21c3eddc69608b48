//! The words people use on the phone, and the words that articles use for the same thing.
//!
//! About service talk in English as a whole: it names no article. A phrase adds its terms to the
//! query, weaker than what was really said.

use super::terms;

/// Phrases, divided by `|`, and the words that they stand for.
const TABLE: &[(&str, &str)] = &[
    ("internet|the net|online|web connection", "broadband"),
    ("wifi|wi fi|why fi|wireless", "wi-fi"),
    ("fiber", "fibre"),
    (
        "no internet|internet down|internet off|internets off|internets down|cant get online|gone off|without internet|back online|not switched on",
        "broadband service not working fault",
    ),
    (
        "off since|down since|been off|been down|keeps going off|cutting out|cuts out|keeps dropping|drops out|drops",
        "broadband fault loss of service drops",
    ),
    ("box|hub|modem", "router"),
    ("booster|boosters|extender|bedroom|upstairs|loft|garden|other room", "wi-fi coverage booster"),
    ("meg|megs|megabits|megabit|mbit", "Mbps speed"),
    ("takes forever|buffering|really slow|so slow|laggy|sluggish|loading|to load", "slow speed"),
    ("blinking|flashing|lit up|led|leds", "light router"),
    ("orange|amber|red thing|green light|blue light", "router light"),
    ("unplug|unplugged|switch it off and on|turn it off and on|plug it back", "router restart"),
    ("pin hole|paper clip|little hole|poke", "router reset button"),
    ("fix|fixed|mend|sort it out|sort this out|repaired|back on", "repair fault"),
    (
        "for nothing|without paying|out of this|walk away|go elsewhere|get out of",
        "leave contract without early termination fee",
    ),
    (
        "get out|end early|end it early|leave early|break the contract|break my contract|what would i owe|pull out",
        "early termination fee",
    ),
    ("tied in|locked in|still under|my deal|the deal|deal|signed up for", "contract length"),
    ("changed my mind|back out|only signed up|just signed up|cooling", "cooling-off cancel"),
    (
        "undo|changed my mind about leaving|want to stay|i want to stay",
        "cancellation stop withdraw",
    ),
    (
        "want to leave|wanna leave|leave you|stop my service|finish with you|close my account|get rid of",
        "cancel contract",
    ),
    (
        "someone else|somebody else|another provider|other provider|another company|elsewhere|better deal|sky|virgin|bt",
        "switching provider",
    ),
    (
        "man coming|man out|guy coming|bloke|fella|somebody out|someone out|technician|wait in|waited in|waiting in|stay in|come round|be in myself|come out|coming out|visit|between eight|between one|morning slot|afternoon slot",
        "engineer appointment visit",
    ),
    (
        "turn up|turned up|nobody came|no one came|didnt come|never came|didnt show|no show|stood me up",
        "missed engineer appointment compensation",
    ),
    ("another day|different day|rearrange|reschedule|cant do", "change appointment"),
    (
        "make it up to me|something for all this|money off|for the inconvenience|inconvenience|reimburse|reimbursed|want something for|per day|a day",
        "compensation",
    ),
    (
        "what do i get|do i get anything|get anything for|anything for that|am i owed|entitled to",
        "compensation",
    ),
    (
        "have to be in|need to be in|be at home|be home for|someone at home",
        "engineer visit adult home",
    ),
    ("again soon|next appointment|come again|come out again", "engineer appointment new"),
    ("money back|cash back|give me back|my money|paid back|pay me back|have it out", "refund"),
    ("quicker|faster|sooner|today rather|urgently", "same day faster"),
    (
        "turned up in my account|arrived in my account|not arrived|hasnt arrived|hasnt come through",
        "refund not arrived",
    ),
    (
        "twice|two times|double|two payments|both times|again this month|second one|extra one|two lots",
        "duplicate payment direct debit charged twice",
    ),
    (
        "overdrawn|overdraft|my bank charged|bank charge|bank charges|bank has charged",
        "bank fee overdrawn",
    ),
    ("claw it back|chargeback|through my bank|ask my bank", "Direct Debit Guarantee bank"),
    ("bounced|rejected|returned|didnt go through|did not go through", "direct debit failed"),
    ("automatically|automatic payment|standing order|direct debt|set up payments", "direct debit"),
    (
        "get paid on|payday|pay day|take it after|comes out on|goes out on|date it comes out|day it comes out|put it back to the first|different date",
        "payment date change",
    ),
    (
        "cut me off|cut off|disconnect me|shut off|switched off for",
        "service restricted unpaid bill",
    ),
    ("behind with|a few days late|paid late|late paying|penalised", "late payment fee"),
    (
        "cant afford|lost my job|in bits|bit by bit|in one go|instalments|struggling|money troubles|pay it off|spread",
        "payment arrangement instalments",
    ),
    (
        "universal credit|benefits|pension credit|low income|on benefits|cheaper",
        "social tariff Essentials",
    ),
    (
        "long number|number across the front|read you my card|card details|debit card|credit card",
        "card number payment",
    ),
    ("letterbox|post it to me|in the post|by post|on paper|paper", "paper bill post"),
    ("invoice|statement of charges", "bill"),
    (
        "gone up|went up|going up|put it up|more expensive|price rise|hike|increased",
        "price increase",
    ),
    ("how much is|what is the price|whats the price|cheapest|a month", "price plan month"),
    ("telly|tv|television|sky sports", "TV"),
    (
        "moving|new house|new home|new flat|new place|move house|leaving this flat|relocating|taking it with us|take it with us|bring it with us|new address",
        "moving home",
    ),
    (
        "same number|old number|keep my number|keep my digits|my digits|ring the old one",
        "keep phone number",
    ),
    (
        "another network|new network|other network|pack code|pac|switch network",
        "PAC code mobile number",
    ),
    ("landline|house phone|telephone|handset|dial tone|no tone|dialling tone", "home phone"),
    ("messages|answerphone|answer machine|voice mail|answering machine", "voicemail 1571"),
    (
        "electric goes off|electricity|power cut|power goes|electrics|blackout|round her neck|pendant|care alarm|personal alarm",
        "power cut battery backup",
    ),
    (
        "cold callers|trying to sell|sales calls|pestering|people ringing|unwanted calls|see whos ringing|withhold my number",
        "nuisance calls",
    ),
    ("premium numbers|premium rate|expensive lines|expensive numbers", "bar premium calls"),
    (
        "abroad|overseas|spain|france|america|holiday|travelling|europe|usa|states|landed|foreign country",
        "roaming abroad mobile",
    ),
    ("massive bill|huge bill|run up|running up|spend cap|limit my spending", "spend cap roaming"),
    ("chip|sim card|e sim|esim|new sim", "SIM replacement"),
    (
        "nicked|robbed|pinched|stole|stolen|lost my phone|left my phone|left it on|mugged",
        "lost stolen phone block",
    ),
    ("swap i never|swap i didnt|number taken over|sim swap|swapped my sim", "SIM swap fraud"),
    (
        "conned|scammed|dodgy|phishing|suspicious|fake|fraudster|get on my computer|remote access|really from",
        "scam fraud",
    ),
    (
        "digits youve just|code come through|one time code|passcode|security code|six digits|texted me a code",
        "security code one-time",
    ),
    (
        "log in|login|sign in|forgotten it|forgotten my password|locked out",
        "password My Larkfield reset",
    ),
    (
        "my wife|my husband|my partner|my mum|my mother|my dad|my father|my son|my daughter|on behalf|for my",
        "third party access account",
    ),
    ("power of attorney|attorney", "third party access"),
    ("passed away|died|death|deceased|funeral|lost my husband|lost my wife", "bereavement"),
    (
        "disabled|disability|vulnerable|medical|oxygen|dialysis|elderly|on her own|on his own|eighty|ninety|up the queue",
        "Priority Care register",
    ),
    ("leave home because|domestic|abusive|abuse", "Priority Care confidential"),
    (
        "deaf|hard of hearing|blind|cant see|see very well|bigger print|send it bigger|sign language",
        "accessibility large print Relay UK",
    ),
    (
        "call me back|ring me back|phone me back|call me|ring me|phone me|callback|call back",
        "callback",
    ),
    ("in writing|writing|email me|confirm it by email|send me that", "written confirmation e-mail"),
    (
        "what time are you open|opening hours|open till|open until|what hours",
        "opening hours contact",
    ),
    ("manager|boss|higher up|senior|supervisor|in charge|your superior", "supervisor"),
    (
        "not happy|unhappy|complain|logged officially|formal complaint|formally|officially|third time|keep ringing|keep calling",
        "complaint",
    ),
    (
        "take this further|take this to|wont help me|regulator|ofcom|dead lock|deadlock|ombudsman",
        "Communications Ombudsman deadlock complaint",
    ),
    (
        "everything youve got on me|my data|personal data|information you hold|gdpr|what was said on|recording|recordings",
        "personal data request copy",
    ),
    ("adverts|marketing|spam me|stop sending|junk", "marketing opt out"),
    (
        "my shop|my business|salon|run my|work from home|working from home|office|company line",
        "business use",
    ),
    ("kids|children|my son|my daughter|adult|xbox|at night", "parental controls"),
    ("same ip|fixed ip|ip all the time|cameras|cctv", "static IP address"),
    (
        "my stuff|parcel|delivery|delivered|been sent|dispatched|posted yet|where is my order|wheres my order",
        "order tracking delivery",
    ),
    (
        "go live|went live|switched on when|get connected|get us connected|activation|start date|supposed to start",
        "order start delay",
    ),
    (
        "want the box back|send it back|give it back|posted it back|something i posted|return",
        "return equipment",
    ),
    ("chewed|smashed|spilled|dropped it|broken the", "damaged router replacement"),
    ("the caller|before opening the account|security questions", "verify caller"),
];

/// The article's terms for what the query says in other words; none that it says already.
pub(crate) fn expansion(query: &str) -> Vec<String> {
    let padded = format!(" {} ", terms::words(query).join(" "));
    let said = terms::terms(query);
    let mut added: Vec<String> = Vec::new();
    for (phrases, meaning) in TABLE {
        if !phrases.split('|').any(|phrase| padded.contains(&format!(" {phrase} "))) {
            continue;
        }
        for term in terms::terms(meaning) {
            if !said.contains(&term) && !added.contains(&term) {
                added.push(term);
            }
        }
    }
    added
}
