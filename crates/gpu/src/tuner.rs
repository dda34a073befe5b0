//! Which tiles a device is fastest with: measured once, and remembered by whoever opened it.

use std::fmt;
use std::time::Duration;

use trireme_backend::{
    Activation, Backend, BackendError, ByteRows, Epilogue, Layout, Lookup, Matrix, Per, Pooling,
};

use crate::Gpu;
use crate::backend::Acts;
use crate::tile::{Tile, Tiles};
use crate::weights::{Linear, Norm};

/// Rows that every GPU does in no time, and as many as fill a large one.
const FEW: usize = 64;
const MANY: usize = 8192;

/// The layers of an encoder of middle size.
const NARROW: usize = 768;
const WIDE: usize = 3072;

/// What one measurement is to take: above the steps of a browser's clock.
const LONG: Duration = Duration::from_millis(8);

/// Products of one measurement, at most.
const MOST: u32 = 16;

/// Measurements of each tile; the shortest counts. A GPU that was idle runs slower in the first.
const ROUNDS: usize = 5;

/// What a norm in a run of its own is called.
const APART: &str = "apart";

/// Tells how late it is, from a beginning of its own.
pub type Clock<'a> = &'a (dyn Fn() -> Duration + Sync);

/// A layer, and what it is given.
struct Layer<'a> {
    x: &'a Acts,
    weight: &'a Linear,
    norm: Option<&'a Norm>,
}

impl Gpu {
    /// The same with the tiles that it is fastest with in its precision.
    ///
    /// # Errors
    /// What the device fails with.
    pub async fn tuned(self, clock: Clock<'_>) -> Result<Self, BackendError> {
        let in_bytes = self.precision().in_bytes();
        let (values, bytes) = (vec![0.5; NARROW * WIDE], vec![64; NARROW * WIDE]);
        let scales = vec![0.01; WIDE];
        let upload = |rows, cols| {
            let weight = match in_bytes {
                true => ByteRows { cols, values: &bytes, scales: &scales[..rows] }.into(),
                false => Matrix { rows, cols, data: &values }.into(),
            };
            self.upload_linear(&[], weight, None, Per::Token)
        };
        let [up, down] = [upload(WIDE, NARROW)?, upload(NARROW, WIDE)?];
        let norm = self.upload_norm(&[], &[1.0; NARROW], &[0.0; NARROW], 1e-5)?;
        let table = Matrix { rows: 1, cols: NARROW, data: &values[..NARROW] };
        let table = self.upload_table(&[], table.into())?;
        let rows = |count| self.embed(&[Lookup { table: &table, ids: &vec![0; count] }], None);

        let few = Layer { x: &rows(FEW)?, weight: &up, norm: None };
        self.timed(&few, 1, clock).await?;
        let mut each = Duration::MAX;
        for _ in 0..ROUNDS {
            // The way back is paid once.
            let one = self.timed(&few, 1, clock).await?;
            // Of a device that is so slow, or not awake yet, nine of them say no more.
            if one > 4 * LONG {
                continue;
            }
            each = each.min(self.timed(&few, 9, clock).await?.saturating_sub(one) / 8);
        }
        let fast = each.saturating_mul((MANY / FEW) as u32) <= 4 * LONG;
        let narrow = rows(if fast { MANY } else { FEW })?;
        let wide = self.linear(&narrow, &up, Epilogue::PLAIN)?;

        let layer = Layer { x: &narrow, weight: &up, norm: None };
        let with = |alone| Tiles { alone, ..Tiles::default() };
        let alone = self.fastest(&Tile::ALONE.map(with), &layer, clock).await?.alone;
        let layer = Layer { x: &wide, weight: &down, norm: Some(&norm) };
        let with = |whole| Tiles { alone, whole };
        // In bytes rows are always owned.
        let apart = (!in_bytes).then_some(None);
        let ways = apart.into_iter().chain(Tile::WHOLE.map(Some)).map(with);
        let tiles = self.fastest(&ways.collect::<Vec<_>>(), &layer, clock).await?;
        Ok(self.with(tiles))
    }

