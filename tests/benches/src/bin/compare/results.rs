//! What was measured, as tables.

use std::fmt::Write;

use crate::plan::{Scenario, Server, Suite};

/// One measurement.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) suite: &'static str,
    pub(crate) scenario: String,
    pub(crate) server: String,
    /// In the suite's unit.
    pub(crate) cost: f64,
    /// Messages per second.
    pub(crate) rate: f64,
    /// The parts of the time in which they computed.
    pub(crate) server_busy: f64,
    pub(crate) load_busy: f64,
}

#[derive(Default)]
pub(crate) struct Results(pub(crate) Vec<Sample>);

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

impl Results {
    fn of<'a>(
        &'a self,
        suite: &str,
        scenario: &str,
        server: &str,
    ) -> impl Iterator<Item = &'a Sample> + Clone {
        let (suite, scenario, server) = (suite.to_owned(), scenario.to_owned(), server.to_owned());
        self.0.iter().filter(move |sample| {
            sample.suite == suite && sample.scenario == scenario && sample.server == server
        })
    }

    /// The median of the cost.
    pub(crate) fn cost(&self, suite: &str, scenario: &str, server: &str) -> Option<f64> {
        median(self.of(suite, scenario, server).map(|sample| sample.cost))
    }

    /// Markdown: the floor in its unit, the others as ratios to it.
    pub(crate) fn table(&self, suite: &Suite, servers: &[&Server]) -> String {
        let mut text = format!("### {}\n\n", suite.title);
        let floor = servers.first().map_or("", |server| server.name);
        text += "|";
        for Scenario { name, what, .. } in suite.scenarios {
            let _ = write!(
                text,
                " | {}",
                if *name == *what { (*what).into() } else { format!("{name}: {what}") }
            );
        }
        text += " |\n|---";
        text += &"|---".repeat(suite.scenarios.len());
        text += "|\n";
        for server in servers {
            let _ = write!(text, "| {}", server.name);
            for scenario in suite.scenarios {
                let cost = self.cost(suite.name, scenario.name, server.name);
                let base = self.cost(suite.name, scenario.name, floor).filter(|_| suite.has_floor);
                let _ = match (cost, base) {
                    (None, _) => write!(text, " | -"),
                    (Some(cost), Some(base)) if server.name != floor => write!(text, " | {:.2}", cost / base),
                    (Some(cost), Some(_)) => write!(text, " | 1 ({} us)", digits(cost)),
                    (Some(cost), None) => write!(text, " | {}", digits(cost)),
                };
            }
            text += " |\n";
        }
        text
    }

    /// How busy both ends were, scenario by scenario: from the least busy to the busiest of the servers.
    pub(crate) fn busy(&self, suite: &Suite) -> String {
        let mut text = String::new();
        for scenario in suite.scenarios {
            let samples = || {
                self.0.iter().filter(|sample| sample.suite == suite.name && sample.scenario == scenario.name)
            };
            let range = |part: fn(&Sample) -> f64| {
                let least = samples().map(part).fold(f64::INFINITY, f64::min);
                let most = samples().map(part).fold(0.0, f64::max);
                format!("{:.0} to {:.0} %", least * 100.0, most * 100.0)
            };
            if samples().next().is_some() {
                let (server, load) = (range(|sample| sample.server_busy), range(|sample| sample.load_busy));
                let _ =
                    writeln!(text, "{}/{}: servers busy {server}, load {load}", suite.name, scenario.name);
            }
        }
        text
    }

    pub(crate) fn csv(&self, suites: &[(&Suite, Vec<&Server>)]) -> String {
        let mut text = String::from(
            "suite,scenario,description,server,unit,median,least,most,ratio,messages_per_second,server_busy,load_busy,rounds\n",
        );
        for (suite, servers) in suites {
            for scenario in suite.scenarios {
                let floor =
                    servers.first().and_then(|floor| self.cost(suite.name, scenario.name, floor.name));
                for server in servers {
                    let samples = self.of(suite.name, scenario.name, server.name);
                    let Some(cost) = median(samples.clone().map(|sample| sample.cost)) else { continue };
                    let least = samples.clone().map(|sample| sample.cost).fold(f64::INFINITY, f64::min);
                    let most = samples.clone().map(|sample| sample.cost).fold(0.0, f64::max);
                    let of = |part: fn(&Sample) -> f64| median(samples.clone().map(part)).unwrap_or_default();
                    let _ = writeln!(
                        text,
                        "{},{},\"{}\",\"{}\",{},{cost:.4},{least:.4},{most:.4},{:.3},{:.0},{:.2},{:.2},{}",
                        suite.name,
                        scenario.name,
                        scenario.what,
                        server.name,
                        suite.unit,
                        floor.map_or(1.0, |floor| cost / floor),
                        of(|sample| sample.rate),
                        of(|sample| sample.server_busy),
                        of(|sample| sample.load_busy),
                        samples.clone().count(),
                    );
                }
            }
        }
        text
    }
}

/// Three significant digits.
fn digits(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
