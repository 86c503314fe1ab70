//! The date of responses, formatted once a second.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use endwell_core::http::Date;

thread_local! {
    static LAST: Cell<Option<(u64, Date)>> = const { Cell::new(None) };
}

/// The current date. `None` if the system's clock is outside the years of the format.
pub(crate) fn now() -> Option<Date> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    if let Some((at, date)) = LAST.get() {
        if at == seconds {
            return Some(date);
        }
    }
    // The formatter panics beyond the year 9999.
    if seconds > LAST_SECOND {
        return None;
    }
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    let date = Date::from_imf_fixdate(&text)?;
    LAST.set(Some((seconds, date)));
    Some(date)
}

/// 31 December 9999, 23:59:59.
const LAST_SECOND: u64 = 253_402_300_799;
