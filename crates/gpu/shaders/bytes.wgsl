// Operands of a product: bytes, whose sums are exact. A step is four columns. Behind the bytes of a
// row stands its scale, behind the biases stand the outputs' scales.

alias X = u32;
alias Step = u32;
alias Four = vec4<u32>;
alias Sum = vec4<i32>;
alias NearSum = Sum;

const NOTHING = 0u;

fn step_of(row: u32, step: u32) -> Step {
    return x[row * (params.steps + 1u) + step];
}

fn begun_sum(sum: Sum) -> NearSum {
    return sum;
}

fn plus_products(near: NearSum, left: Step, right: Four) -> NearSum {
    return near + Sum(
        dot4I8Packed(left, right.x),
        dot4I8Packed(left, right.y),
        dot4I8Packed(left, right.z),
        dot4I8Packed(left, right.w),
    );
}

fn joined_sum(sum: Sum, near: NearSum) -> Sum {
    return near;
}

fn value_of(sum: Sum, row: u32, column: u32) -> vec4<f32> {
    let scale = bitcast<f32>(x[row * (params.steps + 1u) + params.steps]);
    return vec4<f32>(sum) * scale * columns[(params.panels * 4u + column) / 4u];
}