    async fn fastest(
        &self,
        tiles: &[Tiles],
        layer: &Layer<'_>,
        clock: Clock<'_>,
    ) -> Result<Tiles, BackendError> {
        let ways: Vec<Self> = tiles.iter().map(|&tiles| self.clone().with(tiles)).collect();
        let mut times = vec![Duration::MAX; tiles.len()];
        // The first run of each compiles its shader.
        for way in &ways {
            way.timed(layer, 1, clock).await?;
        }
        let once = ways[0].timed(layer, 1, clock).await?.max(Duration::from_nanos(1));
        let runs = u32::try_from(LONG.as_nanos() / once.as_nanos()).unwrap_or(MOST).clamp(1, MOST);
        for _ in 0..ROUNDS {
            for (way, best) in ways.iter().zip(&mut times) {
                *best = (*best).min(way.timed(layer, runs, clock).await?);
            }
        }
        Ok(tiles[chosen(&times)])
    }

    /// How long so many runs of a layer take. One number of each column is read, so that what is
    /// timed is the layer, and not the way back.
    async fn timed(
        &self,
        layer: &Layer<'_>,
        runs: u32,
        clock: Clock<'_>,
    ) -> Result<Duration, BackendError> {
        let begun = clock();
        let run = |_| {
            let epilogue =
                Epilogue { activation: Activation::Gelu, residual: None, norm: layer.norm };
            self.linear(layer.x, layer.weight, epilogue)
        };
        // All are held, for what nobody holds does not run.
        let outs = (0..runs).map(run).collect::<Result<Vec<_>, _>>()?;
        let layout = Layout::from_lengths([layer.x.rows()])?;
        if let Some(last) = outs.last() {
            self.read(&self.pool(last, &layout, Pooling::Cls)?).await?;
        }
        Ok(clock().saturating_sub(begun))
    }
}

/// The fastest; the first, where none is a twentieth faster than it.
fn chosen(times: &[Duration]) -> usize {
    let fastest = times.iter().enumerate().min_by_key(|(_, time)| **time);
    fastest.filter(|(_, time)| **time < times[0].mul_f64(0.95)).map_or(0, |(at, _)| at)
}

/// What tiles are called where they are remembered.
impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.alone)?;
        match self.whole {
            Some(tile) => tile.fmt(f),
            None => f.write_str(APART),
        }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row_groups, lanes, depths, .. } = self;
        let (rows, columns) = (self.rows(), 4 * self.panels());
        write!(f, "{rows}x{columns}x{depths} by {}x{}", rows / row_groups, columns / lanes)
    }
}

