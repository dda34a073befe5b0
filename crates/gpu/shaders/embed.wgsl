// The sum of up to three look-ups, a row for each workgroup. A table holds the bits of singles, or
// bytes with a scale behind each row.

struct Params {
    tokens: u32,
    // Whether to add to what is there.
    adds: u32,
    eps: f32,
    unused: u32,
    // The first row that each table here holds, and how many there are.
    firsts: vec4<u32>,
    counts: vec4<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
// For each table one of each token.
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> table_0: array<u32>;
@group(0) @binding(3) var<storage, read> table_1: array<u32>;
@group(0) @binding(4) var<storage, read> table_2: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
@group(0) @binding(6) var<storage, read> norm: array<f32>;
@group(0) @binding(7) var<storage, read_write> bytes: array<u32>;

const FOURS = HELD / 4u;

// A value of a table; nothing where the row is not among those that it holds.
fn in_table(table: u32, id: u32, c: u32) -> f32 {
    let at = id - params.firsts[table];
    if at >= params.counts[table] {
        return 0.0;
    }
    if ((BYTE_TABLES >> table) & 1u) == 0u {
        return bitcast<f32>(word(table, at * WIDTH + c));
    }
    let start = at * (FOURS + 1u);
    let scale = bitcast<f32>(word(table, start + FOURS));
    return f32(unpack4xI8(word(table, start + c / 4u))[c % 4u]) * scale;
}

fn word(table: u32, at: u32) -> u32 {
    switch table {
        case 0u: {
            return table_0[at];
        }
        case 1u: {
            return table_1[at];
        }
        default: {
            return table_2[at];
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let token = workgroup.y * workgroups.x + workgroup.x;
    if token >= params.tokens {
        return;
    }
    for (var c = thread; c < HELD; c += THREADS) {
        var sum = 0.0;
        if c < WIDTH {
            if params.adds != 0u {
                sum = out[token * WIDTH + c];
            }
            for (var table = 0u; table < TABLES; table += 1u) {
                sum += in_table(table, ids[table * params.tokens + token], c);
            }
        }
        row[c] = sum;
    }
    workgroupBarrier();
    if NORMALIZES {
        normalize(params.eps, thread);
    }
    put_down(token, thread);
    if QUANTIZES {
        quantize(token, thread);
    }
}
