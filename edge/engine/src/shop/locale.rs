//! Where a shop is: its currency and its clocks.

use endcap_protocol::commerce::DEFAULT_CURRENCY;

use super::calendar::Calendar;

/// What events are read by: where the shop is.
#[derive(Debug, Clone)]
pub struct ShopLocale {
    /// The shop's currency: amounts in others are not compared.
    pub currency: [u8; 3],
    /// Its days and hours.
    pub calendar: Calendar,
}

impl Default for ShopLocale {
    fn default() -> Self {
        Self { currency: DEFAULT_CURRENCY, calendar: Calendar::default() }
    }
}
