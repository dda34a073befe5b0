// A tile of `activation(x · weightᵀ + bias) + residual`, by all threads of a workgroup.
// ROW_GROUPS × LANES threads cover the tile; each has ROW_FOURS × 4 rows and FOURS × 4 columns.

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
const ROWS_HELD = ROW_GROUPS * ROW_FOURS;
const TILE_ROWS = ROWS_HELD * 4u;
const TILE_PANELS = LANES * FOURS;

// The steps at hand of the tile's rows, four rows side by side, and of its columns.
var<workgroup> left: array<Four, DEPTH * ROWS_HELD>;
var<workgroup> right: array<Four, DEPTH * TILE_PANELS>;

// Four rows by four columns.
struct Block {
    a: Sum,
    b: Sum,
    c: Sum,
    d: Sum,
}

// The same while a few steps are summed.
struct Near {
    a: NearSum,
    b: NearSum,
    c: NearSum,
    d: NearSum,
}

fn tile(first_row: u32, first_panel: u32, thread: u32) {
    let lane = thread % LANES;
    let group = thread / LANES;
    // each r of ROW_FOURS
    // each f of FOURS
    var sums_#r_#f = Block();
    // end
    // end
    for (var first = 0u; first < params.steps; first += DEPTH) {
        hold(first_row, first_panel, first, thread);
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth += STEPS) {
            // each r of ROW_FOURS
            // each f of FOURS
            var near_#r_#f = begun(sums_#r_#f);
            // end
            // end
            // each d of STEPS
            {
                let at = depth + #du;
                // each f of FOURS
                let four_#f = right[at * TILE_PANELS + #fu * LANES + lane];
                // end
                // each r of ROW_FOURS
                let rows_#r = left[place(at, #ru * ROW_GROUPS + group)];
                // each f of FOURS
                near_#r_#f = plus_step(near_#r_#f, rows_#r, four_#f);
                // end
                // end
            }
            // end
            // each r of ROW_FOURS
            // each f of FOURS
            sums_#r_#f = joined(sums_#r_#f, near_#r_#f);
            // end
            // end
        }
        workgroupBarrier();
    }
    // each r of ROW_FOURS
    // each f of FOURS
    put_block(first_row + (#ru * ROW_GROUPS + group) * 4u, first_panel + #fu * LANES + lane, sums_#r_#f);
    // end
    // end
}

fn plus_step(near: Near, rows: Four, four: Four) -> Near {
    return Near(
        plus_products(near.a, rows.x, four),
        plus_products(near.b, rows.y, four),
        plus_products(near.c, rows.z, four),
        plus_products(near.d, rows.w, four),
    );
}

fn begun(sums: Block) -> Near {
    return Near(begun_sum(sums.a), begun_sum(sums.b), begun_sum(sums.c), begun_sum(sums.d));
}

fn joined(sums: Block, near: Near) -> Block {
    return Block(
        joined_sum(sums.a, near.a),
        joined_sum(sums.b, near.b),
        joined_sum(sums.c, near.c),
        joined_sum(sums.d, near.d),
    );
}

// Where four rows of a step are held: threads that bring steps of the same rows write to all banks.
fn place(step: u32, rows: u32) -> u32 {
    return step * ROWS_HELD + (rows ^ (step % ROWS_HELD));
}

// Brings the next steps of the tile's rows and columns near; past the edges stands nothing.
fn hold(first_row: u32, first_panel: u32, first: u32, thread: u32) {
    for (var i = thread; i < DEPTH * ROWS_HELD; i += LEFT_AT_ONCE * THREADS) {
        // each p of LEFT_AT_ONCE
        hold_rows(i + #pu * THREADS, first_row, first);
        // end
    }
    for (var i = thread; i < DEPTH * TILE_PANELS; i += RIGHT_AT_ONCE * THREADS) {
        // each p of RIGHT_AT_ONCE
        hold_panel(i + #pu * THREADS, first_panel, first);
        // end
    }
}

fn hold_rows(i: u32, first_row: u32, first: u32) {
    let rows = i / DEPTH;
    let row = first_row + rows * 4u;
    let step = first + i % DEPTH;
    left[place(i % DEPTH, rows)] = Four(
        held(row, step),
        held(row + 1u, step),
        held(row + 2u, step),
        held(row + 3u, step),
    );
}

fn held(row: u32, step: u32) -> Step {
    if row < params.rows && step < params.steps {
        return step_of(row, step);
    }
    return Step(NOTHING);
}

fn hold_panel(i: u32, first_panel: u32, first: u32) {
    let step = first + i / TILE_PANELS;
    let panel = first_panel + i % TILE_PANELS;
    var got = Four(NOTHING);
    if step < params.steps && panel < params.panels {
        got = weight[step * params.panels + panel];
    }
    right[i] = got;
}

fn put_block(row: u32, panel: u32, sums: Block) {
    put(row, panel, sums.a);
    put(row + 1u, panel, sums.b);
    put(row + 2u, panel, sums.c);
    put(row + 3u, panel, sums.d);
}

fn put(row: u32, panel: u32, sum: Sum) {
    if row >= params.rows || panel >= params.panels {
        return;
    }
    let column = panel * 4u;
    let value = activate(value_of(sum, row, column) + columns[panel]);
    // each i of 4
    put_one(row, column + #iu, value[#i]);
    // end
}

fn put_one(row: u32, column: u32, value: f32) {
    // The last four columns may be fewer.
    if column < params.outputs {
        let at = row * params.outputs + column;
        if params.adds != 0u {
            out[at] = value + residual[at];
        } else {
            out[at] = value;
        }
    }
}
