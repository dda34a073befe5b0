// The row at hand as bytes: mixed by a Hadamard matrix over blocks of MIXED columns, then rounded to
// [-63, 63] steps of a scale of its own, which stands behind them. A row that is not finite gets a
// scale that is no number.

const TOP = 63.0;
// The least whose reciprocal is finite, times TOP.
const SMALLEST = 7.4e-37;
const SIZE = 0x7fffffffu;
const NOT_FINITE = 0x7f800000u;
const NO_NUMBER = 0x7fc00000u;

fn quantize(index: u32, thread: Thread) {
    // Within its fours a thread needs no other.
    // each p of PIECES
    mix_four(thread.index + #pu * THREADS);
    // end
    // each s of STAGES
    workgroupBarrier();
    // each p of PIECES
    mix_pair(thread.index + #pu * THREADS, 1u << #su);
    // end
    // end
    workgroupBarrier();
    var size = 0u;
    // each p of PIECES
    size = max(size, size_of(thread.index + #pu * THREADS));
    // end
    let bits = greatest(size, thread);
    let largest = bitcast<f32>(bits);
    let counts = bits < NOT_FINITE && largest >= SMALLEST;
    var inverse = 0.0;
    if counts {
        inverse = TOP / largest;
    }
    // each p of PIECES
    put_bytes(index, thread.index + #pu * THREADS, counts, inverse);
    // end
    if thread.index == 0u {
        bytes[(index + 1u) * (FOURS_HELD + 1u) - 1u] =
            select(NO_NUMBER, bitcast<u32>(largest / TOP), bits < NOT_FINITE);
    }
}

fn mix_four(four: u32) {
    if four >= FOURS_HELD {
        return;
    }
    var x = row[four];
    if MIXED >= 2u {
        x = vec4(x.x + x.y, x.x - x.y, x.z + x.w, x.z - x.w);
    }
    if MIXED >= 4u {
        x = vec4(x.x + x.z, x.y + x.w, x.x - x.z, x.y - x.w);
    }
    row[four] = x;
}

// One pair of fours; there are half as many pairs as fours.
fn mix_pair(pair: u32, half: u32) {
    if pair >= FOURS_HELD / 2u {
        return;
    }
    let low = pair / half * (2u * half) + pair % half;
    let a = row[low];
    let b = row[low + half];
    row[low] = a + b;
    row[low + half] = a - b;
}

// The largest of four, by its bits: also what is no number is larger than any that is.
fn size_of(four: u32) -> u32 {
    if four >= FOURS_HELD {
        return 0u;
    }
    let bits = bitcast<vec4<u32>>(row[four]) & vec4(SIZE);
    return max(max(bits.x, bits.y), max(bits.z, bits.w));
}

fn put_bytes(index: u32, four: u32, counts: bool, inverse: f32) {
    if four >= FOURS_HELD {
        return;
    }
    var steps = vec4(0);
    if counts {
        steps = vec4<i32>(round(row[four] * inverse));
    }
    bytes[index * (FOURS_HELD + 1u) + four] = pack4xI8(steps);
}
