//! One backend that is the CPU's or a GPU's: each operation goes to the one that is there.

use trireme_backend::{
    Attention, Backend, BackendError, BoxFuture, Epilogue, Layout, Lookup, Per, Pooling, Position,
    Precision, Weight,
};
use trireme_cpu::Cpu;
use trireme_gpu::Gpu;

use crate::Processor;

/// What is the CPU's or a GPU's.
pub enum Of<C, G> {
    /// The CPU's.
    Cpu(C),
    /// A GPU's.
    Gpu(G),
}

/// A place that computes.
pub type Device = Of<Cpu, Gpu>;

type Acts = Of<<Cpu as Backend>::Acts, <Gpu as Backend>::Acts>;
type Linear = Of<<Cpu as Backend>::Linear, <Gpu as Backend>::Linear>;
type Table = Of<<Cpu as Backend>::Table, <Gpu as Backend>::Table>;
type Norm = Of<<Cpu as Backend>::Norm, <Gpu as Backend>::Norm>;

impl<C, G> Of<C, G> {
    fn cpu(&self) -> Result<&C, BackendError> {
        match self {
            Self::Cpu(it) => Ok(it),
            Self::Gpu(_) => Err(elsewhere()),
        }
    }

    fn gpu(&self) -> Result<&G, BackendError> {
        match self {
            Self::Gpu(it) => Ok(it),
            Self::Cpu(_) => Err(elsewhere()),
        }
    }
}

/// A model's parts are all uploaded by one device, so this is a mistake of who wrote the caller.
fn elsewhere() -> BackendError {
    BackendError::Device { reason: "this was made by another device".to_owned() }
}

/// The same option, looked at by one of the two.
fn each<T: ?Sized, U>(
    option: Option<&T>,
    look: impl Fn(&T) -> Result<&U, BackendError>,
) -> Result<Option<&U>, BackendError> {
    option.map(look).transpose()
}

impl Device {
    /// What computes: the CPU's instructions, or the GPU.
    #[must_use]
    pub fn lane(&self) -> &str {
        match self {
            Self::Cpu(cpu) => cpu.lane().name(),
            Self::Gpu(gpu) => &gpu.about().name,
        }
    }
}

impl From<Cpu> for Device {
    fn from(cpu: Cpu) -> Self {
        Self::Cpu(cpu)
    }
}

impl From<&Device> for Processor {
    fn from(device: &Device) -> Self {
        match device {
            Of::Cpu(_) => Self::Cpu,
            Of::Gpu(_) => Self::Gpu,
        }
    }
}

impl Backend for Device {
    type Acts = Acts;
    type Linear = Linear;
    type Table = Table;
    type Norm = Norm;

    fn precision(&self) -> Precision {
        match self {
            Self::Cpu(cpu) => cpu.precision(),
            Self::Gpu(gpu) => gpu.precision(),
        }
    }

    fn device_bytes(&self) -> u64 {
        match self {
            Self::Cpu(cpu) => cpu.device_bytes(),
            Self::Gpu(gpu) => gpu.device_bytes(),
        }
    }

