//! `golden.json`, and what counts as the reference's answer.

use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Golden {
    #[serde(default)]
    pub labels: Vec<String>,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    pub text: String,
    pub pair: Option<String>,
    pub prompt_name: Option<String>,
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
    pub offsets: Vec<(usize, usize)>,
    pub embedding: Option<Vec<f32>>,
    pub scores: Option<Vec<f32>>,
}

pub fn read(folder: &Path) -> Golden {
    read_file(&folder.join("golden.json"))
}

pub fn read_file(file: &Path) -> Golden {
    let text = std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// Cosine of two vectors.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The largest difference of two vectors.
pub fn gap(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths");
    a.iter().zip(b).map(|(&a, &b)| f64::from((a - b).abs())).fold(0.0, f64::max)
}

/// Says why a vector is not the reference's, where it is not.
pub fn differs(got: &[f32], expected: &[f32]) -> Option<String> {
    if got.len() != expected.len() {
        return Some(format!("expected {} dimensions, got {}", expected.len(), got.len()));
    }
    let largest = expected.iter().map(|v| f64::from(v.abs())).fold(0.0, f64::max);
    let (cosine, gap) = (cosine(got, expected), gap(got, expected));
    // The cosine is the promise; the gap also catches a vector of the right direction and the
    // wrong length.
    let far = cosine < 0.999_99 || gap > 2e-5 * largest.max(1.0);
    far.then(|| format!("cosine {cosine:.8}, largest difference {gap:.2e}"))
}
