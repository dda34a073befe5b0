//! Linear layers: by which tile, and whether the norm behind one is part of its run.

use trireme_backend::shapes::{self, Shape};
use trireme_backend::{Activation, Backend, BackendError, Epilogue};

use super::{Acts, Gpu, Run};
use crate::kernel::Kernel;
use crate::pool::Named;
use crate::tile::{Operand, Tile};
use crate::weights::{Linear, Norm};

impl Gpu {
    /// A layer, and the norm behind it where there is one.
    pub(super) fn linear_layer(
        &self,
        x: &Acts,
        weight: &Linear,
        epilogue: &Epilogue<'_, Acts, Norm>,
    ) -> Result<Acts, BackendError> {
        let residual = epilogue.residual.map(|add| add.shape);
        let shape = shapes::linear(x.shape, weight.shape, residual)?;
        let Some(norm) = epilogue.norm else { return self.linear_alone(x, weight, epilogue) };
        shapes::norm("linear", shape.cols, Some(norm.width))?;
        if let Some(tile) = self.whole(x, weight, epilogue, norm) {
            return self.linear_norm(x, weight, tile, epilogue, norm);
        }
        let mut out = self.linear_alone(x, weight, epilogue)?;
        self.norm(&mut out, norm)?;
        Ok(out)
    }

    fn linear_alone(
        &self,
        x: &Acts,
        weight: &Linear,
        epilogue: &Epilogue<'_, Acts, Norm>,
    ) -> Result<Acts, BackendError> {
        let Epilogue { activation, residual, .. } = *epilogue;
        let kernel = |tile| Kernel::Linear { operand: weight.operand, tile, activation };
        let [few, many] = [Tile::FEW, self.tiles.alone];
        self.ready([few, many].map(kernel));
        let columns = weight.shape.rows.div_ceil(4 * many.panels() as usize);
        let fills = self.fills(x.shape.rows.div_ceil(many.rows() as usize) * columns);
        let tile = if fills { many } else { few };
        let Shape { rows: outputs, .. } = weight.shape;
        let shape = Shape { cols: outputs, ..x.shape };
        let out = self.acts("linear", shape, self.row(outputs, None))?;
        let buffers = self.operands(x, weight, residual, &out)?;
        let rows = (x.shape.rows as u32).div_ceil(tile.rows());
        let columns = (outputs as u32).div_ceil(4).div_ceil(tile.panels());
        let (told, grid) = (told(x, weight, residual, 0.0), [rows, columns]);
        let kernel = kernel(tile);
        let run = Run { op: "linear", kernel, told: &told, grid, in_place: false };
        self.record(run, buffers, &out.room)?;
        Ok(out)
    }

    /// Compiles shaders for few rows and for many, so that no length waits for one.
    fn ready(&self, kernels: impl IntoIterator<Item = Kernel>) {
        for kernel in kernels {
            self.device.pipelines.of(&self.device, kernel);
        }
    }

    /// Whether so many workgroups leave no part of the GPU idle.
    fn fills(&self, workgroups: usize) -> bool {
        workgroups >= self.enough
    }

    /// The tile by which a workgroup has whole rows, where that is better than the norm in a run of its
    /// own. In bytes it always is: what rounds the rows for the next layer saves a run itself.
    fn whole(
        &self,
        x: &Acts,
        weight: &Linear,
        epilogue: &Epilogue<'_, Acts, Norm>,
        norm: &Norm,
    ) -> Option<Tile> {
        let in_bytes = weight.operand == Operand::Bytes;
        let kernel = |tile| self.with_whole_rows(weight, tile, epilogue.activation, norm);
        let fits = |tile: &Tile| self.device.fits(kernel(*tile));
        let fills = |tile: &Tile| self.fills(x.shape.rows.div_ceil(tile.rows() as usize));
        let few = Some(Tile::WHOLE[0]).filter(|tile| in_bytes && fits(tile));
        let many = self.tiles.whole.filter(fits);
        self.ready([few, many].into_iter().flatten().map(kernel));
        many.filter(fills).or(few)
    }

    fn with_whole_rows(
        &self,
        weight: &Linear,
        tile: Tile,
        activation: Activation,
        norm: &Norm,
    ) -> Kernel {
        let row = self.row(weight.shape.rows, Some(norm));
        Kernel::LinearNorm { operand: weight.operand, tile, activation, row }
    }

    fn linear_norm(
        &self,
        x: &Acts,
        weight: &Linear,
        tile: Tile,
        epilogue: &Epilogue<'_, Acts, Norm>,
        norm: &Norm,
    ) -> Result<Acts, BackendError> {
        let Epilogue { activation, residual, .. } = *epilogue;
        let kernel = self.with_whole_rows(weight, tile, activation, norm);
        let shape = Shape { cols: weight.shape.rows, ..x.shape };
        let out = self.acts("linear", shape, self.row(shape.cols, Some(norm)))?;
        let mut buffers = self.operands(x, weight, residual, &out)?;
        buffers.extend([norm.values.clone(), self.or_waste(out.bytes.get())]);
        let rows = (x.shape.rows as u32).div_ceil(tile.rows());
        let (told, grid) = (told(x, weight, residual, norm.eps), [rows, 1]);
        let run = Run { op: "linear", kernel, told: &told, grid, in_place: false };
        self.record(run, buffers, &out.room)?;
        Ok(out)
    }

    fn operands(
        &self,
        x: &Acts,
        weight: &Linear,
        residual: Option<&Acts>,
        out: &Acts,
    ) -> Result<Vec<Named>, BackendError> {
        let x = match weight.operand {
            Operand::Singles | Operand::Halves => &x.room,
            Operand::Bytes => self.bytes(x)?,
        };
        let residual = residual.map_or(&self.device.nothing, |residual| residual.room.named());
        let all = [x.named(), &weight.weight, &weight.columns, residual, out.room.named()];
        Ok(all.map(Clone::clone).to_vec())
    }
}

/// What a linear layer's shader is told.
fn told(x: &Acts, weight: &Linear, residual: Option<&Acts>, eps: f32) -> [u32; 6] {
    [
        x.shape.rows as u32,
        weight.steps() as u32,
        weight.shape.rows as u32,
        weight.shape.rows.div_ceil(4) as u32,
        u32::from(residual.is_some()),
        eps.to_bits(),
    ]
}