    fn upload_linear(
        &self,
        names: &[String],
        weight: Weight<'_>,
        bias: Option<&[f32]>,
        per: Per,
    ) -> Result<Linear, BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.upload_linear(names, weight, bias, per).map(Of::Cpu),
            Self::Gpu(gpu) => gpu.upload_linear(names, weight, bias, per).map(Of::Gpu),
        }
    }

    fn upload_table(&self, names: &[String], table: Weight<'_>) -> Result<Table, BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.upload_table(names, table).map(Of::Cpu),
            Self::Gpu(gpu) => gpu.upload_table(names, table).map(Of::Gpu),
        }
    }

    fn upload_norm(
        &self,
        names: &[String],
        gain: &[f32],
        bias: &[f32],
        eps: f32,
    ) -> Result<Norm, BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.upload_norm(names, gain, bias, eps).map(Of::Cpu),
            Self::Gpu(gpu) => gpu.upload_norm(names, gain, bias, eps).map(Of::Gpu),
        }
    }

    fn embed(
        &self,
        lookups: &[Lookup<'_, Table>],
        norm: Option<&Norm>,
    ) -> Result<Acts, BackendError> {
        match self {
            Self::Cpu(cpu) => {
                let lookups = looked_up(lookups, Of::cpu)?;
                cpu.embed(&lookups, each(norm, Of::cpu)?).map(Of::Cpu)
            }
            Self::Gpu(gpu) => {
                let lookups = looked_up(lookups, Of::gpu)?;
                gpu.embed(&lookups, each(norm, Of::gpu)?).map(Of::Gpu)
            }
        }
    }

    fn norm(&self, x: &mut Acts, norm: &Norm) -> Result<(), BackendError> {
        match (self, x) {
            (Self::Cpu(cpu), Of::Cpu(x)) => cpu.norm(x, norm.cpu()?),
            (Self::Gpu(gpu), Of::Gpu(x)) => gpu.norm(x, norm.gpu()?),
            _ => Err(elsewhere()),
        }
    }

    fn linear(
        &self,
        x: &Acts,
        weight: &Linear,
        epilogue: Epilogue<'_, Acts, Norm>,
    ) -> Result<Acts, BackendError> {
        let Epilogue { activation, residual, norm } = epilogue;
        match self {
            Self::Cpu(cpu) => {
                let (residual, norm) = (each(residual, Of::cpu)?, each(norm, Of::cpu)?);
                let epilogue = Epilogue { activation, residual, norm };
                cpu.linear(x.cpu()?, weight.cpu()?, epilogue).map(Of::Cpu)
            }
            Self::Gpu(gpu) => {
                let (residual, norm) = (each(residual, Of::gpu)?, each(norm, Of::gpu)?);
                let epilogue = Epilogue { activation, residual, norm };
                gpu.linear(x.gpu()?, weight.gpu()?, epilogue).map(Of::Gpu)
            }
        }
    }

    fn attention(
        &self,
        qkv: &Acts,
        layout: &Layout,
        attention: &Attention<'_, Table>,
    ) -> Result<Acts, BackendError> {
        match self {
            Self::Cpu(cpu) => {
                let attention = attended(attention, Of::cpu)?;
                cpu.attention(qkv.cpu()?, layout, &attention).map(Of::Cpu)
            }
            Self::Gpu(gpu) => {
                let attention = attended(attention, Of::gpu)?;
                gpu.attention(qkv.gpu()?, layout, &attention).map(Of::Gpu)
            }
        }
    }

    fn pool(&self, x: &Acts, layout: &Layout, pooling: Pooling) -> Result<Acts, BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.pool(x.cpu()?, layout, pooling).map(Of::Cpu),
            Self::Gpu(gpu) => gpu.pool(x.gpu()?, layout, pooling).map(Of::Gpu),
        }
    }

    fn read<'a>(&'a self, x: &'a Acts) -> BoxFuture<'a, Result<Vec<f32>, BackendError>> {
        match (self, x) {
            (Self::Cpu(cpu), Of::Cpu(x)) => cpu.read(x),
            (Self::Gpu(gpu), Of::Gpu(x)) => gpu.read(x),
            _ => Box::pin(std::future::ready(Err(elsewhere()))),
        }
    }
}

fn looked_up<'a, T>(
    lookups: &[Lookup<'a, Table>],
    look: impl Fn(&'a Table) -> Result<&'a T, BackendError>,
) -> Result<Vec<Lookup<'a, T>>, BackendError> {
    let one = |Lookup { table, ids }: &Lookup<'a, Table>| Ok(Lookup { table: look(table)?, ids });
    lookups.iter().map(one).collect()
}

fn attended<'a, T>(
    attention: &Attention<'a, Table>,
    look: impl Fn(&'a Table) -> Result<&'a T, BackendError>,
) -> Result<Attention<'a, T>, BackendError> {
    let position = match attention.position {
        Position::Embedded => Position::Embedded,
        Position::Relative { table, reach } => Position::Relative { table: look(table)?, reach },
    };
    let Attention { heads, scale, window, .. } = *attention;
    Ok(Attention { heads, scale, position, window })
}
