//! What the shaders are: which files, and the constants before them.

use trireme_backend::{Activation, Pooling, bytes};

macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!("../shaders/", $name, ".wgsl"))
    };
}

/// Threads of a workgroup that has one row.
const ROW_THREADS: u32 = 64;

/// Queries that one workgroup of an attention has.
pub(crate) const QUERIES: u32 = 32;

/// One compute shader with everything about it that is compiled in. Lengths are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    /// A sum of look-ups, and what follows it.
    Embed { row: Row, tables: u32, byte_tables: u32 },
    /// Layer norm, or bytes, of rows that are there.
    Rows { row: Row },
    /// A linear layer.
    Linear { operand: Operand, tile: Tile, activation: Activation },
    /// A linear layer with a layer norm behind it.
    LinearNorm { operand: Operand, tile: Tile, activation: Activation, row: Row },
    /// Attention.
    Attention { heads: u32, head_width: u32, biased: bool },
    /// Pooling.
    Pool { pooling: Pooling },
}

/// What happens to a whole row at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub width: u32,
    pub normalizes: bool,
    pub quantizes: bool,
}

/// The numbers that a linear layer multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operand {
    Singles,
    Bytes,
}

impl Operand {
    /// Bytes of one operand in a workgroup's memory.
    const SIZE: u32 = 4;

    /// Columns of one operand.
    pub fn columns(self) -> u32 {
        match self {
            Self::Singles => 1,
            Self::Bytes => 4,
        }
    }

    fn shader(self) -> &'static str {
        match self {
            Self::Singles => shader!("singles"),
            Self::Bytes => shader!("bytes"),
        }
    }
}

/// How many threads share a tile; each has four rows and four columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    pub row_groups: u32,
    pub lanes: u32,
}

impl Tile {
    /// 64 × 64: every value that is brought near is used often.
    pub const SQUARE: Self = Self { row_groups: 16, lanes: 16 };
    /// 16 × 128: few rows, for who must have all their columns.
    pub const FLAT: Self = Self { row_groups: 4, lanes: 32 };

    pub fn rows(self) -> u32 {
        self.row_groups * 4
    }
}

/// How a shader sees a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

use Access::{Read, Write};

impl Kernel {
    /// The buffers behind the parameters, in order.
    pub fn bindings(self) -> &'static [Access] {
        match self {
            Self::Embed { .. } => &[Read, Read, Read, Read, Write, Read, Write],
            Self::Rows { .. } => &[Write, Read, Write],
            Self::Linear { .. } => &[Read, Read, Read, Read, Write],
            Self::LinearNorm { .. } => &[Read, Read, Read, Read, Write, Read, Write],
            Self::Attention { .. } => &[Read, Read, Read, Write],
            Self::Pool { .. } => &[Read, Read, Write],
        }
    }

    /// Bytes of a workgroup's own memory that it takes.
    pub fn workgroup_bytes(self) -> u32 {
        const DEPTH: u32 = 16;
        let tile = |tile: Tile| DEPTH * (tile.rows() + 4 * tile.lanes) * Operand::SIZE;
        let row = |row: Row, threads: u32| 4 * (row.width.next_multiple_of(4) + threads);
        match self {
            Self::Embed { row: it, .. } | Self::Rows { row: it } => row(it, ROW_THREADS),
            Self::Linear { tile: it, .. } => tile(it),
            Self::LinearNorm { tile: it, row: then, .. } => {
                tile(it) + row(then, it.row_groups * it.lanes)
            }
            Self::Attention { head_width, .. } => {
                2 * keys(head_width) * head_width.next_multiple_of(4) * 4
            }
            Self::Pool { .. } => 0,
        }
    }

    /// The shader's text.
    pub fn source(self) -> String {
        let (constants, files): (Vec<String>, Vec<&str>) = match self {
            Self::Embed { row, tables, byte_tables } => (
                [
                    vec![threads(ROW_THREADS), number("TABLES", tables)],
                    vec![number("BYTE_TABLES", byte_tables)],
                    row.constants(),
                ]
                .concat(),
                [row.files(), vec![shader!("embed")]].concat(),
            ),
            Self::Rows { row } => (
                [vec![threads(ROW_THREADS)], row.constants()].concat(),
                [row.files(), vec![shader!("rows")]].concat(),
            ),
            Self::Linear { operand, tile, activation } => (
                tile.constants(activation),
                [tile_files(operand), vec![shader!("linear")]].concat(),
            ),
            Self::LinearNorm { operand, tile, activation, row } => (
                [tile.constants(activation), row.constants()].concat(),
                [tile_files(operand), row.files(), vec![shader!("linear_norm")]].concat(),
            ),
            Self::Attention { heads, head_width, biased } => (
                vec![
                    number("HEADS", heads),
                    number("HEAD_WIDTH", head_width),
                    number("QUERIES", QUERIES),
                    number("KEYS", keys(head_width)),
                    flag("BIASED", biased),
                ],
                vec![shader!("attention")],
            ),
            Self::Pool { pooling } => (
                vec![number(
                    "POOLING",
                    match pooling {
                        Pooling::Mean => 0,
                        Pooling::Cls => 1,
                        Pooling::Max => 2,
                        Pooling::LastToken => 3,
                    },
                )],
                vec![shader!("pool")],
            ),
        };
        [constants.concat(), files.join("\n")].join("\n")
    }
}

