// Operands of a product: singles. A step is one column.

alias X = f32;
alias Step = f32;
alias Four = vec4<f32>;
alias Sum = vec4<f32>;

const STEP_COLUMNS = 1u;
const NOTHING = 0.0;

fn step_of(row: u32, step: u32) -> Step {
    return x[row * params.steps + step];
}

fn plus_products(sum: Sum, left: Step, right: Four) -> Sum {
    return fma(Sum(left), right, sum);
}

fn value_of(sum: Sum, row: u32, column: u32) -> vec4<f32> {
    return sum;
}