impl Tiles {
    /// The tiles that are called so; none, where a list no longer has them.
    pub fn called(name: &str) -> Option<Self> {
        let (alone, whole) = name.split_once(", ")?;
        let among = |tiles: &[Tile], name: &str| {
            tiles.iter().copied().find(|tile| tile.to_string() == name)
        };
        let whole = match whole {
            APART => None,
            name => Some(among(&Tile::WHOLE, name)?),
        };
        Some(Self { alone: among(&Tile::ALONE, alone)?, whole })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use trireme_backend::Precision;

    use super::*;

    #[test]
    fn the_first_is_kept_unless_another_is_clearly_faster() {
        for (times, expected) in
            [(&[100, 96][..], 0), (&[100, 94], 1), (&[100, 90, 80, 85], 2), (&[100, 200], 0)]
        {
            let times: Vec<_> = times.iter().copied().map(Duration::from_micros).collect();
            assert_eq!(chosen(&times), expected, "{times:?}");
        }
    }

    #[test]
    fn tiles_are_remembered_by_name() {
        let whole = [None].into_iter().chain(Tile::WHOLE.map(Some));
        for (alone, whole) in whole.flat_map(|whole| Tile::ALONE.map(|alone| (alone, whole))) {
            let tiles = Tiles { alone, whole };
            assert_eq!(Tiles::called(&tiles.to_string()), Some(tiles));
        }
        for name in ["", "64x64x1 by 4x4", "64x64x1 by 4x4, 9x9x9 by 9x9", "x, y"] {
            assert_eq!(Tiles::called(name), None, "{name:?}");
        }
    }

    /// A clock by which every reading takes as long as a list says.
    fn by(steps: &[u64]) -> impl Fn() -> Duration + Sync {
        let state = Mutex::new((Duration::ZERO, steps.iter().cycle(), false));
        move || {
            let mut state = state.lock().unwrap();
            let (late, steps, running) = &mut *state;
            if *running {
                *late += Duration::from_millis(*steps.next().unwrap());
            }
            *running = !*running;
            *late
        }
    }

    /// A layer and a norm behind it, over a hundred rows and some: past the edges of every tile.
    fn answer(gpu: &Gpu) -> Vec<f32> {
        const WIDTH: usize = 68;
        let noise = |seed: usize, count: usize| -> Vec<f32> {
            (0..count).map(|at| ((at * 7919 + seed) % 255) as f32 / 127.0 - 1.0).collect()
        };
        let (table, weight) = (noise(1, 150 * WIDTH), noise(2, WIDTH * WIDTH));
        let bytes: Vec<i8> = weight.iter().map(|value| (value * 127.0) as i8).collect();
        let singles = |data, rows| Matrix { rows, cols: WIDTH, data };
        let weight = match gpu.precision().in_bytes() {
            true => ByteRows { cols: WIDTH, values: &bytes, scales: &[0.01; WIDTH] }.into(),
            false => singles(&weight, WIDTH).into(),
        };
        let table = gpu.upload_table(&[], singles(&table, 150).into()).unwrap();
        let weight = gpu.upload_linear(&[], weight, Some(&noise(3, WIDTH)), Per::Token).unwrap();
        let norm = gpu.upload_norm(&[], &noise(4, WIDTH), &noise(5, WIDTH), 1e-5).unwrap();
        let ids: Vec<u32> = (0..150).collect();
        let x = gpu.embed(&[Lookup { table: &table, ids: &ids }], None).unwrap();
        let layer = |x: &Acts, norm| {
            let epilogue = Epilogue { activation: Activation::Gelu, residual: Some(x), norm };
            gpu.linear(x, &weight, epilogue).unwrap()
        };
        let out = layer(&layer(&x, None), Some(&norm));
        pollster::block_on(gpu.read(&out)).unwrap()
    }

    #[test]
    fn no_tile_changes_an_answer() {
        let gpu = pollster::block_on(Gpu::open()).unwrap();
        for (precision, tolerance) in
            [(Precision::F32, 1e-4), (Precision::F16, 0.1), (Precision::Int8, 1e-4)]
        {
            let gpu = gpu.clone().with_precision(precision);
            let expected = answer(&gpu);
            let alone = Tile::ALONE.map(|alone| Tiles { alone, whole: None });
            let whole = Tile::WHOLE.map(|whole| Tiles { whole: Some(whole), ..Tiles::default() });
            for tiles in alone.into_iter().chain(whole) {
                let mut gpu = gpu.clone().with(tiles);
                // Also for so few rows.
                gpu.enough = 0;
                let off =
                    answer(&gpu).iter().zip(&expected).map(|(a, b)| (a - b).abs()).reduce(f32::max);
                println!("{}, {tiles}: {off:?}", precision.name());
                assert!(off.unwrap() < tolerance, "{}, {tiles}: {off:?}", precision.name());
            }
        }
    }

    #[test]
    fn the_clock_decides() {
        let gpu = pollster::block_on(Gpu::open()).unwrap();
        // Few rows, nine times so slow that it stays at few; then four tiles are tried once, the first once more, and all in rounds;
        // then none and four others.
        let alone =
            [&[9][..], &[9, 999].repeat(ROUNDS), &[9; 5], &[9, 9, 8, 7].repeat(ROUNDS)].concat();
        let whole = [&[9; 6][..], &[9, 9, 8, 9, 9].repeat(ROUNDS)].concat();
        let steps = [alone, whole].concat();
        let clock = by(&steps);
        let tuned = pollster::block_on(gpu.clone().tuned(&clock)).unwrap();
        let expected = Tiles { alone: Tile::ALONE[3], whole: Some(Tile::WHOLE[1]) };
        assert_eq!(tuned.tiles(), expected.to_string());
    }
}
