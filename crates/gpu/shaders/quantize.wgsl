// The row at hand as bytes: mixed by a Hadamard matrix over blocks of MIXED columns, then rounded to
// [-63, 63] steps of a scale of its own, which stands behind them. A row that is not finite gets a
// scale that is no number.

const TOP = 63.0;
// The least whose reciprocal is finite, times TOP.
const SMALLEST = 7.4e-37;
const SIZE = 0x7fffffffu;
const NOT_FINITE = 0x7f800000u;
const NO_NUMBER = 0x7fc00000u;

fn quantize(index: u32, thread: u32) {
    for (var half = 1u; half < MIXED; half *= 2u) {
        workgroupBarrier();
        for (var pair = thread; pair < WIDTH / 2u; pair += THREADS) {
            let low = pair / half * (2u * half) + pair % half;
            let a = row[low];
            let b = row[low + half];
            row[low] = a + b;
            row[low + half] = a - b;
        }
    }
    workgroupBarrier();
    var size = 0u;
    for (var c = thread; c < WIDTH; c += THREADS) {
        size = max(size, bitcast<u32>(row[c]) & SIZE);
    }
    let bits = greatest(size, thread);
    let largest = bitcast<f32>(bits);
    let counts = bits < NOT_FINITE && largest >= SMALLEST;
    var inverse = 0.0;
    if counts {
        inverse = TOP / largest;
    }
    let at = index * (HELD / 4u + 1u);
    for (var four = thread; four < HELD / 4u; four += THREADS) {
        let c = four * 4u;
        var steps = vec4(0);
        if counts {
            steps = vec4<i32>(round(vec4(row[c], row[c + 1u], row[c + 2u], row[c + 3u]) * inverse));
        }
        bytes[at + four] = pack4xI8(steps);
    }
    if thread == 0u {
        bytes[at + HELD / 4u] = select(NO_NUMBER, bitcast<u32>(largest / TOP), bits < NOT_FINITE);
    }
}
