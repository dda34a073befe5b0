//! When an instance is made, how many requests it serves, and when it goes: Spin's own rules, over
//! the same crates that Spin is made of.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::http;
use tokio::time::Sleep;
use wasmtime::component::{Component, GuestTaskId, Linker, ResourceTable};
use wasmtime::{
    Engine, ResourceLimiter, Result, Store, StoreContextMut, StoreLimits, StoreLimitsBuilder,
};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::arguments::Arguments;
use crate::engine::engine;

/// Spin's `--max-instance-reuse-count`.
const REQUESTS: usize = 128;
/// Spin's `--max-instance-concurrent-reuse-count`.
const CONCURRENT_REQUESTS: usize = 16;
/// Spin's `--idle-instance-timeout`.
const IDLE: Duration = Duration::from_secs(1);

/// A compiled component, and what its instances are given.
pub struct Instances {
    engine: Engine,
    component: ProxyPre<World>,
    arguments: Arguments,
    /// The most bytes that a memory of any instance had so far.
    pub most_memory: Arc<AtomicUsize>,
}

impl Instances {
    /// Compiles the component, or takes what an earlier start compiled.
    pub fn load(arguments: Arguments) -> Result<Self> {
        let engine = engine(&arguments.component)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
        let component = Component::from_file(&engine, &arguments.component)?;
        let component = ProxyPre::P3(ServicePre::new(linker.instantiate_pre(&component)?)?);
        Ok(Self { engine, component, arguments, most_memory: Arc::default() })
    }

    fn world(&self) -> Result<World> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.envs(&self.arguments.env).stdout(tokio::io::stderr()).inherit_stderr();
        for (host, guest) in &self.arguments.mounts {
            wasi.preopened_dir(host, guest, FsPerms::ReadOnly)?;
        }
        let limits = StoreLimitsBuilder::new();
        let limits = match self.arguments.memory_bytes {
            Some(bytes) => limits.memory_size(bytes),
            None => limits,
        };
        Ok(World {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            hooks: NoNetwork,
            memory: Memory { limits: limits.build(), most: self.most_memory.clone() },
        })
    }
}

impl HandlerState for Instances {
    type StoreData = World;
    type WorkerExpiration = Idle;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> Result<Instance<World, Idle, Reuse>> {
        let mut store = Store::new(&self.engine, self.world()?);
        store.limiter(|world| &mut world.memory);
        // Without `--request-timeout` Spin never interrupts.
        store.set_epoch_deadline(u64::MAX / 2);
        let proxy = self.component.instantiate_async(&mut store).await?;
        let expiration = Idle(Box::pin(tokio::time::sleep(IDLE)));
        Ok(Instance { store, proxy, view: World::http, expiration, state: Reuse })
    }
}

/// What one instance can reach.
pub struct World {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: NoNetwork,
    memory: Memory,
}

/// Keeps an instance within its limits, and remembers the most memory that one had.
struct Memory {
    limits: StoreLimits,
    most: Arc<AtomicUsize>,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let granted = self.limits.memory_growing(current, desired, maximum)?;
        if granted {
            self.most.fetch_max(desired, Ordering::Relaxed);
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }
}

impl WasiView for World {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for World {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

/// Spin lets a component reach only the servers that its manifest names, and ours names none.
struct NoNetwork;

impl WasiHttpHooks for NoNetwork {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}

/// How many requests an instance serves.
pub struct Reuse;

impl WorkerState for Reuse {
    type StoreData = World;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        match (concurrent, total) {
            (_, REQUESTS..) => ShouldAccept::Never,
            (CONCURRENT_REQUESTS.., _) => ShouldAccept::No,
            _ => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        _store: StoreContextMut<'_, World>,
        (): (),
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, _store: Store<World>, result: Result<()>) {
        if let Err(error) = result {
            log(&error);
        }
    }
}

/// Ends an instance that nobody has asked for a while.
pub struct Idle(Pin<Box<Sleep>>);

impl WorkerExpiration for Idle {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        let end = (since + IDLE).into();
        if self.0.deadline() != end {
            self.0.as_mut().reset(end);
        }
        self.0.as_mut().poll(context)
    }
}

/// Says why an instance ended, without the way there.
#[expect(clippy::print_stderr, reason = "that is this program's log")]
pub fn log(error: &wasmtime::Error) {
    eprintln!("spin-host: {}", error.root_cause());
}
