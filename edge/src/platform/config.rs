//! The deployment's configuration, read once per isolate from variables and secrets.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use endcap_engine::health::configuration::Gap;
use endcap_engine::layout::Layout;
use endcap_engine::layout::growth::{ShardLimits, Sharding};
use endcap_engine::layout::placement::MAX_SHARDS;
use endcap_engine::limit::Rate;
use endcap_events::ingest::bot::BotFilter;
use endcap_events::ingest::consent::Gpc;
use endcap_events::vendor::consent::Categories;
use endcap_events::vendor::keys::ServerKeys;
use endcap_events::webhook::one_or_many::OneOrMany;
use endcap_identity::Keys;
use endcap_identity::partition::MAX_PARTITIONS;
use endcap_identity::possession::IN_FLIGHT_MS;
use endcap_protocol::{DAY_MS, FieldError, UnixMillis};
use endcap_push::VapidKey;
use endcap_push::{Loopback, PublicKey, SecretKey, Subject};
use endcap_validation::DomainError;
use worker::Env;

use super::gaps;
use super::gaps::{NO_PEPPER, Understood};
use super::variable::text;

/// Everything that a deployment can set.
pub(crate) struct Config {
    /// Path below which browser routes lie, without a final slash.
    pub(crate) prefix: String,
    /// How many profile objects there are, and where objects live.
    pub(crate) layout: Layout,
    /// Whether the number of profile objects follows the load.
    pub(crate) sharding: Sharding,
    /// What a profile object may carry before it gets company.
    pub(crate) shard_limits: ShardLimits,
    /// Whether development routes exist.
    pub(crate) dev: bool,
    /// Bearer key of the server API; empty means that the API is closed.
    pub(crate) api_key: String,
    /// Keys that sign cookies and tokens.
    pub(crate) keys: Keys,
    /// Keys of identify proofs.
    pub(crate) identity_secrets: IdentitySecrets,
    /// Secret under which the identity graph hashes identifiers; empty: it keeps them as they are.
    pub(crate) identity_pepper: Vec<u8>,
    /// What is missing or cannot be read.
    pub(crate) gaps: Vec<Gap>,
    /// Web push, where set up.
    pub(crate) vapid: Option<Vapid>,
    /// Secret write keys of servers.
    pub(crate) server_keys: ServerKeys,
    /// Origins by source.
    pub(crate) sources: BTreeMap<String, Vec<String>>,
    /// Secrets of webhook sources; of several, each is believed.
    pub(crate) webhook_secrets: BTreeMap<String, Vec<String>>,
    /// Origin that links of messages lead to, such as `https://shop.example`; None: that of the request for them.
    pub(crate) link_origin: Option<String>,
    /// Age after which a snapshot is asked for again, in milliseconds.
    pub(crate) snapshot_ttl_ms: i64,
    /// How long after an anonymous ID got a new token a request without it is asked to come again, in milliseconds.
    pub(crate) in_flight_ms: i64,
    /// How often shards report what there is to learn, in milliseconds.
    pub(crate) learn_interval_ms: i64,
    /// Bytes of events that wait in a profile's row before they leave for the log; 0: each batch gets a row of the log at once, as
    /// the version before writes it.
    pub(crate) log_tail_bytes: usize,
    /// How long a browser rests before its events leave for the log, in milliseconds.
    pub(crate) log_rest_ms: i64,
    /// Bytes of a profile's row from which on its fragments lie apart, each in a row of its own; 0: they stay in the row as long as
    /// that can be stored, as the version before has them.
    pub(crate) apart_bytes: usize,
    /// Days after which a profile ends whom nobody knows and who ordered nothing; 0: never.
    pub(crate) profile_days: i64,
    /// Days that the event log is kept.
    pub(crate) log_days: i64,
    /// Whether push endpoints on this machine are allowed: tests only.
    pub(crate) loopback: Loopback,
    /// Which senders count as robots.
    pub(crate) bots: BotFilter,
    /// What a browser's Global Privacy Control refuses.
    pub(crate) gpc: Gpc,
    /// What one client address may send to one isolate; None for no bound.
    pub(crate) rate_ip: Option<Rate>,
    /// The same for pixels and redirects, which whole mail providers ask for from few addresses.
    pub(crate) rate_links: Option<Rate>,
    /// The header in which a proxy of the deployment's own says the client's address; None: only Cloudflare says it.
    pub(crate) client_ip_header: Option<String>,
    /// What one source may send to one shard; None for no bound.
    pub(crate) rate_source: Option<Rate>,
    /// By source: the purposes of vendors' consent categories that have the source's own names.
    pub(crate) categories: BTreeMap<String, Categories>,
}

