//! Where people read on: addresses of the service's own pages.

use crate::domain::ConversationId;

/// A conversation on the desktop. The page reads which one from what stands behind the `#`.
pub fn desktop(public_url: &str, conversation: &ConversationId) -> String {
    format!("{public_url}/desktop#{conversation}")
}