impl Row {
    fn constants(self) -> Vec<String> {
        let mixed = bytes::mixed(self.width as usize) as u32;
        vec![
            number("WIDTH", self.width),
            number("MIXED", mixed),
            flag("NORMALIZES", self.normalizes),
            flag("QUANTIZES", self.quantizes),
        ]
    }

    fn files(self) -> Vec<&'static str> {
        vec![shader!("reduce"), shader!("row"), shader!("quantize")]
    }
}

impl Tile {
    fn constants(self, activation: Activation) -> Vec<String> {
        let activation = match activation {
            Activation::None => 0,
            Activation::Gelu => 1,
            Activation::GeluTanh => 2,
            Activation::Relu => 3,
            Activation::Silu => 4,
            Activation::Tanh => 5,
        };
        vec![
            number("ROW_GROUPS", self.row_groups),
            number("LANES", self.lanes),
            number("ACTIVATION", activation),
        ]
    }
}

fn tile_files(operand: Operand) -> Vec<&'static str> {
    vec![operand.shader(), shader!("activation"), shader!("tile")]
}

/// Keys and values that an attention holds at once: a wide head leaves room for fewer.
fn keys(head_width: u32) -> u32 {
    if head_width <= 64 { 16 } else { 8 }
}

fn threads(count: u32) -> String {
    number("THREADS", count)
}

fn number(name: &str, value: u32) -> String {
    format!("const {name} = {value}u;\n")
}

fn flag(name: &str, value: bool) -> String {
    format!("const {name} = {value};\n")
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    /// One of every kind, with every constant that a shader branches on.
    fn every() -> Vec<Kernel> {
        let flags = [(false, false), (false, true), (true, false), (true, true)];
        let rows = flags.map(|(normalizes, quantizes)| Row { width: 384, normalizes, quantizes });
        let mut all = Vec::new();
        for row in rows {
            all.push(Kernel::Rows { row });
            all.extend([1, 2, 3].map(|tables| Kernel::Embed { row, tables, byte_tables: 5 }));
        }
        for operand in [Operand::Singles, Operand::Bytes] {
            for activation in Activation::ALL {
                all.push(Kernel::Linear { operand, tile: Tile::SQUARE, activation });
                let (tile, row) = (Tile::FLAT, rows[3]);
                all.push(Kernel::LinearNorm { operand, tile, activation, row });
            }
        }
        for (head_width, biased) in [(1, false), (32, true), (64, false), (128, true)] {
            all.push(Kernel::Attention { heads: 12, head_width, biased });
        }
        all.extend(Pooling::ALL.map(|pooling| Kernel::Pool { pooling }));
        all
    }

    #[test]
    fn every_shader_is_valid_and_binds_what_it_says() {
        for kernel in every() {
            let source = kernel.source();
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&source)));
            let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
            validator.validate(&module).unwrap_or_else(|e| panic!("{kernel:?}: {e:?}"));
            let bindings = module.global_variables.iter().filter(|(_, one)| one.binding.is_some());
            assert_eq!(bindings.count(), kernel.bindings().len() + 1, "{kernel:?}: bindings");
            let entries: Vec<&str> =
                module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(entries, ["main"], "{kernel:?}: entry points");
        }
    }

    #[test]
    fn the_memory_of_a_workgroup_is_what_the_shader_declares() {
        for kernel in every() {
            let module = naga::front::wgsl::parse_str(&kernel.source()).unwrap();
            let declared: u32 = module
                .global_variables
                .iter()
                .filter(|(_, one)| one.space == naga::AddressSpace::WorkGroup)
                .map(|(_, one)| module.types[one.ty].inner.size(module.to_ctx()))
                .sum();
            assert_eq!(kernel.workgroup_bytes(), declared, "{kernel:?}");
            // What every device has.
            assert!(declared <= 16_384, "{kernel:?}: {declared} bytes");
        }
    }
}
