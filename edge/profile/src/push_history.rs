//! What a profile's row remembers of push messages: when one was decided, what the push service said, what browsers report.

use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;
use endcap_push::{Outcome, Report};

use super::apart::Apart;
use super::bounded::keep_latest;
use super::push_record::PushRecord;
use super::row::ProfileRow;

/// Push messages kept per fragment.
const MAX_PUSHES: usize = 20;

impl ProfileRow {
    /// Push messages of all fragments that were read.
    pub fn pushes(&self) -> impl Iterator<Item = &PushRecord> {
        self.fragments.values().flat_map(|fragment| &fragment.pushes)
    }

    /// When the latest message of a campaign was decided, whether the fragment that remembers it was read or not.
    #[must_use]
    pub fn pushed_at(&self, campaign: &str) -> Option<UnixMillis> {
        let read = self.pushes().filter(|push| push.campaign == campaign).map(|push| push.at);
        read.chain(self.apart.as_ref().and_then(|apart| apart.pushed_at(campaign))).max()
    }

    /// When the latest message of any campaign was decided, whether the fragment that remembers it was read or not.
    #[must_use]
    pub fn last_pushed_at(&self) -> Option<UnixMillis> {
        let read = self.pushes().map(|push| push.at);
        read.chain(self.apart.as_deref().and_then(Apart::last_pushed_at)).max()
    }

    /// The fragment that remembers messages to a subscribed browser: the browser's own. A row of format 1 or 2 may have
    /// another name for it. Then the first fragment remembers, because a message that no fragment remembers would be
    /// decided again and again. None where the row has no fragment.
    #[must_use]
    pub fn remembers_messages_to(&self, browser: &FragmentId) -> Option<FragmentId> {
        let own = self.fragments.contains_key(browser).then_some(browser);
        own.or_else(|| self.fragments.keys().next()).cloned()
    }

    /// Notes that a message was decided, with the fragment whose browser it goes to, or one of them.
    pub fn push_decided(&mut self, to: &FragmentId, message_id: &str, campaign: &str, at: UnixMillis) {
        let Some(fragment) = self.fragments.get_mut(to) else { return };
        fragment.pushes.push(PushRecord {
            message_id: message_id.to_owned(),
            campaign: campaign.to_owned(),
            at,
            outcome: None,
            answered_at: None,
            shown_at: None,
            clicked_at: None,
            closed_at: None,
        });
        keep_latest(&mut fragment.pushes, MAX_PUSHES);
    }

    /// Notes what the push service said. With several browsers the best answer stays: sent once is sent.
    pub fn push_answered(&mut self, message_id: &str, outcome: Outcome, at: UnixMillis) {
        if let Some(push) = self.push_mut(message_id) {
            if push.outcome != Some(Outcome::Sent) {
                push.outcome = Some(outcome);
            }
            push.answered_at = Some(at);
        }
    }

    /// Notes what a browser reported; false when it was known already or is about no message of ours.
    pub fn push_reported(&mut self, message_id: &str, report: Report, at: UnixMillis) -> bool {
        let Some(push) = self.push_mut(message_id) else { return false };
        let slot = match report {
            Report::Shown => &mut push.shown_at,
            Report::Clicked => &mut push.clicked_at,
            Report::Closed => &mut push.closed_at,
        };
        let news = slot.is_none();
        slot.get_or_insert(at);
        news
    }

    fn push_mut(&mut self, message_id: &str) -> Option<&mut PushRecord> {
        let mut all = self.fragments.values_mut().flat_map(|fragment| fragment.pushes.iter_mut().rev());
        all.find(|push| push.message_id == message_id)
    }
}
