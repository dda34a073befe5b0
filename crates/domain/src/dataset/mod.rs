//! Labelled data, as the STS Benchmark and GLUE lay them out.
//!
//! A file is UTF-8 text. Its first line says how it parts columns: by tabs, where quotes mean
//! nothing and belong to the text; by commas, where quotes hold a cell together; or it is an object
//! of JSON, as is every other line. Blank lines are passed over, and so is a byte order mark.
//!
//! ```
//! use trireme_domain::dataset::{read_labelled, read_pairs};
//!
//! let pairs = read_pairs(b"score\tsentence1\tsentence2\n4.5\tA dog runs.\tA dog is running.\n")?;
//! assert_eq!(pairs[0].score, 4.5);
//! assert_eq!(pairs[0].second, "A dog is running.");
//!
//! let labels = ["negative", "positive"].map(String::from);
//! let rows = read_labelled(b"label\tsentence\n1\ta joy\nNegative\ta bore\n", &labels)?;
//! assert_eq!(rows[1].label, 0);
//! # Ok::<(), trireme_domain::dataset::DatasetError>(())
//! ```

mod apart;
mod changed;
mod error;
mod table;

use std::collections::{BTreeMap, BTreeSet};

pub use apart::Apart;
pub use changed::changed;
pub use error::DatasetError;
use table::{Column, Row, locate, rows};

/// Two texts, and how similar people found them.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredPair {
    /// One text.
    pub first: String,
    /// The other text.
    pub second: String,
    /// Their similarity; in the STS Benchmark, from 0 to 5.
    pub score: f64,
}

/// A text, one that is near it, and one that is further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triplet {
    /// The text.
    pub anchor: String,
    /// The near one.
    pub positive: String,
    /// The far one.
    pub negative: String,
}

/// A text and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Index of the class among the model's labels.
    pub label: usize,
    /// The text.
    pub text: String,
}

/// What a header usually calls the column with the texts.
pub const TEXT_TITLES: [&str; 3] = ["sentence", "content", "text"];

/// What a header calls the columns, where that is not what is usual.
#[derive(Debug, Clone, Default)]
pub struct Columns(pub BTreeMap<String, String>);

impl Columns {
    fn column<const N: usize>(&self, name: &'static str, usual: [&str; N], place: usize) -> Column {
        let titles = match self.0.get(name) {
            Some(title) => vec![title.clone()],
            None => usual.map(str::to_owned).to_vec(),
        };
        Column { name, titles, place }
    }

    /// The STS Benchmark puts genre, file, year and id before these.
    fn of_pairs(&self) -> [Column; 3] {
        [
            self.column("score", ["score"], 4),
            self.column("sentence1", ["sentence1"], 5),
            self.column("sentence2", ["sentence2"], 6),
        ]
    }

    fn of_labelled(&self) -> [Column; 2] {
        [self.column("label", ["label"], 0), self.column("text", TEXT_TITLES, 1)]
    }

    /// As [`read_pairs`].
    ///
    /// # Errors
    /// As [`read_pairs`].
    pub fn read_pairs(&self, bytes: &[u8]) -> Result<Vec<ScoredPair>, DatasetError> {
        let mut rows = rows(bytes)?;
        let [score, first, second] = locate(&mut rows, self.of_pairs())?;
        rows.map(|row| {
            Ok(ScoredPair {
                score: read_score(&row, &score)?,
                first: row.get(&first)?.into_owned(),
                second: row.get(&second)?.into_owned(),
            })
        })
        .collect()
    }

    /// Reads triplets: under a header that names `anchor`, `positive` and `negative`, or in that
    /// order.
    ///
    /// ```
    /// use trireme_domain::dataset::Columns;
    ///
    /// let read = Columns::default().read_triplets(b"a dog\ta puppy\ta boat\n")?;
    /// assert_eq!(read[0].negative, "a boat");
    /// # Ok::<(), trireme_domain::dataset::DatasetError>(())
    /// ```
    ///
    /// # Errors
    /// As [`read_pairs`].
    pub fn read_triplets(&self, bytes: &[u8]) -> Result<Vec<Triplet>, DatasetError> {
        let mut rows = rows(bytes)?;
        let columns = [
            self.column("anchor", ["anchor"], 0),
            self.column("positive", ["positive"], 1),
            self.column("negative", ["negative"], 2),
        ];
        let [anchor, positive, negative] = locate(&mut rows, columns)?;
        rows.map(|row| {
            Ok(Triplet {
                anchor: row.get(&anchor)?.into_owned(),
                positive: row.get(&positive)?.into_owned(),
                negative: row.get(&negative)?.into_owned(),
            })
        })
        .collect()
    }

