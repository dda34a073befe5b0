// The function between two linear layers; ACTIVATION says which.

// Within 4e-7; the same fit as the kernels'.
fn erf(value: vec4<f32>) -> vec4<f32> {
    let x = clamp(value, vec4(-3.925), vec4(3.925));
    let t = x * x;
    var p = fma(vec4(2.0460463e-6), t, vec4(2.8483922e-4));
    p = fma(p, t, vec4(0.003772391));
    p = fma(p, t, vec4(0.052768808));
    p = fma(p, t, vec4(0.19059016));
    p = fma(p, t, vec4(1.1283792));
    var q = fma(vec4(3.8047743e-5), t, vec4(0.0011638177));
    q = fma(q, t, vec4(0.014982881));
    q = fma(q, t, vec4(0.11418122));
    q = fma(q, t, vec4(0.5022389));
    q = fma(q, t, vec4(1.0));
    return clamp(x * p / q, vec4(-1.0), vec4(1.0));
}

// Past 9 the nearest single is 1, and no exponential overflows.
fn bounded_tanh(value: vec4<f32>) -> vec4<f32> {
    return tanh(clamp(value, vec4(-9.0), vec4(9.0)));
}

// What is no number stays so: else the answer would be wrong, and look right.
fn activate(x: vec4<f32>) -> vec4<f32> {
    let size = bitcast<vec4<u32>>(x) & vec4(0x7fffffffu);
    return select(activated(x), x, size > vec4(0x7f800000u));
}

fn activated(x: vec4<f32>) -> vec4<f32> {
    switch ACTIVATION {
        case 1u: {
            return 0.5 * x * (1.0 + erf(x * 0.70710678));
        }
        case 2u: {
            return 0.5 * x * (1.0 + bounded_tanh(0.79788456 * (x + 0.044715 * x * x * x)));
        }
        case 3u: {
            return max(x, vec4(0.0));
        }
        case 4u: {
            return x / (1.0 + exp(min(-x, vec4(88.0))));
        }
        case 5u: {
            return bounded_tanh(x);
        }
        default: {
            return x;
        }
    }
}
