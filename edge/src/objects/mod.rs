//! Durable Objects: what is stored, and what happens to it in one transaction.
//!
//! An object knows no route and no other object's inside; what they say to each other is in `rpc`.
//!
//! # What is stored
//!
//! A hash of the profile ID spreads profiles over 1,024 fixed buckets (`sdk/protocol/src/bucket.rs`). At first all lie
//! in one shard, or in as many as `ENDCAP_SHARDS` says; later the placement says where each is, which the registry
//! keeps (`objects/shop/registry.rs`). Every row carries its bucket.
//!
//! **Moving buckets** (`PUT /api/shards`, or by itself: `edge/engine/src/layout/growth.rs`).
//! `edge/engine/src/layout/placement.rs` says which bucket moves next, so that the fewest move. The registry records a
//! move and asks the shard that has the bucket until that shard says that all is done. After a crash its alarm goes on.
//! `objects/shard/bucket_transfer.rs` tells the steps: announce, copy while serving, close, open elsewhere with the
//! last changes in one transaction, hand on. An isolate may know a placement that is half a minute old: a shard hands
//! on what comes for a bucket that left. An erasure is not done as long as a bucket moves.
//!
//! `ProfileShard`, thousands of profiles in each object (`objects/shard/table/`):
//!
//! | table | one row is | written |
//! | --- | --- | --- |
//! | `profile` | one profile, packed (postcard behind a format byte) | with each batch |
//! | `event_log` | the events of one batch as they were sent, and what they teach | with each batch; trimmed after `ENDCAP_LOG_DAYS` |
//! | `dedupe_overflow` | up to 512 message IDs of a busy browser | once per some thousand events, for browsers over 1,024 in nine days |
//! | `timer_by_key` | one moment at which to look at a profile again, by what it is for | when it moves earlier, ran, or was postponed |
//! | `subscription` | one browser's push subscription | when it changes |
//! | `membership` | one profile's lifecycle stage | when it changes |
//! | `outbox` | one job: link an identity, move a fragment, send a push message | when it is decided, put off, or done |
//! | `quarantine` | one refused event | when one is refused; removed after 30 days, or when it was taken in again |
//! | `tombstone` | the hash of an erased fragment's name | when somebody is erased |
//! | `refused` | number of refused events of a day, source and reason | with each refused batch; robots and floods at most once a second |
//! | `holding` | the state of a bucket that moved or moves | when it moves |
//! | `meta` | cursors and counts | when learning or trimming moved on, and each minute in which an alarm rings |
//!
//! `Shop` (`objects/shop/`), one object: settings, campaigns, products, webhook mappings, the placement of buckets, the
//! recommendation model in parts of 1 MB, and a cursor for each shard. The object of the same class that is named after the
//! models holds a fit of scores under way. `IdentityGraph` (`objects/graph/store.rs`), one
//! object or several: edges with their verdicts, assignments, reassignments on their way, marks of what has to be
//! finished, tombstones, erasures that go on, and a record of what administrators decided.
//!
//! A packed row holds the profile's *fragments* (one for each browser and login epoch, with dedupe ring, recent events,
//! orders, touchpoints, consent history, behaviour, push records and evidence), forward pointers, stage history and
//! armed timers. Its first byte is the format's version. Formats 1 to 4 are read. Format 3 is written as long as it can
//! say all of a row; format 4 has timers by any key (`edge/profile/src/packed_row.rs`). A reader that meets a newer
//! format answers 500 and leaves the row as it is.
//!
//! Objects of two versions talk to each other while a deployment goes on. A message keeps its path and the names of its
//! members as long as both versions mean the same by it. An object that does not know a message answers `deploying`,
//! which is tried again.
//!
//! A touchpoint keeps what the address and the referrer said. Its channel is computed when somebody looks
//! (`edge/engine/src/channel/`, GA4's default channel group rules), so a rule that changes holds for the past as well.
//!
//! Shards get the shop's configuration as a versioned snapshot (`rpc/snapshots.rs`), which the isolate caches for
//! `ENDCAP_SNAPSHOT_TTL_MS`. If the `Shop` object cannot be reached, the last snapshot serves on.

mod graph;
mod shard;
mod shop;
