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

const FOURS = (HEAD_WIDTH + 3u) / 4u;
const LOWEST = -3.0e38;

var<workgroup> keys: array<vec4<f32>, KEYS * FOURS>;
var<workgroup> values: array<vec4<f32>, KEYS * FOURS>;

// Four columns of a head; part 0 are queries, 1 keys, 2 values.
fn four_of(row: u32, part: u32, head: u32, four: u32) -> vec4<f32> {
    let at = (row * 3u + part) * params.width + head * HEAD_WIDTH + four * 4u;
    var got = vec4(0.0);
    for (var i = 0u; i < min(4u, HEAD_WIDTH - four * 4u); i += 1u) {
        got[i] = qkv[at + i];
    }
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
    var asked = array<vec4<f32>, FOURS>();
    if attends {
        for (var four = 0u; four < FOURS; four += 1u) {
            asked[four] = four_of(query, 0u, head, four) * params.scale;
        }
    }
    var answer = array<vec4<f32>, FOURS>();
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
            if key < end {
                keys[i] = four_of(key, 1u, head, i % FOURS);
                values[i] = four_of(key, 2u, head, i % FOURS);
            }
        }
        workgroupBarrier();
        if attends {
            let count = min(KEYS, end - start);
            var scores = array<f32, KEYS>();
            var top = highest;
            for (var j = 0u; j < count; j += 1u) {
                scores[j] = score(&asked, j, query, start + j, head);
                top = max(top, scores[j]);
            }
            let fade = exp(highest - top);
            weights *= fade;
            for (var four = 0u; four < FOURS; four += 1u) {
                answer[four] *= fade;
            }
            for (var j = 0u; j < count; j += 1u) {
                // A key that is not seen must weigh nothing also where no key was seen yet. A score
                // that is no number is not hidden so.
                let weight = select(exp(scores[j] - top), 0.0, scores[j] == LOWEST);
                weights += weight;
                for (var four = 0u; four < FOURS; four += 1u) {
                    answer[four] = fma(vec4(weight), values[j * FOURS + four], answer[four]);
                }
            }
            highest = top;
        }
    }
    if attends {
        let at = query * params.width + head * HEAD_WIDTH;
        for (var c = 0u; c < HEAD_WIDTH; c += 1u) {
            out[at + c] = answer[c / 4u][c % 4u] / weights;
        }
    }
}

fn score(
    asked: ptr<function, array<vec4<f32>, FOURS>>,
    held: u32,
    query: u32,
    key: u32,
    head: u32,
) -> f32 {
    if max(query, key) - min(query, key) > params.window {
        return LOWEST;
    }
    var sum = vec4(0.0);
    for (var four = 0u; four < FOURS; four += 1u) {
        sum = fma((*asked)[four], keys[held * FOURS + four], sum);
    }
    var all = sum.x + sum.y + sum.z + sum.w;
    if BIASED {
        all += biases[(key + params.reach - query) * HEADS + head];
    }
    return all;
}
