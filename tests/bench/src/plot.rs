//! Ratios as horizontal bars.

use std::fmt::Write as _;

use crate::report::{Measured, Row};

const LABEL: f64 = 460.0;
const UNIT: f64 = 110.0;
const LINE: f64 = 18.0;

/// An SVG with a bar for each row, and a line where both sides are equal.
pub fn bars(title: &str, machine: &str, cases: &[Measured]) -> String {
    let rows = cases.iter().map(|case| case.rows.len()).sum::<usize>() + cases.len();
    let widest = cases.iter().flat_map(|case| &case.rows).map(Row::ratio).fold(2.0, f64::max);
    let (width, height) = (LABEL + UNIT * (widest + 0.6), LINE * (rows as f64 + 4.0));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"20\" font-size=\"15\">{title}</text>\n\
         <text x=\"12\" y=\"38\" fill=\"#666\">{machine}</text>\n"
    );
    let mut y = LINE * 3.5;
    for case in cases {
        let _ =
            writeln!(svg, "<text x=\"12\" y=\"{:.0}\" font-weight=\"600\">{}</text>", y, case.name);
        for row in &case.rows {
            y += LINE;
            let (length, colour) =
                (UNIT * row.ratio(), if row.ratio() >= 1.0 { "#0b7a75" } else { "#b23a48" });
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{y:.0}\" text-anchor=\"end\" fill=\"#333\">{}</text>\
                 <rect x=\"{LABEL:.0}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"12\" fill=\"{colour}\"/>\
                 <text x=\"{:.0}\" y=\"{y:.0}\">{:.2}</text>",
                LABEL - 8.0,
                row.feed,
                y - 10.0,
                LABEL + length + 6.0,
                row.ratio(),
            );
        }
        y += LINE;
    }
    let at = LABEL + UNIT;
    let _ = writeln!(
        svg,
        "<line x1=\"{at:.0}\" x2=\"{at:.0}\" y1=\"46\" y2=\"{y:.0}\" stroke=\"#999\" stroke-dasharray=\"3 3\"/>\n</svg>"
    );
    svg
}
