// Layer norm over rows that are there, and their bytes: a row for each workgroup.

struct Params {
    rows: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> bytes: array<u32>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    thread: Thread,
) {
    let index = workgroup.y * workgroups.x + workgroup.x;
    if index >= params.rows {
        return;
    }
    take_up(index, thread);
    if NORMALIZES {
        normalize(params.eps, thread);
        put_down(index, thread);
    }
    if QUANTIZES {
        quantize(index, thread);
    }
}
