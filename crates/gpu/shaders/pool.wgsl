// The rows of each text as one; POOLING says how. A thread has one column of one text.

struct Params {
    texts: u32,
    width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
// The row that each text begins with, and behind them all the number of rows.
@group(0) @binding(2) var<storage, read> starts: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn is_number(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) <= 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = (workgroup.y * workgroups.x + workgroup.x) * 64u + thread;
    if at >= params.texts * params.width {
        return;
    }
    let text = at / params.width;
    let column = at % params.width;
    let first = starts[text];
    let end = starts[text + 1u];
    switch POOLING {
        case 0u: {
            var sum = 0.0;
            for (var row = first; row < end; row += 1u) {
                sum += x[row * params.width + column];
            }
            out[at] = sum / f32(end - first);
        }
        case 1u: {
            out[at] = x[first * params.width + column];
        }
        case 2u: {
            var largest = x[first * params.width + column];
            for (var row = first + 1u; row < end; row += 1u) {
                let value = x[row * params.width + column];
                // Also what is no number.
                largest = select(value, largest, largest >= value || !is_number(largest));
            }
            out[at] = largest;
        }
        default: {
            out[at] = x[(end - 1u) * params.width + column];
        }
    }
}
