//! What was asked for and not yet run: dispatches in their order, submitted together.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use trireme_backend::BackendError;
use wgpu::BufferUsages;

use crate::device::Device;
use crate::kernel::Access;
use crate::pipelines::{PARAMETERS, Pipeline};
use crate::pool::{Named, Room};

/// The most workgroups along one side of a grid.
const SIDE: u32 = 65_535;

/// What a shader is told: its own structure, word by word.
pub(crate) type Parameters = [u32; PARAMETERS as usize / 4];

/// Runs after which those that nobody waits for are looked for.
const MANY: usize = 1024;

/// One run of a shader.
pub(crate) struct Dispatch {
    pub pipeline: Arc<Pipeline>,
    pub buffers: Vec<Named>,
    pub parameters: Parameters,
    pub grid: [u32; 2],
    /// What it is run for; gone, where its pass was given up.
    pub output: Weak<Room>,
    /// Whether it goes on with what stands in the buffers that it writes.
    pub in_place: bool,
}

/// What waits for the next submission.
#[derive(Default)]
pub(crate) struct Stream {
    dispatches: Vec<Dispatch>,
    /// What was uploaded for them: overwritten, it would be so before they run.
    inputs: Vec<Arc<Room>>,
}

/// How often something was done since the device was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs of a shader.
    pub dispatches: u64,
    /// Submissions to the queue.
    pub submits: u64,
    /// Answers that were brought back.
    pub read_backs: u64,
    /// Writes from the host into a buffer.
    pub writes: u64,
    /// Shaders that were compiled.
    pub shaders: u64,
    /// Buffers that were made.
    pub buffers: u64,
    /// Groups of buffers that were bound to a shader.
    pub groups: u64,
    /// Bytes that all buffers take now.
    pub bytes: u64,
}

impl Stream {
    pub fn push(&mut self, dispatch: Dispatch) {
        if self.dispatches.len() >= MANY && self.dispatches.len().is_power_of_two() {
            self.dispatches = wanted(std::mem::take(&mut self.dispatches));
        }
        self.dispatches.push(dispatch);
    }

    pub fn keep(&mut self, room: Arc<Room>) {
        self.inputs.push(room);
    }

    /// Submits everything, and behind it the copy of an answer into `staging`.
    pub fn submit(
        &mut self,
        device: &Device,
        answer: &Named,
        staging: &Named,
        bytes: u64,
    ) -> Result<(), BackendError> {
        self.dispatches = wanted(std::mem::take(&mut self.dispatches));
        let stride = device.parameter_stride;
        let room = (self.dispatches.len() * stride) as u64;
        let usage = BufferUsages::UNIFORM | BufferUsages::COPY_DST;
        let told = device.pool.room("parameters", room.max(PARAMETERS), usage)?;
        let dispatches = std::mem::take(&mut self.dispatches);
        let mut words = vec![0u32; dispatches.len() * stride / 4];
        for (slot, dispatch) in words.chunks_exact_mut(stride / 4).zip(&dispatches) {
            slot[..dispatch.parameters.len()].copy_from_slice(&dispatch.parameters);
        }
        device.write(told.named(), &words);
        let mut encoder = device.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (index, dispatch) in dispatches.iter().enumerate() {
                let Dispatch { pipeline, buffers, grid: [x, y], .. } = dispatch;
                let group = device.pipelines.bound(device, pipeline, told.named(), buffers);
                pass.set_pipeline(&pipeline.pipeline);
                pass.set_bind_group(0, &group, &[(index * stride) as u32]);
                pass.dispatch_workgroups(*x, *y, 1);
            }
        }
        encoder.copy_buffer_to_buffer(&answer.buffer, 0, &staging.buffer, 0, bytes);
        device.queue.submit([encoder.finish()]);
        device.counted(|counts| {
            counts.dispatches += dispatches.len() as u64;
            counts.submits += 1;
            counts.read_backs += 1;
        });
        // Whoever gets these buffers next writes to them behind this submission.
        self.inputs.clear();
        Ok(())
    }
}

/// Those whose outputs somebody holds, and those that lead to them.
fn wanted(dispatches: Vec<Dispatch>) -> Vec<Dispatch> {
    let held = |dispatch: &Dispatch| dispatch.output.upgrade().map(|room| room.named().id);
    let mut needed: HashSet<u64> = dispatches.iter().filter_map(held).collect();
    let mut kept: Vec<Dispatch> = Vec::with_capacity(dispatches.len());
    for dispatch in dispatches.into_iter().rev() {
        let bound = dispatch.pipeline.kernel.bindings().iter().zip(&dispatch.buffers);
        let (written, read): (Vec<_>, Vec<_>) =
            bound.partition(|(access, _)| **access == Access::Write);
        let written = || written.iter().map(|(_, named)| named.id);
        if !written().any(|id| needed.contains(&id)) {
            continue;
        }
        if dispatch.in_place {
            needed.extend(written());
        } else {
            needed.retain(|id| written().all(|written| written != *id));
        }
        needed.extend(read.iter().map(|(_, named)| named.id));
        kept.push(dispatch);
    }
    kept.reverse();
    kept
}

/// A grid of so many workgroups at least; a shader puts its two numbers together again.
pub(crate) fn grid(workgroups: u32) -> [u32; 2] {
    let x = workgroups.clamp(1, SIDE);
    [x, workgroups.div_ceil(x)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_large_enough_and_no_side_too_long() {
        for asked in [0, 1, 7, SIDE, SIDE + 1, 10 * SIDE + 3] {
            let [x, y] = grid(asked);
            assert!(x <= SIDE && x * y >= asked && x * y < asked + x, "{asked}: {x} × {y}");
        }
    }
}
