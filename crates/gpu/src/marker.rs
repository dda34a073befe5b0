//! What differs between a machine's own GPU and a browser's.

use std::future::Future;
#[cfg(not(target_arch = "wasm32"))]
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A device that is lost can't be waited for.
#[derive(Debug)]
pub(crate) struct Lost;

/// The interfaces to look for a GPU behind.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) const BACKENDS: wgpu::Backends = wgpu::Backends::PRIMARY;

/// The interfaces to look for a GPU behind.
#[cfg(target_arch = "wasm32")]
pub(crate) const BACKENDS: wgpu::Backends = wgpu::Backends::BROWSER_WEBGPU;

/// Waits until what was submitted is done. A browser's event loop does it by itself.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn drive(device: &wgpu::Device) -> Result<(), Lost> {
    polled(device, wgpu::PollType::wait_indefinitely())
}

/// Lets the device say what befell it. A browser's does so by itself.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn hear(device: &wgpu::Device) {
    // What it complains of comes through the callbacks.
    drop(polled(device, wgpu::PollType::Poll));
}

/// wgpu panics where the driver has lost the device; it has told its callbacks by then.
#[cfg(not(target_arch = "wasm32"))]
fn polled(device: &wgpu::Device, how: wgpu::PollType) -> Result<(), Lost> {
    match catch_unwind(AssertUnwindSafe(|| device.poll(how))) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Lost),
    }
}

/// Waits until what was submitted is done. A browser's event loop does it by itself.
#[cfg(target_arch = "wasm32")]
pub(crate) fn drive(_: &wgpu::Device) -> Result<(), Lost> {
    Ok(())
}

/// Lets the device say what befell it. A browser's does so by itself.
#[cfg(target_arch = "wasm32")]
pub(crate) fn hear(_: &wgpu::Device) {}

/// A future that may cross threads.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn sendable<F: Future + Send>(future: F) -> F {
    future
}

/// A future that stays on the one thread that there is.
#[cfg(target_arch = "wasm32")]
pub(crate) fn sendable<F: Future>(future: F) -> impl Future<Output = F::Output> + Send {
    send_wrapper::SendWrapper::new(future)
}
