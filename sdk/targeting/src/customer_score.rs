//! What conditions ask of a customer that models tell: scores, and groups.

use crate::fact_names::facts;

facts! {
    /// A score of a customer, as of the latest fit. Probabilities are in percent. None has one before the first fit, and who has no
    /// order has none.
    ScoreNumber {
        /// Stars for a purchase within two weeks, 1 to 5; nobody has them while that score declines to speak.
        Stars "stars",
        /// The probability that they order nothing within the shop's span of churn.
        ChurnRisk "churn_risk",
        /// The probability that they are still a customer.
        Alive "alive",
        /// Orders to expect within 52 weeks.
        ExpectedOrders "expected_orders",
        /// What they are expected to bring within 52 weeks, in minor units of the shop's currency.
        LifetimeValue "lifetime_value",
        /// RFM's score by how lately they bought, 1 to 5.
        Recency "rfm_recency",
        /// RFM's score by how often, 1 to 5.
        Frequency "rfm_frequency",
        /// RFM's score by how much, 1 to 5.
        Monetary "rfm_monetary",
    }
}

facts! {
    /// A model that puts each customer into one of its groups.
    GroupModel {
        /// RFM's eleven groups, as of the latest fit.
        Rfm "rfm_group",
        /// New and repeat buyers, within the shop's window or before it.
        Napl "napl",
    }
}

impl GroupModel {
    /// The names of its groups.
    #[must_use]
    pub fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Rfm => &[
                "champions",
                "loyal",
                "potential_loyalist",
                "new",
                "promising",
                "need_attention",
                "about_to_sleep",
                "at_risk",
                "cant_lose",
                "hibernating",
                "lost",
            ],
            Self::Napl => &["N", "A", "P", "L"],
        }
    }

    /// The group of a name, in capitals or small letters.
    #[must_use]
    pub fn group(self, name: &str) -> Option<&'static str> {
        self.groups().iter().copied().find(|group| group.eq_ignore_ascii_case(name))
    }
}
