// One number of what every thread of a workgroup has, by halves.

var<workgroup> partial: array<u32, THREADS>;

fn total(value: f32, thread: u32) -> f32 {
    workgroupBarrier();
    partial[thread] = bitcast<u32>(value);
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            let sum = bitcast<f32>(partial[thread]) + bitcast<f32>(partial[thread + half]);
            partial[thread] = bitcast<u32>(sum);
        }
    }
    workgroupBarrier();
    return bitcast<f32>(partial[0]);
}

fn greatest(value: u32, thread: u32) -> u32 {
    workgroupBarrier();
    partial[thread] = value;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            partial[thread] = max(partial[thread], partial[thread + half]);
        }
    }
    workgroupBarrier();
    return partial[0];
}
