// A tile of `activation(x · weightᵀ + bias) + residual`, by all threads of a workgroup: each has
// four rows and four columns. ROW_GROUPS × LANES threads cover the tile.

struct Params {
    rows: u32,
    // Of `x`, in operands.
    steps: u32,
    outputs: u32,
    // Columns of the weight, in fours.
    panels: u32,
    adds: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> weight: array<Four>;
@group(0) @binding(3) var<storage, read> columns: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

const THREADS = ROW_GROUPS * LANES;
const TILE_ROWS = ROW_GROUPS * 4u;
const TILE_COLUMNS = LANES * 4u;
// Steps that are held at once.
const DEPTH = 16u;

var<workgroup> left: array<Step, DEPTH * TILE_ROWS>;
var<workgroup> right: array<Four, DEPTH * LANES>;

fn tile(first_row: u32, first_panel: u32, thread: u32) {
    let lane = thread % LANES;
    let group = thread / LANES;
    var sums = array<Sum, 4>();
    for (var first = 0u; first < params.steps; first += DEPTH) {
        hold(first_row, first_panel, first, thread);
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth += 1u) {
            let four = right[depth * LANES + lane];
            let at = depth * TILE_ROWS + group * 4u;
            sums[0] = plus_products(sums[0], left[at], four);
            sums[1] = plus_products(sums[1], left[at + 1u], four);
            sums[2] = plus_products(sums[2], left[at + 2u], four);
            sums[3] = plus_products(sums[3], left[at + 3u], four);
        }
        workgroupBarrier();
    }
    let panel = first_panel + lane;
    if panel < params.panels {
        for (var i = 0u; i < 4u; i += 1u) {
            let row = first_row + group * 4u + i;
            if row < params.rows {
                put(row, panel, sums[i]);
            }
        }
    }
}

// Brings the next steps of the tile's rows and columns near; past the edges stands nothing.
fn hold(first_row: u32, first_panel: u32, first: u32, thread: u32) {
    for (var i = thread; i < DEPTH * TILE_ROWS; i += THREADS) {
        let row = first_row + i / DEPTH;
        let step = first + i % DEPTH;
        var got = Step(NOTHING);
        if row < params.rows && step < params.steps {
            got = step_of(row, step);
        }
        left[(i % DEPTH) * TILE_ROWS + i / DEPTH] = got;
    }
    for (var i = thread; i < DEPTH * LANES; i += THREADS) {
        let step = first + i / LANES;
        let panel = first_panel + i % LANES;
        var got = Four(NOTHING);
        if step < params.steps && panel < params.panels {
            got = weight[step * params.panels + panel];
        }
        right[i] = got;
    }
}

fn put(row: u32, panel: u32, sum: Sum) {
    let column = panel * 4u;
    let value = activate(value_of(sum, row, column) + columns[panel]);
    let last = min(4u, params.outputs - column);
    let at = row * params.outputs + column;
    for (var i = 0u; i < last; i += 1u) {
        var one = value[i];
        if params.adds != 0u {
            one += residual[at + i];
        }
        out[at + i] = one;
    }
}
