//! The port's operations: each is checked, and recorded as one or two runs of a shader.

mod linear;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_channel::oneshot;
use trireme_backend::shapes::{self, Shape};
use trireme_backend::{
    Attention, Backend, BackendError, BoxFuture, Epilogue, Layout, Lookup, Per, Pooling, Position,
    Precision, Weight,
};
use wgpu::BufferUsages;

use crate::device::{About, Device, OpenError};
use crate::kernel::{Extras, Kernel, QUERIES, Row};
use crate::marker;
use crate::pool::{Named, Room};
use crate::stream::{Counts, Dispatch, Parameters, grid};
use crate::tile::Tiles;
use crate::weights::{Linear, Norm, Part, Table};

/// What activations live in.
const ACTIVATIONS: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_SRC);

/// What the host writes into.
const INPUTS: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_DST);

/// What the host reads from.
const STAGING: BufferUsages = BufferUsages::MAP_READ.union(BufferUsages::COPY_DST);

/// A GPU as a place that computes. Clones are the same device.
#[derive(Clone)]
pub struct Gpu {
    device: Arc<Device>,
    precision: Precision,
    tiles: Tiles,
    /// Workgroups that keep it busy.
    pub(crate) enough: usize,
    /// The layout that was attended to last: every layer of a pass asks for the same.
    last: Arc<Mutex<Option<Attended>>>,
}

/// A layout, and what attention needs to know of it.
struct Attended {
    layout: Layout,
    pieces: Arc<Pieces>,
    generation: u64,
}

/// The queries of a ragged batch, cut into workgroups.
struct Pieces {
    count: u32,
    room: Arc<Room>,
}

/// A row-major block of activations in the GPU's memory.
pub struct Acts {
    room: Arc<Room>,
    shape: Shape,
    /// The same in bytes, once a layer asked for them.
    bytes: OnceLock<Arc<Room>>,
}

/// One run of a shader: what it is told, and by how many workgroups it is done.
#[derive(Clone, Copy)]
struct Run<'a> {
    op: &'static str,
    kernel: Kernel,
    told: &'a [u32],
    grid: [u32; 2],
    in_place: bool,
}

impl Acts {
    pub(crate) fn rows(&self) -> usize {
        self.shape.rows
    }
}

impl Gpu {
    /// Opens the fastest GPU that there is, to compute in singles.
    ///
    /// # Errors
    /// [`OpenError`] where there is none, or it refuses.
    pub async fn open() -> Result<Self, OpenError> {
        Self::open_with(Extras { halves: true, subgroups: true }).await
    }

    /// The same with no extras but these, where the GPU has them.
    ///
    /// # Errors
    /// [`OpenError`] where there is none, or it refuses.
    pub async fn open_with(extras: Extras) -> Result<Self, OpenError> {
        let device = Arc::new(marker::sendable(Device::open(extras)).await?);
        let (precision, tiles, last) = Default::default();
        // A large one has some hundred processors.
        Ok(Self { device, precision, tiles, enough: 64, last })
    }

    /// The same, computing in other numbers.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The tiles that it multiplies by, as words to remember.
    #[must_use]
    pub fn tiles(&self) -> String {
        self.tiles.to_string()
    }

    /// The same with tiles that were [measured](Self::tuned) before; nothing, where they are none
    /// that are known.
    #[must_use]
    pub fn with_tiles(self, called: &str) -> Option<Self> {
        Tiles::called(called).map(|tiles| self.with(tiles))
    }

    pub(crate) fn with(self, tiles: Tiles) -> Self {
        Self { tiles, ..self }
    }

