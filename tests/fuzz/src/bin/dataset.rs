//! The data files that `trireme eval` and `trireme train` read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trireme_domain::dataset::{read_labelled, read_pairs};

fuzz_target!(|data: &[u8]| {
    for pair in read_pairs(data).into_iter().flatten() {
        assert!(pair.score.is_finite());
    }
    let labels = ["negative".to_owned(), "positive".to_owned()];
    for row in read_labelled(data, &labels).into_iter().flatten() {
        assert!(row.label < labels.len());
    }
});
