//! Builds the servers, and runs them and the load on a core each.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::plan::{Program, Server};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Where things are: the sources of the benches, and what is built.
pub(crate) struct Host {
    benches: PathBuf,
    target: PathBuf,
    scratch: PathBuf,
}

pub(crate) struct Running {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Host {
    pub(crate) fn new() -> Outcome<Self> {
        let benches = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| benches.join("target"), PathBuf::from);
        let scratch = std::env::temp_dir().join(format!("endwell-compare-{}", std::process::id()));
        fs::create_dir_all(&scratch)?;
        Ok(Self { benches, target, scratch })
    }

    /// Builds the load and these servers, and returns those that can be run. Peers that do not build are told and left out.
    pub(crate) fn build<'a>(&self, servers: &[&'a Server]) -> Outcome<Vec<&'a Server>> {
        let mut wanted = BTreeMap::from([("Cargo.toml", vec!["load", "ws-client"])]);
        for server in servers {
            if let Program::Bin(manifest, bin) = server.program {
                wanted.entry(manifest).or_default().push(bin);
            }
        }
        let mut failed = Vec::new();
        for (manifest, mut bins) in wanted {
            bins.dedup();
            let arguments: Vec<_> = bins.iter().flat_map(|bin| ["--bin", bin]).collect();
            if !self.cargo(manifest, &arguments)? {
                if manifest == "Cargo.toml" {
                    return Err("the load and the floors do not build".into());
                }
                failed.push(manifest);
            }
        }
        let serves = servers.iter().any(|server| matches!(server.program, Program::Serve));
        let example = ["-p", "endwell", "--example", "serve", "--all-features"];
        if serves && !self.cargo("../../Cargo.toml", &example)? {
            return Err("the example does not build".into());
        }
        let runs = |server: &&&Server| match server.program {
            Program::Bin(manifest, _) if failed.contains(&manifest) => {
                eprintln!("left out: {}, since {manifest} does not build", server.name);
                false
            }
            Program::Nginx if Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_err() => {
                eprintln!("left out: nginx is not installed");
                false
            }
            _ => true,
        };
        Ok(servers.iter().filter(runs).copied().collect())
    }

    fn cargo(&self, manifest: &str, arguments: &[&str]) -> Outcome<bool> {
        eprintln!("building {manifest} {}", arguments.join(" "));
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]);
        cargo.arg(self.benches.join(manifest)).args(arguments).arg("--target-dir").arg(&self.target);
        Ok(cargo.status()?.success())
    }

    fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Starts a server on the first core.
    pub(crate) fn start(&self, server: &Server) -> Outcome<Running> {
        if matches!(server.program, Program::Nginx) {
            return self.start_nginx();
        }
        let program = match server.program {
            Program::Bin(_, bin) => self.program(bin),
            Program::Serve | Program::Nginx => self.program("examples/serve"),
        };
        let mut command = on_core("0", &program);
        command.args(server.arguments).args(["--listen", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut running = Running { process, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        running.address = line.trim().parse().map_err(|_| format!("{} printed no address", server.name))?;
        Ok(running)
    }

    fn start_nginx(&self) -> Outcome<Running> {
        // nginx does not tell which port the system has picked.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let configuration = self.scratch.join("nginx.conf");
        fs::write(
            &configuration,
            format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr;
                events {{ worker_connections 4096; }}
                http {{
                    access_log off; keepalive_requests 1000000000;
                    server {{
                        listen {address};
                        location = /hello {{ default_type text/plain; return 200 hello; }}
                    }}
                }}"
            ),
        )?;
        let mut command = on_core("0", Path::new("nginx"));
        command.arg("-p").arg(&self.scratch).arg("-c").arg(configuration).args(["-e", "stderr"]);
        let running = Running { process: command.stderr(Stdio::null()).spawn()?, address };
        for _ in 0..100 {
            if TcpStream::connect(address).is_ok() {
                return Ok(running);
            }
            sleep(Duration::from_millis(50));
        }
        Err("nginx does not listen".into())
    }

    /// Runs a program on the second core, and returns what it prints.
    pub(crate) fn run(&self, program: &str, arguments: &[String]) -> Outcome<String> {
        let output = on_core("1", &self.program(program)).args(arguments).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The version of a crate that is measured.
    pub(crate) fn version(&self, server: &Server) -> Option<String> {
        let lock = match server.program {
            Program::Bin(manifest, _) => self.benches.join(manifest).with_extension("lock"),
            Program::Serve => self.benches.join("../../Cargo.lock"),
            Program::Nginx => {
                let output = Command::new("nginx").arg("-v").output().ok()?;
                return Some(String::from_utf8_lossy(&output.stderr).rsplit('/').next()?.trim().into());
            }
        };
        let text = fs::read_to_string(lock).ok()?;
        let (_, package) = text.split_once(&format!("name = \"{}\"\nversion = \"", server.of))?;
        Some(package.split('"').next()?.into())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What stays in the system's folder for such things does no harm.
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

fn on_core(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}
