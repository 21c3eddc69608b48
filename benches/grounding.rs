//! What proof costs: a conversation read, a sentence checked, both for a summary of ten sentences.
//! Run: `cargo bench --bench grounding`.

use backchannel::domain::{Party, PartyId, Redacted, Role, Turn, TurnId};
use backchannel::grounding::{Claim, Ground, Verifier};
use backchannel::models::Material;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const TURNS: [&str; 10] = [
    "Good morning, Larkfield Broadband, you're speaking with Priya. How can I help you today?",
    "Hi, I've just looked at my bank statement and you've taken forty-five pounds twice this month.",
    "I'm sorry about that. Can I take your account number, please?",
    "It's LB four four one nine two, and the name is Olivia Bennett.",
    "Thanks. I can see two direct debits, one on the third of May and one on the fifth. The second shouldn't have gone out.",
    "So when do I get my money back? I need it before the weekend because the rent is due on Monday.",
    "I've asked for the refund just now. It'll be back in your account within five working days.",
    "Okay. My internet has been dropping out every evening, too. I restarted the router twice and it didn't help.",
    "That tells me the line is losing its signal. I'm booking an engineer for Thursday between eight and one, there's no charge.",
    "Thursday's fine. Can you send that to olivia dot bennett at example dot com?",
];

const SENTENCES: [&str; 10] = [
    "The customer reported that £45 had been taken twice from their bank account.",
    "The account number is LB44192.",
    "Two direct debits went out, on 3 May and on the fifth.",
    "The agent said that the second direct debit shouldn't have gone out.",
    "The customer needs the money before the weekend because the rent is due on Monday.",
    "The refund will be back in the account within five working days.",
    "The internet has been dropping out every evening.",
    "The customer restarted the router twice, which didn't help.",
    "The agent booked an engineer for Thursday between eight and one.",
    "The agent offered a voucher of ten percent for the next order.",
];

fn material(turns: usize) -> Material {
    let turn = |n: usize| Turn {
        id: TurnId::from(format!("t-{n}")),
        party: Party {
            id: PartyId::from("p"),
            role: if n.is_multiple_of(2) { Role::Agent } else { Role::Customer },
            name: None,
        },
        start_ms: 0,
        end_ms: 0,
        text: Redacted::vouched(TURNS[n % TURNS.len()]),
        display_text: None,
        words: Vec::new(),
        mean_logprob: None,
        language: "en".into(),
    };
    Material { turns: (0..turns).map(turn).collect(), passages: Vec::new() }
}

fn claims() -> Vec<Claim> {
    SENTENCES
        .iter()
        .map(|text| Claim::new(Redacted::vouched(*text), Vec::<String>::new()))
        .collect()
}

#[divan::bench(args = [20, 8_000])]
fn reading_a_conversation(bencher: Bencher, turns: usize) {
    let material = material(turns);
    bencher.counter(ItemsCount::new(turns)).bench(|| Ground::of(black_box(&material)));
}

#[divan::bench(args = [20, 8_000])]
fn ten_sentences(bencher: Bencher, turns: usize) {
    let ground = Ground::of(&material(turns));
    let claims = claims();
    bencher.counter(ItemsCount::new(claims.len())).bench(|| {
        claims.iter().filter(|claim| Verifier.check(black_box(claim), &ground).is_ok()).count()
    });
}

/// One item is a conversation of 20 turns with a summary of ten sentences.
#[divan::bench]
fn conversation(bencher: Bencher) {
    let material = material(20);
    let claims = claims();
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        let ground = Ground::of(black_box(&material));
        Verifier.verify_claims(&claims, &ground)
    });
}