/// Keys of identify proofs.
pub(crate) struct IdentitySecrets {
    /// That of the sources that have none of their own.
    common: [Vec<u8>; 1],
    /// The others' own; of several, each is believed.
    by_source: BTreeMap<String, Vec<Vec<u8>>>,
}

impl IdentitySecrets {
    /// The keys that prove at a source.
    pub(crate) fn of(&self, source: &str) -> &[Vec<u8>] {
        self.by_source.get(source).map_or(&self.common, Vec::as_slice)
    }
}

/// Web push keys.
pub(crate) struct Vapid {
    /// The signing key.
    pub(crate) key: VapidKey,
    /// Whom push services may contact.
    pub(crate) subject: Subject,
    /// The public key as browsers take it.
    pub(crate) public: String,
}

/// Requests that a client may send, unless the deployment sets a rate.
const RATE_IP: Rate = Rate { per_second: 50, burst: 200 };
/// Pixels and redirects that a client may ask for, unless the deployment sets a rate.
const RATE_LINKS: Rate = Rate { per_second: 500, burst: 5000 };
/// Batches that a source may send to a shard, unless the deployment sets a rate.
const RATE_SOURCE: Rate = Rate { per_second: 2000, burst: 8000 };
/// What a profile object may carry before it gets company, unless the deployment says otherwise: half of the 10 GB that the
/// platform allows, and half of the batches a minute that one object does.
const SHARD_MEGABYTES: i64 = 5_000;
const SHARD_BATCHES: i64 = 9_000;
/// Bytes of events, compressed, that wait in a row, unless the deployment says otherwise, and at most.
/// About three browsers: a person of fewer costs one row a batch.
const APART_BYTES: i64 = 32 * 1024;
const MAX_APART_BYTES: i64 = 1024 * 1024;
const LOG_TAIL_BYTES: i64 = 8 * 1024;
const MAX_LOG_TAIL_BYTES: i64 = 256 * 1024;
/// How long a browser rests before its events leave, unless the deployment says otherwise, in milliseconds.
const LOG_REST_MS: i64 = 3_600_000;
/// Days after which an unknown visitor's profile ends, unless the deployment says otherwise: as long as browsers keep a cookie.
const PROFILE_DAYS: i64 = 400;
/// ID of the VAPID key, stored with each subscription.
const VAPID_KEY_ID: &str = "k1";

