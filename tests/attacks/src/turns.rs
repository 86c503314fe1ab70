//! Fair turns: how long an honest client waits while others keep the server busy.

use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::attack::Kind;
use crate::client::LONG;
use crate::options::Options;
use crate::process::{Process, Server};
use crate::server::{Family, Setup};
use crate::table;

/// The time that attackers have before the honest client begins.
const BEFORE: Duration = Duration::from_millis(500);

pub fn run(options: &Options) -> Result<()> {
    println!("## Fair turns\n");
    println!(
        "{} attackers on one thread, an honest client on three, and the server (2 worker threads; current-thread: 1; \
         threads: one for each connection), in three processes on {} cores that nothing is pinned to. For {} s \
         the honest client asks one small question at a time over each of three kept connections, 2 ms after the last \
         answer: HTTP, a WebSocket's echo, and the floor: an echo by a plain thread beside the server, which \
         shows what the system's scheduler adds. Milliseconds: p50 / p99 / most. \"units\": what the \
         attackers sent each second. \"CPU\": cores that the server used.\n",
        options.clients,
        thread::available_parallelism()?,
        options.seconds.as_secs_f64(),
    );
    let attacks = Kind::ALL.into_iter().map(Some).chain([None]);
    for attack in attacks {
        let (name, meaning) = attack.map_or(("none", "no attack"), |kind| (kind.name(), kind.meaning()));
        if !options.wants(name) {
            continue;
        }
        println!("### {name}: {meaning}\n");
        let mut rows = Vec::new();
        let mut families = options.families();
        if options.runtimes.is_empty() {
            families.push(Family::Hyper);
        }
        for family in families {
            if family != Family::Hyper || matches!(attack, None | Some(Kind::Pipeline)) {
                rows.push(measure(family, attack, options)?);
            }
        }
        let head = ["server", "HTTP", "WebSocket", "floor", "answers", "units", "open", "CPU", "load"];
        table::print(&head, &rows);
    }
    Ok(())
}

fn measure(family: Family, attack: Option<Kind>, options: &Options) -> Result<Vec<String>> {
    let load = table::load();
    let server = Server::start(&Setup::of(family))?;
    let seconds = options.seconds.as_secs_f64().to_string();
    let words = ["honest", &server.plain.to_string(), &server.floor.to_string(), family.name()];
    // It connects first: whether a newcomer is served is another question.
    let mut honest = Process::start(words.into_iter().chain(["--seconds", &seconds]))?;
    honest.expect_line()?;
    let mut attackers = None;
    if let Some(kind) = attack {
        let clients = options.clients.to_string();
        let attacking =
            Process::start(["attack", kind.name(), &server.plain.to_string(), "--clients", &clients])?;
        attacking.expect_line()?;
        attackers = Some((attacking, Instant::now()));
        thread::sleep(BEFORE);
    }
    let (before, start) = (server.process.cpu()?, Instant::now());
    honest.ask("begin")?;
    let mut row = vec![family.to_string()];
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let count = if family == Family::Hyper { 2 } else { 3 };
    for _ in 0..count {
        let line = honest.line(options.seconds + 2 * LONG)?.ok_or("an honest client that does not end")?;
        let mut words = line.split(' ');
        let which = match words.next() {
            Some("http") => 0,
            Some("ws") => 1,
            _ => 2,
        };
        times[which] = words.map(|word| Ok(Duration::from_micros(word.parse()?))).collect::<Result<_>>()?;
    }
    let cpu = (server.process.cpu()? - before).as_secs_f64() / start.elapsed().as_secs_f64();
    let answers = times[0].len();
    row.extend(times.map(show));
    row.push(answers.to_string());
    if let Some((mut attacking, since)) = attackers {
        attacking.end_input();
        let line = attacking.expect_line()?;
        let seconds = since.elapsed().as_secs_f64();
        let (units, open) = line.split_once(' ').ok_or("attackers that do not say what they did")?;
        row.push(format!("{:.0}", units.parse::<f64>()? / seconds));
        row.push(open.to_owned());
    } else {
        row.extend(["-".to_owned(), "-".to_owned()]);
    }
    row.push(format!("{:.2}", cpu));
    row.push(load);
    Ok(row)
}

fn show(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else { return "-".to_owned() };
    let [p50, p99, most] = [50, 99, 100].map(|hundredths| times[(times.len() * hundredths / 100).min(last)]);
    let most = if most >= LONG { "no answer".to_owned() } else { table::millis(most) };
    format!("{} / {} / {most}", table::millis(p50), table::millis(p99))
}
