//! What the shop configures, and where its data is.

use endcap_api::Operation;
use serde_json::Value;

use super::builder::{Builder, LARGE, Text, WRONG};

const NO_CAMPAIGN: (&str, &str) = ("404", "There is no such campaign.");
const NO_PRODUCT: (&str, &str) = ("404", "There is no such product.");
const NO_WEBHOOK: (&str, &str) = ("404", "There is no such webhook source.");
const GONE: (&str, &str) = ("204", "It was deleted.");

/// Summary, status and description of the answer, errors of its own.
type Row = (&'static str, (&'static str, &'static str), &'static [(&'static str, &'static str)]);

/// The description of an operation of configuration.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    let (summary, answer, errors): Row = match operation {
        Operation::GetProducts => ("The catalogue", ("200", "The catalogue, in the shop's order."), &[]),
        Operation::PutProducts => {
            ("Add or replace products", ("200", "They were saved, all of them."), &[WRONG, LARGE])
        }
        Operation::DeleteProduct => ("Delete a product", GONE, &[WRONG, NO_PRODUCT]),
        Operation::GetSettings => ("The settings", ("200", "The settings."), &[]),
        Operation::PutSettings => {
            let saved = "The settings as saved; what was left out has its default.";
            ("Replace the settings", ("200", saved), &[WRONG, LARGE])
        }
        Operation::GetCampaigns => ("All campaigns", ("200", "The campaigns."), &[]),
        Operation::GetCampaign => ("One campaign", ("200", "The campaign."), &[WRONG, NO_CAMPAIGN]),
        Operation::PutCampaign => ("Add or replace a campaign", ("200", "The campaign as saved."), &[WRONG, LARGE]),
        Operation::DeleteCampaign => ("Delete a campaign", GONE, &[WRONG, NO_CAMPAIGN]),
        Operation::GetShards => ("Where profiles are", ("200", "How far the change has come."), &[]),
        Operation::PutShards => {
            let begun = "Buckets begin to move; ask again until none remains.";
            ("Spread profiles over another number of shards", ("200", begun), &[WRONG, LARGE])
        }
        Operation::GetHealth => {
            let health = "Every object's figures, and what of them needs a person.";
            ("How the deployment is", ("200", health), &[])
        }
        Operation::GetTimers => ("How timers are", ("200", "Timers over all shards, as of now."), &[]),
        Operation::GetScores => {
            let scores = "The models as they were fitted last, and a fit under way.";
            ("How the scores of customers are", ("200", scores), &[])
        }
        Operation::FitScores => {
            let begun = "A fit begins, or goes on; ask again until none is under way.";
            ("Fit the scores to the shop's orders at once", ("200", begun), &[])
        }
        Operation::GetParkedJobs => {
            let jobs = "How many there are, and the first 200 of them.";
            ("Jobs that failed too often and are tried no more", ("200", jobs), &[])
        }
        Operation::RetryJobs => {
            let retried = "How many are being tried again.";
            ("Try parked jobs again", ("200", retried), &[WRONG, LARGE])
        }
        Operation::GetWebhooks => ("All webhook sources", ("200", "The webhook sources."), &[]),
        Operation::GetWebhook => ("One webhook source", ("200", "The mapping, with its source."), &[WRONG, NO_WEBHOOK]),
        Operation::PutWebhook => {
            ("Add or replace a webhook source's mapping", ("200", "The mapping as saved."), &[WRONG, LARGE])
        }
        Operation::DeleteWebhook => ("Delete a webhook source's mapping", GONE, &[WRONG, NO_WEBHOOK]),
        // Only operations of configuration come here.
        _ => ("", ("200", ""), &[]),
    };
    doc.operation(operation, &Text { summary, answer, errors })
}
