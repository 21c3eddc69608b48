//! BottleCRM itself.

use backchannel::connect::crm::conformance;

use super::peers::BottleCrm;

#[tokio::test]
async fn it_keeps_what_a_crm_promises() {
    conformance::all(BottleCrm::shared()).await;
}