    /// What the device says of itself.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.device.about
    }

    /// How often it did what.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.device.counts()
    }

    /// Gives the device up. Whatever is asked afterwards is answered with
    /// [`BackendError::DeviceLost`].
    pub fn destroy(&self) {
        self.device.device.destroy();
    }

    #[cfg(test)]
    pub(crate) fn pool_of_buffers(&self) -> &crate::pool::Pool {
        &self.device.pool
    }

    fn room(&self, op: &'static str, rows: usize, words: usize) -> Result<Arc<Room>, BackendError> {
        let bytes = (rows as u64).saturating_mul(words as u64).saturating_mul(4);
        self.device.pool.room(op, bytes, ACTIVATIONS).map(Arc::new)
    }

    /// Room for activations, and for their bytes where the end of their rows is to make them.
    fn acts(&self, op: &'static str, shape: Shape, row: Row) -> Result<Acts, BackendError> {
        let room = self.room(op, shape.rows, shape.cols)?;
        Ok(Acts { room, shape, bytes: self.bytes_of(shape, row)? })
    }

    /// Room for the bytes of activations, where the end of their rows is to make them.
    fn bytes_of(&self, shape: Shape, row: Row) -> Result<OnceLock<Arc<Room>>, BackendError> {
        let room = row.quantizes.then(|| self.byte_room(shape)).transpose()?;
        Ok(room.map_or_else(OnceLock::new, OnceLock::from))
    }

    /// Room for the bytes of activations, and a scale behind each row.
    fn byte_room(&self, shape: Shape) -> Result<Arc<Room>, BackendError> {
        self.room("quantize", shape.rows, shape.cols.div_ceil(4) + 1)
    }

    /// A norm's gain and bias, for a shader that may have no use for them.
    fn values_of(&self, norm: Option<&Norm>) -> Named {
        norm.map_or(&self.device.nothing, |norm| &norm.values).clone()
    }

    /// Room for bytes, for a shader that may make none.
    fn or_waste(&self, bytes: Option<&Arc<Room>>) -> Named {
        bytes.map_or(&self.device.waste, |bytes| bytes.named()).clone()
    }

    /// Records a run for the sake of `output`.
    fn record(
        &self,
        run: Run<'_>,
        buffers: Vec<Named>,
        output: &Arc<Room>,
    ) -> Result<(), BackendError> {
        let Run { op, kernel, told, grid, in_place } = run;
        if !self.device.fits(kernel) {
            let bytes = kernel.workgroup_bytes() as usize;
            return Err(BackendError::OutOfMemory { op, bytes });
        }
        let pipeline = self.device.pipelines.of(&self.device, kernel);
        let mut parameters = Parameters::default();
        parameters[..told.len()].copy_from_slice(told);
        let output = Arc::downgrade(output);
        let dispatch = Dispatch { pipeline, buffers, parameters, grid, output, in_place };
        self.device.with_stream(|stream| stream.push(dispatch));
        Ok(())
    }

    /// Uploads words for runs that are recorded next; whoever records them [keeps](Stream::keep)
    /// the room, for it must not be written to again before they ran.
    fn input(&self, op: &'static str, words: &[u32]) -> Result<Arc<Room>, BackendError> {
        let room = self.device.pool.room(op, 4 * words.len() as u64, INPUTS)?;
        self.device.write(room.named(), words);
        Ok(Arc::new(room))
    }

    /// What happens to whole rows of this width at the end of an operation.
    fn row(&self, width: usize, norm: Option<&Norm>) -> Row {
        // Behind a norm stand layers for every token, and they multiply bytes.
        let quantizes = norm.is_some() && self.precision.in_bytes();
        Row { width: width as u32, normalizes: norm.is_some(), quantizes }
    }

    /// The bytes of activations, made now where nobody asked before.
    fn bytes<'a>(&self, x: &'a Acts) -> Result<&'a Arc<Room>, BackendError> {
        if let Some(bytes) = x.bytes.get() {
            return Ok(bytes);
        }
        let bytes = self.byte_room(x.shape)?;
        let row = Row { width: x.shape.cols as u32, normalizes: false, quantizes: true };
        self.rows(x, row, None, Some(&bytes))?;
        Ok(x.bytes.get_or_init(|| bytes))
    }

    /// Runs what happens to whole rows, over rows that are there.
    fn rows(
        &self,
        x: &Acts,
        row: Row,
        norm: Option<&Norm>,
        bytes: Option<&Arc<Room>>,
    ) -> Result<(), BackendError> {
        let buffers = vec![x.room.named().clone(), self.values_of(norm), self.or_waste(bytes)];
        let eps = norm.map_or(0.0, |norm| norm.eps);
        let rows = x.shape.rows as u32;
        let told = [rows, eps.to_bits()];
        let (op, kernel, grid) = ("norm", Kernel::Rows { row }, grid(rows));
        let run = Run { op, kernel, told: &told, grid, in_place: true };
        let output = if row.normalizes { &x.room } else { bytes.unwrap_or(&x.room) };
        self.record(run, buffers, output)
    }

    fn pieces(&self, layout: &Layout) -> Result<Arc<Pieces>, BackendError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.device.pool.generation();
        let same = |known: &&Attended| known.layout == *layout && known.generation == generation;
        if let Some(known) = last.as_ref().filter(same) {
            return Ok(Arc::clone(&known.pieces));
        }
        let cut = |text: std::ops::Range<usize>| {
            let (start, end) = (text.start as u32, text.end as u32);
            (start..end).step_by(QUERIES as usize).map(move |first| [start, end, first, 0])
        };
        let words: Vec<[u32; 4]> = layout.texts().flat_map(cut).collect();
        let room = self.input("attention", words.as_flattened())?;
        let pieces = Arc::new(Pieces { count: words.len() as u32, room });
        let (layout, known) = (layout.clone(), Arc::clone(&pieces));
        *last = Some(Attended { layout, pieces: known, generation });
        Ok(pieces)
    }

    /// Submits what waits, and behind it a copy of activations for the host.
    fn submit(&self, x: &Acts) -> Result<Submitted, BackendError> {
        let since = self.device.complaints()?;
        let bytes = 4 * (x.shape.rows * x.shape.cols) as u64;
        let staging = self.device.pool.room("read", bytes, STAGING)?;
        let (from, to) = (x.room.named(), staging.named());
        self.device.with_stream(|stream| stream.submit(&self.device, from, to, bytes))?;
        Ok(Submitted { staging, bytes, since })
    }
}

