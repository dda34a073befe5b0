// Operands of a product: halves. A step is one column. A few products are summed in halves, as fast
// as they are made, and these sums in singles, so that a long row loses no more than a short one.

alias X = f32;
alias Step = f16;
alias Four = vec4<f16>;
alias Sum = vec4<f32>;
alias NearSum = vec4<f16>;

const NOTHING = 0.0h;

fn step_of(row: u32, step: u32) -> Step {
    return f16(x[row * params.steps + step]);
}

fn begun_sum(sum: Sum) -> NearSum {
    return NearSum(NOTHING);
}

fn plus_products(near: NearSum, left: Step, right: Four) -> NearSum {
    return fma(NearSum(left), right, near);
}

fn joined_sum(sum: Sum, near: NearSum) -> Sum {
    return sum + Sum(near);
}

fn value_of(sum: Sum, row: u32, column: u32) -> vec4<f32> {
    return sum;
}
