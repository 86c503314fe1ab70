//! Endwell beside its peers, in one run: `tests/benches/compare`.

mod chart;
mod host;
mod plan;
mod results;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, exit};

use host::{Host, Outcome, Running};
use plan::{SERVERS, SUITES, Scenario, Server, Suite};
use results::{Results, Sample};

const USAGE: &str = "usage: compare [options]
Measures what a message costs the server's CPU, for endwell and its peers, as a ratio to a floor that knows no protocol.
Rounds go round the servers, because a machine changes its speed within minutes: only ratios of one run mean anything.
Servers have the first core and the load has the second.
  --rounds N       measurements of each server in each scenario, of which the median counts (3)
  --seconds S      time of a measurement (1)
  --only LIST      suites, scenarios (ws/b) or servers (as the tables name them, or the first words of it), with commas
                   between; of each kind that is named only those, and always the floors
  --csv FILE       write the results there too
  --svg FOLDER     draw charts there
  --markdown FILE  write the tables there, with what they were measured on
  --list           print suites, scenarios and servers";

struct Options {
    rounds: usize,
    seconds: f64,
    only: Vec<String>,
    csv: Option<PathBuf>,
    svg: Option<PathBuf>,
    markdown: Option<PathBuf>,
}

/// A suite, and what of it was asked for.
struct Plan {
    suite: &'static Suite,
    scenarios: Vec<&'static Scenario>,
    servers: Vec<&'static Server>,
}

