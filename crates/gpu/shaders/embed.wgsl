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
@group(0) @binding(6) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> bytes: array<u32>;

// Four columns of a table; nothing where the row is not among those that it holds.
fn in_table(table: u32, id: u32, four: u32) -> vec4<f32> {
    let at = id - params.firsts[table];
    if at >= params.counts[table] {
        return vec4(0.0);
    }
    if ((BYTE_TABLES >> table) & 1u) == 0u {
        var got = vec4(0.0);
        // each i of 4
        if four * 4u + #iu < WIDTH {
            got[#i] = bitcast<f32>(word(table, at * WIDTH + four * 4u + #iu));
        }
        // end
        return got;
    }
    let start = at * (FOURS_HELD + 1u);
    let scale = bitcast<f32>(word(table, start + FOURS_HELD));
    return vec4<f32>(unpack4xI8(word(table, start + four))) * scale;
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
    thread: Thread,
) {
    let token = workgroup.y * workgroups.x + workgroup.x;
    if token >= params.tokens {
        return;
    }
    // each p of PIECES
    look_up(token, thread.index + #pu * THREADS);
    // end
    workgroupBarrier();
    if NORMALIZES {
        normalize(params.eps, thread);
    }
    put_down(token, thread);
    if QUANTIZES {
        quantize(token, thread);
    }
}

fn look_up(token: u32, four: u32) {
    if four >= FOURS_HELD {
        return;
    }
    var sum = vec4(0.0);
    if params.adds != 0u {
        sum = there(token, four);
    }
    // each t of TABLES
    sum += in_table(#tu, ids[#tu * params.tokens + token], four);
    // end
    row[four] = sum;
}
