//! Taking what browsers report about notifications to the profile that remembers the message.

use endcap_identity::{FragmentId, Purpose};
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::bucket_of;
use endcap_push::ReportBody;
use endcap_validation::{DomainError, read_json};
use worker::{Request, Response};

use super::notification_report::NotificationReport;
use super::object::ProfileShard;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::call;
use crate::rpc::message::Done;

/// Largest report, in bytes.
const MAX_BODY: usize = 4096;
/// Pointers that a report follows; one browser moves no more often than people log in on it.
const MAX_HOPS: u8 = 32;

impl ProfileShard {
    /// `POST {prefix}/n`: a notification was shown, clicked or closed. The report names no source, so no page may read the
    /// answer. Its token names the browser's own fragment, and in messages of earlier versions the profile.
    pub(super) async fn report_route(&self, mut request: Request) -> Result<Response, EdgeError> {
        let unknown = || DomainError::NotFound("notification");
        let report: ReportBody = read_json(&response::body(&mut request, MAX_BODY).await?)?;
        let payload = config(&self.env).keys.verify(Purpose::Notification, &report.token).ok_or_else(unknown)?;
        let (fragment, message_id) = payload.split_once(' ').ok_or_else(unknown)?;
        let fragment = FragmentId::parse(fragment)?;
        let profile_id = fragment.home()?;
        let (message_id, outcome) = (message_id.to_owned(), report.outcome);
        self.reported(NotificationReport { profile_id, fragment, message_id, outcome, hops: 0 }).await?;
        Ok(response::empty(204))
    }

    /// A report that another shard read.
    pub(super) async fn reported_route(&self, report: NotificationReport) -> Result<Response, EdgeError> {
        self.reported(report).await?;
        response::json(&Done {})
    }

    /// Notes a report, wherever the browser's fragment is now.
    async fn reported(&self, report: NotificationReport) -> Result<(), EdgeError> {
        if let Some(shard) = self.elsewhere(bucket_of(report.profile_id.as_str())).await? {
            call::ask(&shard, &report).await?;
            return Ok(());
        }
        let now = clock::now();
        let next = self.store.db.transaction(|| {
            let remembers = Wanted::Mentioning(&report.message_id);
            let Some(mut row) = self.store.load_with(report.profile_id.as_str(), remembers)? else { return Ok(None) };
            row.read_more(&self.store, Wanted::Named(&[report.fragment.clone()].into()))?;
            if row.push_reported(&report.message_id, report.outcome, now) {
                self.store.save(&row)?;
            }
            Ok(row.moved.get(&report.fragment).map(|away| away.to.clone()))
        })?;
        match next {
            Some(profile_id) if report.hops < MAX_HOPS => {
                let hops = report.hops.saturating_add(1);
                Box::pin(self.reported(NotificationReport { profile_id, hops, ..report })).await
            }
            _ => Ok(()),
        }
    }
}
