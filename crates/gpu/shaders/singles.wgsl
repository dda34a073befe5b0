// Operands of a product: singles. A step is one column.

alias X = f32;
alias Step = f32;
alias Four = vec4<f32>;
alias Sum = vec4<f32>;
alias NearSum = Sum;

const NOTHING = 0.0;

fn step_of(row: u32, step: u32) -> Step {
    return x[row * params.steps + step];
}

fn begun_sum(sum: Sum) -> NearSum {
    return sum;
}

fn plus_products(near: NearSum, left: Step, right: Four) -> NearSum {
    return fma(Sum(left), right, near);
}

fn joined_sum(sum: Sum, near: NearSum) -> Sum {
    return near;
}

fn value_of(sum: Sum, row: u32, column: u32) -> vec4<f32> {
    return sum;
}
