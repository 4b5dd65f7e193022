//! The two timers that rows of formats 1 to 3 know.

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::timers::{TimerKey, Timers};

/// Timers as formats 1 to 3 have them.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct TwoTimers {
    cart_left: Option<UnixMillis>,
    stage: Option<UnixMillis>,
}

impl TwoTimers {
    /// None where there are others.
    pub(crate) fn of(timers: &Timers) -> Option<Self> {
        let known = |key: &TimerKey| *key == TimerKey::CART_LEFT || *key == TimerKey::STAGE;
        let all = timers.iter().all(|(key, _)| known(key));
        all.then(|| Self { cart_left: timers.due(&TimerKey::CART_LEFT), stage: timers.due(&TimerKey::STAGE) })
    }
}

impl From<TwoTimers> for Timers {
    fn from(two: TwoTimers) -> Self {
        let mut timers = Self::default();
        timers.restore(TimerKey::CART_LEFT, two.cart_left);
        timers.restore(TimerKey::STAGE, two.stage);
        timers
    }
}
