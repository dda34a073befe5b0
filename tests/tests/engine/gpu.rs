//! The engine on a GPU, or on what does as if: against the reference, and beside the processor.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use trireme_backend::conformance::{Inline as Now, Wait};
use trireme_backend::{Backend, BackendError, Lookup, Matrix};
use trireme_cpu::{Cpu, Inline, Lane};
use trireme_domain::Fault;
use trireme_gpu::Gpu;
use trireme_model::{Checkpoint, Cut, EmbedOptions, Encoded, Model, ModelError, Precision, Want};
use trireme_service::ports::{BoxFuture, Pace, Renew};
use trireme_service::{Engine, Job, Placed, Task, Text, agrees, all, from_model};

use crate::golden::{self, cosine};
use crate::{load, tiny};

fn gpu() -> Gpu {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(Gpu::open())
        .unwrap_or_else(|e| {
            panic!("{e}; `cargo xtask setup` brings one that runs on the processor")
        })
}

fn tiny_models() -> Vec<String> {
    let folders = std::fs::read_dir(load::goldens().join("tiny")).unwrap();
    let mut names: Vec<String> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn on_gpu(gpu: &Gpu, checkpoint: &Checkpoint, precision: Precision) -> Model<Gpu> {
    Model::new(gpu.clone().with_precision(precision), checkpoint).unwrap()
}

/// Texts of so many tokens, of words that the model knows.
fn texts(model: &Model<Gpu>, lengths: &[usize]) -> Vec<Encoded> {
    let words = "the sea is calm and the harbour lights go out one by one ".repeat(40);
    let cut = |tokens| Cut { max_tokens: Some(tokens), side: None };
    lengths
        .iter()
        .map(|&tokens| model.reader().encode_for_vector(&words, None, cut(tokens)).unwrap())
        .collect()
}

#[test]
fn every_architecture_on_the_gpu_is_the_reference() {
    let gpu = gpu();
    let (mut report, mut cases) = (Vec::new(), 0);
    for name in tiny_models() {
        let folder = load::tiny(&name);
        let golden = golden::read(&folder);
        let model = on_gpu(&gpu, &load::checkpoint(&folder), Precision::F32);
        for case in &golden.cases {
            cases += 1;
            let faults = tiny::faults(&model, case);
            report.extend(faults.iter().map(|fault| format!("{name}, {}: {fault}", case.id)));
        }
    }
    println!("{cases} cases on {:?}", gpu.about());
    assert!(report.is_empty(), "{} of {cases} are off:\n{}", report.len(), report.join("\n"));
}

#[test]
fn every_architecture_in_bytes_on_the_gpu_is_that_on_the_processor() {
    let gpu = gpu();
    let (mut report, mut least) = (Vec::new(), 1.0f64);
    for name in tiny_models() {
        let folder = load::tiny(&name);
        let checkpoint = load::checkpoint(&folder);
        let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(Precision::Int8);
        let (ours, theirs) =
            (on_gpu(&gpu, &checkpoint, Precision::Int8), Model::new(cpu, &checkpoint).unwrap());
        for case in &golden::read(&folder).cases {
            let text = theirs.reader().encode_for_vector(&case.text, None, Cut::default());
            let Ok(text) = text else { continue };
            let want = Want::Vectors(theirs.pooling());
            let text = std::slice::from_ref(&text);
            let expected = load::run(&theirs, text, want).unwrap().remove(0);
            let got = load::run(&ours, text, want).unwrap().remove(0);
            let near = cosine(&got, &expected);
            least = least.min(near);
            if near < 0.999 {
                report.push(format!("{name}, {}: a cosine of {near:.6}", case.id));
            }
        }
    }
    println!("the smallest cosine is {least:.7}");
    assert!(report.is_empty(), "{} are off:\n{}", report.len(), report.join("\n"));
}

/// How near one model's vectors of the goldens' texts are to another's: the least, and the median.
fn nearness<A: Backend, B: Backend>(ours: &Model<A>, theirs: &Model<B>, every: usize) -> [f64; 2] {
    let texts = std::fs::read(load::goldens().join("texts.json")).unwrap();
    let texts: Vec<serde_json::Value> = serde_json::from_slice(&texts).unwrap();
    let near = |text: &serde_json::Value| {
        let [got, expected] = [
            load::embed(ours, text["text"].as_str().unwrap(), EmbedOptions::default()),
            load::embed(theirs, text["text"].as_str().unwrap(), EmbedOptions::default()),
        ];
        cosine(&got, &expected)
    };
    let mut all: Vec<f64> = texts.iter().step_by(every).map(near).collect();
    all.sort_by(f64::total_cmp);
    [all[0], all[all.len() / 2]]
}

/// The same model, one value of its first norm moved to the next single.
fn nudged(folder: &Path) -> Checkpoint {
    patched(folder, |gain| gain[0] ^= 1)
}

/// The same model, the bytes of its first norm's gain changed.
fn patched(folder: &Path, change: impl Fn(&mut [u8])) -> Checkpoint {
    const NAME: &str = "embeddings.LayerNorm.weight";
    let mut files = load::files(folder).unwrap();
    let mut bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let facts: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let [from, to] = [0, 1].map(|end| facts[NAME]["data_offsets"][end].as_u64().unwrap() as usize);
    change(&mut bytes[8 + header + from..8 + header + to]);
    files.insert("model.safetensors", Some(bytes.into()));
    Checkpoint::from_files(&files).unwrap()
}

/// In bytes a value that lies between two steps goes to one or the other, and every layer behind it
/// sees which: the last bit of one weight moves some vectors as far as another device's rounding
/// does. Most are the processor's to the last digits, and all are as near to singles as its are.
#[test]
fn minilm_in_singles_in_halves_and_in_bytes_is_the_processors() {
    let every = if std::env::var_os("TRIREME_SOAK").is_some() { 1 } else { 8 };
    let folder = trireme_tests::minilm_dir();
    let checkpoint = load::checkpoint(&folder);
    let gpu = gpu();
    let cpu = |checkpoint: &Checkpoint, precision| {
        let cpu = Cpu::new(Box::new(Inline), Lane::detect()).with_precision(precision);
        Model::new(cpu, checkpoint).unwrap()
    };
    let [singles, bytes] = [Precision::F32, Precision::Int8].map(|it| cpu(&checkpoint, it));
    let near = |what: &str, [least, median]: [f64; 2], at_least: [f64; 2]| {
        println!("{what}: the smallest cosine is {least:.7}, the median {median:.7}");
        assert!(least >= at_least[0] && median >= at_least[1], "{what}: {least:.7}, {median:.7}");
    };
    let model = on_gpu(&gpu, &checkpoint, Precision::F32);
    near("f32, to the processor's", nearness(&model, &singles, every), [0.999_99; 2]);
    let model = on_gpu(&gpu, &checkpoint, Precision::F16);
    near("f16, to the processor's singles", nearness(&model, &singles, every), [0.9999; 2]);
    let model = on_gpu(&gpu, &checkpoint, Precision::Int8);
    near("int8, to the processor's", nearness(&model, &bytes, every), [0.995, 0.9999]);
    near("int8, to singles", nearness(&model, &singles, every), [0.995, 0.9985]);
    near("int8 of the processor, to singles", nearness(&bytes, &singles, every), [0.995, 0.9985]);
    let moved = cpu(&nudged(&folder), Precision::Int8);
    near("int8 of the processor, one bit moved", nearness(&moved, &bytes, every), [0.998, 0.9999]);
}

/// A stall costs more than a layer, and a shader that compiles at a new length stalls a page.
#[test]
fn a_forward_is_few_runs_one_submission_and_compiles_nothing_new() {
    let checkpoint = load::checkpoint(&trireme_tests::minilm_dir());
    for (precision, runs) in [(Precision::F32, 44), (Precision::F16, 44), (Precision::Int8, 44)] {
        let gpu = gpu();
        let model = on_gpu(&gpu, &checkpoint, precision);
        let forward = |lengths: &[usize]| {
            let before = gpu.counts();
            let want = Want::Vectors(model.pooling());
            load::run(&model, &texts(&model, lengths), want).unwrap();
            (before, gpu.counts())
        };
        let (before, first) = forward(&[9, 30]);
        println!("{}: {first:?}", precision.name());
        let spent = |what: fn(&trireme_gpu::Counts) -> u64| what(&first) - what(&before);
        assert_eq!(spent(|counts| counts.dispatches), runs, "{}: runs", precision.name());
        assert!(runs <= 50);
        assert_eq!(spent(|counts| counts.submits), 1, "{}: submissions", precision.name());
        assert_eq!(spent(|counts| counts.read_backs), 1, "{}: read-backs", precision.name());
        for length in (3..63).step_by(3) {
            let (before, after) = forward(&[length]);
            assert_eq!(after.shaders, before.shaders, "shaders at {length} tokens");
            assert_eq!(after.submits, before.submits + 1, "submissions at {length} tokens");
        }
        // Once every size was there, nothing is made any more.
        let (_, before) = forward(&[33, 17]);
        let (_, after) = forward(&[33, 17]);
        assert_eq!(
            (after.buffers, after.groups),
            (before.buffers, before.groups),
            "buffers, groups"
        );
    }
}

/// Loses the device before one step, and counts.
struct Losing {
    gpu: Mutex<Option<Gpu>>,
    at: usize,
    steps: AtomicUsize,
}

impl Pace for Losing {
    fn step(&self) -> BoxFuture<'_, Result<(), Fault>> {
        if self.steps.fetch_add(1, Relaxed) == self.at
            && let Some(gpu) = self.gpu.lock().unwrap().take()
        {
            gpu.destroy();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

struct Reopening(Checkpoint);

impl Renew<Gpu> for Reopening {
    fn placed(&self) -> BoxFuture<'_, Result<Placed<Gpu>, Fault>> {
        Box::pin(async {
            let model = Model::new(Gpu::open().await.unwrap(), &self.0);
            let model = model.map_err(|e| from_model(&e))?.into();
            Ok(Placed { model, pass_tokens: 1024 })
        })
    }
}

#[tokio::test]
async fn a_device_that_is_lost_at_any_step_costs_no_answer() {
    let checkpoint = load::checkpoint(&load::tiny("bert-embed"));
    let job = || Job {
        texts: ["the cat", "a dog sat on the mat"].map(|text| Text::from(text.to_owned())).into(),
        task: Task::default(),
        ..Job::default()
    };
    let cpu = Cpu::new(Box::new(Inline), Lane::detect());
    let theirs = Engine::new(Model::new(cpu, &checkpoint).unwrap().into(), 1024);
    let none = Losing { gpu: Mutex::new(None), at: usize::MAX, steps: AtomicUsize::new(0) };
    let expected = all(theirs.answer(&job(), &none).await.unwrap()).unwrap();
    let steps = none.steps.into_inner();
    assert!(steps > 4, "a job has {steps} steps");
    for at in 0..steps {
        let gpu = Gpu::open().await.unwrap();
        let losing = Losing { gpu: Mutex::new(Some(gpu.clone())), at, steps: AtomicUsize::new(0) };
        let model = Model::new(gpu, &checkpoint).unwrap().into();
        let engine = Engine::new(model, 1024).renewed_by(Reopening(checkpoint.clone()));
        let got = all(engine.answer(&job(), &losing).await.unwrap()).unwrap();
        for (got, expected) in got.iter().zip(&expected) {
            let near = cosine(&got.values, &expected.values);
            assert!(near > 0.99999, "lost before step {at}: a cosine of {near}");
        }
        // And the next job finds the new device.
        all(engine.answer(&job(), &losing).await.unwrap()).unwrap();
    }
}

#[tokio::test]
async fn without_another_device_the_loss_is_told() {
    let gpu = Gpu::open().await.unwrap();
    let checkpoint = load::checkpoint(&load::tiny("bert-embed"));
    let engine = Engine::new(Model::new(gpu.clone(), &checkpoint).unwrap().into(), 1024);
    gpu.destroy();
    let pace = Losing { gpu: Mutex::new(None), at: usize::MAX, steps: AtomicUsize::new(0) };
    let job = Job { texts: vec![Text::from("the cat".to_owned())], ..Job::default() };
    let fault = engine.answer(&job, &pace).await.unwrap_err();
    assert_eq!(fault.code, trireme_domain::Code::DeviceLost, "{fault}");
}

/// Buffers that leave nobody else any memory, as another program on the same card would.
struct Hog {
    gpu: Gpu,
    row: <Gpu as Backend>::Table,
    taken: Vec<<Gpu as Backend>::Acts>,
}

impl Hog {
    const WIDTH: usize = 4096;

    fn new() -> Self {
        let gpu = gpu();
        let row = Matrix { rows: 1, cols: Self::WIDTH, data: &[0.0; Self::WIDTH] };
        let row = gpu.upload_table(&[], row.into()).unwrap();
        Self { gpu, row, taken: Vec::new() }
    }

    /// Takes pieces of so many MiB until there is none left, `most` at most; says how many it got.
    fn take(&mut self, mebibytes: usize, most: usize) -> usize {
        let rows = (mebibytes << 20) / (4 * Self::WIDTH);
        for taken in 0..most {
            let of = |rows: usize| {
                let ids = vec![0; rows];
                self.gpu.embed(&[Lookup { table: &self.row, ids: &ids }], None).unwrap()
            };
            let (piece, small) = (of(rows), of(1));
            // What the device complains of is heard where something is read.
            match Now.wait(self.gpu.read(&small)) {
                Ok(_) => self.taken.push(piece),
                Err(BackendError::OutOfMemory { .. }) => return taken,
                Err(other) => panic!("piece {taken} of {mebibytes} MiB: {other}"),
            }
        }
        panic!("{most} pieces of {mebibytes} MiB did not fill the memory");
    }
}

/// Asked for by name, on a card of its own: it takes all of the card's memory.
#[test]
#[ignore = "fills a GPU's memory"]
fn a_gpu_without_memory_says_so_and_answers_once_there_is_some() {
    let gpu = gpu();
    if gpu.about().software {
        println!("skipped: {} has the host's memory", gpu.about().name);
        return;
    }
    let bundle = trireme_tests::repo_root().join("models/default/default.trireme");
    let checkpoint = Checkpoint::from_bundle(&std::fs::read(bundle).unwrap().into()).unwrap();
    let model = on_gpu(&gpu, &checkpoint, Precision::F32);
    let want = Want::Vectors(model.pooling());
    let few = texts(&model, &[9, 30]);
    let expected = load::run(&model, &few, want).unwrap();
    let mut hog = Hog::new();
    let pieces = [(1024, 200), (64, 64), (4, 64)];
    for (mebibytes, most) in pieces {
        println!("{} pieces of {mebibytes} MiB were taken", hog.take(mebibytes, most));
    }
    // A gigabyte for the queries, keys and values of one layer alone.
    let many = texts(&model, &[256; 1024]);
    for attempt in 0..2 {
        let refused = load::run(&model, &many, want).err();
        println!("many texts: {refused:?}");
        let told = matches!(refused, Some(ModelError::Backend(BackendError::OutOfMemory { .. })));
        assert!(told, "attempt {attempt}: {refused:?}");
    }
    // What finds its buffers where they were needs no more memory.
    assert_eq!(load::run(&model, &few, want).unwrap(), expected, "a few texts, meanwhile");
    drop(hog);
    let whole = load::run(&model, &many, want).unwrap();
    assert_eq!(whole.len(), many.len());
    assert_eq!(load::run(&model, &few, want).unwrap(), expected, "a few texts, afterwards");
}

#[test]
fn a_pass_that_is_given_up_runs_no_more() {
    let gpu = gpu();
    let model = on_gpu(&gpu, &load::checkpoint(&load::tiny("bert-embed")), Precision::F32);
    let want = Want::Vectors(model.pooling());
    let texts = texts(&model, &[5, 9]);
    let forward = || load::run(&model, &texts, want).unwrap();
    let expected = forward();
    let alone = gpu.counts().dispatches;
    let mut given_up = model.start(&texts, want).unwrap();
    for _ in 0..3 {
        given_up.step().unwrap();
    }
    drop(given_up);
    let mut waiting = model.start(&texts, want).unwrap();
    waiting.step().unwrap();
    assert_eq!(forward(), expected);
    // And the one step of the pass that still waits.
    assert_eq!(gpu.counts().dispatches, 2 * alone + 1);
    drop(waiting);
    assert_eq!(forward(), expected);
    assert_eq!(gpu.counts().dispatches, 3 * alone + 1);
}

/// A GPU that computes something else is as one that has other weights.
#[tokio::test]
async fn a_device_that_computes_otherwise_is_refused() {
    let folder = load::tiny("bert-embed");
    let cpu = Cpu::new(Box::new(Inline), Lane::detect());
    let trusted = Model::new(cpu, &load::checkpoint(&folder)).unwrap();
    let gpu = Gpu::open().await.unwrap();
    agrees(&trusted, &on_gpu(&gpu, &load::checkpoint(&folder), Precision::F32)).await.unwrap();
    // The first half of the gains with the other sign.
    let other = patched(&folder, |gain| {
        let half = gain.len() / 2;
        gain[..half].iter_mut().skip(3).step_by(4).for_each(|byte| *byte ^= 0x80);
    });
    let fault = agrees(&trusted, &on_gpu(&gpu, &other, Precision::F32)).await.unwrap_err();
    assert_eq!(fault.code, trireme_domain::Code::UnsupportedHere, "{fault}");
    assert!(fault.message.contains("have a cosine of"), "{fault}");
}
