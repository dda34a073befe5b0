//! The device: found, opened, and watched.

use std::sync::{Arc, Mutex, PoisonError};

use trireme_backend::BackendError;

use crate::kernel::{Extras, Kernel};
use crate::marker::{self, BACKENDS};
use crate::pipelines::Pipelines;
use crate::pool::{Named, Pool};
use crate::stream::{Counts, Stream};

const HALVES: wgpu::Features = wgpu::Features::SHADER_F16;
const SUBGROUPS: wgpu::Features = wgpu::Features::SUBGROUP;

/// Why there is no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing here computes on a GPU.
    #[error("there is no GPU that can be used: {reason}")]
    NoAdapter {
        /// What the system said.
        reason: String,
    },
    /// It does not let itself be opened.
    #[error("the GPU {name} could not be opened: {reason}")]
    Refused {
        /// The GPU's name.
        name: String,
        /// What it said.
        reason: String,
    },
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The GPU's name.
    pub name: String,
    /// The interface behind which it was found.
    pub interface: String,
    /// The driver and its version, where they are known.
    pub driver: String,
    /// Whether it is no GPU, but the CPU doing as if.
    pub software: bool,
    /// What it has that not every device has.
    pub extras: Extras,
}

/// A device with all that is kept for it.
pub(crate) struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub pool: Arc<Pool>,
    pub pipelines: Pipelines,
    pub about: About,
    /// Bound where a shader has no use for a buffer.
    pub nothing: Named,
    /// The same, where it could write.
    pub waste: Named,
    /// Bytes from one shader's parameters to the next's.
    pub parameter_stride: usize,
    workgroup_bytes: u32,
    stream: Mutex<Stream>,
    counts: Mutex<Counts>,
    trouble: Arc<Mutex<Trouble>>,
}

/// What the device complained of behind the host's back.
#[derive(Default)]
struct Trouble {
    lost: Option<BackendError>,
    last: Option<BackendError>,
    heard: u64,
    /// How many of these some reader was told.
    told: u64,
}

