//! What the clients among the examples connect with: sockets of the runtime of choice, proxies over them, TLS over those.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use endwell::client::Url;
use endwell::client::proxy::{Proxied, Proxies, Proxy};
use endwell::tls::rustls::{ClientConfig, RootCertStore};
use endwell::{Connector, blocking, tls};

/// How origins are reached.
#[derive(Default)]
pub(crate) struct Reach {
    runtime: Runtime,
    /// The proxy for everything. `None`: as the environment says. Empty: none.
    proxy: Option<String>,
    /// Hosts that are reached without a proxy. `None`: as the environment says.
    no_proxy: Option<String>,
    /// A file with the roots to trust, in PEM. `None`: the system's.
    roots: Option<PathBuf>,
}

#[derive(Clone, Copy, Default)]
enum Runtime {
    #[default]
    Tokio,
    AsyncStd,
    Smol,
    /// A thread for each connection.
    Blocking,
}

/// What a client does with a connector.
pub(crate) trait Program {
    type Output;

    async fn run<C: Connector>(self, connector: C) -> Self::Output;
}

impl Reach {
    /// The options of the command line that are read here.
    pub(crate) const USAGE: &str = "
  -x, --proxy URL      a proxy: http, https, socks5 or socks5h; '' for none (http_proxy, https_proxy, all_proxy)
      --noproxy LIST   hosts that are reached without it (no_proxy)
      --cacert FILE    the certificates to trust, in PEM (the system's)
      --runtime NAME   tokio, async-std, smol or blocking (tokio)";

    /// An option as it stands on the command line. Empty: it is none.
    pub(crate) fn name(argument: &lexopt::Arg<'_>) -> String {
        match argument {
            lexopt::Arg::Short(name) => format!("-{name}"),
            lexopt::Arg::Long(name) => format!("--{name}"),
            lexopt::Arg::Value(_) => String::new(),
        }
    }

    /// Takes an option, if it is one of these. False: it is none.
    pub(crate) fn take(
        &mut self,
        option: &str,
        arguments: &mut lexopt::Parser,
    ) -> Result<bool, lexopt::Error> {
        use lexopt::ValueExt;
        match option {
            "-x" | "--proxy" => self.proxy = Some(arguments.value()?.string()?),
            "--noproxy" => self.no_proxy = Some(arguments.value()?.string()?),
            "--cacert" => self.roots = Some(arguments.value()?.into()),
            "--runtime" => {
                self.runtime = arguments.value()?.parse_with(|name| match name {
                    "tokio" => Ok(Runtime::Tokio),
                    "async-std" => Ok(Runtime::AsyncStd),
                    "smol" => Ok(Runtime::Smol),
                    "blocking" => Ok(Runtime::Blocking),
                    _ => Err("expected tokio, async-std, smol or blocking"),
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Runs `program`, which is to reach these URLs.
    pub(crate) fn run<P: Program>(self, urls: &[Url], program: P) -> Result<P::Output, Box<dyn Error>> {
        let proxies = self.proxies()?;
        let is_secure = |url: &Url| {
            let proxy = proxies.of(&url.origin()).map(Proxy::to_string);
            url.origin().is_secure() || proxy.is_some_and(|proxy| proxy.starts_with("https:"))
        };
        let tls = Arc::new(self.tls(urls.iter().any(is_secure))?);
        Ok(match self.runtime {
            Runtime::Tokio => {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
                runtime.block_on(program.run(over(endwell::tokio::Tcp, proxies, tls)))
            }
            Runtime::AsyncStd => {
                async_std::task::block_on(program.run(over(endwell::async_std::Tcp, proxies, tls)))
            }
            Runtime::Smol => smol::block_on(program.run(over(endwell::smol::Tcp, proxies, tls))),
            Runtime::Blocking => blocking::block_on(program.run(over(blocking::Tcp, proxies, tls))),
        })
    }

    fn proxies(&self) -> Result<Proxies, Box<dyn Error>> {
        let proxies = match self.proxy.as_deref() {
            None => Proxies::from_env()?,
            Some("") => Proxies::default(),
            Some(proxy) => Proxies::all(Proxy::parse(proxy)?),
        };
        Ok(match &self.no_proxy {
            Some(list) => proxies.except(list),
            None => proxies,
        })
    }

    /// Reading the system's roots takes time, and a machine may have none.
    fn tls(&self, is_needed: bool) -> Result<ClientConfig, Box<dyn Error>> {
        let roots = match &self.roots {
            Some(file) => {
                let name = file.display();
                let certificates = fs::read(file).map_err(|error| format!("{name}: {error}"))?;
                tls::roots(&certificates).map_err(|error| format!("{name}: {error}"))?
            }
            None if is_needed => tls::native_roots()?,
            None => RootCertStore::empty(),
        };
        Ok(tls::client_config(roots)?)
    }
}

/// TLS to the origin, over a proxy, over TLS to the proxy, over TCP: each where it is asked for.
fn over<C: Connector>(tcp: C, proxies: Proxies, tls: Arc<ClientConfig>) -> impl Connector {
    tls::TlsConnector::new(Proxied::new(tls::TlsConnector::new(tcp, Arc::clone(&tls)), proxies), tls)
}
