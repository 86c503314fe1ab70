//! A headless Chromium, driven by the DevTools protocol.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use endwell::ClientConfig;
use endwell::client::{Pool, PoolLimits};
use endwell::http::Method;
use endwell::tokio::Tcp;
use endwell::ws::{self, Socket};
use serde_json::{Value, json};

use crate::support::{LONG, temporary};

pub(crate) struct Browser {
    child: Child,
    profile: PathBuf,
    /// Where it is driven: `HOST:PORT`.
    address: String,
}

impl Browser {
    /// `None`, and a word, where there is no Chromium.
    pub(crate) fn start() -> Option<Self> {
        let profile = temporary();
        let mut command = Command::new("chromium");
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank");
        let Ok(mut child) = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn() else {
            println!("SKIPPED: there is no chromium");
            return None;
        };
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            let (_, url) = line.split_once("ws://")?;
            url.split('/').next().map(ToOwned::to_owned)
        });
        Some(Self { child, profile, address: address.expect("chromium does not start") })
    }

    /// Opens a window.
    pub(crate) async fn open(&self, url: &str) -> Window {
        // The characters of our URLs that a query would not take.
        let new = format!("http://{}/json/new?{}", self.address, url.replace('?', "%3F"));
        let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
        let mut answer = pool.request(Method::Put, new).send().await.unwrap();
        let body = answer.text(1 << 20).await.unwrap();
        let target: Value = serde_json::from_str(&body).unwrap();
        let url = target["webSocketDebuggerUrl"].as_str().unwrap();
        let mut window = Window { socket: ws::connect(url).open(&Tcp).await.unwrap(), calls: 0 };
        let size = json!({ "width": 1000, "height": 620, "deviceScaleFactor": 1, "mobile": false });
        window.call("Emulation.setDeviceMetricsOverride", size).await;
        window
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        // Its processes end a moment later.
        _ = std::fs::remove_dir_all(&self.profile);
    }
}

pub(crate) struct Window {
    socket: Socket,
    calls: u64,
}

impl Window {
    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let call = json!({ "id": self.calls, "method": method, "params": params });
        self.socket.send(call.to_string()).await.unwrap();
        loop {
            let answer = self.socket.receive_data().await.expect("the browser has gone");
            let mut answer: Value = serde_json::from_str(&answer.into_text().unwrap()).unwrap();
            if answer["id"] == self.calls {
                return answer["result"].take();
            }
        }
    }

    /// Runs a script, and returns what it comes to.
    pub(crate) async fn run(&mut self, script: &str) -> Value {
        let params = json!({ "expression": script, "returnByValue": true });
        self.call("Runtime.evaluate", params).await["result"]["value"].take()
    }

    /// Waits until a script comes to true.
    pub(crate) async fn until(&mut self, script: &str) {
        let since = Instant::now();
        while self.run(script).await != true {
            assert!(since.elapsed() < LONG, "never: {script}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Draws the window, if that is asked for.
    pub(crate) async fn draw(&mut self, name: &str) {
        let Ok(folder) = std::env::var("ENDWELL_SCREENSHOT") else { return };
        let picture = self.call("Page.captureScreenshot", json!({})).await;
        let picture = BASE64_STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), picture).unwrap();
    }
}
