// Every token attends to its own text. A workgroup has one head and some queries of one text, a
// query for each thread; keys and values pass by a few at a time, and no score is kept.

struct Params {
    // Of queries, and of keys, and of values.
    width: u32,
    scale: f32,
    // Keys further away are not seen.
    window: u32,
    // The largest distance that the biases know.
    reach: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
// The first row of the text, the row behind its last, the first query.
@group(0) @binding(2) var<storage, read> pieces: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> biases: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const LOWEST = -3.0e38;

var<workgroup> keys: array<vec4<f32>, KEYS * FOURS>;
var<workgroup> values: array<vec4<f32>, KEYS * FOURS>;

// Four columns of a head; part 0 are queries, 1 keys, 2 values.
fn four_of(row: u32, part: u32, head: u32, four: u32) -> vec4<f32> {
    let at = (row * 3u + part) * params.width + head * HEAD_WIDTH + four * 4u;
    var got = vec4(0.0);
    // each i of 4
    if four * 4u + #iu < HEAD_WIDTH {
        got[#i] = qkv[at + #iu];
    }
    // end
    return got;
}

@compute @workgroup_size(QUERIES)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let piece = pieces[workgroup.x];
    let head = workgroup.y;
    let query = piece.z + thread;
    let attends = query < piece.y;
    // each c of FOURS
    var asked_#c = vec4(0.0);
    var answer_#c = vec4(0.0);
    if attends {
        asked_#c = four_of(query, 0u, head, #cu) * params.scale;
    }
    // end
    var highest = LOWEST;
    var weights = 0.0;
    // What the first query sees first, and behind what the last one sees last.
    let first = piece.z - min(piece.z - piece.x, params.window);
    let seen = min(piece.z + QUERIES - 1u, piece.y - 1u);
    let end = seen + min(piece.y - 1u - seen, params.window) + 1u;
    for (var start = first; start < end; start += KEYS) {
        workgroupBarrier();
        for (var i = thread; i < KEYS * FOURS; i += QUERIES) {
            let key = start + i / FOURS;
            keys[i] = vec4(0.0);
            values[i] = vec4(0.0);
            if key < end {
                keys[i] = four_of(key, 1u, head, i % FOURS);
                values[i] = four_of(key, 2u, head, i % FOURS);
            }
        }
        workgroupBarrier();
        for (var held = 0u; held < KEYS; held += 4u) {
            let key = start + held;
            var top = highest;
            // each j of 4
            var score_#j = LOWEST;
            if is_seen(query, key + #ju, end) {
                var sum = vec4(0.0);
                // each c of FOURS
                sum = fma(asked_#c, keys[(held + #ju) * FOURS + #cu], sum);
                // end
                score_#j = biased(sum.x + sum.y + sum.z + sum.w, query, key + #ju, head);
            }
            top = max(top, score_#j);
            // end
            let fade = exp(highest - top);
            highest = top;
            weights *= fade;
            // each c of FOURS
            answer_#c *= fade;
            // end
            // each j of 4
            // A key that is not seen must weigh nothing also where no key was seen yet. A score that
            // is no number is not hidden so.
            let weight_#j = select(exp(score_#j - top), 0.0, score_#j == LOWEST);
            weights += weight_#j;
            // each c of FOURS
            answer_#c = fma(vec4(weight_#j), values[(held + #ju) * FOURS + #cu], answer_#c);
            // end
            // end
        }
    }
    if attends {
        let at = query * params.width + head * HEAD_WIDTH;
        // each c of FOURS
        // each i of 4
        if #cu * 4u + #iu < HEAD_WIDTH {
            out[at + #cu * 4u + #iu] = answer_#c[#i] / weights;
        }
        // end
        // end
    }
}

fn is_seen(query: u32, key: u32, end: u32) -> bool {
    return key < end && max(query, key) - min(query, key) <= params.window;
}

fn biased(score: f32, query: u32, key: u32, head: u32) -> f32 {
    if BIASED {
        return score + biases[(key + params.reach - query) * HEADS + head];
    }
    return score;
}
