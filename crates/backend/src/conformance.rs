//! What every backend must do, checked against [`crate::oracle`].
//!
//! A backend's own tests call [`run`]; it panics with the operation, the case, what was expected
//! and what came.

use crate::{
    Activation, Attention, Backend, BackendError, ByteRows, Epilogue, Layout, Lookup, Matrix, Per,
    Pooling, Position, bytes, oracle,
};

/// Runs the whole suite. `wait` resolves the backend's futures; `tolerance` is absolute, for
/// values of size one.
///
/// # Panics
/// Where the backend fails a case.
#[allow(clippy::panic)]
pub fn run<B: Backend>(backend: &B, wait: impl Wait, tolerance: f64) {
    let suite = Suite { backend, wait, tolerance };
    for case in [
        Suite::embeds_a_sum_of_rows,
        Suite::embeds_a_sum_of_many_tables,
        Suite::embeds_rows_of_bytes,
        Suite::refuses_an_id_outside_the_table,
        Suite::normalises_rows,
        Suite::normalises_what_it_embeds_and_multiplies,
        Suite::multiplies_activates_and_adds,
        Suite::multiplies_bytes,
        Suite::refuses_shapes_that_do_not_fit,
        Suite::attends_within_a_text,
        Suite::attends_by_distance,
        Suite::attends_within_a_window,
        Suite::attends_over_long_texts,
        Suite::pools_each_text,
        Suite::answers_the_same_alone_and_together,
    ] {
        if let Err(error) = case(&suite) {
            panic!("a conforming backend runs this, but: {error}");
        }
    }
}

/// Resolves a future where the suite runs: natively by blocking.
pub trait Wait {
    /// The future's value.
    fn wait<T>(&self, future: crate::BoxFuture<'_, T>) -> T;
}

/// Polls once; right for backends that compute on the calling thread.
pub struct Inline;

impl Wait for Inline {
    #[allow(clippy::panic)]
    fn wait<T>(&self, mut future: crate::BoxFuture<'_, T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("an inline backend has nothing to wait for"),
        }
    }
}

struct Suite<'a, B, W> {
    backend: &'a B,
    wait: W,
    tolerance: f64,
}

type Outcome = Result<(), BackendError>;

