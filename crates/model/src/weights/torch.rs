//! `pytorch_model.bin`: what `torch.save` writes, in both of its containers.
//!
//! Since torch 1.6 that is a zip archive of one pickle and one entry for each storage; before, it
//! was a row of pickles with the storages' bytes behind them. No Python is run: see `pickle`.
//! Tensors that lie in row-major order are slices of the file, at any alignment; others are copied.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::pickle::{Element, Global, Id, Pickle, Value};
use super::{Dtype, Tensor, Tensors, zip};

/// Why a file can't be read as a torch checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorchError {
    /// The file begins as neither container does.
    #[error(
        "not a torch checkpoint: neither a zip archive with a `data.pkl` nor torch's older \
         stream of pickles; if this is a small text file, fetch the file that it points to"
    )]
    NotTorch,
    /// The file ends too early.
    #[error("the {what} is cut off or damaged at byte {at}; fetch the file again")]
    Truncated {
        /// The part that ends too early.
        what: &'static str,
        /// Where it was to go on.
        at: usize,
    },
    /// The pickle, or the stream that it is part of, makes no sense.
    #[error("the checkpoint's pickle is damaged before byte {at}: {what}; fetch the file again")]
    Malformed {
        /// What makes no sense.
        what: &'static str,
        /// Where reading stopped.
        at: usize,
    },
    /// The pickle names a Python object that weights don't need.
    #[error(
        "refuses to load {name:?}: a checkpoint that names other Python objects than tensors can \
         run any code; save `model.state_dict()` alone, or convert it to safetensors"
    )]
    UnknownGlobal {
        /// Module and name of the object.
        name: String,
    },
    /// The pickle has an opcode that `torch.save` doesn't write for weights.
    #[error(
        "the pickle's opcode 0x{code:02x} at byte {at} is none that torch writes for weights; \
         save `model.state_dict()` alone"
    )]
    UnknownOpcode {
        /// The opcode.
        code: u8,
        /// Its offset.
        at: usize,
    },
    /// An entry of the archive is compressed, which torch never does.
    #[error("entry {entry:?} of the archive is compressed; save it again with `torch.save`")]
    Compressed {
        /// The entry's name.
        entry: String,
    },
    /// An entry of the archive can't be used.
    #[error("entry {entry:?} of the archive {reason}; save it again with `torch.save`")]
    BadEntry {
        /// The entry's name.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The numbers are big-endian.
    #[error("the checkpoint is big-endian; save it again on a little-endian machine")]
    BigEndian,
    /// The file asks for more than any encoder's checkpoint does.
    #[error("the checkpoint has more than {limit} {what}; no encoder's has")]
    TooBig {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// A tensor can't be had from its storage.
    #[error("tensor {name:?} can't be read: {reason}")]
    BadTensor {
        /// Its name in the state dict.
        name: String,
        /// Why.
        reason: TensorFault,
    },
    /// There is no tensor where a state dict has them.
    #[error("no tensor at the top or under \"state_dict\"; save `model.state_dict()` alone")]
    NoTensors,
}

/// Why a tensor can't be had from its storage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFault {
    /// The call that builds it isn't one that torch makes.
    #[error("its storage, offset, size and stride make no sense")]
    Arguments,
    /// It has more dimensions than any encoder's.
    #[error("it has {0} dimensions; no encoder's tensor has more than {MAX_RANK}")]
    Rank(usize),
    /// There is no [`super::Dtype`] for its elements.
    #[error("its elements ({0}) are none of f32, f16, bf16, f64, i64, u8 and bool")]
    Element(&'static str),
    /// The file lacks its storage.
    #[error("its storage {0:?} isn't in the file")]
    NoStorage(String),
    /// The storage isn't as long as the pickle says.
    #[error("its storage holds {held} bytes where {said} elements were announced")]
    StorageSize {
        /// What is there, in bytes.
        held: usize,
        /// What the pickle says, in elements.
        said: usize,
    },
    /// Some elements lie outside the storage.
    #[error("it reaches beyond its storage")]
    OutOfRange,
    /// Some elements share their place; an expanded tensor does that.
    #[error("its elements overlap; call `contiguous()` on it before saving")]
    Overlap,
}

/// More dimensions than any encoder's tensor has; each of them is work for each tensor.
const MAX_RANK: usize = 8;

/// The integer at the head of the older container, which takes 77 bits.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The version of the older container; there was never another.
const STREAM_VERSION: i64 = 1001;

/// The tensors of a state dict, plain or under the key `state_dict`; other values are left out.
///
/// # Errors
///
/// [`TorchError`] for anything but an undamaged little-endian checkpoint of plain tensors.
pub fn read(file: &Bytes) -> Result<Tensors, TorchError> {
    let checkpoint = if zip::is_archive(file) { archive(file)? } else { stream(file)? };
    // A view takes little room in the file, so a small file could ask for endless copies. Weights
    // that are all transposed, and tied, stay below this.
    let limit = file.len().saturating_mul(2);
    let mut allowance = limit;
    let mut tensors = Tensors::new();
    for (key, value) in checkpoint.pickle.pairs(checkpoint.state_dict()?) {
        if let (Value::Str(name), Value::Tensor(args)) = (key, value) {
            let bad = |reason| TorchError::BadTensor { name: brief(name), reason };
            let view = checkpoint.view(args).map_err(bad)?;
            allowance = allowance
                .checked_sub(view.copied_bytes())
                .ok_or(TorchError::TooBig { what: "bytes of reordered tensors", limit })?;
            tensors.insert(name.to_owned(), view.tensor(file));
        }
    }
    if tensors.is_empty() { Err(TorchError::NoTensors) } else { Ok(tensors) }
}

/// The start of a name, for a message: names of a damaged file may be long.
pub(super) fn brief(name: &str) -> String {
    name.chars().take(100).collect()
}

/// The container of torch 1.6 and later.
fn archive(file: &[u8]) -> Result<Checkpoint<'_>, TorchError> {
    let entries = zip::entries(file)?;
    let objects =
        entries.iter().filter_map(|(name, data)| Some((name.strip_suffix("/data.pkl")?, data)));
    let (root, object) = objects.min_by_key(|(root, _)| root.len()).ok_or(TorchError::NotTorch)?;
    // Torch before 2.1 doesn't say.
    if entries.get(format!("{root}/byteorder").as_str()).is_some_and(|order| *order != b"little") {
        return Err(TorchError::BigEndian);
    }
    let prefix = format!("{root}/data/");
    let storages =
        entries.iter().filter_map(|(name, data)| Some((name.strip_prefix(&prefix)?, *data)));
    Ok(Checkpoint { storages: storages.collect(), pickle: Pickle::read(object, 0)? })
}

