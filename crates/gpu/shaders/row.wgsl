// One row of WIDTH values, held by a workgroup while it is worked on.

// Filled up with zeros to a multiple of four.
const HELD = (WIDTH + 3u) / 4u * 4u;

var<workgroup> row: array<f32, HELD>;

fn take_up(index: u32, thread: u32) {
    workgroupBarrier();
    for (var c = thread; c < HELD; c += THREADS) {
        row[c] = 0.0;
        if c < WIDTH {
            row[c] = out[index * WIDTH + c];
        }
    }
    workgroupBarrier();
}

fn put_down(index: u32, thread: u32) {
    for (var c = thread; c < WIDTH; c += THREADS) {
        out[index * WIDTH + c] = row[c];
    }
}

// Layer norm with the biased variance; `norm` holds the gain, then the bias.
fn normalize(eps: f32, thread: u32) {
    var sum = 0.0;
    for (var c = thread; c < WIDTH; c += THREADS) {
        sum += row[c];
    }
    let mean = total(sum, thread) / f32(WIDTH);
    var squares = 0.0;
    for (var c = thread; c < WIDTH; c += THREADS) {
        let off = row[c] - mean;
        squares += off * off;
    }
    let scale = 1.0 / sqrt(total(squares, thread) / f32(WIDTH) + eps);
    for (var c = thread; c < WIDTH; c += THREADS) {
        row[c] = (row[c] - mean) * scale * norm[c] + norm[WIDTH + c];
    }
    workgroupBarrier();
}
