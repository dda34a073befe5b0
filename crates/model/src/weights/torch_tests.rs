//! Files that torch wrote (`tests/torch/make.py`), the same files damaged, and hand-made pickles.

use bytes::Bytes;
use half::{bf16, f16};

use super::super::pickle::{Pickle, Value};
use super::{Dtype, Tensor, TensorFault, TorchError, read};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../tests/torch/", $name, ".bin")))),*]
    };
}

const FILES: &[(&str, &[u8])] = files![
    "zip",
    "zip_protocol4",
    "zip64",
    "plain",
    "wrapped",
    "legacy",
    "legacy_protocol4",
    "legacy_parts",
    "malicious",
    "int32",
    "expanded",
    "no_tensors",
    "deflated",
    "big_endian",
];

fn file(name: &str) -> Bytes {
    let (_, bytes) = FILES.iter().find(|(n, _)| *n == name).expect("the file is listed");
    Bytes::from_static(bytes)
}

fn values(tensor: &Tensor) -> Vec<f64> {
    fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        data.as_chunks().0.iter().map(|&bytes| value(bytes)).collect()
    }
    match tensor.dtype {
        Dtype::F32 => each(&tensor.data, |b| f32::from_le_bytes(b).into()),
        Dtype::F16 => each(&tensor.data, |b| f16::from_le_bytes(b).into()),
        Dtype::Bf16 => each(&tensor.data, |b| bf16::from_le_bytes(b).into()),
        Dtype::F64 => each(&tensor.data, f64::from_le_bytes),
        Dtype::I64 => each(&tensor.data, |b| i64::from_le_bytes(b) as f64),
        Dtype::I8 | Dtype::U8 => each(&tensor.data, |[b]| b.into()),
    }
}

type Expected<'a> = (&'a str, Dtype, &'a [usize], &'a [f64]);

