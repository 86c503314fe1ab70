//! What is compared: the suites, and the servers of each.

pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    /// What the load speaks, to servers that are not raw.
    pub(crate) speak: &'static str,
    /// The others are told as ratios to the first server.
    pub(crate) has_floor: bool,
    /// The scenarios are named by the quantity that grows.
    pub(crate) is_series: bool,
    pub(crate) scenarios: &'static [Scenario],
    /// The floor first.
    pub(crate) servers: &'static [&'static str],
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Arguments of the load.
    pub(crate) load: &'static [&'static str],
}

pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// Knows no protocol, and echoes bytes.
    pub(crate) is_raw: bool,
    pub(crate) program: Program,
    pub(crate) arguments: &'static [&'static str],
    /// The crate whose version is told.
    pub(crate) of: &'static str,
}

#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// A manifest, from the folder of the benches, and a binary of it.
    Bin(&'static str, &'static str),
    /// The example `serve` of endwell, as the README shows it.
    Serve,
    /// The system's nginx, in one process.
    Nginx,
}

const fn scenario(name: &'static str, what: &'static str, load: &'static [&'static str]) -> Scenario {
    Scenario { name, what, load }
}

const US: &str = "CPU us of the server per message";

pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "ws",
        title: "WebSocket echo: server CPU per message",
        unit: US,
        speak: "websocket",
        has_floor: true,
        is_series: false,
        scenarios: &[
            scenario(
                "a",
                "100 connections, 20 B, 1 in flight",
                &["--connections", "100", "--bytes", "20", "--flight", "1"],
            ),
            scenario(
                "b",
                "10 connections, 20 B, 64 in flight",
                &["--connections", "10", "--bytes", "20", "--flight", "64"],
            ),
            scenario(
                "c",
                "10 connections, 1 KiB, 16 in flight",
                &["--connections", "10", "--bytes", "1024", "--flight", "16"],
            ),
            scenario(
                "d",
                "10 connections, 16 KiB, 4 in flight",
                &["--connections", "10", "--bytes", "16384", "--flight", "4"],
            ),
            scenario(
                "e",
                "2 connections, 1 MiB, 1 in flight",
                &["--connections", "2", "--bytes", "1048576", "--flight", "1"],
            ),
            scenario(
                "f",
                "100 connections, 20 B, 16 in flight",
                &["--connections", "100", "--bytes", "20", "--flight", "16"],
            ),
            scenario(
                "g",
                "10 connections, 16 KiB of Chinese text, 4 in flight",
                &["--connections", "10", "--bytes", "16384", "--flight", "4", "--text", "chinese"],
            ),
        ],
        servers: &[
            "epoll TCP echo",
            "tokio TCP echo",
            "async-std TCP echo",
            "fastwebsockets",
            "sockudo-ws",
            "sockudo-ws, batch",
            "yawc",
            "yawc, batch",
            "tokio-websockets",
            "tokio-websockets, batch",
            "tokio-tungstenite",
            "tokio-tungstenite, batch",
            "async-tungstenite on async-std",
            "endwell",
            "endwell, lending",
            "endwell on smol",
            "endwell on smol, lending",
        ],
    },
    Suite {
        name: "http",
        title: "HTTP/1.1 GET, keep-alive, 50 connections: server CPU per request",
        unit: "CPU us of the server per request",
        speak: "http",
        has_floor: true,
        is_series: false,
        scenarios: &[
            scenario("1", "1 in flight", &["--connections", "50", "--flight", "1"]),
            scenario("16", "16 in flight", &["--connections", "50", "--flight", "16"]),
        ],
        servers: &[
            "static epoll responder",
            "hyper",
            "hyper, pipeline flush",
            "axum",
            "nginx",
            "endwell",
            "endwell on smol",
        ],
    },
    Suite {
        name: "turnover",
        title: "Connect, upgrade, one echo, close: server CPU per connection",
        unit: "CPU us of the server per connection",
        speak: "websocket",
        has_floor: true,
        is_series: false,
        scenarios: &[scenario("1", "10 connections at a time", &["--turnover", "--connections", "10"])],
        servers: &[
            "epoll TCP echo",
            "tokio TCP echo",
            "fastwebsockets",
            "sockudo-ws",
            "yawc",
            "tokio-websockets",
            "tokio-tungstenite",
            "endwell",
            "endwell, lending",
            "endwell on smol",
        ],
    },
    Suite {
        name: "connections",
        title: "20 B, 1 in flight: server CPU per message as connections grow",
        unit: US,
        speak: "websocket",
        has_floor: true,
        is_series: true,
        scenarios: &[
            scenario("10", "10 connections", &["--connections", "10"]),
            scenario("30", "30 connections", &["--connections", "30"]),
            scenario("100", "100 connections", &["--connections", "100"]),
            scenario("300", "300 connections", &["--connections", "300"]),
            scenario("1000", "1,000 connections", &["--connections", "1000"]),
        ],
        servers: &["epoll TCP echo", "fastwebsockets", "tokio-tungstenite", "endwell", "endwell on smol"],
    },
    Suite {
        name: "sizes",
        title: "10 connections, 1 in flight: server CPU per message as messages grow",
        unit: US,
        speak: "websocket",
        has_floor: true,
        is_series: true,
        scenarios: &[
            scenario("20", "20 B", &["--bytes", "20"]),
            scenario("256", "256 B", &["--bytes", "256"]),
            scenario("1024", "1 KiB", &["--bytes", "1024"]),
            scenario("4096", "4 KiB", &["--bytes", "4096"]),
            scenario("16384", "16 KiB", &["--bytes", "16384"]),
            scenario("65536", "64 KiB", &["--bytes", "65536"]),
            scenario("262144", "256 KiB", &["--bytes", "262144"]),
            scenario("1048576", "1 MiB", &["--bytes", "1048576"]),
        ],
        servers: &["epoll TCP echo", "fastwebsockets", "tokio-tungstenite", "endwell", "endwell on smol"],
    },
];