impl Device {
    /// Opens the fastest GPU that there is, with the extras that it has of these.
    pub async fn open(wanted: Extras) -> Result<Self, OpenError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: BACKENDS,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance
            .request_adapter(&options)
            .await
            .map_err(|e| OpenError::NoAdapter { reason: asked_for(&e.to_string()) })?;
        let info = adapter.get_info();
        let about = About {
            name: info.name.clone(),
            interface: info.backend.to_string(),
            driver: [info.driver, info.driver_info].join(" ").trim().to_owned(),
            software: info.device_type == wgpu::DeviceType::Cpu,
            extras: Extras {
                halves: wanted.halves && adapter.features().contains(HALVES),
                subgroups: wanted.subgroups && adapter.features().contains(SUBGROUPS),
            },
        };
        let mut features = wgpu::Features::empty();
        features.set(HALVES, about.extras.halves);
        features.set(SUBGROUPS, about.extras.subgroups);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("trireme"),
            required_features: features,
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let refused = |reason: String| OpenError::Refused { name: about.name.clone(), reason };
        let (device, queue) =
            adapter.request_device(&descriptor).await.map_err(|e| refused(e.to_string()))?;
        let trouble = watched(&device);
        let limits = device.limits();
        let pool = Pool::new(device.clone(), queue.clone(), &limits);
        let zeros = |op| pool.filled(op, &[0; 4]).map_err(|e| refused(e.to_string()));
        let (nothing, waste) = (zeros("nothing")?, zeros("waste")?);
        Ok(Self {
            parameter_stride: limits.min_uniform_buffer_offset_alignment.max(64) as usize,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            pool: Arc::new(pool),
            pipelines: Pipelines::default(),
            stream: Mutex::default(),
            counts: Mutex::default(),
            device,
            queue,
            about,
            nothing,
            waste,
            trouble,
        })
    }

    /// Whether a shader finds room in a workgroup's memory.
    pub fn fits(&self, kernel: Kernel) -> bool {
        kernel.workgroup_bytes() <= self.workgroup_bytes
    }

    /// Does something with what waits.
    pub fn with_stream<T>(&self, work: impl FnOnce(&mut Stream) -> T) -> T {
        work(&mut self.stream.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes into a buffer, ahead of the next submission.
    pub fn write(&self, named: &Named, words: &[u32]) {
        self.queue.write_buffer(&named.buffer, 0, bytemuck::cast_slice(words));
        self.counted(|counts| counts.writes += 1);
    }

    /// Counts something.
    pub fn counted(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        Counts {
            shaders: self.pipelines.len() as u64,
            groups: self.pipelines.groups(),
            buffers: self.pool.made(),
            bytes: self.pool.bytes(),
            ..*self.counts.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// How many complaints were told so far: those that come after it are of what is submitted now,
    /// or of what was recorded for it.
    ///
    /// # Errors
    /// [`BackendError::DeviceLost`].
    pub fn complaints(&self) -> Result<u64, BackendError> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.lost.clone().map_or(Ok(trouble.told), Err)
    }

    /// Whether the device complained of nothing since. Whoever was under way when it did is told:
    /// what it read may be of before.
    ///
    /// # Errors
    /// What the device complained of.
    pub fn checked(&self, since: u64) -> Result<(), BackendError> {
        self.complaints()?;
        // A device that is lost refuses everything, and says only when it is asked that it is lost.
        marker::hear(&self.device);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lost) = &trouble.lost {
            return Err(lost.clone());
        }
        if trouble.heard <= since {
            return Ok(());
        }
        trouble.told = trouble.heard;
        // A buffer that found no memory is no buffer.
        self.pool.distrust();
        let unknown = || BackendError::Device { reason: "it does not say why".to_owned() };
        Err(trouble.last.clone().unwrap_or_else(unknown))
    }
}

impl Drop for Device {
    /// A browser would keep its memory until it collects garbage.
    fn drop(&mut self) {
        self.device.destroy();
    }
}

/// What wgpu says of adapters, without the interfaces that nobody asked for.
fn asked_for(said: &str) -> String {
    let Some((why, interfaces)) = said.split_once("; ") else { return said.to_owned() };
    let asked = |interface: &&str| !interface.ends_with(" not requested");
    let interfaces: Vec<&str> = interfaces.split(", ").filter(asked).collect();
    format!("{why}; {}", interfaces.join(", "))
}

/// Where what the device complains of is written down.
fn watched(device: &wgpu::Device) -> Arc<Mutex<Trouble>> {
    let trouble: Arc<Mutex<Trouble>> = Arc::default();
    let heard = Arc::clone(&trouble);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        let error = match error {
            wgpu::Error::OutOfMemory { .. } => BackendError::OutOfMemory { op: "device", bytes: 0 },
            other => BackendError::Device { reason: other.to_string() },
        };
        let mut trouble = heard.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.heard += 1;
        // The first says most: what follows are its consequences.
        if trouble.last.is_none() || trouble.heard == trouble.told + 1 {
            trouble.last = Some(error);
        }
    }));
    let lost = Arc::clone(&trouble);
    device.set_device_lost_callback(move |reason, message| {
        let reason = format!("{reason:?}: {message}");
        let mut trouble = lost.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.lost = Some(BackendError::DeviceLost { reason });
    });
    trouble
}

#[test]
fn only_interfaces_that_were_asked_for_are_told_of() {
    for (said, expected) in [
        (
            "No adapter; noop not requested, gl not requested, webgpu found no adapters",
            "No adapter; webgpu found no adapters",
        ),
        (
            "No adapter; vulkan found no adapters, metal support not compiled in",
            "No adapter; vulkan found no adapters, metal support not compiled in",
        ),
        ("The limit is exceeded", "The limit is exceeded"),
    ] {
        assert_eq!(asked_for(said), expected);
    }
}
