// One number of what every thread of a workgroup has, by halves.

struct Thread {
    @builtin(local_invocation_index) index: u32,
}

var<workgroup> partial: array<u32, THREADS>;

fn total(value: f32, thread: Thread) -> f32 {
    workgroupBarrier();
    partial[thread.index] = bitcast<u32>(value);
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread.index < half {
            let sum = bitcast<f32>(partial[thread.index])
                + bitcast<f32>(partial[thread.index + half]);
            partial[thread.index] = bitcast<u32>(sum);
        }
    }
    workgroupBarrier();
    return bitcast<f32>(partial[0]);
}

fn greatest(value: u32, thread: Thread) -> u32 {
    workgroupBarrier();
    partial[thread.index] = value;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread.index < half {
            partial[thread.index] = max(partial[thread.index], partial[thread.index + half]);
        }
    }
    workgroupBarrier();
    return partial[0];
}
