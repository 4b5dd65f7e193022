//! The models as they were fitted last: immutable, and part of the shop's snapshot.

use endcap_models::churn::Churn;
use endcap_models::purchase::PurchaseScore;
use endcap_models::rfm::RfmCuts;
use endcap_models::value::{BgNbd, Fit, GammaGamma, Model};
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use super::packed::{pack, unpack};

/// Version of the stored form.
const FORMAT: u8 = 1;
/// Days over which churn is told, unless the shop sets others.
pub const CHURN_DAYS: u32 = 90;

/// Fitted models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// When they were fitted; 0 for the prior.
    pub fitted_at: UnixMillis,
    /// The day up to whose end orders counted, since 1970-01-01 in the shop's time zone.
    pub today: i64,
    /// Customers.
    pub customers: u64,
    /// Profiles with orders that could not be read, and count for nothing.
    pub unreadable: u64,
    /// Repeat purchase.
    pub repeat: Fit<BgNbd>,
    /// Order values. None before there are repeat orders.
    pub spend: Option<Fit<GammaGamma>>,
    /// Where RFM's scores begin. None before there are customers.
    pub rfm: Option<RfmCuts>,
    /// Purchase within two weeks. None while there is nothing to learn from.
    pub purchase: Option<PurchaseScore>,
    /// Since when the score of purchase speaks, or declines to.
    pub verdict_since: UnixMillis,
    /// Churn.
    pub churn: Churn,
}

impl Default for Scores {
    fn default() -> Self {
        Self::prior(i64::from(CHURN_DAYS))
    }
}

impl Scores {
    /// What is assumed of a new shop, for spans of churn of so many days.
    #[must_use]
    pub fn prior(churn_days: i64) -> Self {
        let model = BgNbd::prior();
        Self {
            fitted_at: 0,
            today: 0,
            customers: 0,
            unreadable: 0,
            repeat: Fit { model, log_likelihood: 0.0, customers: 0, evaluations: 0, converged: true },
            spend: None,
            rfm: None,
            purchase: None,
            verdict_since: 0,
            churn: Churn::of_model(model, churn_days),
        }
    }

    /// The stored form.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn pack(&self) -> Result<Vec<u8>, DomainError> {
        pack(FORMAT, self)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When it was written by a newer version, or is damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Self, DomainError> {
        let format = bytes.first().copied().unwrap_or_default();
        unpack(FORMAT, bytes).ok_or(DomainError::Format { what: "scores", format })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_gives_the_same_models_and_knows_newer_ones() {
        let scores = Scores::prior(60);
        let mut bytes = scores.pack().unwrap();
        assert_eq!(Scores::unpack(&bytes).unwrap(), scores);
        bytes[0] = 2;
        assert!(matches!(Scores::unpack(&bytes), Err(DomainError::Format { what: "scores", format: 2 })));
        assert!(Scores::unpack(&[]).is_err());
    }
}