    /// As [`read_labelled`].
    ///
    /// # Errors
    /// As [`read_labelled`].
    pub fn read_labelled(
        &self,
        bytes: &[u8],
        labels: &[String],
    ) -> Result<Vec<Labelled>, DatasetError> {
        let mut rows = rows(bytes)?;
        let expected = rows.peek().and_then(Row::len);
        let [label, text] = locate(&mut rows, self.of_labelled())?;
        rows.map(|row| {
            // A text with a tab of its own would otherwise be cut short, and nobody told.
            if let (Some(found), Some(expected)) = (row.len(), expected)
                && found != expected
            {
                return Err(DatasetError::Uneven { line: row.line, found, expected });
            }
            let label = read_label(&row, &label, labels)?;
            Ok(Labelled { label, text: row.get(&text)?.into_owned() })
        })
        .collect()
    }

    /// The classes that a file of labelled texts names, in order; numbers by their size.
    ///
    /// # Errors
    /// Every [`DatasetError`] but [`Value`](DatasetError::Value).
    pub fn classes(&self, bytes: &[u8]) -> Result<Vec<String>, DatasetError> {
        let mut rows = rows(bytes)?;
        let [label, _] = locate(&mut rows, self.of_labelled())?;
        let mut names = BTreeSet::new();
        for row in rows {
            names.insert(row.get(&label)?.trim().to_owned());
        }
        let mut names: Vec<String> = names.into_iter().collect();
        // A stable sort: what are no numbers stay in order, behind those that are.
        names.sort_by_key(|name| name.parse::<i64>().map_or((true, 0), |number| (false, number)));
        Ok(names)
    }
}

/// Reads scored pairs: in the layout of the STS Benchmark, which has no header, or in any order
/// under a header that names `score`, `sentence1` and `sentence2`. Other columns are passed over.
///
/// # Errors
/// Every [`DatasetError`] but [`Uneven`](DatasetError::Uneven): only some pairs of the STS
/// Benchmark name their sources behind them.
pub fn read_pairs(bytes: &[u8]) -> Result<Vec<ScoredPair>, DatasetError> {
    Columns::default().read_pairs(bytes)
}

/// Reads labelled texts: first the label and then the text, without a header, or in any order
/// under a header that names `label` and one of `sentence`, `content` and `text`.
///
/// A label is the name of one of the model's `labels`, in upper or lower case, or its index.
///
/// # Errors
/// Every [`DatasetError`].
pub fn read_labelled(bytes: &[u8], labels: &[String]) -> Result<Vec<Labelled>, DatasetError> {
    Columns::default().read_labelled(bytes, labels)
}

fn read_score(row: &Row<'_>, column: &Column) -> Result<f64, DatasetError> {
    let found = row.get(column)?;
    let found = found.trim();
    let score = found.parse().ok().filter(|score: &f64| score.is_finite());
    score.ok_or_else(|| {
        let header = or_header(row, "score, sentence1 and sentence2");
        row.unexpected(column, found, format!("a number{header}"))
    })
}

/// Names come first: a model that rates with stars may call its class 0 "1".
fn read_label(row: &Row<'_>, column: &Column, labels: &[String]) -> Result<usize, DatasetError> {
    let found = row.get(column)?;
    let found = found.trim();
    let name = found.to_lowercase();
    let named = labels.iter().position(|label| label.to_lowercase() == name);
    let index = || found.parse().ok().filter(|&index| index < labels.len());
    named.or_else(index).ok_or_else(|| {
        let classes = labels.iter().enumerate().map(|(index, label)| format!("{index} ({label})"));
        let classes = classes.collect::<Vec<_>>().join(", ");
        let header = or_header(row, "label and sentence");
        row.unexpected(column, found, format!("one of {classes}{header}"))
    })
}

