//! What the shaders are: which files, and the constants before them.

use trireme_backend::{Activation, Pooling, bytes};

use crate::tile::{Operand, Tile};
use crate::unroll::unrolled;

macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!("../shaders/", $name, ".wgsl"))
    };
}
pub(crate) use shader;

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

/// What not every device has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// It multiplies halves.
    pub halves: bool,
    /// Threads that run in step hand each other numbers.
    pub subgroups: bool,
}

/// What happens to a whole row at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub width: u32,
    pub normalizes: bool,
    pub quantizes: bool,
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
        let row = |row: Row, threads: u32| 4 * (row.width.next_multiple_of(4) + threads);
        match self {
            Self::Embed { row: it, .. } | Self::Rows { row: it } => row(it, it.threads()),
            Self::Linear { operand, tile, .. } => tile.workgroup_bytes(operand),
            Self::LinearNorm { operand, tile, row: then, .. } => {
                tile.workgroup_bytes(operand) + row(then, tile.threads())
            }
            Self::Attention { head_width, .. } => {
                2 * keys(head_width) * head_width.next_multiple_of(4) * 4
            }
            Self::Pool { .. } => 0,
        }
    }

    /// The shader's text for a device with these extras.
    pub fn source(self, extras: Extras) -> String {
        let (constants, files): (Vec<String>, Vec<&str>) = match self {
            Self::Embed { row, byte_tables, .. } => (
                [vec![threads(row), number("BYTE_TABLES", byte_tables)], row.constants()].concat(),
                [row.files(extras), vec![shader!("embed")]].concat(),
            ),
            Self::Rows { row } => (
                [vec![threads(row)], row.constants()].concat(),
                [row.files(extras), vec![shader!("rows")]].concat(),
            ),
            Self::Linear { operand, tile, activation } => (
                tile.constants(operand, activation),
                [Tile::files(operand), vec![shader!("linear")]].concat(),
            ),
            Self::LinearNorm { operand, tile, activation, row } => (
                [tile.constants(operand, activation), row.constants()].concat(),
                [Tile::files(operand), row.files(extras), vec![shader!("linear_norm")]].concat(),
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
        let enabled = if self.in_halves() { "enable f16;\n" } else { "" };
        let counts = self.counts();
        let numbers: String = counts.iter().map(|&(name, count)| number(name, count)).collect();
        let text = unrolled(&files.join("\n"), &counts);
        [enabled, &constants.concat(), &numbers, &text].join("\n")
    }

    /// What the shader's loops count to, and its constants of the same names.
    fn counts(self) -> Vec<(&'static str, u32)> {
        match self {
            Self::Embed { row, tables, .. } => {
                [row.counts(row.threads()), vec![("TABLES", tables)]].concat()
            }
            Self::Rows { row } => row.counts(row.threads()),
            Self::Linear { operand, tile, .. } => tile.counts(operand),
            Self::LinearNorm { operand, tile, row, .. } => {
                [tile.counts(operand), row.counts(tile.threads())].concat()
            }
            Self::Attention { head_width, .. } => vec![("FOURS", head_width.div_ceil(4))],
            Self::Pool { .. } => Vec::new(),
        }
    }

    fn in_halves(self) -> bool {
        match self {
            Self::Linear { operand, .. } | Self::LinearNorm { operand, .. } => {
                operand == Operand::Halves
            }
            _ => false,
        }
    }
}

impl Row {
    /// Threads of a workgroup that has one row and nothing else.
    fn threads(self) -> u32 {
        if self.width <= 512 { 64 } else { 256 }
    }

    /// What the loops count to, where so many threads share a row.
    fn counts(self, threads: u32) -> Vec<(&'static str, u32)> {
        // The stages of a mixing behind those within fours.
        let stages = (bytes::mixed(self.width as usize) / 4).max(1).ilog2();
        vec![("PIECES", self.width.div_ceil(4).div_ceil(threads)), ("STAGES", stages)]
    }

    fn constants(self) -> Vec<String> {
        let mixed = bytes::mixed(self.width as usize) as u32;
        vec![
            number("WIDTH", self.width),
            number("MIXED", mixed),
            flag("NORMALIZES", self.normalizes),
            flag("QUANTIZES", self.quantizes),
        ]
    }

    fn files(self, extras: Extras) -> Vec<&'static str> {
        let reduce = if extras.subgroups { shader!("reduce_subgroups") } else { shader!("reduce") };
        vec![reduce, shader!("row"), shader!("quantize")]
    }
}

/// Keys and values that an attention holds at once: a wide head leaves room for fewer.
fn keys(head_width: u32) -> u32 {
    if head_width <= 64 { 16 } else { 8 }
}

fn threads(row: Row) -> String {
    number("THREADS", row.threads())
}

pub(crate) fn number(name: &str, value: u32) -> String {
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
        for operand in [Operand::Singles, Operand::Halves, Operand::Bytes] {
            for activation in Activation::ALL {
                let alone = |tile| Kernel::Linear { operand, tile, activation };
                all.push(alone(Tile::FEW));
                all.extend(Tile::ALONE.map(alone));
                let whole = |tile| Kernel::LinearNorm { operand, tile, activation, row: rows[3] };
                all.extend(Tile::WHOLE.map(whole));
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
        let extras = [false, true].map(|subgroups| Extras { halves: true, subgroups });
        for (kernel, extras) in every().into_iter().flat_map(|one| extras.map(|some| (one, some))) {
            let source = kernel.source(extras);
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&source)));
            let subgroups = Capabilities::SUBGROUP;
            let allowed = Capabilities::SHADER_FLOAT16
                | if extras.subgroups { subgroups } else { Capabilities::empty() };
            let mut validator = Validator::new(ValidationFlags::all(), allowed);
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
            let module = naga::front::wgsl::parse_str(&kernel.source(Extras::default())).unwrap();
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
