// One row of WIDTH values, held by a workgroup while it is worked on: four columns at once, PIECES
// fours for each thread.

// Filled up with zeros.
const FOURS_HELD = (WIDTH + 3u) / 4u;

var<workgroup> row: array<vec4<f32>, FOURS_HELD>;

fn take_up(index: u32, thread: Thread) {
    workgroupBarrier();
    // each p of PIECES
    take_up_four(index, thread.index + #pu * THREADS);
    // end
    workgroupBarrier();
}

fn take_up_four(index: u32, four: u32) {
    if four < FOURS_HELD {
        row[four] = there(index, four);
    }
}

// Four columns of a row that was put down; past its end stands nothing.
fn there(index: u32, four: u32) -> vec4<f32> {
    var got = vec4(0.0);
    // each i of 4
    if four * 4u + #iu < WIDTH {
        got[#i] = out[index * WIDTH + four * 4u + #iu];
    }
    // end
    return got;
}

fn put_down(index: u32, thread: Thread) {
    // each p of PIECES
    put_down_four(index, thread.index + #pu * THREADS);
    // end
}

fn put_down_four(index: u32, four: u32) {
    if four >= FOURS_HELD {
        return;
    }
    let got = row[four];
    // each i of 4
    if four * 4u + #iu < WIDTH {
        out[index * WIDTH + four * 4u + #iu] = got[#i];
    }
    // end
}

// Layer norm with the biased variance; `norm` holds the gain, then the bias, each filled up with zeros.
fn normalize(eps: f32, thread: Thread) {
    var sum = 0.0;
    // each p of PIECES
    sum += sum_of(thread.index + #pu * THREADS);
    // end
    let mean = total(sum, thread) / f32(WIDTH);
    var squares = 0.0;
    // each p of PIECES
    squares += squares_of(thread.index + #pu * THREADS, mean);
    // end
    let scale = 1.0 / sqrt(total(squares, thread) / f32(WIDTH) + eps);
    // each p of PIECES
    normalize_four(thread.index + #pu * THREADS, mean, scale);
    // end
    workgroupBarrier();
}

fn sum_of(four: u32) -> f32 {
    if four >= FOURS_HELD {
        return 0.0;
    }
    return dot(row[four], vec4(1.0));
}

fn squares_of(four: u32, mean: f32) -> f32 {
    if four >= FOURS_HELD {
        return 0.0;
    }
    // What fills the row up is as far from the mean as nothing is.
    let inside = vec4(four * 4u) + vec4(0u, 1u, 2u, 3u) < vec4(WIDTH);
    let off = select(vec4(0.0), row[four] - mean, inside);
    return dot(off, off);
}

fn normalize_four(four: u32, mean: f32, scale: f32) {
    if four < FOURS_HELD {
        row[four] = (row[four] - mean) * scale * norm[four] + norm[FOURS_HELD + four];
    }
}
