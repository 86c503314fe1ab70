//! Without feature `tracing`: calls without code.

use crate::hub::HubEvent;

#[inline]
pub(super) fn is_wanted() -> bool {
    false
}

pub(super) fn tell(_: &HubEvent) {}