impl<B: Backend, W: Wait> Suite<'_, B, W> {
    fn embeds_a_sum_of_rows(&self) -> Outcome {
        let (words, places) = (noise(1, 5 * 3), noise(2, 4 * 3));
        let words_there = self.backend.upload_table(&[], matrix(5, 3, &words).into())?;
        let places_there = self.backend.upload_table(&[], matrix(4, 3, &places).into())?;
        let (ids, at) = ([4, 0, 2], [0, 1, 3]);
        let got = self.backend.embed(
            &[Lookup { table: &words_there, ids: &ids }, Lookup { table: &places_there, ids: &at }],
            None,
        )?;
        let expected: Vec<f64> = ids
            .iter()
            .zip(at)
            .flat_map(|(&id, at)| (0..3).map(move |c| (id as usize * 3 + c, at as usize * 3 + c)))
            .map(|(word, place)| f64::from(words[word]) + f64::from(places[place]))
            .collect();
        self.same("embed", &got, &expected)
    }

    fn embeds_a_sum_of_many_tables(&self) -> Outcome {
        let table = |rows: &[f32]| self.backend.upload_table(&[], matrix(2, 2, rows).into());
        let tables = [1.0f32, 10.0, 100.0, 1000.0]
            .map(|unit| table(&[unit, 2.0 * unit, 3.0 * unit, 4.0 * unit]));
        let tables = tables.into_iter().collect::<Result<Vec<_>, _>>()?;
        let ids = [[0, 1], [1, 0], [1, 1], [0, 0]];
        let lookups: Vec<_> =
            tables.iter().zip(&ids).map(|(table, ids)| Lookup { table, ids }).collect();
        let got = self.backend.embed(&lookups, None)?;
        self.same("embed, four tables", &got, &[1331.0, 2442.0, 1313.0, 2424.0])
    }

    fn embeds_rows_of_bytes(&self) -> Outcome {
        let rows = ByteRows { cols: 3, values: &[127, 0, -127, 5, 6, 7], scales: &[0.01, 0.5] };
        let table = self.backend.upload_table(&[], rows.into())?;
        let got = self.backend.embed(
            &[Lookup { table: &table, ids: &[1, 0] }, Lookup { table: &table, ids: &[1, 1] }],
            None,
        )?;
        self.same("embed, bytes", &got, &[5.0, 6.0, 7.0, 3.77, 3.0, 2.23])
    }

    fn refuses_an_id_outside_the_table(&self) -> Outcome {
        let table = self.backend.upload_table(&[], matrix(2, 1, &[1.0, 2.0]).into())?;
        let got = self.backend.embed(&[Lookup { table: &table, ids: &[0, 2] }], None).err();
        let expected = Some(BackendError::IdOutOfRange { op: "embed", id: 2, rows: 2 });
        assert_eq!(got, expected, "id 2 of a table with two rows");
        Ok(())
    }

    fn normalises_rows(&self) -> Outcome {
        let (x, gain, bias) = (noise(3, 4 * 20), noise(4, 20), noise(5, 20));
        let mut got = self.acts(20, &x)?;
        self.backend.norm(&mut got, &self.backend.upload_norm(&[], &gain, &bias, 1e-5)?)?;
        let expected: Vec<f64> =
            x.chunks(20).flat_map(|row| oracle::norm(row, &gain, &bias, 1e-5)).collect();
        self.same("norm", &got, &expected)
    }

    fn normalises_what_it_embeds_and_multiplies(&self) -> Outcome {
        for (rows, inputs, outputs) in [(3, 8, 20), (37, 19, 21)] {
            let (x, gain, bias) = (noise(23, rows * inputs), noise(24, inputs), noise(25, inputs));
            let norm = self.backend.upload_norm(&[], &gain, &bias, 1e-5)?;
            let table = self.backend.upload_table(&[], matrix(rows, inputs, &x).into())?;
            let ids: Vec<u32> = (0..rows).filter_map(|row| u32::try_from(row).ok()).collect();
            let got = self.backend.embed(&[Lookup { table: &table, ids: &ids }], Some(&norm))?;
            let normed = x.chunks(inputs).flat_map(|row| oracle::norm(row, &gain, &bias, 1e-5));
            self.same("embed, norm", &got, &normed.collect::<Vec<f64>>())?;

            let (weight, add) = (noise(26, outputs * inputs), noise(27, rows * outputs));
            let (gain, bias) = (noise(28, outputs), noise(29, outputs));
            let norm = self.backend.upload_norm(&[], &gain, &bias, 1e-5)?;
            let layer = self.backend.upload_linear(
                &[],
                matrix(outputs, inputs, &weight).into(),
                Some(&bias),
                Per::Token,
            )?;
            let residual = self.acts(outputs, &add)?;
            let epilogue = Epilogue {
                activation: Activation::Relu,
                residual: Some(&residual),
                norm: Some(&norm),
            };
            let got = self.backend.linear(&self.acts(inputs, &x)?, &layer, epilogue)?;
            let sums: Vec<f32> = oracle::linear(&x, &weight, &bias, inputs)
                .into_iter()
                .zip(&add)
                .map(|(v, &r)| (oracle::activate(Activation::Relu, v) + f64::from(r)) as f32)
                .collect();
            let normed = sums.chunks(outputs).flat_map(|row| oracle::norm(row, &gain, &bias, 1e-5));
            self.near("linear, norm", &got, &normed.collect::<Vec<f64>>(), 4.0 * self.tolerance)?;
        }
        Ok(())
    }

    fn multiplies_activates_and_adds(&self) -> Outcome {
        let (x, weight, bias) = (noise(6, 7 * 19), noise(7, 21 * 19), noise(8, 21));
        let residual = noise(9, 7 * 21);
        let there = self.acts(19, &x)?;
        let add = self.acts(21, &residual)?;
        let layer = self.backend.upload_linear(
            &[],
            matrix(21, 19, &weight).into(),
            Some(&bias),
            Per::Token,
        )?;
        for activation in Activation::ALL {
            let epilogue = Epilogue { activation, residual: Some(&add), norm: None };
            let got = self.backend.linear(&there, &layer, epilogue)?;
            let expected: Vec<f64> = oracle::linear(&x, &weight, &bias, 19)
                .into_iter()
                .zip(&residual)
                .map(|(v, &r)| oracle::activate(activation, v) + f64::from(r))
                .collect();
            self.same(&format!("linear, {activation:?}"), &got, &expected)?;
        }
        Ok(())
    }

    /// Activations are rounded to bytes on the way, so this is near, not exact.
    fn multiplies_bytes(&self) -> Outcome {
        let (inputs, outputs) = (48, 21);
        let (x, mut weight) = (noise(20, 5 * inputs), noise(21, outputs * inputs));
        let bias = noise(22, outputs);
        let expected = oracle::linear(&x, &weight, &bias, inputs);
        let mut values = vec![0; weight.len()];
        let mut scales = Vec::new();
        for (row, bytes) in weight.chunks_mut(inputs).zip(values.chunks_mut(inputs)) {
            bytes::rotate(row);
            scales.push(bytes::quantize(row, bytes) / bytes::mixed(inputs) as f32);
        }
        let rows = ByteRows { cols: inputs, values: &values, scales: &scales };
        let layer = self.backend.upload_linear(&[], rows.into(), Some(&bias), Per::Token)?;
        let got = self.backend.linear(&self.acts(inputs, &x)?, &layer, Epilogue::PLAIN)?;
        self.near("linear, bytes", &got, &expected, 0.15)
    }

    fn refuses_shapes_that_do_not_fit(&self) -> Outcome {
        let x = self.acts(3, &noise(10, 6))?;
        let layer = self.backend.upload_linear(
            &[],
            matrix(2, 4, &noise(11, 8)).into(),
            None,
            Per::Token,
        )?;
        let got = self.backend.linear(&x, &layer, Epilogue::PLAIN).err();
        assert!(
            matches!(got, Some(BackendError::Shape { op: "linear", .. })),
            "a weight with 4 inputs on rows of 3: expected a shape error, got {got:?}"
        );
        let got = self
            .backend
            .upload_linear(&[], matrix(2, 4, &noise(11, 7)).into(), None, Per::Token)
            .err();
        assert!(
            matches!(got, Some(BackendError::Shape { .. })),
            "seven values for a 2 × 4 weight: expected a shape error, got {got:?}"
        );
        let rows = ByteRows { cols: 4, values: &[1; 8], scales: &[1.0] };
        let got = self.backend.upload_linear(&[], rows.into(), None, Per::Token).err();
        assert!(
            matches!(got, Some(BackendError::Shape { .. })),
            "one scale for two rows of bytes: expected a shape error, got {got:?}"
        );
        Ok(())
    }

    fn attends_within_a_text(&self) -> Outcome {
        self.attends("attention", [1, 6, 3], None, None)
    }

    fn attends_by_distance(&self) -> Outcome {
        self.attends("attention with a relative bias", [1, 6, 3], None, Some(8))
    }

    fn attends_within_a_window(&self) -> Outcome {
        self.attends("attention within a window", [1, 6, 3], Some(1), None)
    }

    /// Longer than any piece that keys or queries are cut into.
    fn attends_over_long_texts(&self) -> Outcome {
        self.attends("attention over a long text", [70, 2, 33], None, Some(80))?;
        self.attends("attention within a window of a long text", [1, 90, 40], Some(20), None)
    }

    fn attends(
        &self,
        case: &str,
        lengths: [usize; 3],
        window: Option<usize>,
        reach: Option<usize>,
    ) -> Outcome {
        let (heads, head_width) = (2, 5);
        let layout = Layout::from_lengths(lengths)?;
        let qkv = noise(12, layout.tokens() * 3 * heads * head_width);
        let there = self.acts(3 * heads * head_width, &qkv)?;
        let span = 2 * reach.unwrap_or(0) + 1;
        let biases = noise(13, span * heads);
        let table = self.backend.upload_table(&[], matrix(span, heads, &biases).into())?;
        let position = match reach {
            None => Position::Embedded,
            Some(reach) => Position::Relative { table: &table, reach },
        };
        let attention = Attention { heads, scale: 0.7, position, window };
        let got = self.backend.attention(&there, &layout, &attention)?;
        let bias = |head: usize, query: usize, key: usize| {
            reach.map_or(0.0, |reach| f64::from(biases[(key + reach - query) * heads + head]))
        };
        let expected = oracle::attention(&qkv, &layout, (heads, head_width), 0.7, window, bias);
        self.same(case, &got, &expected)
    }

    fn pools_each_text(&self) -> Outcome {
        let layout = Layout::from_lengths([2, 1, 4])?;
        let x = noise(14, layout.tokens() * 3);
        let there = self.acts(3, &x)?;
        for pooling in Pooling::ALL {
            let got = self.backend.pool(&there, &layout, pooling)?;
            let expected = oracle::pool(&x, 3, &layout, pooling);
            self.same(&format!("pool, {pooling:?}"), &got, &expected)?;
        }
        Ok(())
    }

    /// Rows may depend on their own text only; to the bit where the tolerance is that small.
    fn answers_the_same_alone_and_together(&self) -> Outcome {
        let width = 12;
        let lengths = [3usize, 9, 1, 5];
        let layout = Layout::from_lengths(lengths)?;
        let x = noise(15, layout.tokens() * width);
        let together = self.small_layer(&x, &layout, width)?;
        for (text, rows) in layout.texts().enumerate() {
            let alone = &x[rows.start * width..rows.end * width];
            let got = self.small_layer(alone, &Layout::from_lengths([rows.len()])?, width)?;
            let expected = &together[rows.start * width..rows.end * width];
            for (got, expected) in got.iter().zip(expected) {
                assert!(
                    f64::from((got - expected).abs()) <= self.tolerance,
                    "text {text} alone: expected {expected}, got {got}"
                );
            }
        }
        Ok(())
    }

    /// Attention and a linear layer, as an encoder chains them.
    fn small_layer(
        &self,
        x: &[f32],
        layout: &Layout,
        width: usize,
    ) -> Result<Vec<f32>, BackendError> {
        let x = self.acts(width, x)?;
        let weight = noise(16, 3 * width * width);
        let project = self.backend.upload_linear(
            &[],
            matrix(3 * width, width, &weight).into(),
            None,
            Per::Token,
        )?;
        let qkv = self.backend.linear(&x, &project, Epilogue::PLAIN)?;
        let attention =
            Attention { heads: 3, scale: 0.5, position: Position::Embedded, window: None };
        let got = self.backend.attention(&qkv, layout, &attention)?;
        self.wait.wait(self.backend.read(&got))
    }

    /// Activations can only be made by looking up: each row is its own table entry.
    fn acts(&self, width: usize, values: &[f32]) -> Result<B::Acts, BackendError> {
        let rows = values.len() / width;
        let table = self.backend.upload_table(&[], matrix(rows, width, values).into())?;
        let ids: Vec<u32> = (0..rows).filter_map(|row| u32::try_from(row).ok()).collect();
        self.backend.embed(&[Lookup { table: &table, ids: &ids }], None)
    }

    fn same(&self, case: &str, got: &B::Acts, expected: &[f64]) -> Outcome {
        self.near(case, got, expected, self.tolerance)
    }

    fn near(&self, case: &str, got: &B::Acts, expected: &[f64], tolerance: f64) -> Outcome {
        let got = self.wait.wait(self.backend.read(got))?;
        assert_eq!(got.len(), expected.len(), "{case}: number of values");
        for (at, (&got, &expected)) in got.iter().zip(expected).enumerate() {
            let off = (f64::from(got) - expected).abs();
            assert!(off <= tolerance, "{case}, value {at}: expected {expected}, got {got}");
        }
        Ok(())
    }
}

fn matrix(rows: usize, cols: usize, data: &[f32]) -> Matrix<'_> {
    Matrix { rows, cols, data }
}

/// Values between -1 and 1, the same in every run.
fn noise(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32
    };
    (0..len).map(|_| next()).collect()
}
