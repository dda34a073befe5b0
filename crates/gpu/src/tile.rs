//! Products in tiles: what is multiplied, and how the threads of a workgroup share it.

use trireme_backend::Activation;

use crate::kernel::{number, shader};

/// The numbers that a linear layer multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operand {
    Singles,
    Halves,
    Bytes,
}

impl Operand {
    /// Bytes of one operand in a workgroup's memory.
    fn size(self) -> u32 {
        match self {
            Self::Halves => 2,
            Self::Singles | Self::Bytes => 4,
        }
    }

    /// Columns of one operand.
    pub fn columns(self) -> u32 {
        match self {
            Self::Singles | Self::Halves => 1,
            Self::Bytes => 4,
        }
    }

    /// Steps that are written out, and that are summed before the sum is joined with the others.
    fn steps(self) -> u32 {
        match self {
            Self::Halves => 16,
            Self::Singles | Self::Bytes => 8,
        }
    }

    fn shader(self) -> &'static str {
        match self {
            Self::Singles => shader!("singles"),
            Self::Halves => shader!("halves"),
            Self::Bytes => shader!("bytes"),
        }
    }
}

/// How threads share a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    pub row_groups: u32,
    pub lanes: u32,
    /// Rows of a thread, in fours.
    pub row_fours: u32,
    /// Columns of a thread, in fours.
    pub fours: u32,
    /// Steps of a product that are held at once, in sixteens.
    pub depths: u32,
}

/// The tiles of a layer for many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tiles {
    /// Of a layer alone.
    pub alone: Tile,
    /// Of one with a norm behind it, whose workgroups have whole rows; none, where the norm is better
    /// off in a run of its own.
    pub whole: Option<Tile>,
}

impl Default for Tiles {
    fn default() -> Self {
        Self { alone: Tile::ALONE[0], whole: Some(Tile::WHOLE[0]) }
    }
}

impl Tile {
    /// For few rows: small, so that there are workgroups enough, and deep, for they wait for memory.
    pub const FEW: Self = Self { depths: 4, ..Self::of(8, 8, 1, 1) };

    /// Those that a layer alone may have.
    pub const ALONE: [Self; 4] = [
        Self::of(16, 16, 1, 1),
        Self { depths: 2, ..Self::of(16, 16, 1, 1) },
        Self::of(16, 16, 2, 1),
        Self::of(16, 16, 2, 2),
    ];

    /// Those that a layer with whole rows may have. The first finds room wherever one does.
    pub const WHOLE: [Self; 4] = [
        Self::of(4, 32, 1, 1),
        Self::of(4, 32, 2, 1),
        Self::of(8, 32, 2, 1),
        Self::of(16, 16, 1, 2),
    ];

    const fn of(row_groups: u32, lanes: u32, row_fours: u32, fours: u32) -> Self {
        Self { row_groups, lanes, row_fours, fours, depths: 1 }
    }

    pub fn threads(self) -> u32 {
        self.row_groups * self.lanes
    }

    pub fn rows(self) -> u32 {
        self.row_groups * self.row_fours * 4
    }

    /// Columns, in fours.
    pub fn panels(self) -> u32 {
        self.lanes * self.fours
    }

    /// Steps of a product that are held at once: of what is half as large, twice as many.
    fn depth(self, operand: Operand) -> u32 {
        16 * self.depths * 4 / operand.size()
    }

    /// What its shader's loops count to.
    pub fn counts(self, operand: Operand) -> Vec<(&'static str, u32)> {
        // How often each thread brings something near, up to four times at once.
        let brings = |count: u32| (self.depth(operand) * count / self.threads()).clamp(1, 4);
        vec![
            ("ROW_FOURS", self.row_fours),
            ("FOURS", self.fours),
            ("STEPS", operand.steps()),
            ("LEFT_AT_ONCE", brings(self.rows() / 4)),
            ("RIGHT_AT_ONCE", brings(self.panels())),
        ]
    }

    /// Bytes of a workgroup's own memory that it takes.
    pub fn workgroup_bytes(self, operand: Operand) -> u32 {
        self.depth(operand) * (self.rows() + 4 * self.panels()) * operand.size()
    }

    pub fn constants(self, operand: Operand, activation: Activation) -> Vec<String> {
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
            number("DEPTH", self.depth(operand)),
            number("ACTIVATION", activation),
        ]
    }

    pub fn files(operand: Operand) -> Vec<&'static str> {
        vec![operand.shader(), shader!("activation"), shader!("tile")]
    }
}
