//! How often the predicted classes are the expected ones.

use serde::{Serialize, Serializer};

/// The scores of a classifier on labelled texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// Share of texts whose class was predicted.
    pub accuracy: f64,
    /// Mean F1 of the classes that were expected or predicted at least once.
    pub macro_f1: f64,
    /// Scores of every class of the model, in its order; serialized as a map from name to scores.
    #[serde(serialize_with = "by_name")]
    pub per_class: Vec<ClassScores>,
}

/// The scores of one class. A share of nothing is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScores {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// Of the texts that were predicted to be of this class, the share that is.
    pub precision: f64,
    /// Of the texts that are of this class, the share that was predicted to be.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Texts that are of this class.
    pub support: usize,
}

/// What was counted of one class.
#[derive(Clone, Copy, Default)]
struct Tally {
    expected: usize,
    predicted: usize,
    both: usize,
}

impl Classification {
    /// Compares classes, given as indices into `names`: for each text the expected and the
    /// predicted one.
    ///
    /// `None` when there are no texts, or when an index has no name.
    #[must_use]
    pub fn new(texts: impl IntoIterator<Item = (usize, usize)>, names: &[String]) -> Option<Self> {
        let mut tallies = vec![Tally::default(); names.len()];
        for (expected, predicted) in texts {
            tallies.get_mut(expected)?.expected += 1;
            let tally = tallies.get_mut(predicted)?;
            tally.predicted += 1;
            tally.both += usize::from(expected == predicted);
        }
        let total: usize = tallies.iter().map(|tally| tally.expected).sum();
        let right: usize = tallies.iter().map(|tally| tally.both).sum();
        let f1s: Vec<f64> = tallies.iter().filter(|tally| tally.occurs()).map(Tally::f1).collect();
        (total > 0).then(|| Self {
            accuracy: share(right, total),
            macro_f1: f1s.iter().sum::<f64>() / f1s.len() as f64,
            per_class: names.iter().zip(&tallies).map(|(name, tally)| tally.scores(name)).collect(),
        })
    }
}

impl Tally {
    fn occurs(&self) -> bool {
        self.expected + self.predicted > 0
    }

    fn f1(&self) -> f64 {
        share(2 * self.both, self.expected + self.predicted)
    }

    fn scores(&self, name: &str) -> ClassScores {
        ClassScores {
            name: name.to_owned(),
            precision: share(self.both, self.predicted),
            recall: share(self.both, self.expected),
            f1: self.f1(),
            support: self.expected,
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn by_name<S: Serializer>(classes: &[ClassScores], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(classes.iter().map(|class| (&class.name, class)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn assert_close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-12, "{got} is not {expected}");
    }

    fn assert_rows(got: &Classification, precision: [f64; 4], recall: [f64; 4], f1: [f64; 4]) {
        for (index, class) in got.per_class.iter().enumerate() {
            assert_close(class.precision, precision[index]);
            assert_close(class.recall, recall[index]);
            assert_close(class.f1, f1[index]);
        }
    }

    // The goldens of the next two tests are from Python 3.11.7, scikit-learn 1.9.1:
    //
    //     from sklearn.metrics import *
    //     accuracy_score(y, p), f1_score(y, p, average="macro", zero_division=0)
    //     precision_recall_fscore_support(y, p, labels=[0, 1, 2, 3], zero_division=0)

    #[test]
    fn a_class_that_is_never_predicted_counts_as_zero() {
        let expected = [0, 0, 0, 1, 1, 2, 2, 2, 2, 1];
        let predicted = [0, 0, 1, 1, 0, 0, 1, 1, 0, 1];
        let classes = names(&["a", "b", "never predicted", "nowhere"]);
        let got = Classification::new(expected.into_iter().zip(predicted), &classes).unwrap();
        assert_close(got.accuracy, 0.4);
        assert_close(got.macro_f1, 0.3333333333333333);
        let two_thirds = 0.6666666666666666;
        assert_rows(
            &got,
            [0.4, 0.4, 0.0, 0.0],
            [two_thirds, two_thirds, 0.0, 0.0],
            [0.5, 0.5, 0.0, 0.0],
        );
        let support: Vec<usize> = got.per_class.iter().map(|class| class.support).collect();
        assert_eq!(support, [3, 3, 4, 0]);
    }

    #[test]
    fn a_class_that_is_only_predicted_lowers_macro_f1() {
        let classes = names(&["a", "b", "never expected", "nowhere"]);
        let got = Classification::new([(0, 0), (0, 2), (1, 1), (1, 1)], &classes).unwrap();
        assert_close(got.accuracy, 0.75);
        assert_close(got.macro_f1, 0.5555555555555555);
        assert_rows(
            &got,
            [1.0, 1.0, 0.0, 0.0],
            [0.5, 1.0, 0.0, 0.0],
            [0.6666666666666666, 1.0, 0.0, 0.0],
        );
    }

    #[test]
    fn scores_are_written_by_class_in_the_order_of_the_model() {
        let classes = names(&["positive", "negative"]);
        let got = Classification::new([(0, 0), (1, 1), (1, 0), (1, 1)], &classes).unwrap();
        let got = serde_json::to_string(&got).unwrap();
        let expected = concat!(
            r#"{"accuracy":0.75,"macro_f1":0.7333333333333334,"per_class":{"#,
            r#""positive":{"precision":0.5,"recall":1.0,"f1":0.6666666666666666,"support":1},"#,
            r#""negative":{"precision":1.0,"recall":0.6666666666666666,"f1":0.8,"support":3}}}"#,
        );
        assert_eq!(got, expected);
    }

    #[test]
    fn nothing_to_compare_has_no_scores() {
        let classes = names(&["a", "b"]);
        assert_eq!(Classification::new([], &classes), None);
        assert_eq!(Classification::new([(0, 2)], &classes), None);
        assert_eq!(Classification::new([(2, 0)], &classes), None);
    }
}