/// The container before torch 1.6: pickles of a magic number, a version, the machine, the object
/// and the storages' keys, then the storages.
fn stream(file: &[u8]) -> Result<Checkpoint<'_>, TorchError> {
    let magic = Pickle::read(file, 0).map_err(|_| TorchError::NotTorch)?;
    if magic.root() != Value::Long(&MAGIC) {
        return Err(TorchError::NotTorch);
    }
    let version = Pickle::read(file, magic.end())?;
    if version.root() != Value::Int(STREAM_VERSION) {
        return Err(TorchError::Malformed { what: "its version isn't 1001", at: version.end() });
    }
    let machine = Pickle::read(file, version.end())?;
    if let Value::Dict(facts) = machine.root()
        && machine.get(facts, "little_endian") == Some(Value::Bool(false))
    {
        return Err(TorchError::BigEndian);
    }
    let pickle = Pickle::read(file, machine.end())?;
    let keys = Pickle::read(file, pickle.end())?;
    Ok(Checkpoint { storages: stream_storages(file, &pickle, &keys)?, pickle })
}

/// The older container's storages; only the pickle knows how wide their elements are.
fn stream_storages<'a>(
    file: &'a [u8],
    pickle: &Pickle<'a>,
    keys: &Pickle<'a>,
) -> Result<BTreeMap<&'a str, &'a [u8]>, TorchError> {
    let malformed = |what| TorchError::Malformed { what, at: keys.end() };
    let Value::List(list) = keys.root() else {
        return Err(malformed("its storage keys are no list"));
    };
    let storages = pickle.storages().iter().filter_map(|&id| Storage::read(pickle, id));
    let widths: BTreeMap<_, _> = storages.map(|it| (it.key, it.element.width)).collect();
    let mut storages = BTreeMap::new();
    let mut rest = file.get(keys.end()..).unwrap_or_default();
    for &key in keys.items(list) {
        let Value::Str(key) = key else { return Err(malformed("a storage key is no string")) };
        let width = widths.get(key).ok_or(malformed("a storage belongs to no tensor"))?;
        let cut = TorchError::Truncated { what: "data", at: file.len() - rest.len() };
        let (data, after) = counted(rest, *width).ok_or(cut)?;
        storages.insert(key, data);
        rest = after;
    }
    Ok(storages)
}