const OWN: &str = "Cargo.toml";
const PEERS: &str = "peers-ws/Cargo.toml";

const RAW: bool = true;
const KNOWS: bool = false;

const fn server(
    name: &'static str,
    is_raw: bool,
    of: &'static str,
    program: Program,
    arguments: &'static [&'static str],
) -> Server {
    Server { name, is_raw, program, arguments, of }
}

pub(crate) const SERVERS: &[Server] = &[
    server("epoll TCP echo", RAW, "mio", Program::Bin(OWN, "epoll-echo"), &[]),
    server("tokio TCP echo", RAW, "tokio", Program::Bin(OWN, "tokio-echo"), &[]),
    server("static epoll responder", KNOWS, "mio", Program::Bin(OWN, "epoll-hello"), &[]),
    server("hyper", KNOWS, "hyper", Program::Bin(OWN, "hyper-hello"), &["--mode", "plain"]),
    server("hyper, pipeline flush", KNOWS, "hyper", Program::Bin(OWN, "hyper-hello"), &[]),
    server("axum", KNOWS, "axum", Program::Bin(OWN, "axum-hello"), &[]),
    server("nginx", KNOWS, "nginx", Program::Nginx, &[]),
    server("endwell", KNOWS, "endwell", Program::Serve, &["--runtime", "tokio"]),
    server("endwell on smol", KNOWS, "endwell", Program::Serve, &["--runtime", "smol"]),
    server("endwell, lending", KNOWS, "endwell", Program::Bin(OWN, "endwell-lending"), &[]),
    server(
        "endwell on smol, lending",
        KNOWS,
        "endwell",
        Program::Bin(OWN, "endwell-lending"),
        &["--runtime", "smol"],
    ),
    server("async-std TCP echo", RAW, "async-std", Program::Bin(PEERS, "async-std-echo"), &[]),
    server(
        "async-tungstenite on async-std",
        KNOWS,
        "async-tungstenite",
        Program::Bin(PEERS, "async-std-echo"),
        &["--mode", "plain"],
    ),
    server("fastwebsockets", KNOWS, "fastwebsockets", Program::Bin(PEERS, "fastwebsockets-echo"), &[]),
    server("sockudo-ws", KNOWS, "sockudo-ws", Program::Bin(PEERS, "sockudo-echo"), &[]),
    server(
        "sockudo-ws, batch",
        KNOWS,
        "sockudo-ws",
        Program::Bin(PEERS, "sockudo-echo"),
        &["--mode", "batch"],
    ),
    server("yawc", KNOWS, "yawc", Program::Bin(PEERS, "yawc-echo"), &[]),
    server("yawc, batch", KNOWS, "yawc", Program::Bin(PEERS, "yawc-echo"), &["--mode", "batch"]),
    server("tokio-websockets", KNOWS, "tokio-websockets", Program::Bin(PEERS, "tokio-websockets-echo"), &[]),
    server(
        "tokio-websockets, batch",
        KNOWS,
        "tokio-websockets",
        Program::Bin(PEERS, "tokio-websockets-echo"),
        &["--mode", "batch"],
    ),
    server("tokio-tungstenite", KNOWS, "tokio-tungstenite", Program::Bin(PEERS, "tungstenite-echo"), &[]),
    server(
        "tokio-tungstenite, batch",
        KNOWS,
        "tokio-tungstenite",
        Program::Bin(PEERS, "tungstenite-echo"),
        &["--mode", "batch"],
    ),
];
