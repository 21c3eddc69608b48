//! Request Tracker itself.

use backchannel::connect::crm::conformance;

use super::peers::RequestTracker;

#[tokio::test]
async fn it_keeps_what_a_crm_promises() {
    conformance::all(RequestTracker::shared()).await;
}
