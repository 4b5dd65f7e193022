//! The one state of the page's core.

use std::cell::RefCell;

use endcap_protocol::Consent;
use endcap_protocol::cookie::Identity;

use crate::decisions::Decisions;
use crate::sender::Sender;

/// Everything the core knows.
#[derive(Default)]
pub(crate) struct App {
    /// None while the visitor has not decided.
    pub(crate) consent: Option<Consent>,
    /// Who this browser is; None before consent.
    pub(crate) identity: Option<Identity>,
    /// The text of the session, where storage is refused.
    pub(crate) session: String,
    /// When events are sent.
    pub(crate) sender: Sender,
    /// What the edge decided and the visitor did since.
    pub(crate) decisions: Decisions,
}

impl App {
    /// Whether what the visitor does may be kept and sent.
    pub(crate) fn may_track(&self) -> bool {
        self.consent.is_some_and(|consent| consent.analytics)
    }

    /// Whether what is shown may depend on what the visitor did.
    pub(crate) fn may_personalize(&self) -> bool {
        self.may_track() && self.consent.is_some_and(|consent| consent.personalization)
    }
}

thread_local! {
    static APP: RefCell<Option<App>> = const { RefCell::new(None) };
}

/// Does one piece of work with the state. None where it is in use, which `sdk/js/turn.js` rules out.
pub(crate) fn with<R>(work: impl FnOnce(&mut App) -> R) -> Option<R> {
    APP.with(|app| Some(work(app.try_borrow_mut().ok()?.get_or_insert_default())))
}