fn options() -> Outcome<Options> {
    use lexopt::prelude::*;
    let mut options =
        Options { rounds: 3, seconds: 1.0, only: Vec::new(), csv: None, svg: None, markdown: None };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("rounds") => options.rounds = arguments.value()?.parse()?,
            Long("seconds") => options.seconds = arguments.value()?.parse()?,
            Long("only") => {
                let list = arguments.value()?.string()?;
                options.only.extend(list.split(',').map(|name| name.trim().to_owned()));
            }
            Long("csv") => options.csv = Some(arguments.value()?.into()),
            Long("svg") => options.svg = Some(arguments.value()?.into()),
            Long("markdown") => options.markdown = Some(arguments.value()?.into()),
            Long("list") => {
                for suite in SUITES {
                    println!("{}: {}", suite.name, suite.title);
                    for scenario in suite.scenarios {
                        println!("  {}/{}: {}", suite.name, scenario.name, scenario.what);
                    }
                    println!("  servers: {}", suite.servers.join("; "));
                }
                exit(0);
            }
            Long("help") | Short('h') => {
                println!("{USAGE}");
                exit(0);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

/// What `--only` leaves.
fn plan(only: &[String]) -> Outcome<Vec<Plan>> {
    let names_suite = |name: &String| SUITES.iter().any(|suite| name.split('/').next() == Some(suite.name));
    let (suites, servers): (Vec<_>, Vec<_>) = only.iter().cloned().partition(names_suite);
    let of_name = |name: &str| SERVERS.iter().find(|server| server.name == name);
    if let Some(name) =
        servers.iter().find(|name| !SERVERS.iter().any(|server| server.name.starts_with(*name)))
    {
        return Err(format!("no suite and no server is called {name}; --list prints them").into());
    }
    let mut plans = Vec::new();
    for suite in SUITES {
        let is_asked = |scenario: &&Scenario| {
            let name = format!("{}/{}", suite.name, scenario.name);
            suites.is_empty() || suites.iter().any(|asked| *asked == name || asked == suite.name)
        };
        let scenarios: Vec<_> = suite.scenarios.iter().filter(is_asked).collect();
        let is_asked = |server: &&Server| {
            servers.is_empty()
                || suite.servers.first() == Some(&server.name)
                || servers.iter().any(|name| server.name.starts_with(name.as_str()))
        };
        let servers = suite.servers.iter().filter_map(|name| of_name(name)).filter(is_asked).collect();
        if !scenarios.is_empty() {
            plans.push(Plan { suite, scenarios, servers });
        }
    }
    Ok(plans)
}

fn measure(
    host: &Host,
    plan: &Plan,
    scenario: &Scenario,
    server: &Server,
    running: &Running,
    seconds: f64,
) -> Outcome<Sample> {
    let mut arguments: Vec<String> = scenario.load.iter().map(|argument| (*argument).into()).collect();
    let speak = if server.is_raw { "raw" } else { plan.suite.speak };
    arguments.extend(["--speak".into(), speak.into(), "--seconds".into(), seconds.to_string()]);
    arguments.extend(["--pid".into(), running.pid().to_string(), running.address.to_string()]);
    let printed = host.run("load", &arguments)?;
    let numbers: Vec<f64> = printed.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [messages, passed, server_time, load_time] = numbers[..] else {
        return Err("the load printed something else".into());
    };
    Ok(Sample {
        suite: plan.suite.name,
        scenario: scenario.name.into(),
        server: server.name.into(),
        cost: server_time / 1000.0 / messages,
        rate: messages / passed * 1e9,
        server_busy: server_time / passed,
        load_busy: load_time / passed,
    })
}

/// Measures a suite, round by round.
fn run(host: &Host, plan: &Plan, options: &Options, results: &mut Results) -> Outcome<()> {
    let mut running = Vec::new();
    for server in &plan.servers {
        running.push((*server, host.start(server)?));
    }
    for round in 1..=options.rounds {
        for scenario in &plan.scenarios {
            for (server, running) in &running {
                let name = format!("{}/{} {}", plan.suite.name, scenario.name, server.name);
                match measure(host, plan, scenario, server, running, options.seconds) {
                    Ok(sample) => {
                        eprintln!("round {round}: {name}: {:.3}", sample.cost);
                        results.0.push(sample);
                    }
                    Err(error) => eprintln!("round {round}: {name} failed: {error}"),
                }
            }
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let done = options().and_then(|options| compare(&options));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Outcome<()> {
    let (host, mut plans) = (Host::new()?, plan(&options.only)?);
    let mut wanted: Vec<&Server> = plans.iter().flat_map(|plan| plan.servers.iter().copied()).collect();
    wanted.sort_by_key(|server| server.name);
    wanted.dedup_by_key(|server| server.name);
    let built = host.build(&wanted)?;
    for plan in &mut plans {
        plan.servers.retain(|server| built.iter().any(|built| built.name == server.name));
    }
    let before = machine(&host, &built);
    let mut results = Results::default();
    for plan in &plans {
        run(&host, plan, options, &mut results)?;
    }
    let mut text = format!(
        "Medians of {} rounds of {} s; {before}; load average after the run {}.\n",
        options.rounds,
        options.seconds,
        load_average()
    );
    let measured: Vec<_> = plans.iter().map(|plan| (plan.suite, plan.servers.clone())).collect();
    for (suite, servers) in &measured {
        text += &format!("\n{}", results.table(suite, servers));
    }
    println!("\n{text}");
    for (suite, _) in &measured {
        print!("{}", results.busy(suite));
    }
    if let Some(file) = &options.markdown {
        fs::write(file, text)?;
    }
    if let Some(file) = &options.csv {
        fs::write(file, results.csv(&measured))?;
    }
    if let Some(folder) = &options.svg {
        fs::create_dir_all(folder)?;
        for (suite, servers) in &measured {
            chart::draw(&folder.join(format!("{}.svg", suite.name)), &results, suite, servers)?;
        }
    }
    Ok(())
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").into()
}

/// What the numbers were measured on, and of which versions.
fn machine(host: &Host, servers: &[&Server]) -> String {
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output.map_or_else(
            || "unknown".into(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    let mut versions: Vec<_> = servers
        .iter()
        .filter_map(|server| Some(format!("{} {}", server.of, host.version(server)?)))
        .collect();
    versions.sort();
    versions.dedup();
    format!(
        "{}, Linux {}, {} of {} cores used, {}, {}; {}; load average before the run {}",
        output("date", &["-u", "+%Y-%m-%d"]),
        output("uname", &["-r"]),
        2,
        std::thread::available_parallelism().map_or(0, usize::from),
        model.unwrap_or("unknown processor"),
        output("rustc", &["--version"]),
        versions.join(", "),
        load_average()
    )
}
