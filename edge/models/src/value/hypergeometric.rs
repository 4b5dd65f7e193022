//! Gauss's hypergeometric function, as far as the models need it.

/// Terms of the series after which it is given up; with the arguments that occur it ends within a few hundred.
const MOST_TERMS: u32 = 20_000;

/// ₂F₁(a, b; c; z) for 0 ≤ z < 1 and c > 0, by its series (NIST Digital Library of Mathematical Functions, 15.2.1).
pub(super) fn gauss(a: f64, b: f64, c: f64, z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 0..MOST_TERMS {
        let n = f64::from(n);
        term *= (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
        sum += term;
        if term.abs() <= f64::EPSILON * sum.abs() {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_closed_forms() {
        for z in [0.0, 0.1, 0.5, 0.9] {
            // DLMF 15.4.1 and 15.4.6.
            assert!((gauss(1.0, 1.0, 2.0, z) * z + libm::log(1.0 - z)).abs() < 1e-12, "{z}");
            assert!((gauss(2.5, 3.0, 3.0, z) - libm::pow(1.0 - z, -2.5)).abs() < 1e-9, "{z}");
        }
    }
}