thread_local! {
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// The configuration of this deployment.
pub(crate) fn config(env: &Env) -> Rc<Config> {
    CONFIG.with(|cell| {
        Rc::clone(cell.get_or_init(|| {
            let mut config = read(env);
            let read = Understood {
                proofs: !config.identity_secrets.by_source.is_empty(),
                keys: !config.keys.is_empty(),
                vapid: config.vapid.is_some(),
            };
            config.gaps = gaps::find(env, read);
            for gap in &config.gaps {
                worker::console_warn!("{}", gap.message());
            }
            Rc::new(config)
        }))
    })
}

fn number(env: &Env, name: &str, default: i64) -> i64 {
    text(env, name).and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn read(env: &Env) -> Config {
    let prefix = text(env, "ENDCAP_PREFIX").unwrap_or_else(|| "/ec".to_owned());
    let shards = text(env, "ENDCAP_SHARDS").and_then(|text| text.parse::<u16>().ok());
    let shards = shards.map(|shards| shards.clamp(1, MAX_SHARDS));
    let flag = |name| text(env, name).is_some_and(|value| value == "1");
    let learn_interval_ms = number(env, "ENDCAP_LEARN_INTERVAL_MS", 60_000).max(100);
    Config {
        prefix: format!("/{}", prefix.trim_matches('/')),
        layout: Layout {
            shards: shards.unwrap_or(1),
            jurisdiction: text(env, "ENDCAP_JURISDICTION"),
            graph_partitions: number(env, "ENDCAP_GRAPH_PARTITIONS", 1).clamp(1, MAX_PARTITIONS.into()) as u16,
        },
        sharding: if shards.is_some() { Sharding::Fixed } else { Sharding::Automatic },
        shard_limits: ShardLimits {
            bytes: number(env, "ENDCAP_SHARD_MEGABYTES", SHARD_MEGABYTES).max(1).unsigned_abs() * 1_000_000,
            batches_per_minute: number(env, "ENDCAP_SHARD_BATCHES", SHARD_BATCHES).max(1).unsigned_abs(),
        },
        dev: flag("ENDCAP_DEV"),
        api_key: text(env, "ENDCAP_API_KEY").unwrap_or_default(),
        keys: Keys::parse(&text(env, "ENDCAP_SIGNING_KEYS").unwrap_or_default()),
        identity_secrets: identity_secrets(env),
        identity_pepper: text(env, "ENDCAP_IDENTITY_PEPPER")
            .filter(|pepper| pepper != NO_PEPPER)
            .unwrap_or_default()
            .into_bytes(),
        gaps: Vec::new(),
        vapid: vapid(env),
        server_keys: ServerKeys::parse(&text(env, "ENDCAP_SERVER_KEYS").unwrap_or_default()),
        sources: text(env, "ENDCAP_SOURCES").and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
        webhook_secrets: secrets_by_source(env, "ENDCAP_WEBHOOK_SECRETS"),
        link_origin: text(env, "ENDCAP_LINK_ORIGIN").map(|origin| origin.trim_end_matches('/').to_owned()),
        in_flight_ms: number(env, "ENDCAP_IN_FLIGHT_MS", IN_FLIGHT_MS).max(0),
        snapshot_ttl_ms: number(env, "ENDCAP_SNAPSHOT_TTL_MS", 30_000).max(0),
        learn_interval_ms,
        log_tail_bytes: number(env, "ENDCAP_LOG_TAIL_BYTES", LOG_TAIL_BYTES).clamp(0, MAX_LOG_TAIL_BYTES) as usize,
        log_rest_ms: number(
            env,
            "ENDCAP_LOG_REST_MS",
            if flag("ENDCAP_DEV") { learn_interval_ms } else { LOG_REST_MS },
        )
        .max(0),
        apart_bytes: number(env, "ENDCAP_APART_BYTES", APART_BYTES).clamp(0, MAX_APART_BYTES) as usize,
        profile_days: number(env, "ENDCAP_PROFILE_DAYS", PROFILE_DAYS).clamp(0, 3650),
        log_days: number(env, "ENDCAP_LOG_DAYS", 90).clamp(1, 3650),
        loopback: if flag("ENDCAP_PUSH_LOOPBACK") { Loopback::Allowed } else { Loopback::Forbidden },
        bots: BotFilter::parse(&text(env, "ENDCAP_BOTS").unwrap_or_default()),
        gpc: Gpc::parse(&text(env, "ENDCAP_GPC").unwrap_or_default()),
        rate_ip: Rate::parse(&text(env, "ENDCAP_RATE_IP").unwrap_or_default(), RATE_IP),
        rate_links: Rate::parse(&text(env, "ENDCAP_RATE_LINKS").unwrap_or_default(), RATE_LINKS),
        client_ip_header: text(env, "ENDCAP_CLIENT_IP_HEADER").filter(|name| is_header_name(name)),
        rate_source: Rate::parse(&text(env, "ENDCAP_RATE_SOURCE").unwrap_or_default(), RATE_SOURCE),
        categories: text(env, "ENDCAP_CONSENT_CATEGORIES")
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default(),
    }
}

/// The keys of proofs.
fn identity_secrets(env: &Env) -> IdentitySecrets {
    IdentitySecrets {
        common: [text(env, "ENDCAP_IDENTITY_SECRET").unwrap_or_default().into_bytes()],
        by_source: secrets_by_source(env, "ENDCAP_IDENTITY_SECRETS")
            .into_iter()
            .map(|(source, secrets)| (source, secrets.into_iter().map(String::into_bytes).collect()))
            .collect(),
    }
}

/// Whether a text can name a header (RFC 9110 §5.1); asking a request for any other fails.
fn is_header_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Reads `{source: secret}` or, while a secret changes, `{source: [secret, secret]}`.
fn secrets_by_source(env: &Env, name: &str) -> BTreeMap<String, Vec<String>> {
    let json = text(env, name).unwrap_or_default();
    let read: BTreeMap<String, OneOrMany<String>> = serde_json::from_str(&json).unwrap_or_default();
    read.into_iter().map(|(source, secrets)| (source, secrets.0)).collect()
}

fn vapid(env: &Env) -> Option<Vapid> {
    let public = text(env, "ENDCAP_VAPID_PUBLIC_KEY")?;
    let secret = SecretKey::parse(&text(env, "ENDCAP_VAPID_PRIVATE_KEY")?).ok()?;
    let key = VapidKey::new(VAPID_KEY_ID, PublicKey::parse(&public).ok()?, secret);
    let subject = Subject::parse(&text(env, "ENDCAP_VAPID_SUBJECT")?).ok()?;
    Some(Vapid { key, subject, public })
}

impl Config {
    /// How long the log of events is kept, in milliseconds.
    pub(crate) fn log_ms(&self) -> UnixMillis {
        self.log_days * DAY_MS
    }

    /// Whether some source lists `origin` by name.
    pub(crate) fn names(&self, origin: &str) -> bool {
        self.sources.values().flatten().any(|listed| listed == origin)
    }

    /// Whether pages of any origin may send to some source.
    pub(crate) fn has_open_source(&self) -> bool {
        self.sources.values().flatten().any(|listed| listed == "*")
    }

    /// Whether `source` lists `origin` by name. `"*"` does not count: it does not say that an origin is the shop's.
    /// None: there is no such source.
    pub(crate) fn lists(&self, source: &str, origin: &str) -> Option<bool> {
        Some(self.sources.get(source)?.iter().any(|listed| listed == origin))
    }

    /// Refuses what is no source, and pages of an origin that may not send to it. A request without an origin comes from no page.
    pub(crate) fn admits(&self, source: &str, origin: Option<&str>) -> Result<(), DomainError> {
        let allowed = self.allows(source, origin.unwrap_or_default()).ok_or_else(|| {
            let hint = "is no source of this deployment; name it in ENDCAP_SOURCES (in development: \
                        `cargo xtask dev --source NAME=ORIGIN`)";
            FieldError::new("source", hint)
        })?;
        match origin {
            Some(origin) if !allowed => Err(DomainError::Forbidden(origin.to_owned())),
            _ => Ok(()),
        }
    }

    /// Whether pages of `origin` may send to `source`. None: there is no such source.
    pub(crate) fn allows(&self, source: &str, origin: &str) -> Option<bool> {
        let origins = self.sources.get(source)?;
        Some(origins.iter().any(|allowed| allowed == origin || allowed == "*"))
    }
}