fn check(case: &str, expected: &[Expected<'_>]) {
    let tensors = read(&file(case)).unwrap_or_else(|error| panic!("{case}: {error}"));
    let names: Vec<_> = expected.iter().map(|(name, ..)| *name).collect();
    let mut got: Vec<_> = tensors.keys().map(String::as_str).collect();
    got.sort_by_key(|name| names.iter().position(|n| n == name));
    assert_eq!(got, names, "{case}: names (left: got, right: expected)");
    for (name, dtype, shape, numbers) in expected {
        let tensor = &tensors[*name];
        let got = (tensor.dtype, &*tensor.shape, &*values(tensor));
        assert_eq!(got, (*dtype, *shape, *numbers), "{case}: {name} (left: got, right: expected)");
    }
}

#[test]
fn every_container_and_protocol_gives_the_same_tensors() {
    let expected: &[Expected<'_>] = &[
        ("f32", Dtype::F32, &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ("transposed", Dtype::F32, &[3, 2], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        ("row", Dtype::F32, &[3], &[3.0, 4.0, 5.0]),
        ("column", Dtype::F32, &[2], &[1.0, 4.0]),
        ("scalar", Dtype::F32, &[], &[5.0]),
        ("empty", Dtype::F32, &[0, 3], &[]),
        ("f16", Dtype::F16, &[2], &[1.5, -2.0]),
        ("bf16", Dtype::Bf16, &[2], &[1.5, -2.0]),
        ("f64", Dtype::F64, &[1], &[0.1]),
        ("i64", Dtype::I64, &[2], &[2.0, 5.0]),
        ("u8", Dtype::U8, &[2], &[7.0, 255.0]),
        ("bool", Dtype::U8, &[2], &[1.0, 0.0]),
        ("parameter", Dtype::F32, &[1], &[4.0]),
    ];
    for case in ["zip", "zip_protocol4", "legacy", "legacy_protocol4"] {
        check(case, expected);
    }
}

#[test]
fn other_layouts_are_read() {
    let w: Expected<'_> = ("w", Dtype::F32, &[2], &[1.0, 2.0]);
    check("plain", &[w]);
    check("zip64", &[w]);
    check("wrapped", &[w]);
    let head: Expected<'_> = ("head", Dtype::F32, &[2], &[0.0, 1.0]);
    let tail: Expected<'_> = ("tail", Dtype::F32, &[3], &[3.0, 4.0, 5.0]);
    check("legacy_parts", &[head, tail]);
}

#[test]
fn row_major_tensors_are_slices_of_the_file() {
    for (case, name, sliced) in [
        ("zip", "f32", true),
        ("zip", "row", true),
        ("zip", "transposed", false),
        ("legacy", "f32", true),
        ("legacy", "column", false),
    ] {
        let file = file(case);
        let data = &read(&file).expect("the file is sound")[name].data;
        let got = file.as_ptr_range().contains(&data.as_ptr());
        assert_eq!(got, sliced, "{case}: {name} is a slice (left: got, right: expected)");
    }
}

#[test]
fn what_is_refused_is_named() {
    let refused: &[(&str, &str)] = &[
        ("malicious", r#"UnknownGlobal { name: "posix.system" }"#),
        ("int32", r#"BadTensor { name: "w", reason: Element("IntStorage") }"#),
        ("expanded", r#"BadTensor { name: "w", reason: Overlap }"#),
        ("no_tensors", "NoTensors"),
        ("deflated", r#"Compressed { entry: "archive/data.pkl" }"#),
        ("big_endian", "BigEndian"),
    ];
    for (case, expected) in refused {
        let got = format!("{:?}", read(&file(case)).expect_err(case));
        assert_eq!(got, *expected, "{case} (left: got, right: expected)");
    }
}

/// What `read` says of a file in which some bytes are replaced by others of the same length.
fn with_bytes_replaced(case: &str, old: &[u8], new: &[u8]) -> String {
    let mut bytes = file(case).to_vec();
    let at = bytes.windows(old.len()).position(|w| w == old).expect("the bytes are there");
    bytes[at..at + new.len()].copy_from_slice(new);
    format!("{:?}", read(&Bytes::from(bytes)).map(|tensors| tensors.len()))
}

/// A name, a file, bytes of it, what replaces them, and what `read` says then.
type Lie<'a> = (&'a str, &'a str, &'a [u8], &'a [u8], &'a str);

#[test]
fn lies_are_named() {
    let lies: &[Lie<'_>] = &[
        (
            "a big-endian stream",
            "legacy",
            b"little_endianq\x02\x88",
            b"little_endianq\x02\x89",
            "Err(BigEndian)",
        ),
        (
            "a storage longer than its entry",
            "plain",
            b"cpuq\x06K\x02",
            b"cpuq\x06K\x03",
            r#"Err(BadTensor { name: "w", reason: StorageSize { held: 8, said: 3 } })"#,
        ),
        (
            "an offset that puts the tensor outside",
            "plain",
            b"QK\x00K\x02\x85",
            b"QK\x01K\x02\x85",
            r#"Err(BadTensor { name: "w", reason: OutOfRange })"#,
        ),
        (
            "a storage that isn't there",
            "plain",
            b"X\x01\x00\x00\x000",
            b"X\x01\x00\x00\x001",
            r#"Err(BadTensor { name: "w", reason: NoStorage("1") })"#,
        ),
        (
            "a part beyond its storage",
            "legacy_parts",
            b"K\x02K\x04\x87",
            b"K\x03K\x04\x87",
            r#"Err(BadTensor { name: "tail", reason: OutOfRange })"#,
        ),
    ];
    for (what, case, old, new, expected) in lies {
        let got = with_bytes_replaced(case, old, new);
        assert_eq!(got, *expected, "{what} (left: got, right: expected)");
    }
}

#[test]
fn other_files_are_not_torch() {
    let others: &[(&str, &[u8])] = &[
        ("an empty file", b""),
        ("a git-lfs pointer", b"version https://git-lfs.github.com/spec/v1\n"),
        ("a pickle of something else", b"\x80\x02K\x01."),
        ("an empty zip archive's end", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ];
    for (what, bytes) in others {
        let got = read(&Bytes::from_static(bytes));
        assert!(matches!(got, Err(TorchError::NotTorch)), "{what}: got {got:?}, expected NotTorch");
    }
}

#[test]
fn pickles_that_misbehave_are_errors() {
    let endless = b"]".repeat(1 << 22);
    let deep = [&b")"[..], &b"\x85".repeat(1 << 22)].concat();
    let cases: &[(&str, &[u8], &str)] = &[
        ("nothing", b"", "Truncated"),
        ("a stack that is empty", b"\x80\x02.", "Malformed"),
        ("a pop below a mark", b"K\x01(.", "Malformed"),
        ("a mark that is missing", b"K\x01t.", "Malformed"),
        ("a memo index that was never put", b"j\xff\xff\xff\xff.", "Malformed"),
        ("a string longer than the file", b"X\xff\xff\0\0abc.", "Truncated"),
        ("a string of four gigabytes", b"X\xff\xff\xff\xffabc.", "TooBig"),
        ("a string of 2^64 - 1 bytes", b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "TooBig"),
        ("a global without its end", b"cposix", "Truncated"),
        ("a global on the stack", b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", "UnknownGlobal"),
        ("a global of another module", b"cnumpy\nndarray\n.", "UnknownGlobal"),
        ("a storage class of no type", b"ctorch\nload\n.", "UnknownGlobal"),
        ("a call of a string", b"X\x01\0\0\0f)R.", "Malformed"),
        ("a dict of no pairs", b"ccollections\nOrderedDict\n](NNe\x85R.", "Malformed"),
        ("a dict of a number", b"ccollections\nOrderedDict\nK\x01\x85R.", "Malformed"),
        ("an instance opcode", b"(iposix\nsystem\n.", "UnknownOpcode"),
        ("protocol 6", b"\x80\x06N.", "Malformed"),
        ("four million lists", &endless, "TooBig"),
        ("four million nested tuples", &deep, "TooBig"),
    ];
    for (what, bytes, expected) in cases {
        let got = format!("{:?}", Pickle::read(bytes, 0).expect_err(what));
        assert!(got.starts_with(expected), "{what}: got {got}, expected {expected}");
    }
}

#[test]
fn the_dicts_of_python_2_are_read() {
    let bytes = b"\x80\x02ccollections\nOrderedDict\n](](U\x01aK\x01e](U\x01bK\x02ee\x85R.";
    let pickle = Pickle::read(bytes, 0).expect("the pickle is sound");
    let Value::Dict(id) = pickle.root() else { panic!("got {pickle:?}, expected a dict") };
    let got: Vec<_> = pickle.pairs(id).collect();
    let expected = [(Value::Str("a"), Value::Int(1)), (Value::Str("b"), Value::Int(2))];
    assert_eq!(got, expected, "left: got, right: expected");
}

#[test]
fn a_list_that_holds_itself_is_read_and_dropped() {
    let pickle = Pickle::read(b"]q\x00h\x00a.", 0);
    assert!(pickle.is_ok(), "got {pickle:?}, expected a list");
}

#[test]
fn copies_are_bounded_by_the_file() {
    // Each name costs a few bytes and asks for one more copy of the transposed tensor.
    let view = b"\x80\x02}(X\x01\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage\
        ctorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuM\x00\x10tQK\0K@K@\x86K\x01K@\x86tRq\0";
    let more = |name: u8| [&b"X\x01\0\0\0"[..], &[name], b"h\0"].concat();
    let pickle = [&view[..], &(b'a'..=b'e').flat_map(more).collect::<Vec<_>>(), b"u."].concat();
    let keys = b"\x80\x02]X\x01\0\0\x000a.";
    let head = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";
    let data = [&4096_u64.to_le_bytes()[..], &[0; 4 * 4096]].concat();
    let got = read(&Bytes::from([&head[..], &pickle, keys, &data].concat()));
    assert!(matches!(got, Err(TorchError::TooBig { .. })), "got {got:?}, expected TooBig");
}

#[test]
fn no_truncation_panics_and_none_is_accepted() {
    for (case, bytes) in FILES {
        for len in 0..bytes.len() {
            let got = read(&Bytes::from_static(&bytes[..len]));
            assert!(got.is_err(), "{case} cut to {len} bytes: got {got:?}, expected an error");
        }
    }
}

#[test]
fn no_changed_byte_panics() {
    for (case, bytes) in FILES {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
                let mut changed = bytes.to_vec();
                changed[at] ^= flip;
                let len = changed.len();
                let total: usize = read(&Bytes::from(changed))
                    .map_or(0, |tensors| tensors.values().map(|tensor| tensor.data.len()).sum());
                assert!(
                    total <= 4 * len,
                    "{case}, byte {at} ^ {flip:#x}: {total} bytes of tensors"
                );
            }
        }
    }
}

#[test]
fn messages_say_what_to_do() {
    let errors = [
        (
            TorchError::UnknownGlobal { name: "posix.system".into() },
            "refuses to load \"posix.system\": a checkpoint that names other Python objects than \
             tensors can run any code; save `model.state_dict()` alone, or convert it to \
             safetensors",
        ),
        (
            TorchError::BadTensor { name: "w".into(), reason: TensorFault::Overlap },
            "tensor \"w\" can't be read: its elements overlap; call `contiguous()` on it before \
             saving",
        ),
    ];
    for (error, expected) in errors {
        assert_eq!(error.to_string(), expected, "left: got, right: expected");
    }
}
