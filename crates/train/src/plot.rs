//! How a training went, as a picture.

use std::fmt::Write as _;

/// A step, as its record has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Steps that were done.
    pub step: usize,
    /// How wrong the model was.
    pub loss: f64,
    /// How good it was, where that was measured.
    pub score: Option<f64>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
/// Room for the numbers beside an axis, and around everything.
const MARGIN: f64 = 56.0;
/// Steps are averaged over this share of them all, or the line is nothing but noise.
const SMOOTH: usize = 50;

/// Where a value lies between two others, on so many pixels.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        match low < high {
            true => Self { low, high, from, to },
            // One value, or none: it lies in the middle.
            false => {
                let middle = if low.is_finite() { low } else { 0.0 };
                Self { low: middle - 0.5, high: middle + 0.5, from, to }
            }
        }
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

/// Two curves over the steps: the loss, as it was and smoothed, and the score by its name.
///
/// ```
/// use trireme_train::{Point, plot};
///
/// let point = |step, loss, score| Point { step, loss, score };
/// let svg = plot(&[point(1, 0.7, None), point(2, 0.3, Some(0.9))], "accuracy");
/// assert!(svg.starts_with("<svg") && svg.contains(">accuracy<"));
/// ```
#[must_use]
pub fn plot(points: &[Point], measure: &str) -> String {
    let finite = points.iter().filter(|point| point.loss.is_finite());
    let losses: Vec<(f64, f64)> = finite.map(|point| (point.step as f64, point.loss)).collect();
    let scores = points.iter().filter_map(|point| Some((point.step as f64, point.score?)));
    let scores: Vec<(f64, f64)> = scores.collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        2.0 * HEIGHT
    );
    let steps = || points.iter().map(|point| point.step as f64);
    let across = Axis::of(steps(), MARGIN, WIDTH - 16.0);
    let up = panel(&mut svg, "loss", 0.0, &losses, &across);
    line(&mut svg, &losses, &across, &up, "#9ecfc9", 1.0);
    line(&mut svg, &smoothed(&losses), &across, &up, "#0b7a75", 2.0);
    let up = panel(&mut svg, measure, HEIGHT, &scores, &across);
    line(&mut svg, &scores, &across, &up, "#b23a48", 2.0);
    for (step, score) in scores {
        let (x, y) = (across.at(step), up.at(score));
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#b23a48\"/>");
    }
    svg.push_str("</svg>\n");
    svg
}

/// The frame of a curve, its name, and the numbers at its ends.
fn panel(svg: &mut String, name: &str, top: f64, values: &[(f64, f64)], across: &Axis) -> Axis {
    let (high, low) = (top + 30.0, top + HEIGHT - 24.0);
    let up = Axis::of(values.iter().map(|(_, value)| *value), low, high);
    let _ = writeln!(svg, "<text x=\"12\" y=\"{:.0}\" font-size=\"15\">{name}</text>", top + 20.0);
    for (value, y) in [(up.high, high), (up.low, low)] {
        let _ = writeln!(
            svg,
            "<line x1=\"{:.0}\" x2=\"{:.0}\" y1=\"{y:.0}\" y2=\"{y:.0}\" stroke=\"#ddd\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"#666\">{value:.3}</text>",
            across.from,
            across.to,
            across.from - 6.0,
            y + 4.0
        );
    }
    for (value, x, anchor) in [(across.low, across.from, "start"), (across.high, across.to, "end")]
    {
        let _ = writeln!(
            svg,
            "<text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"{anchor}\" fill=\"#666\">{value:.0}</text>",
            low + 16.0
        );
    }
    up
}

fn line(
    svg: &mut String,
    points: &[(f64, f64)],
    across: &Axis,
    up: &Axis,
    colour: &str,
    width: f64,
) {
    let at = |(x, y): &(f64, f64)| format!("{:.1},{:.1}", across.at(*x), up.at(*y));
    let points = points.iter().map(at).collect::<Vec<_>>().join(" ");
    let _ = writeln!(
        svg,
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
    );
}

/// Each value with those before it, as far back as is smoothed over.
fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let back = (points.len() / SMOOTH).max(1);
    let mean = |end: usize| {
        let some = &points[(end + 1).saturating_sub(back)..=end];
        some.iter().map(|(_, value)| value).sum::<f64>() / some.len() as f64
    };
    points.iter().enumerate().map(|(end, (step, _))| (*step, mean(end))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_every_step_and_no_number_that_is_none() {
        let measured = |step: usize| step.is_multiple_of(10).then_some(0.5 + step as f64 / 200.0);
        let loss = |step: usize| if step == 7 { f64::NAN } else { 1.0 / step as f64 };
        let points: Vec<Point> =
            (1..=50).map(|step| Point { step, loss: loss(step), score: measured(step) }).collect();
        for (points, corners) in
            [(&points[..], [49, 49, 5]), (&points[..1], [1, 1, 0]), (&[], [0; 3])]
        {
            let svg = plot(points, "accuracy");
            let lines = svg.split("<polyline points=\"").skip(1);
            let got = lines.map(|line| line.split('"').next().unwrap_or("").matches(',').count());
            assert_eq!(got.collect::<Vec<_>>(), corners, "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
