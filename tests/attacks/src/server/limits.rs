//! The limits of a server that is attacked: the one place that names settings.

use std::time::Duration;

use endwell::core::Pace;
use endwell::{ServerConfig, ws};

use super::{Setup, story};

pub fn config(setup: &Setup) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.connections = setup.connections;
    config.held_bytes = setup.held_bytes;
    config.ws.message_bytes = setup.message_bytes.try_into().unwrap_or(u64::MAX);
    config.ws.frame_bytes = config.ws.message_bytes;
    config.deflate = Some(ws::Deflate::default());
    config.on_end = Some(story::on_end());
    if setup.short {
        shorten(&mut config);
    }
    config
}

/// What a peer that is silent or gone may take its time with: 1 s at the most, where there is a limit.
fn shorten(config: &mut ServerConfig) {
    let second = Duration::from_secs(1);
    config.half_closed = Some(second / 2);
    config.handler_grace = second / 2;
    config.http.first_byte_time = second;
    config.http.head_time = second;
    config.http.idle_time = second;
    config.http.request_pace = Pace::silence(second);
    config.http.linger_time = second / 2;
    config.output.pace = Pace::silence(second);
    config.ws.message_pace = Pace::silence(second);
    config.ws.ping_interval = Some(second / 2);
    config.ws.pong_time = second / 2;
    config.ws.close_time = second / 2;
    config.half_closed = Some(second);
    config.handler_grace = second;
}
