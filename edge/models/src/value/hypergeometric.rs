//! The series of Gauss's hypergeometric function, as far as the models need it.

/// Terms after which the series is given up. With what the models allow (no scale below 0.01 weeks) it ends before.
const MAX_TERMS: u32 = 400_000;
/// Logarithm below which a number is taken for 0.
const LEAST_LOG: f64 = -700.0;

/// `(1 − z)^a · Σ (a)ₙ (b)ₙ / ((c + 1)ₙ₋₁ n!) · zⁿ` over n from 1, for 0 ≤ z < 1, positive a and b, and c above −1: c times what
/// ₂F₁(a, b; c; z) is above 1 (NIST Digital Library of Mathematical Functions, 15.2.1), times `(1 − z)^a`. All terms are
/// positive, so nothing cancels; the power goes into the first term, because either alone may be out of range.
pub(super) fn weighted_series(a: f64, b: f64, c: f64, z: f64) -> f64 {
    if z <= 0.0 {
        return 0.0;
    }
    let mut log_term = a * libm::log1p(-z) + libm::log(a) + libm::log(b) + libm::log(z);
    let (mut term, mut sum) = (0.0, 0.0);
    for n in 1..MAX_TERMS {
        if term == 0.0 && log_term > LEAST_LOG {
            term = libm::exp(log_term);
        }
        sum += term;
        let n = f64::from(n);
        let ratio = (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
        if ratio < 1.0 && term <= f64::EPSILON * sum && (term > 0.0 || log_term < LEAST_LOG) {
            break;
        }
        if term > 0.0 {
            term *= ratio;
        } else {
            log_term += libm::log(ratio);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_closed_forms() {
        for z in [0.0, 0.1, 0.5, 0.9, 0.999] {
            // ₂F₁(1, 1; 2; z) = −ln(1 − z) / z and ₂F₁(a, c; c; z) = (1 − z)^−a: DLMF 15.4.1 and 15.4.6.
            let log = if z == 0.0 { 1.0 } else { -libm::log1p(-z) / z };
            assert!((weighted_series(1.0, 1.0, 2.0, z) - (1.0 - z) * 2.0 * (log - 1.0)).abs() < 1e-12, "{z}");
            let power = libm::pow(1.0 - z, 2.5);
            assert!((weighted_series(2.5, 3.0, 3.0, z) - 3.0 * (1.0 - power)).abs() < 1e-9, "{z}");
        }
    }

    #[test]
    fn powers_out_of_range_do_not_spoil_the_sum() {
        // (1 − z)^a is about e^−9000, and the sum is c (1 − (1 − z)^a).
        assert!((weighted_series(90_000.0, 3.0, 3.0, 0.0951626) - 3.0).abs() < 1e-9);
    }
}
