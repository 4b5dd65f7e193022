//! The one list of tables. Schema, transfer of buckets, erasure, export and the tests' search go by it.

use std::collections::BTreeSet;

use endcap_validation::DomainError;
use serde_json::{Value, json};

use super::contract::{Access, Erasure, Table, Transfer, Upgrade};
use super::dedupe_overflow::DedupeOverflowTable;
use super::event_log::EventLogTable;
use super::fragment::FragmentTable;
use super::holding::HoldingTable;
use super::membership::MembershipTable;
use super::meta::MetaTable;
use super::outbox::OutboxTable;
use super::parked_job::ParkedJobTable;
use super::profile::ProfileTable;
use super::quarantine::QuarantineTable;
use super::refused::RefusedTable;
use super::segment_day::SegmentDayTable;
use super::segment_fill::SegmentFillTable;
use super::segment_member::SegmentMemberTable;
use super::subscription::SubscriptionTable;
use super::timer::TimerTable;
use super::tombstone::TombstoneTable;
use super::warning::WarningTable;
use crate::platform::db::Db;
use crate::platform::error::EdgeError;

/// Every table. Erasure goes in this order: tombstones come first, so that no fragment on its way brings back rows that
/// a later table deletes.
pub(crate) const TABLES: [&dyn Table; 18] = [
    &TombstoneTable,
    &OutboxTable,
    &ParkedJobTable,
    &QuarantineTable,
    &EventLogTable,
    &ProfileTable,
    &FragmentTable,
    &DedupeOverflowTable,
    &TimerTable,
    &SubscriptionTable,
    &MembershipTable,
    &SegmentMemberTable,
    &SegmentDayTable,
    &SegmentFillTable,
    &RefusedTable,
    &WarningTable,
    &HoldingTable,
    &MetaTable,
];

/// Makes the tables, and brings rows of earlier forms up to date.
pub(crate) fn make(db: &Db) -> Result<(), EdgeError> {
    for table in TABLES {
        db.run(table.schema(), Vec::new())?;
    }
    TABLES.into_iter().try_for_each(|table| upgrade(db, table))
}

fn upgrade(db: &Db, table: &dyn Table) -> Result<(), EdgeError> {
    match table.upgrade() {
        Upgrade::None => Ok(()),
        Upgrade::RenamedColumn { from, rename } => {
            let query = "SELECT 1 FROM pragma_table_info(?) WHERE name = ?";
            let old = db.first(query, vec![table.name().into(), from.into()])?;
            old.map_or(Ok(()), |_| db.run(rename, Vec::new()))
        }
        Upgrade::OtherTable { name, take_over } => {
            let query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
            if db.first(query, vec![name.into()])?.is_none() {
                return Ok(());
            }
            db.transaction(|| take_over.iter().try_for_each(|statement| db.run(statement, Vec::new())))
        }
    }
}

/// Refuses a database that has other tables than the list.
pub(crate) fn check(db: &Db) -> Result<(), EdgeError> {
    let listed: BTreeSet<&str> = TABLES.iter().map(|table| table.name()).collect();
    let found = db.tables()?;
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    if listed == found {
        return Ok(());
    }
    let other: Vec<&&str> = listed.symmetric_difference(&found).collect();
    Err(DomainError::Internal(format!("tables that are not both listed and there: {other:?}")).into())
}

/// What is said about every table, for people.
pub(crate) fn rules() -> Value {
    let rules = TABLES.into_iter().map(|table| {
        let transfer = match table.transfer() {
            Transfer::WithProfile(_) => "goes with its profile".to_owned(),
            Transfer::WithBucket(_) => "goes with its bucket".to_owned(),
            Transfer::Copied { .. } => "is copied to a shard that had nothing before".to_owned(),
            Transfer::Stays(why) => format!("stays: {why}"),
        };
        let erasure = match table.erasure() {
            Erasure::Found(_) => "the table finds what is about the person".to_owned(),
            Erasure::Beside(_) => "is taken out with its profile".to_owned(),
            Erasure::PackedRow => "the person's fragments are taken out of it".to_owned(),
            Erasure::NothingPersonal(why) => format!("holds nothing of a person: {why}"),
        };
        let access = match table.access() {
            Access::Shown(_) => "is shown in the export".to_owned(),
            Access::Paged(route) => format!("is shown page by page: {route}"),
            Access::NotShown(why) => format!("is not shown: {why}"),
        };
        (table.name().to_owned(), json!({"transfer": transfer, "erasure": erasure, "access": access}))
    });
    Value::Object(rules.collect())
}
