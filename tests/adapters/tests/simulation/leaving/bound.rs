//! How long a slot may be taken by a peer that is not there.

use std::time::Duration;

use endwell::{OnGone, ServerConfig};

use super::handlers::Holds;
use super::{Plan, SECOND};
use crate::wire::{KEEP_ALIVE, Leaving, Line, RETRANSMISSIONS, Weather};

/// What the handlers of those worlds take, one after the other.
const HANDLERS: Duration = Duration::from_secs(10);

/// In which whoever is woken is polled, and what is on its way arrives.
const MOMENT: Duration = Duration::from_millis(600);

/// Between two questions of the driver whether the transport has failed.
const ASKED_EVERY: Duration = Duration::from_secs(10);

/// When the connection must have ended. `began`: its handler had begun.
pub(super) fn until(plan: &Plan, line: &Line, began: bool) -> Duration {
    let left_at = line.left_at().unwrap_or_default();
    // As long as the peer's system takes what is sent it cannot be told from one that reads.
    let from = left_at.max(line.last_taken(1));
    if !began {
        return from + before_the_handler(plan) + MOMENT;
    }
    let seen = match plan.doing.holds {
        _ if plan.is_blind() => blind(plan, line, from),
        Holds::Exchange | Holds::Answered => exchange(plan, line, from),
        Holds::Socket => socket(plan, line, from),
        Holds::Raw => raw(plan, line, from),
    };
    seen + handler(plan) + MOMENT
}

/// What a handler has once its connection has ended.
fn handler(plan: &Plan) -> Duration {
    match plan.config.on_gone {
        OnGone::Cancel if plan.doing.holds == Holds::Exchange => Duration::ZERO,
        OnGone::Cancel => plan.config.handler_grace,
        // As it asked, and the last pause.
        OnGone::Finish => plan.time + SECOND * 45,
    }
}

fn before_the_handler(plan: &Plan) -> Duration {
    let http = &plan.config.http;
    match plan.leaves {
        Leaving::Resets | Leaving::Closes => Duration::ZERO,
        // A refusal that is queued.
        Leaving::Deaf | Leaving::ClosesThenResets(_) => output(plan) + http.linger_time,
        Leaving::Silent => {
            http.first_byte_time.max(http.head_time).max(http.idle_time) + output(plan) + http.linger_time
        }
    }
}

/// While nothing is read that would tell, the driver asks.
fn blind(plan: &Plan, line: &Line, from: Duration) -> Duration {
    let told = match plan.leaves {
        Leaving::Resets => from,
        Leaving::ClosesThenResets(time) => from + time,
        Leaving::Closes | Leaving::Deaf => from + KEEP_ALIVE,
        Leaving::Silent => line.gives_up_at(1).unwrap_or_default(),
    };
    told + ASKED_EVERY
}

/// When the driver has asked behind the reset.
fn asked(plan: &Plan, from: Duration) -> Duration {
    let Leaving::ClosesThenResets(time) = plan.leaves else { return from };
    from + time + ASKED_EVERY
}

fn exchange(plan: &Plan, line: &Line, from: Duration) -> Duration {
    let half_closed = plan.config.half_closed.unwrap_or_default();
    let http = &plan.config.http;
    match plan.leaves {
        Leaving::Resets => from,
        Leaving::Closes => from + half_closed,
        Leaving::ClosesThenResets(_) => {
            asked(plan, from).min(from + half_closed + output(plan) + http.linger_time)
        }
        Leaving::Deaf => from + half_closed + output(plan) + http.linger_time,
        Leaving::Silent if plan.doing.reads => {
            let silence = http.request_pace.silence.unwrap_or_default();
            from + silence.max(http.idle_time) + output(plan) + http.linger_time
        }
        Leaving::Silent => line.gives_up_at(1).unwrap_or_default(),
    }
}

fn socket(plan: &Plan, line: &Line, from: Duration) -> Duration {
    let half_closed = plan.config.half_closed.unwrap_or_default();
    let ws = &plan.config.ws;
    let tells_and_closes = SECOND + half_closed + output(plan) + ws.close_time * 2;
    match (plan.leaves, ws.ping_interval) {
        (Leaving::Resets, _) => from,
        (Leaving::Closes, _) => from + SECOND + half_closed,
        (Leaving::ClosesThenResets(_), _) => asked(plan, from).min(from + tells_and_closes),
        (Leaving::Deaf, _) => from + tells_and_closes,
        (Leaving::Silent, Some(interval)) => {
            from + interval * 11 / 10 + ws.pong_time + output(plan) + tells_and_closes
        }
        (Leaving::Silent, None) => line.gives_up_at(1).unwrap_or_default(),
    }
}

fn raw(plan: &Plan, line: &Line, from: Duration) -> Duration {
    // A holder that is done leaves what is queued.
    let closes = output(plan) + plan.config.http.linger_time;
    match (plan.leaves, plan.idle) {
        (Leaving::Resets, _) => from,
        (Leaving::Silent, idle) => {
            let kernel = line.gives_up_at(1).unwrap_or_default();
            idle.map_or(kernel, |idle| kernel.min(from + idle + closes))
        }
        (Leaving::Deaf, idle) => from + idle.unwrap_or_default() + closes,
        (Leaving::Closes, _) => from + KEEP_ALIVE + ASKED_EVERY,
        (Leaving::ClosesThenResets(_), _) => asked(plan, from),
    }
}

/// The longest of all in a world of another kind.
pub(super) fn longest(config: &ServerConfig, weather: &Weather, leaves: Leaving) -> Duration {
    let ServerConfig { http, ws, .. } = config;
    let closes = takes_nothing(config, weather) + http.linger_time.max(ws.close_time * 2);
    let half_closed = SECOND + config.half_closed.unwrap_or_default();
    let stall = weather.stall.map_or(Duration::ZERO, |(_, _, time)| time);
    match leaves {
        Leaving::Resets => ASKED_EVERY,
        Leaving::Closes | Leaving::Deaf | Leaving::ClosesThenResets(_) => {
            stall + HANDLERS + half_closed + closes
        }
        Leaving::Silent => {
            let silence = http.request_pace.silence.unwrap_or_default();
            let pings = ws.ping_interval.unwrap_or_default() * 11 / 10 + ws.pong_time;
            let library = HANDLERS + http.idle_time.max(silence).max(pings) + half_closed + closes;
            library.max(KEEP_ALIVE + RETRANSMISSIONS)
        }
    }
}

fn output(plan: &Plan) -> Duration {
    takes_nothing(&plan.config, &plan.weather)
}

/// What is queued, and taken by nobody: a peer that has taken much may read that for twice the silence, from an eighth of
/// it on. Where the kernel tells what the peer has, what it took just after a question counts from the next one. A layer above the wire that holds something back has the time for all that it was given.
fn takes_nothing(config: &ServerConfig, weather: &Weather) -> Duration {
    let pace = &config.output.pace;
    let silence = pace.silence.unwrap_or_default();
    let held = weather
        .holds
        .and(pace.total)
        .map_or(Duration::ZERO, |total| total.time(2 * config.output.high_water as u64));
    silence * if weather.tells() { 9 } else { 5 } / 2 + held
}
