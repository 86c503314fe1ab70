//! Charts, as SVG: bars for each scenario, or lines where the scenarios are steps of one quantity.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::host::Outcome;
use crate::plan::{Server, Suite};
use crate::results::Results;

const LEFT: i32 = 210;
const WIDTH: i32 = 460;
const BAR: i32 = 17;
const HEAD: i32 = 40;
const OURS: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const PEER: RGBColor = RGBColor(0x70, 0x8a, 0xa5);
const FLOOR: RGBColor = RGBColor(0xb8, 0xb8, 0xb8);

fn color(index: usize, server: &Server) -> RGBColor {
    match index {
        _ if server.of == "endwell" => OURS,
        0 => FLOOR,
        _ => PEER,
    }
}

/// Draws the ratios of a suite.
pub(crate) fn draw(file: &Path, results: &Results, suite: &Suite, servers: &[&Server]) -> Outcome<()> {
    if suite.is_series { series(file, results, suite, servers) } else { bars(file, results, suite, servers) }
}

/// A panel for each scenario: ratios to the floor, on a logarithmic scale from 1.
fn bars(file: &Path, results: &Results, suite: &Suite, servers: &[&Server]) -> Outcome<()> {
    let panel = HEAD + BAR * i32::try_from(servers.len())?;
    let columns = if suite.scenarios.len() > 2 { 2 } else { 1 };
    let rows = suite.scenarios.len().div_ceil(columns);
    let size = (u32::try_from(columns)? * 760, u32::try_from(panel * i32::try_from(rows)? + HEAD)?);
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font().color(&BLACK);
    root.draw(&Text::new(
        format!("{}, as a ratio to the floor (shorter is better)", suite.title),
        (10, 12),
        font(18),
    ))?;
    for (index, scenario) in suite.scenarios.iter().enumerate() {
        let x = i32::try_from(index % columns)? * 760;
        let y = HEAD + i32::try_from(index / columns)? * panel;
        root.draw(&Text::new(format!("{}: {}", scenario.name, scenario.what), (x + 10, y + 8), font(14)))?;
        let floor = servers.first().and_then(|floor| results.cost(suite.name, scenario.name, floor.name));
        let ratio = |server: &Server| Some(results.cost(suite.name, scenario.name, server.name)? / floor?);
        let most = servers.iter().filter_map(|server| ratio(server)).fold(2.0, f64::max);
        for (row, server) in servers.iter().enumerate() {
            let top = y + HEAD - 10 + BAR * i32::try_from(row)?;
            let middle = top + BAR / 2;
            let name = font(12).pos(Pos::new(HPos::Right, VPos::Center));
            root.draw(&Text::new(server.name, (x + LEFT - 8, middle), name))?;
            let Some(ratio) = ratio(server) else { continue };
            // The floor has a bar too: half of the first doubling is before 1.
            let part = (ratio.max(0.75).log2() + 0.5) / (most.log2() + 0.5);
            let end = x + LEFT + (part * f64::from(WIDTH)) as i32;
            let corners = [(x + LEFT, top + 2), (end, top + BAR - 2)];
            root.draw(&Rectangle::new(corners, color(row, server).filled()))?;
            let value = font(12).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(format!("{ratio:.2}"), (end + 6, middle), value))?;
        }
    }
    root.present()?;
    Ok(())
}

/// A line for each server, both axes logarithmic.
fn series(file: &Path, results: &Results, suite: &Suite, servers: &[&Server]) -> Outcome<()> {
    let points = |server: &Server| -> Vec<(f64, f64)> {
        let cost = |name: &str| Some((name.parse().ok()?, results.cost(suite.name, name, server.name)?));
        suite.scenarios.iter().filter_map(|scenario| cost(scenario.name)).collect()
    };
    let all: Vec<_> = servers.iter().flat_map(|server| points(server)).collect();
    let range = |of: fn(&(f64, f64)) -> f64| {
        let least = all.iter().map(of).fold(f64::INFINITY, f64::min);
        least..all.iter().map(of).fold(0.0, f64::max) * 1.05
    };
    if all.is_empty() {
        return Ok(());
    }
    let costs = range(|point| point.1);
    let root = SVGBackend::new(file, (760, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(suite.title, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(
            range(|point| point.0).log_scale(),
            (costs.start / 1.3..costs.end * 1.3).log_scale(),
        )?;
    let mesh = &mut chart.configure_mesh();
    mesh.x_desc(suite.name).y_desc("CPU us").light_line_style(WHITE).draw()?;
    for (index, server) in servers.iter().enumerate() {
        let color = if color(index, server) == PEER {
            Palette99::pick(index).to_rgba()
        } else {
            color(index, server).to_rgba()
        };
        let color = if server.name.contains("smol") { RGBColor(0x00, 0x72, 0xb2).to_rgba() } else { color };
        chart
            .draw_series(LineSeries::new(points(server), color.stroke_width(2)).point_size(3))?
            .label(server.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
    }
    let labels = &mut chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE).border_style(BLACK).draw()?;
    root.present()?;
    Ok(())
}
