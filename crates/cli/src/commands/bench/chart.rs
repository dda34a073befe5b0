//! What was measured, as a picture: how long a text takes, and how many there are a second.

use std::fmt::Write as _;

use super::report::{Report, Row};

const NAME: f64 = 220.0;
const PANEL: f64 = 250.0;
/// Room for the number behind a bar.
const NUMBER: f64 = 110.0;
const LINE: f64 = 26.0;
const TOP: f64 = 74.0;

/// A panel of bars: its title, where it begins, and what it shows of a row, in figures and in words.
type Panel = (&'static str, f64, fn(&Row) -> f64, fn(&Row) -> String);

const PANELS: [Panel; 2] = [
    (
        "milliseconds of a text alone: median, 99 of 100",
        NAME,
        |row| row.p50,
        |row| format!("{:.2}, {:.2}", row.p50, row.p99),
    ),
    (
        "texts a second, 32 together",
        NAME + PANEL + NUMBER,
        |row| row.texts_per_second,
        |row| format!("{:.0} ({:.2}x)", row.texts_per_second, row.times),
    ),
];

/// The report's rows as bars.
pub fn svg(report: &Report) -> String {
    let width = NAME + 2.0 * (PANEL + NUMBER);
    let height = TOP + LINE * report.rows.len() as f64 + 10.0;
    let title = escaped(&report.title());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\">{title}</text>\n"
    );
    for (title, left, of, words) in PANELS {
        let y = TOP - 22.0;
        let _ = writeln!(svg, "<text x=\"{left:.0}\" y=\"{y:.0}\" fill=\"#666\">{title}</text>");
        let longest = report.rows.iter().map(of).fold(f64::MIN_POSITIVE, f64::max);
        for (at, row) in report.rows.iter().enumerate() {
            let (y, length) = (TOP + LINE * at as f64, of(row) / longest * PANEL);
            let _ = writeln!(
                svg,
                "<rect x=\"{left:.0}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"14\" \
                 fill=\"#0b7a75\"/><text x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
                y - 11.0,
                left + length + 6.0,
                words(row),
            );
        }
    }
    for (at, row) in report.rows.iter().enumerate() {
        let (x, y) = (NAME - 10.0, TOP + LINE * at as f64);
        let name = escaped(&row.name);
        let _ = writeln!(svg, "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"end\">{name}</text>");
    }
    svg + "</svg>\n"
}

/// A name as text of XML, by its end where it is long: paths differ there.
fn escaped(name: &str) -> String {
    const MOST: usize = 34;
    let long = name.chars().count().saturating_sub(MOST);
    let end: String = name.chars().skip(long).collect();
    let end = if long > 0 { format!("…{end}") } else { end };
    end.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