/// Splits off a number of elements and the elements.
fn counted(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    rest.split_at_checked(count.checked_mul(width)?)
}

/// Either container, opened.
struct Checkpoint<'a> {
    pickle: Pickle<'a>,
    storages: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> Checkpoint<'a> {
    fn state_dict(&self) -> Result<Id, TorchError> {
        let Value::Dict(root) = self.pickle.root() else { return Err(TorchError::NoTensors) };
        match self.pickle.get(root, "state_dict") {
            Some(Value::Dict(inner)) => Ok(inner),
            _ => Ok(root),
        }
    }

    /// Checks the arguments of a call that builds a tensor.
    fn view(&self, args: Id) -> Result<View<'a>, TensorFault> {
        let &[
            Value::Storage(id),
            Value::Int(offset),
            Value::Tuple(shape),
            Value::Tuple(stride),
            ..,
        ] = self.pickle.items(args)
        else {
            return Err(TensorFault::Arguments);
        };
        let storage = Storage::read(&self.pickle, id).ok_or(TensorFault::Arguments)?;
        let held = self.storages.get(storage.key);
        let held = held.ok_or_else(|| TensorFault::NoStorage(brief(storage.key)))?;
        let (shape, stride) = (self.extents(shape)?, self.extents(stride)?);
        if shape.len() != stride.len() {
            return Err(TensorFault::Arguments);
        }
        let offset = usize::try_from(offset).map_err(|_| TensorFault::OutOfRange)?;
        View::new(storage.element, storage.window(held)?, offset, shape, stride)
    }

    fn extents(&self, id: Id) -> Result<Vec<usize>, TensorFault> {
        let items = self.pickle.items(id);
        if items.len() > MAX_RANK {
            return Err(TensorFault::Rank(items.len()));
        }
        let extent = |item: &Value<'_>| match *item {
            Value::Int(n) => usize::try_from(n).map_err(|_| TensorFault::Arguments),
            _ => Err(TensorFault::Arguments),
        };
        items.iter().map(extent).collect()
    }
}

/// What a persistent id says.
struct Storage<'a> {
    element: &'static Element,
    key: &'a str,
    len: usize,
    /// Offset and length of the part that is meant: the older container had views of storages.
    part: Option<(usize, usize)>,
}

