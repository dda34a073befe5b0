//! Figures as horizontal bars.

use std::fmt::Write as _;

use crate::report::{Case, Row};

const LABEL: f64 = 460.0;
const WIDEST: f64 = 440.0;
const LINE: f64 = 18.0;

/// What a bar's length is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Ours over a peer's: a line is where both are equal.
    Ratio,
    /// A share of what can be had: a line is where all of it is.
    Share,
    /// So much of something; less is better.
    Amount,
}

impl Scale {
    /// What the longest bar stands for, and where the line is.
    fn extent(self, longest: f64) -> (f64, Option<f64>) {
        match self {
            Self::Ratio => (longest.max(2.0), Some(1.0)),
            Self::Share => (longest.max(1.0), Some(1.0)),
            Self::Amount => (longest, None),
        }
    }

    fn colour(self, bar: f64) -> &'static str {
        if self == Self::Ratio && bar < 1.0 { "#b23a48" } else { "#0b7a75" }
    }

    fn text(self, bar: f64) -> String {
        match self {
            Self::Ratio => format!("{bar:.2}"),
            Self::Share => format!("{:.0} %", bar * 100.0),
            Self::Amount => format!("{bar:.0}"),
        }
    }
}

/// An SVG with a bar for each row.
pub fn bars<R: Row>(title: &str, machine: &str, cases: &[Case<R>]) -> String {
    let lines = cases.iter().map(|case| case.rows.len() + 1).sum::<usize>();
    let longest = cases.iter().flat_map(|case| &case.rows).map(R::bar).fold(0.0, f64::max);
    let (widest, mark) = R::SCALE.extent(longest);
    let unit = WIDEST / widest.max(f64::MIN_POSITIVE);
    let (width, height) = (LABEL + WIDEST + 66.0, LINE * (lines as f64 + 4.0));
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
            writeln!(svg, "<text x=\"12\" y=\"{y:.0}\" font-weight=\"600\">{}</text>", case.name);
        for row in &case.rows {
            y += LINE;
            let bar = row.bar();
            let length = unit * bar;
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{y:.0}\" text-anchor=\"end\" fill=\"#333\">{}</text>\
                 <rect x=\"{LABEL:.0}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"12\" fill=\"{}\"/>\
                 <text x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
                LABEL - 8.0,
                row.label(),
                y - 10.0,
                R::SCALE.colour(bar),
                LABEL + length + 6.0,
                R::SCALE.text(bar),
            );
        }
        y += LINE;
    }
    if let Some(mark) = mark {
        let at = LABEL + unit * mark;
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.0}\" x2=\"{at:.0}\" y1=\"46\" y2=\"{y:.0}\" stroke=\"#999\" stroke-dasharray=\"3 3\"/>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}
