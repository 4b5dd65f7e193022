//! Whether a probability means what it says.

/// Bins of equal width.
const BINS: usize = 10;

/// The expected calibration error: people are sorted into ten bins of equal width by their probability; it is the mean, over
/// people, of how far the mean probability of their bin is from how often it came true there (Naeini, Cooper and
/// Hauskrecht, AAAI 2015). None without people.
#[must_use]
pub fn calibration_error(probabilities: &[f64], came_true: &[bool]) -> Option<f64> {
    let mut bins = [(0.0, 0.0); BINS];
    for (probability, it) in probabilities.iter().zip(came_true) {
        let at = ((probability * BINS as f64) as usize).min(BINS - 1);
        if let Some((promised, observed)) = bins.get_mut(at) {
            *promised += probability;
            *observed += f64::from(u8::from(*it));
        }
    }
    let off: f64 = bins.iter().map(|(promised, observed)| (promised - observed).abs()).sum();
    (!came_true.is_empty()).then(|| off / came_true.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_true_as_often_as_promised_has_no_error() {
        let came_true = [true, false, false, false];
        assert_eq!(calibration_error(&[0.25; 4], &came_true), Some(0.0));
        assert_eq!(calibration_error(&[0.75; 4], &came_true), Some(0.5));
        assert_eq!(calibration_error(&[1.0], &[true]), Some(0.0));
        assert_eq!(calibration_error(&[], &[]), None);
    }

    #[test]
    fn bins_do_not_make_up_for_each_other() {
        assert_eq!(calibration_error(&[0.9, 0.1], &[false, true]), Some(0.9));
    }
}
