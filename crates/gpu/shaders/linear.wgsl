// A linear layer: a tile for each workgroup.

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    tile(workgroup.x * TILE_ROWS, workgroup.y * TILE_PANELS, thread);
}