/// An answer on its way.
struct Submitted {
    staging: Room,
    bytes: u64,
    /// Complaints of the device that were told before.
    since: u64,
}

impl Backend for Gpu {
    type Acts = Acts;
    type Linear = Linear;
    type Table = Table;
    type Norm = Norm;

    fn precision(&self) -> Precision {
        self.precision
    }

    fn device_bytes(&self) -> u64 {
        self.counts().bytes
    }

    fn upload_linear(
        &self,
        _: &[String],
        weight: Weight<'_>,
        bias: Option<&[f32]>,
        per: Per,
    ) -> Result<Linear, BackendError> {
        match self.precision {
            Precision::Bf16 => Err(BackendError::Unsupported { what: "bf16", lane: "a GPU" }),
            Precision::F16 if !self.device.about.extras.halves => {
                Err(BackendError::Unsupported { what: "f16", lane: "this GPU" })
            }
            precision => {
                let halves = precision == Precision::F16 && per == Per::Token;
                Linear::new(&self.device.pool, weight, bias, halves)
            }
        }
    }

    fn upload_table(&self, _: &[String], table: Weight<'_>) -> Result<Table, BackendError> {
        Table::new(&self.device.pool, table)
    }

    fn upload_norm(
        &self,
        _: &[String],
        gain: &[f32],
        bias: &[f32],
        eps: f32,
    ) -> Result<Norm, BackendError> {
        Norm::new(&self.device.pool, gain, bias, eps)
    }

