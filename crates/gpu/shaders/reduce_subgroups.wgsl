// One number of what every thread of a workgroup has: subgroups of any size make one each, and every
// thread puts theirs together.

struct Thread {
    @builtin(local_invocation_index) index: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
}

// One of each subgroup; the smallest has one thread.
var<workgroup> partial: array<u32, THREADS>;

fn total(value: f32, thread: Thread) -> f32 {
    let own = subgroupAdd(value);
    workgroupBarrier();
    partial[thread.subgroup] = bitcast<u32>(own);
    workgroupBarrier();
    var sum = 0.0;
    for (var subgroup = 0u; subgroup < thread.subgroups; subgroup += 1u) {
        sum += bitcast<f32>(partial[subgroup]);
    }
    return sum;
}

fn greatest(value: u32, thread: Thread) -> u32 {
    let own = subgroupMax(value);
    workgroupBarrier();
    partial[thread.subgroup] = own;
    workgroupBarrier();
    var largest = 0u;
    for (var subgroup = 0u; subgroup < thread.subgroups; subgroup += 1u) {
        largest = max(largest, partial[subgroup]);
    }
    return largest;
}