impl<'a> Storage<'a> {
    fn read(pickle: &Pickle<'a>, id: Id) -> Option<Self> {
        let &[
            Value::Str("storage"),
            Value::Global(Global::Storage(element)),
            Value::Str(key),
            _location,
            Value::Int(len),
            ref part @ ..,
        ] = pickle.items(id)
        else {
            return None;
        };
        let part = match *part {
            [] | [Value::None] => None,
            [Value::Tuple(part)] => match *pickle.items(part) {
                [_key, Value::Int(offset), Value::Int(len)] => {
                    Some((usize::try_from(offset).ok()?, usize::try_from(len).ok()?))
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { element, key, len: usize::try_from(len).ok()?, part })
    }

    /// The part of the held bytes that is meant.
    fn window<'b>(&self, held: &'b [u8]) -> Result<&'b [u8], TensorFault> {
        let width = self.element.width;
        if self.len.checked_mul(width) != Some(held.len()) {
            return Err(TensorFault::StorageSize { held: held.len(), said: self.len });
        }
        let (offset, len) = self.part.unwrap_or((0, self.len));
        elements(held, width, offset, len).ok_or(TensorFault::OutOfRange)
    }
}

/// A tensor's place in its storage, known to be within it and free of overlaps.
struct View<'a> {
    dtype: Dtype,
    width: usize,
    /// From the first element to the last.
    span: &'a [u8],
    count: usize,
    shape: Vec<usize>,
    stride: Vec<usize>,
}

impl<'a> View<'a> {
    fn new(
        element: &Element,
        storage: &'a [u8],
        offset: usize,
        shape: Vec<usize>,
        stride: Vec<usize>,
    ) -> Result<Self, TensorFault> {
        let (class, width) = (element.class, element.width);
        let dtype = element.dtype.ok_or(TensorFault::Element(class))?;
        let count = shape.iter().try_fold(1, |count: usize, &n| count.checked_mul(n));
        let count = count.ok_or(TensorFault::OutOfRange)?;
        let span = match count {
            0 => &[],
            _ => elements(storage, width, offset, extent(&shape, &stride)?)
                .ok_or(TensorFault::OutOfRange)?,
        };
        Ok(Self { dtype, width, span, count, shape, stride })
    }

    fn is_row_major(&self) -> bool {
        let mut expected = 1;
        let mut dims = self.shape.iter().zip(&self.stride).rev();
        self.count == 0
            || dims.all(|(&n, &stride)| {
                let fits = n == 1 || stride == expected;
                expected *= n;
                fits
            })
    }

    fn copied_bytes(&self) -> usize {
        if self.is_row_major() { 0 } else { self.count * self.width }
    }

    fn tensor(self, file: &Bytes) -> Tensor {
        let data = if self.is_row_major() { file.slice_ref(self.span) } else { self.reordered() };
        Tensor::plain(self.dtype, self.shape, data)
    }

    fn reordered(&self) -> Bytes {
        let mut data = Vec::with_capacity(self.count * self.width);
        self.gather(0, 0, &mut data);
        Bytes::from(data)
    }

    fn gather(&self, at: usize, axis: usize, data: &mut Vec<u8>) {
        if let (Some(&n), Some(&stride)) = (self.shape.get(axis), self.stride.get(axis)) {
            (0..n).for_each(|i| self.gather(at + i * stride, axis + 1, data));
        } else if let Some(element) = elements(self.span, self.width, at, 1) {
            data.extend_from_slice(element);
        }
    }
}

/// Some elements of a storage.
fn elements(storage: &[u8], width: usize, at: usize, count: usize) -> Option<&[u8]> {
    let start = at.checked_mul(width)?;
    storage.get(start..)?.get(..count.checked_mul(width)?)
}

/// How many elements lie from a tensor's first to its last. An axis must step over all that the
/// axes of smaller stride reach, or elements would share their places.
fn extent(shape: &[usize], stride: &[usize]) -> Result<usize, TensorFault> {
    let mut axes: Vec<_> = stride.iter().zip(shape).filter(|&(_, &n)| n > 1).collect();
    axes.sort();
    axes.into_iter().try_fold(1, |extent: usize, (&stride, &n)| {
        if stride < extent {
            return Err(TensorFault::Overlap);
        }
        let reach = stride.checked_mul(n - 1).and_then(|reach| extent.checked_add(reach));
        reach.ok_or(TensorFault::OutOfRange)
    })
}

#[cfg(test)]
#[path = "torch_tests.rs"]
mod tests;