    fn embed(
        &self,
        lookups: &[Lookup<'_, Table>],
        norm: Option<&Norm>,
    ) -> Result<Acts, BackendError> {
        let shapes = lookups.iter().map(|lookup| (lookup.table.shape, lookup.ids));
        let shape = shapes::looked_up(shapes)?;
        shapes::norm("embed", shape.cols, norm.map(|norm| norm.width))?;
        let row = self.row(shape.cols, norm);
        let out = self.acts("embed", shape, row)?;
        let parts: Vec<(&Lookup<'_, Table>, &Part)> = lookups
            .iter()
            .flat_map(|lookup| lookup.table.parts.iter().map(move |part| (lookup, part)))
            .collect();
        let runs = parts.chunks(3);
        let last = runs.len().saturating_sub(1);
        for (run, parts) in runs.enumerate() {
            let ends = run == last;
            let row = if ends { row } else { Row { normalizes: false, quantizes: false, ..row } };
            self.look_up(&out, parts, row, norm.filter(|_| ends), run > 0)?;
        }
        Ok(out)
    }

    fn norm(&self, x: &mut Acts, norm: &Norm) -> Result<(), BackendError> {
        shapes::norm("norm", x.shape.cols, Some(norm.width))?;
        let row = self.row(x.shape.cols, Some(norm));
        let bytes = self.bytes_of(x.shape, row)?;
        self.rows(x, row, Some(norm), bytes.get())?;
        x.bytes = bytes;
        Ok(())
    }

    fn linear(
        &self,
        x: &Acts,
        weight: &Linear,
        epilogue: Epilogue<'_, Acts, Norm>,
    ) -> Result<Acts, BackendError> {
        self.linear_layer(x, weight, &epilogue)
    }

    fn attention(
        &self,
        qkv: &Acts,
        layout: &Layout,
        attention: &Attention<'_, Table>,
    ) -> Result<Acts, BackendError> {
        let heads = attention.heads;
        let head_width = shapes::head_width(qkv.shape, layout, heads)?;
        let (biases, reach) = biases(layout, attention)?;
        let width = heads * head_width;
        let kernel = Kernel::Attention {
            heads: heads as u32,
            head_width: head_width as u32,
            biased: biases.is_some(),
        };
        let pieces = self.pieces(layout)?;
        let shape = Shape { rows: layout.tokens(), cols: width };
        let out = self.acts("attention", shape, self.row(width, None))?;
        let buffers = vec![
            qkv.room.named().clone(),
            pieces.room.named().clone(),
            biases.unwrap_or(&self.device.nothing).clone(),
            out.room.named().clone(),
        ];
        let window = attention.window.map_or(u32::MAX, |window| window as u32);
        let told = [width as u32, attention.scale.to_bits(), window, reach as u32];
        let grid = [pieces.count, heads as u32];
        let run = Run { op: "attention", kernel, told: &told, grid, in_place: false };
        self.record(run, buffers, &out.room)?;
        self.device.with_stream(|stream| stream.keep(Arc::clone(&pieces.room)));
        Ok(out)
    }

    fn pool(&self, x: &Acts, layout: &Layout, pooling: Pooling) -> Result<Acts, BackendError> {
        shapes::rows("pool", x.shape, layout)?;
        let shape = Shape { rows: layout.len(), ..x.shape };
        let out = self.acts("pool", shape, self.row(shape.cols, None))?;
        let starts = self.input("pool", layout.starts())?;
        let buffers =
            vec![x.room.named().clone(), starts.named().clone(), out.room.named().clone()];
        let workgroups = (shape.rows * shape.cols).div_ceil(64) as u32;
        let told = [shape.rows as u32, shape.cols as u32];
        let (kernel, grid) = (Kernel::Pool { pooling }, grid(workgroups));
        let run = Run { op: "pool", kernel, told: &told, grid, in_place: false };
        self.record(run, buffers, &out.room)?;
        self.device.with_stream(|stream| stream.keep(starts));
        Ok(out)
    }

    fn read<'a>(&'a self, x: &'a Acts) -> BoxFuture<'a, Result<Vec<f32>, BackendError>> {
        let submitted = self.submit(x);
        Box::pin(async move {
            let Submitted { staging, bytes, since } = submitted?;
            // Where the device complains of nothing, an answer fails to come only because the device is
            // lost: a browser says that last.
            let failed = |reason: String| match self.device.checked(since) {
                Err(known) => known,
                Ok(()) => BackendError::DeviceLost { reason },
            };
            let slice = staging.named().buffer.slice(..bytes);
            // Until it is unmapped again, nobody else can use it.
            staging.doubt(true);
            let (done, mapped) = oneshot::channel();
            slice.map_async(wgpu::MapMode::Read, move |outcome| drop(done.send(outcome)));
            marker::drive(&self.device.device)
                .map_err(|marker::Lost| failed("it can't be waited for".to_owned()))?;
            let mapped = mapped.await.map_err(|e| failed(e.to_string()))?;
            mapped.map_err(|e| failed(e.to_string()))?;
            self.device.checked(since)?;
            let values = {
                let view = slice.get_mapped_range().map_err(|e| failed(e.to_string()))?;
                bytemuck::pod_collect_to_vec(&view)
            };
            staging.named().buffer.unmap();
            staging.doubt(false);
            Ok(values)
        })
    }
}

impl Gpu {
    fn look_up(
        &self,
        out: &Acts,
        parts: &[(&Lookup<'_, Table>, &Part)],
        row: Row,
        norm: Option<&Norm>,
        adds: bool,
    ) -> Result<(), BackendError> {
        let ids: Vec<u32> = parts.iter().flat_map(|(lookup, _)| lookup.ids).copied().collect();
        let ids = self.input("embed", &ids)?;
        let nothing = &self.device.nothing;
        let table = |at: usize| parts.get(at).map_or(nothing, |(_, part)| &part.words).clone();
        let buffers = vec![
            ids.named().clone(),
            table(0),
            table(1),
            table(2),
            out.room.named().clone(),
            self.values_of(norm),
            self.or_waste(out.bytes.get().filter(|_| row.quantizes)),
        ];
        let in_bytes = |(at, (lookup, _)): (usize, &(&Lookup<'_, Table>, &Part))| {
            u32::from(lookup.table.in_bytes) << at
        };
        let byte_tables = parts.iter().enumerate().map(in_bytes).sum();
        let kernel = Kernel::Embed { row, tables: parts.len() as u32, byte_tables };
        let mut told = Parameters::default();
        let eps = norm.map_or(0.0, |norm| norm.eps);
        told[..3].copy_from_slice(&[out.shape.rows as u32, u32::from(adds), eps.to_bits()]);
        for (at, (_, part)) in parts.iter().enumerate() {
            (told[4 + at], told[8 + at]) = (part.first, part.rows);
        }
        let grid = grid(out.shape.rows as u32);
        let run = Run { op: "embed", kernel, told: &told, grid, in_place: adds };
        self.record(run, buffers, &out.room)?;
        self.device.with_stream(|stream| stream.keep(ids));
        Ok(())
    }
}

/// The biases of an attention, and how far they reach.
fn biases<'a>(
    layout: &Layout,
    attention: &Attention<'a, Table>,
) -> Result<(Option<&'a Named>, usize), BackendError> {
    const OP: &str = "attention";
    let Position::Relative { table, reach } = attention.position else { return Ok((None, 0)) };
    let [part] = &*table.parts else {
        return Err(BackendError::shape(OP, "biases in one piece", table.parts.len()));
    };
    if table.in_bytes {
        return Err(BackendError::shape(OP, "biases in singles", "bytes"));
    }
    shapes::biases(table.shape, layout, attention.heads, reach)?;
    Ok((Some(&part.words), reach))
}
