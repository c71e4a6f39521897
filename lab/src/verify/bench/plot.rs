// SPDX-License-Identifier: GPL-2.0

//! The costs as a picture: for each access a bar of C's and one of Rust's.

use anyhow::{anyhow, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::goal::Row;

/// Okabe and Ito's blue and orange, which everybody can tell apart.
const C: RGBColor = RGBColor(0, 114, 178);
const RUST: RGBColor = RGBColor(230, 159, 0);

const WIDTH: u32 = 900;
/// Of a row, in pixels.
const HEIGHT: u32 = 26;
const FONT: (&str, u32) = ("sans-serif", 12);

/// The picture as SVG.
pub fn svg(rows: &[Row]) -> Result<String> {
    // Scenes are a hundred times as large as single accesses.
    let rows: Vec<&Row> = rows.iter().filter(|row| row.is_access()).collect();
    let mut svg = String::new();
    draw(&rows, &mut svg).map_err(|error| anyhow!("cannot draw the figures: {error}"))?;
    Ok(svg)
}

fn draw(rows: &[&Row], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let most = rows
        .iter()
        .flat_map(|row| [Some(row.rust), row.c])
        .flatten()
        .fold(0.0, f64::max);
    let height = HEIGHT * rows.len() as u32 + 80;
    let area = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = "Instructions of the handler alone";
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 16))
        .margin(10)
        .set_label_area_size(LabelAreaPosition::Left, 250)
        .set_label_area_size(LabelAreaPosition::Bottom, 30)
        .build_cartesian_2d(0.0..most * 1.1, 0.0..rows.len() as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .label_style(FONT)
        .draw()?;

    let plane = chart.plotting_area();
    let names = FONT
        .into_text_style(&area)
        .pos(Pos::new(HPos::Right, VPos::Center));
    for (index, row) in rows.iter().enumerate() {
        // The first on top.
        let bottom = (rows.len() - 1 - index) as f64;
        let bar = |from: f64, to: f64, length: f64, color: RGBColor| {
            Rectangle::new(
                [(0.0, bottom + from), (length, bottom + to)],
                color.filled(),
            )
        };
        if let Some(c) = row.c {
            plane.draw(&bar(0.5, 0.85, c, C))?;
        }
        plane.draw(&bar(0.15, 0.5, row.rust, RUST))?;
        let at = plane.map_coordinate(&(0.0, bottom + 0.5));
        area.draw(&Text::new(
            row.access.to_owned(),
            (at.0 - 8, at.1),
            names.clone(),
        ))?;
    }
    for (index, (name, color)) in [("C", C), ("Rust", RUST)].into_iter().enumerate() {
        let (x, y) = (WIDTH as i32 - 130 + 60 * index as i32, 22);
        area.draw(&Rectangle::new(
            [(x, y - 6), (x + 12, y + 6)],
            color.filled(),
        ))?;
        let style = FONT
            .into_text_style(&area)
            .pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(name, (x + 17, y), style))?;
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_access_has_its_bars() {
        let row = |access, c| Row {
            access,
            rust: 90.0,
            bound: None,
            c,
        };
        let svg = svg(&[
            row("get/A", Some(100.0)),
            row("traced/get/A", None),
            row("list/1", None),
        ]);
        let svg = svg.unwrap();
        assert!(svg.contains("get/A") && svg.contains("traced/get/A"));
        assert!(!svg.contains("list/1"));
        assert!(svg.starts_with("<svg"));
    }
}