/// A first line that can't be read may be meant as a header.
fn or_header(row: &Row<'_>, names: &str) -> String {
    if row.line > 1 {
        return String::new();
    }
    format!(", or a header that names {names}, with tabs or commas between them")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STS: &str = concat!(
        "main-captions\tMSRvid\t2012test\t0001\t5.000\tA plane lands.\tAn air plane lands.\n",
        "main-news\tMSRpar\t12\t0007\t0.25\t\"Yes,\" he said.\tIt's \"là\".\tAP\thttp://ap.org\r\n",
    );
    const SST: &str = "\u{feff}label\tsentence\r\n0\thide new  secretions \r\n1\tça \"va\" !\r\n";

    fn pair(score: f64, first: &str, second: &str) -> ScoredPair {
        ScoredPair { first: first.to_owned(), second: second.to_owned(), score }
    }

    fn labelled(label: usize, text: &str) -> Labelled {
        Labelled { label, text: text.to_owned() }
    }

    fn two() -> Vec<String> {
        ["negative", "positive"].map(str::to_owned).to_vec()
    }

    fn sst(file: &str) -> Result<Vec<Labelled>, DatasetError> {
        read_labelled(file.as_bytes(), &two())
    }

    fn refusal<T: std::fmt::Debug>(got: Result<T, DatasetError>) -> String {
        got.unwrap_err().to_string()
    }

    #[test]
    fn the_sts_benchmark_is_read_with_its_quotes_and_without_its_sources() {
        let expected = [
            pair(5.0, "A plane lands.", "An air plane lands."),
            pair(0.25, "\"Yes,\" he said.", "It's \"là\"."),
        ];
        assert_eq!(read_pairs(STS.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn a_header_says_where_pairs_and_their_scores_are() {
        let file = "\u{feff}index\tSentence1\tSentence2\tScore\r\n0\ta\tb\t1e-1\r\n\r\n1\tc\td\t4";
        let expected = [pair(0.1, "a", "b"), pair(4.0, "c", "d")];
        assert_eq!(read_pairs(file.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn sst2_is_read_as_it_stands() {
        let expected = [labelled(0, "hide new  secretions "), labelled(1, "ça \"va\" !")];
        assert_eq!(sst(SST).unwrap(), expected);
    }

    #[test]
    fn the_label_may_come_last_or_without_a_header_and_by_name() {
        let expected = [labelled(1, "good"), labelled(0, "bad")];
        for file in [
            "text\tlabel\ngood\t1\nbad\t0\n",
            "label\tcontent\nPOSITIVE\tgood\nNegative\tbad",
            "1\tgood\nnegative\tbad\n",
        ] {
            assert_eq!(sst(file).unwrap(), expected, "{file:?}");
        }
    }

    #[test]
    fn commas_and_objects_part_columns_as_well_as_tabs() {
        let expected = [labelled(1, "warm, and \"funny\"\nfilm"), labelled(0, "dull")];
        for file in [
            "label,text\npositive,\"warm, and \"\"funny\"\"\nfilm\"\n\n0,dull\n",
            "text,label\n\"warm, and \"\"funny\"\"\nfilm\",1\ndull,Negative",
            "{\"text\": \"warm, and \\\"funny\\\"\\nfilm\", \"label\": 1}\n\n\
             {\"label\": \"negative\", \"sentence\": \"dull\", \"more\": [1]}\n",
        ] {
            assert_eq!(sst(file).unwrap(), expected, "{file:?}");
        }
        let pairs = read_pairs(b"{\"score\": 4.5, \"sentence1\": \"a\", \"sentence2\": \"b\"}");
        assert_eq!(pairs.unwrap(), [pair(4.5, "a", "b")]);
    }

    #[test]
    fn columns_may_be_called_as_one_likes() {
        let called = [("label", "stars"), ("text", "review")];
        let columns = called.map(|(name, title)| (name.to_owned(), title.to_owned()));
        let columns = Columns(columns.into());
        for file in [
            "id,Review,text,stars\n7,fine,x,1\n",
            "{\"text\": \"x\", \"review\": \"fine\", \"stars\": 1}",
        ] {
            let rows = columns.read_labelled(file.as_bytes(), &two()).unwrap();
            assert_eq!(rows, [labelled(1, "fine")], "{file:?}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_line_of_json_or_between_commas_is_named() {
        for (file, expected) in [
            ("{\"label\": 0, \"text\": \"a\"}\n{\"label\": 1}", "line 2: the object has no text"),
            (
                "{\"label\": 0, \"text\": \"a\"}\n[1]",
                "line 2 is not an object of JSON: invalid type",
            ),
            ("{\"label\": 7, \"text\": \"a\"}", "line 1, column 1 (label): found \"7\", expected"),
            ("label,text\n0,a\n\n1,b,c\n", "line 4: found 3 columns, expected 2"),
        ] {
            let got = refusal(sst(file));
            assert!(got.starts_with(expected), "{file:?}: {got}");
        }
    }

    #[test]
    fn a_file_names_its_classes() {
        for (file, expected) in [
            ("label\ttext\n10\ta\n9\tb\n10\tc\n", vec!["9", "10"]),
            ("text\tlabel\na\tneutral\nb\tbad\nc\t1\n", vec!["1", "bad", "neutral"]),
        ] {
            assert_eq!(Columns::default().classes(file.as_bytes()).unwrap(), expected, "{file:?}");
        }
        assert_eq!(Columns::default().classes(b""), Err(DatasetError::Empty));
    }

    #[test]
    fn a_name_that_looks_like_an_index_is_a_name() {
        let stars = ["1", "2", "3"].map(str::to_owned);
        assert_eq!(read_labelled(b"1\tbad", &stars).unwrap(), [labelled(0, "bad")]);
    }

    #[test]
    fn a_label_that_the_model_does_not_have_is_refused_with_those_it_has() {
        for (file, expected) in [
            (
                "label\tsentence\n0\tfine\n2\tbad\n",
                "line 3, column 1 (label): found \"2\", expected one of 0 (negative), 1 (positive)",
            ),
            (
                "sentence\tlabel\nfine\t-1\n",
                "line 2, column 2 (label): found \"-1\", expected one of 0 (negative), \
                 1 (positive)",
            ),
            (
                "rating\treview\n0\tbad\n",
                "line 1, column 1 (label): found \"rating\", expected one of 0 (negative), \
                 1 (positive), or a header that names label and sentence, with tabs or commas between them",
            ),
        ] {
            assert_eq!(refusal(sst(file)), expected);
        }
    }

    #[test]
    fn a_score_must_be_a_finite_number() {
        for score in ["", "NaN", "inf", "4,5"] {
            let file = format!("score\tsentence1\tsentence2\n{score}\ta\tb\n");
            let expected = format!("line 2, column 1 (score): found {score:?}, expected a number");
            assert_eq!(refusal(read_pairs(file.as_bytes())), expected);
        }
        let got = refusal(read_pairs(b"genre\tfile\tyear\tid\tsimilarity\ta\tb\n"));
        assert!(got.contains("or a header that names score, sentence1 and sentence2"), "{got}");
    }

    #[test]
    fn a_row_with_too_few_or_too_many_columns_is_named() {
        let got = refusal(read_pairs(b"genre\tfile\tyear\tid\t5.0\tonly one\n"));
        let expected = "line 1, column 7 (sentence2): found the end of the line, \
                        expected at least 7 columns with tabs or commas between them";
        assert_eq!(got, expected);
        let expected = "line 1, column 2 (text): found the end of the line, \
                        expected at least 2 columns with tabs or commas between them";
        assert_eq!(refusal(sst("1\n")), expected);
        let expected = "line 3: found 3 columns, expected 2 as in the first line; a text can't \
                        hold tabs, and one that holds commas stands in quotes";
        assert_eq!(refusal(sst("label\ttext\n0\tfine\n1\ttoo\tmany\n")), expected);
    }

    #[test]
    fn a_file_without_rows_is_refused() {
        for file in ["", "\n\r\n", "\u{feff}", "label\tsentence\n"] {
            assert_eq!(sst(file), Err(DatasetError::Empty), "{file:?}");
        }
        assert_eq!(read_pairs(b"score\tsentence1\tsentence2"), Err(DatasetError::Empty));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_located() {
        let expected = DatasetError::NotUtf8 { line: 2, offset: 10 };
        assert_eq!(read_labelled(b"1\tca va\n0\t\xe7a va\n", &two()), Err(expected));
    }

    #[test]
    fn a_long_value_is_shown_by_its_beginning() {
        let got = refusal(sst(&format!("{}\t1\n", "é".repeat(1000))));
        assert!(got.contains(&"é".repeat(40)) && !got.contains(&"é".repeat(41)), "{got}");
    }

    #[test]
    fn every_prefix_of_a_file_is_read_as_its_beginning_or_refused() {
        let pairs = read_pairs(STS.as_bytes()).unwrap();
        for end in 0..STS.len() {
            if let Ok(got) = read_pairs(&STS.as_bytes()[..end]) {
                let whole = got.len() - 1;
                assert_eq!(got[..whole], pairs[..whole], "{end}");
            }
        }
        let rows = sst(SST).unwrap();
        for end in 0..SST.len() {
            if let Ok(got) = read_labelled(&SST.as_bytes()[..end], &two()) {
                let whole = got.len() - 1;
                assert_eq!(got[..whole], rows[..whole], "{end}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            bytes in prop::collection::vec(
                prop::sample::select(b"\t\t,{}:\n\r015.e-\"\xc3\xa9\xef\xbb\xbf".to_vec()),
                0..100,
            ),
        ) {
            let _ = read_pairs(&bytes);
            let _ = read_labelled(&bytes, &two());
        }
    }
}
