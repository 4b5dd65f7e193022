//! A browser's request, besides its body.

use endcap_engine::limit;
use endcap_events::ingest::sender::{LanguageTag, Sender};
use endcap_events::ingest::user_agent::UserAgent;
use endcap_identity::possession::client_number;
use endcap_identity::possession_token::HeldTokens;
use endcap_identity::{Keys, Purpose};
use endcap_protocol::AnonymousId;
use endcap_protocol::cookie::{ID_COOKIE, ROUTE_COOKIE};
use worker::Response;
use worker::web_sys::Request as RawRequest;

use crate::platform::client_address;
use crate::platform::client_place;
use crate::platform::config::Config;
use crate::platform::cookie::{cookie, possession_cookie};
use crate::platform::cors;
use crate::platform::error::EdgeError;

/// What a browser's request says besides its body.
pub(super) struct Visitor {
    /// The page's origin.
    pub(super) origin: Option<String>,
    /// The route cookie.
    pub(super) route: Option<String>,
    /// The identity cookie.
    pub(super) identity: Option<String>,
    /// The cookie of possession tokens.
    possession: Option<String>,
    /// The client's address, empty where nobody says it whom the deployment trusts.
    address: String,
    /// What the browser calls itself.
    user_agent: String,
    /// Whether it came encrypted.
    pub(super) secure: bool,
    /// Whether the page is of another site, so that no cookie travels: it gets its token in readable form.
    pub(super) is_cross_site: bool,
    /// Whether nothing of the page reads the answer, as with a beacon.
    pub(super) is_unread: bool,
}

impl Visitor {
    /// Reads a request; `url` is its address.
    pub(super) fn of(request: &RawRequest, url: &str, config: &Config) -> Result<Self, EdgeError> {
        let headers = request.headers();
        let cookies = headers.get("cookie")?.unwrap_or_default();
        let origin = headers.get("origin")?;
        let secure = url.starts_with("https://");
        let is_elsewhere = || cookies.is_empty() && origin.as_deref().is_some_and(|origin| !url.starts_with(origin));
        Ok(Self {
            // Browsers say it. Of an old one that does not, a page of another origin without a cookie is taken for one.
            is_cross_site: headers.get("sec-fetch-site")?.map_or_else(is_elsewhere, |site| site == "cross-site"),
            is_unread: headers.get("sec-fetch-mode")?.is_some_and(|mode| mode == "no-cors"),
            possession: cookie(&cookies, &possession_cookie(secure)).map(str::to_owned),
            address: client_address::of(request, config)?.unwrap_or_default(),
            user_agent: headers.get("user-agent")?.unwrap_or_default(),
            origin,
            route: cookie(&cookies, ROUTE_COOKIE).map(str::to_owned),
            identity: cookie(&cookies, ID_COOKIE).map(str::to_owned),
            secure,
        })
    }

    /// Tells it apart from other clients that name the same anonymous ID.
    pub(super) fn number(&self, keys: &Keys, id: &AnonymousId) -> u32 {
        client_number(keys, id, &self.address, &self.user_agent)
    }

    /// The number that stands for its client's address; 0 where nobody says it whom the deployment trusts.
    pub(super) fn client(&self, keys: &Keys) -> u32 {
        let client = limit::client(&self.address).filter(|_| !self.address.is_empty());
        client.map_or(0, |client| keys.number(Purpose::Client, &client))
    }

    /// What it tells of the device that it came from. `request` is the one that it was read of.
    pub(super) fn sender(&self, request: &RawRequest, config: &Config) -> Result<Sender, EdgeError> {
        let accepted = request.headers().get("accept-language")?.unwrap_or_default();
        Ok(Sender {
            agent: UserAgent::parse(&self.user_agent),
            locale: LanguageTag::first_accepted(&accepted),
            place: client_place::of(request, &self.address, config),
        })
    }

    /// Whether it came with a cookie of possession tokens.
    pub(super) fn holds_tokens(&self) -> bool {
        self.possession.is_some()
    }

    /// The possession tokens of its cookie.
    pub(super) fn tokens(&self) -> HeldTokens<'_> {
        HeldTokens::parse(self.possession.as_deref().unwrap_or_default())
    }
}

/// Lets a page on another origin, which was checked, read the answer.
pub(super) fn allow_origin(response: &Response, visitor: &Visitor) -> Result<(), EdgeError> {
    visitor.origin.as_deref().map_or(Ok(()), |origin| cors::allow(response, origin))
}
