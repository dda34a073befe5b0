//! Shaders that were compiled, and groups of buffers that were bound to them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::device::Device;
use crate::kernel::{Access, Extras, Kernel};
use crate::pool::Named;

/// Bytes of parameters that a shader is told.
pub(crate) const PARAMETERS: u64 = 48;

/// Groups that are remembered.
const GROUPS: usize = 4096;

/// A compiled shader.
pub(crate) struct Pipeline {
    pub kernel: Kernel,
    pub pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// Those that were asked for.
#[derive(Default)]
pub(crate) struct Pipelines {
    compiled: Mutex<HashMap<Kernel, Arc<Pipeline>>>,
    groups: Mutex<Groups>,
    made: AtomicU64,
}

/// Groups of buffers, by their numbers. A group keeps its buffers in memory.
#[derive(Default)]
struct Groups {
    bound: HashMap<(Kernel, Vec<u64>), wgpu::BindGroup>,
    generation: u64,
}

impl Pipelines {
    /// The shader, compiled where it was not yet.
    pub fn of(&self, device: &Device, kernel: Kernel) -> Arc<Pipeline> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || Arc::new(Pipeline::compile(&device.device, kernel, device.about.extras));
        Arc::clone(compiled.entry(kernel).or_insert_with(compile))
    }

    /// How many shaders were compiled.
    pub fn len(&self) -> usize {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many groups were ever made.
    pub fn groups(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// These buffers, bound to a shader.
    pub fn bound(
        &self,
        device: &Device,
        pipeline: &Pipeline,
        parameters: &Named,
        buffers: &[Named],
    ) -> wgpu::BindGroup {
        let generation = device.pool.generation();
        let ids = std::iter::once(parameters).chain(buffers).map(|named| named.id).collect();
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.bound.len() >= GROUPS || groups.generation != generation {
            *groups = Groups { generation, ..Groups::default() };
        }
        let make = || {
            self.made.fetch_add(1, Relaxed);
            pipeline.bind(&device.device, parameters, buffers)
        };
        groups.bound.entry((pipeline.kernel, ids)).or_insert_with(make).clone()
    }
}

impl Pipeline {
    fn compile(device: &wgpu::Device, kernel: Kernel, extras: Extras) -> Self {
        let storage = |access: &Access| wgpu::BufferBindingType::Storage {
            read_only: *access == Access::Read,
        };
        let types = std::iter::once(wgpu::BufferBindingType::Uniform)
            .chain(kernel.bindings().iter().map(storage));
        let entry = |(binding, ty): (u32, wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: ty == wgpu::BufferBindingType::Uniform,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = (0..).zip(types).map(entry).collect();
        let descriptor = wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries };
        let layout = device.create_bind_group_layout(&descriptor);
        let label = format!("{kernel:?}");
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(kernel.source(extras).into()),
        });
        let layouts = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&layouts),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Every value of a workgroup's memory is written before it is read.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        Self { kernel, pipeline, layout }
    }

    fn bind(
        &self,
        device: &wgpu::Device,
        parameters: &Named,
        buffers: &[Named],
    ) -> wgpu::BindGroup {
        let parameters = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &parameters.buffer,
            offset: 0,
            size: wgpu::BufferSize::new(PARAMETERS),
        });
        let resources = std::iter::once(parameters)
            .chain(buffers.iter().map(|named| named.buffer.as_entire_binding()));
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
        let entries: Vec<_> = (0..).zip(resources).map(entry).collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layout,
            entries: &entries,
        })
    }
}
