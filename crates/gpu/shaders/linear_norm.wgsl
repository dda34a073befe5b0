// A linear layer and the layer norm behind it: a workgroup has whole rows, one tile after another.

@group(0) @binding(6) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> bytes: array<u32>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    thread: Thread,
) {
    let first = workgroup.x * TILE_ROWS;
    for (var panel = 0u; panel < params.panels; panel += TILE_PANELS) {
        tile(first, panel, thread.index);
    }
    // The rows were put down by other threads than those that take them up.
    storageBarrier();
    let end = min(first + TILE_ROWS, params.rows);
    for (var index = first; index < end; index += 1u) {
        take_up(index, thread);
        normalize(params.eps, thread);
        put_down(index, thread);
        if QUANTIZES {
            quantize(index, thread);
        }
    }
}
