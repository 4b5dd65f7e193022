//! A small system of linear equations.

/// Solves `matrix · x = right` for a symmetric positive definite matrix, by Cholesky's method. None where it is none.
#[must_use]
pub fn solve(matrix: &[Vec<f64>], right: &[f64]) -> Option<Vec<f64>> {
    let lower = factor(matrix)?;
    let mut forward: Vec<f64> = Vec::with_capacity(right.len());
    for (row, value) in lower.iter().zip(right) {
        let known: f64 = row.iter().zip(&forward).map(|(factor, x)| factor * x).sum();
        forward.push((value - known) / row.get(forward.len())?);
    }
    let mut solution = vec![0.0; right.len()];
    for at in (0..right.len()).rev() {
        let known: f64 =
            lower.iter().zip(&solution).skip(at + 1).filter_map(|(row, x)| row.get(at).map(|factor| factor * x)).sum();
        *solution.get_mut(at)? = (forward.get(at)? - known) / lower.get(at)?.get(at)?;
    }
    Some(solution)
}

/// The lower triangle L with `L · Lᵀ = matrix`, a row for each row up to its diagonal.
fn factor(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let mut lower: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (at, row) in matrix.iter().enumerate() {
        let mut made: Vec<f64> = Vec::with_capacity(at + 1);
        for (column, value) in row.iter().take(at).enumerate() {
            let other = lower.get(column)?;
            let known: f64 = made.iter().zip(other).map(|(left, right)| left * right).sum();
            made.push((value - known) / other.get(column)?);
        }
        let rest = row.get(at)? - made.iter().map(|value| value * value).sum::<f64>();
        if rest.is_nan() || rest <= 0.0 {
            return None;
        }
        made.push(rest.sqrt());
        lower.push(made);
    }
    Some(lower)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_no_single_answer_has_none() {
        assert_eq!(solve(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[1.0, 1.0]), None);
        assert_eq!(solve(&[vec![f64::NAN]], &[1.0]), None);
        assert_eq!(solve(&[vec![4.0]], &[2.0]), Some(vec![0.5]));
    }

    proptest! {
        #[test]
        fn the_answer_solves_the_equations(rows in proptest::collection::vec(proptest::collection::vec(-5.0f64..5.0, 4), 4)) {
            // Rows times their own transpose, and something on the diagonal: symmetric and positive.
            let matrix: Vec<Vec<f64>> = (0..4).map(|i| (0..4).map(|j| {
                (0..4).map(|k| rows[i][k] * rows[j][k]).sum::<f64>() + f64::from(u8::from(i == j))
            }).collect()).collect();
            let right = [1.0, -2.0, 3.0, 0.5];
            let found = solve(&matrix, &right).unwrap();
            for (row, value) in matrix.iter().zip(right) {
                let product: f64 = row.iter().zip(&found).map(|(factor, x)| factor * x).sum();
                prop_assert!((product - value).abs() < 1e-6, "{product} is {value}");
            }
        }
    }
}
