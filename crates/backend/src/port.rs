//! The operations, and the plain data they take.

use std::future::Future;
use std::pin::Pin;

use crate::{BackendError, Layout, Precision, Weight};

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A borrowed row-major matrix.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// Row count.
    pub rows: usize,
    /// Column count.
    pub cols: usize,
    /// `rows * cols` elements.
    pub data: &'a [f32],
}

/// The function between two linear layers. Each is the exact form: a config that says `gelu`
/// gets erf, never its tanh approximation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x`
    None,
    /// `x · Φ(x)`, by the error function.
    Gelu,
    /// The tanh approximation, for configs that ask for it by name.
    GeluTanh,
    /// `max(x, 0)`
    Relu,
    /// `x · sigmoid(x)`
    Silu,
    /// `tanh(x)`
    Tanh,
}

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Gelu, Self::GeluTanh, Self::Relu, Self::Silu, Self::Tanh];
}

/// What a linear layer does to its product before storing it: activate, add the residual, then
/// normalise the row.
#[derive(Debug)]
pub struct Epilogue<'a, A, N> {
    /// Applied to product plus bias.
    pub activation: Activation,
    /// Added then; same shape as the output.
    pub residual: Option<&'a A>,
    /// The layer norm behind it all.
    pub norm: Option<&'a N>,
}

impl<A, N> Epilogue<'_, A, N> {
    /// Product plus bias, as it is.
    pub const PLAIN: Self = Self { activation: Activation::None, residual: None, norm: None };

    /// An activation alone.
    #[must_use]
    pub fn activate(activation: Activation) -> Self {
        Self { activation, ..Self::PLAIN }
    }
}

/// How often a linear layer is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// To every token: these layers take the time, and computing them in fewer bits saves it.
    Token,
    /// Once a text, behind the pooling, where there is no time to save and an error would stay.
    Text,
}

/// One term of an embedding: the rows of `table` that `ids` name.
#[derive(Debug)]
pub struct Lookup<'a, T> {
    /// The table.
    pub table: &'a T,
    /// One id for each token.
    pub ids: &'a [u32],
}

/// How attention learns where a token stands. Rotary and disentangled positions will be further
/// variants; see `docs/adr/0003`.
#[derive(Debug)]
pub enum Position<'a, T> {
    /// It does not: positions were added to the embeddings.
    Embedded,
    /// A bias by distance and head: row `key - query + reach`, column `head`, of a table with
    /// `2 * reach + 1` rows.
    Relative {
        /// The bias table.
        table: &'a T,
        /// The largest distance it knows.
        reach: usize,
    },
}

/// The shape of one attention.
#[derive(Debug)]
pub struct Attention<'a, T> {
    /// Heads; they divide the width.
    pub heads: usize,
    /// Multiplies every score before the bias and the softmax.
    pub scale: f32,
    /// Where tokens stand.
    pub position: Position<'a, T>,
    /// Keys further than this from the query are not seen; `None` sees the whole text.
    pub window: Option<usize>,
}

/// How the rows of a text become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pooling {
    /// The average of all rows.
    Mean,
    /// The first row.
    Cls,
    /// The largest value of each column.
    Max,
    /// The last row.
    LastToken,
}

impl Pooling {
    /// Every pooling.
    pub const ALL: [Self; 4] = [Self::Mean, Self::Cls, Self::Max, Self::LastToken];

    /// `mean`, `cls`, `max` or `last_token`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Max => "max",
            Self::LastToken => "last_token",
        }
    }
}

/// A place that computes. Activations and weights stay in its own memory until [`Backend::read`].
///
/// Rows of the answer depend on nothing but the rows of their own text: batching changes no bit
/// on `cpu` and at most rounding elsewhere.
pub trait Backend: Send + Sync + 'static {
    /// A `[rows, width]` block of activations.
    type Acts: Send + Sync;
    /// A packed weight with its bias.
    type Linear: Send + Sync;
    /// A table whose rows are looked up.
    type Table: Send + Sync;
    /// The gain, bias and epsilon of a layer norm.
    type Norm: Send + Sync;

    /// The numbers that it computes in.
    fn precision(&self) -> Precision;

    /// Bytes of a memory of the device's own that are taken now; none, where it has none.
    fn device_bytes(&self) -> u64 {
        0
    }

    /// Takes a weight `[outputs, inputs]`. Bytes are those of its rotated rows, and are multiplied
    /// as bytes: see [`bytes`](crate::bytes). `names` are those of the checkpoint's layers that it
    /// is made of, one above the other; a backend that changes weights gives them back so.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where the data or the bias does not fit.
    fn upload_linear(
        &self,
        names: &[String],
        weight: Weight<'_>,
        bias: Option<&[f32]>,
        per: Per,
    ) -> Result<Self::Linear, BackendError>;

    /// Takes a table; `names` is one name, or none where the checkpoint has no such table.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where the data does not fit.
    fn upload_table(
        &self,
        names: &[String],
        table: Weight<'_>,
    ) -> Result<Self::Table, BackendError>;

    /// Takes a layer norm.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where gain and bias differ in length.
    fn upload_norm(
        &self,
        names: &[String],
        gain: &[f32],
        bias: &[f32],
        eps: f32,
    ) -> Result<Self::Norm, BackendError>;

    /// The sum of several look-ups, one row for each token, and the layer norm behind it.
    ///
    /// # Errors
    /// [`BackendError::IdOutOfRange`], or a shape that does not fit.
    fn embed(
        &self,
        lookups: &[Lookup<'_, Self::Table>],
        norm: Option<&Self::Norm>,
    ) -> Result<Self::Acts, BackendError>;

    /// Layer norm over each row, in place.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where widths differ.
    fn norm(&self, x: &mut Self::Acts, norm: &Self::Norm) -> Result<(), BackendError>;

    /// `activation(x · weightᵀ + bias) + residual`, and the layer norm behind it.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where widths or row counts differ.
    fn linear(
        &self,
        x: &Self::Acts,
        weight: &Self::Linear,
        epilogue: Epilogue<'_, Self::Acts, Self::Norm>,
    ) -> Result<Self::Acts, BackendError>;

    /// Every token attends to its own text. `qkv` holds queries, keys and values side by side.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where `qkv`, heads, layout or bias table do not fit.
    fn attention(
        &self,
        qkv: &Self::Acts,
        layout: &Layout,
        attention: &Attention<'_, Self::Table>,
    ) -> Result<Self::Acts, BackendError>;

    /// One row for each text.
    ///
    /// # Errors
    /// [`BackendError::Shape`] where `x` has not the layout's rows.
    fn pool(
        &self,
        x: &Self::Acts,
        layout: &Layout,
        pooling: Pooling,
    ) -> Result<Self::Acts, BackendError>;

    /// Brings activations back, row-major. The only operation that may have to wait.
    fn read<'a>(&'a self, x: &'a Self::Acts) -> BoxFuture<'a, Result<Vec<f32>, BackendError>>;
}
