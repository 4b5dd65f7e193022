//! Tables of a profile shard.
//!
//! Every row carries its bucket, so that a shop can split shards later by moving buckets. What has to be queried as a set
//! (timers, subscriptions, stages) is a table written only when it changes; everything else of a profile is packed into
//! one row. `WITHOUT ROWID` tables write one row where others write one more for their index.

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS profile(
  id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS event_log(
  seq INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, fragment_id TEXT NOT NULL, received_at INTEGER NOT NULL,
  body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS dedupe_overflow(
  profile_id TEXT NOT NULL, fragment_id TEXT NOT NULL, day INTEGER NOT NULL, part INTEGER NOT NULL,
  bucket INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY(profile_id, fragment_id, day, part)) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS timer(
  due INTEGER NOT NULL, profile_id TEXT NOT NULL, kind INTEGER NOT NULL, bucket INTEGER NOT NULL,
  PRIMARY KEY(due, profile_id, kind)) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS subscription(
  profile_id TEXT NOT NULL, endpoint TEXT NOT NULL, bucket INTEGER NOT NULL, fragment_id TEXT NOT NULL,
  p256dh TEXT NOT NULL, auth TEXT NOT NULL, key_id TEXT NOT NULL, origin TEXT NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY(profile_id, endpoint)) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS membership(
  profile_id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, stage TEXT NOT NULL, since INTEGER NOT NULL)
  WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS outbox(
  id TEXT PRIMARY KEY, profile_id TEXT NOT NULL, bucket INTEGER NOT NULL, due INTEGER NOT NULL,
  attempts INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS quarantine(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, bucket INTEGER NOT NULL, received_at INTEGER NOT NULL,
  source TEXT NOT NULL, code TEXT NOT NULL, route TEXT NOT NULL, event TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS refused(
  day INTEGER NOT NULL, source TEXT NOT NULL, code TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY(day, source, code, bucket)) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS tombstone(
  hash TEXT PRIMARY KEY, bucket INTEGER NOT NULL, holds_until INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS holding(
  bucket INTEGER PRIMARY KEY, state TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;";

/// Columns that had other names before fragments had names of their own: table, column, name now.
pub(super) const RENAMED: [(&str, &str, &str); 3] = [
    ("event_log", "profile_id", "ALTER TABLE event_log RENAME COLUMN profile_id TO fragment_id"),
    ("dedupe_overflow", "anonymous_id", "ALTER TABLE dedupe_overflow RENAME COLUMN anonymous_id TO fragment_id"),
    ("subscription", "anonymous_id", "ALTER TABLE subscription RENAME COLUMN anonymous_id TO fragment_id"),
];
