pub mod telephony;
