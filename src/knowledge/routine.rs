//! What a desk answers from its own screens: no article is needed for it, however near one is.

/// Ways to ask for it. They are about service in general; a base knows them by no other name.
pub(crate) const ROUTINE: &[&str] = &[
    "what is the phone number",
    "what is the address",
    "what is the post code",
    "how much does it cost",
    "what is the price range",
    "please make a booking for two people on Thursday",
    "can you reserve it for three days",
    "i am looking for a place in this area",
    "can you recommend one",
    "which ones do you have",
    "can you find another one instead",
    "what kind is it",
    "which area is it in",
    "what rating does it have",
    "thank you, that is all i need",
    "yes please",
    "hello, can you help me",
    "that sounds good, please book it",
];
