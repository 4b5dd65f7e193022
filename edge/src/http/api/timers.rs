//! `/api/timers`: how timers are, over all shards.

use endcap_engine::timers_view::TimersView;
use worker::Response;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::timers::TimersAsk;
use crate::rpc::{call, shards};

/// `GET`.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let none = TimersView { as_of: clock::now(), ..TimersView::default() };
    let parts = call::ask_each(&shards::all_shards(incoming.env).await?, &TimersAsk {}).await?;
    response::json(&parts.iter().fold(none, TimersView::with))
}
