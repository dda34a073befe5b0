//! The mutations: one broken line each, and the test that must notice.
//!
//! `cargo xtask mutants` applies them; `mutation` says how.

/// One way to be wrong.
#[derive(Clone, Copy)]
pub struct Mutant {
    /// What a reader would call the mistake.
    pub name: &'static str,
    /// The file to break, from the checkout's root.
    pub file: &'static str,
    /// The text to break; it must stand there exactly once.
    pub find: &'static str,
    /// What to put in its place.
    pub replace: &'static str,
    /// Arguments of the `cargo test` that must turn red.
    pub test: &'static [&'static str],
}

/// Arguments of the `cargo test` that holds every host against the reference.
pub const HOSTS: &[&str] = &["-p", "trireme-tests", "--test", "hosts", "gives_the_references"];

/// What stands in the names of those tests, one word for each host.
pub const EVERY_HOST: &[&str] = &["native", "browser", "workerd", "spin"];

/// The suite that holds the engine against the reference.
const ENGINE: &[&str] = &["-p", "trireme-tests", "--test", "engine"];

/// The suite that holds the shaders against the oracle, and the engine on them.
const GPU: &[&str] = &["-p", "trireme-gpu", "--test", "conformance"];

/// The suite that holds the source against the design.
const ARCHITECTURE: &[&str] = &["-p", "trireme-tests", "--test", "architecture"];

/// Every mutation, the engine's first.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "GELU by its tanh approximation",
        file: "crates/model/src/config/mod.rs",
        find: "\"gelu\" | \"gelu_python\" => Ok(Activation::Gelu),",
        replace: "\"gelu\" | \"gelu_python\" => Ok(Activation::GeluTanh),",
        test: ENGINE,
    },
    Mutant {
        name: "another LayerNorm epsilon",
        file: "crates/kernels/src/norm.rs",
        find: "(variance + norm.eps)",
        replace: "(variance + norm.eps.max(1e-6))",
        test: ENGINE,
    },
    Mutant {
        name: "a broken kernel, on every host",
        file: "crates/kernels/src/layer.rs",
        find: "*value = *value + bias;",
        replace: "*value = *value + bias * V::splat(1.01);",
        test: HOSTS,
    },
    Mutant {
        name: "a shader's GELU without its half",
        file: "crates/gpu/shaders/activation.wgsl",
        find: "return 0.5 * x * (1.0 + erf(x * 0.70710678));",
        replace: "return 0.501 * x * (1.0 + erf(x * 0.70710678));",
        test: GPU,
    },
    Mutant {
        name: "a shader's softmax that does not fade",
        file: "crates/gpu/shaders/attention.wgsl",
        find: "let fade = exp(highest - top);",
        replace: "let fade = 1.0;",
        test: GPU,
    },
    Mutant {
        name: "a shader's bytes not mixed",
        file: "crates/gpu/shaders/quantize.wgsl",
        find: "x = vec4(x.x + x.y, x.x - x.y, x.z + x.w, x.z - x.w);",
        replace: "x = vec4(x.x + x.y, x.x - x.y, x.z, x.w);",
        test: GPU,
    },
    Mutant {
        name: "halves of a long row that are not joined",
        file: "crates/gpu/shaders/halves.wgsl",
        find: "return sum + Sum(near);",
        replace: "return Sum(near);",
        test: GPU,
    },
    Mutant {
        name: "a row's sum of its last subgroup alone",
        file: "crates/gpu/shaders/reduce_subgroups.wgsl",
        find: "sum += bitcast<f32>(partial[subgroup]);",
        replace: "sum = bitcast<f32>(partial[subgroup]);",
        test: GPU,
    },
    Mutant {
        name: "RoBERTa positions off by one",
        file: "crates/model/src/config/mod.rs",
        find: "self.pad.saturating_add(1)",
        replace: "self.pad",
        test: ENGINE,
    },
    Mutant {
        name: "relative bias dropped",
        file: "crates/cpu/src/backend.rs",
        find: "Some(kernels::Bias { table: values, reach })",
        replace: "None",
        test: ENGINE,
    },
    Mutant {
        name: "token types dropped",
        file: "crates/model/src/encoder.rs",
        find: "lookups.push(Lookup { table, ids: &inputs.types });",
        replace: "_ = table;",
        test: ENGINE,
    },
    Mutant {
        name: "wrong pooling",
        file: "crates/model/src/sentence.rs",
        find: "[\"cls\"] => Ok(Pooling::Cls),",
        replace: "[\"cls\"] => Ok(Pooling::Mean),",
        test: ENGINE,
    },
    Mutant {
        name: "padding averaged in",
        file: "crates/kernels/src/pool.rs",
        find: "let count = (rows.len() / width) as f32;",
        replace: "let count = (rows.len() / width).next_multiple_of(8) as f32;",
        test: ENGINE,
    },
    Mutant {
        name: "truncation off by one",
        file: "crates/text/src/encode.rs",
        find: "max_length: room,",
        replace: "max_length: room.saturating_sub(1),",
        test: ENGINE,
    },
    Mutant {
        name: "the model depends on a runtime",
        file: "crates/model/Cargo.toml",
        find: "[dependencies]\n",
        replace: "[dependencies]\ntokio.workspace = true\n",
        test: ARCHITECTURE,
    },
    Mutant {
        name: "a lower layer depends on a higher one",
        file: "crates/text/Cargo.toml",
        find: "[dependencies]\n",
        replace: "[dependencies]\ntrireme-backend.workspace = true\n",
        test: ARCHITECTURE,
    },
    Mutant {
        name: "a rule reads the clock",
        file: "crates/domain/src/limits.rs",
        find: "use crate::{Code, Fault};\n",
        replace: "use crate::{Code, Fault};\npub use std::time::Instant;\n",
        test: ARCHITECTURE,
    },
    Mutant {
        name: "an error is a string",
        file: "crates/service/src/lib.rs",
        find: "mod service;\n",
        replace: "mod service;\n/// An error without a type.\npub type Untyped = Result<(), String>;\n",
        test: ARCHITECTURE,
    },
    Mutant {
        name: "a target cfg outside its room",
        file: "crates/kernels/src/lib.rs",
        find: "mod activation;\n",
        replace: "#[cfg(not(target_os = \"none\"))]\nmod activation;\n",
        test: ARCHITECTURE,
    },
];
