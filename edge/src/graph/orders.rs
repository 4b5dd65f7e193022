//! Delivering orders: the graph's words for fragments whose place others changed.

use endcap_protocol::UnixMillis;

use super::{IdentityGraph, pause_ms, send};
use crate::fault::Fault;

/// Orders of one run; what is left keeps the alarm at now.
const BATCH: i64 = 100;

impl IdentityGraph {
    /// Delivers the orders that are due. One that cannot be is put off, and holds up no other.
    pub(super) async fn deliver(&self, now: UnixMillis) -> Result<(), Fault> {
        for pending in self.store.due_orders(now, BATCH)? {
            let home = pending.order.fragment.home()?;
            let key = (pending.order.fragment.clone(), pending.order.seat.version);
            if !self.underway.borrow_mut().insert(key.clone()) {
                continue;
            }
            let sent = send(&self.env, &home, &pending.order).await;
            self.underway.borrow_mut().remove(&key);
            match sent {
                Ok(()) => self.store.delivered(&pending.order)?,
                Err(fault) => {
                    worker::console_error!("order for {}: {fault}", pending.order.fragment.as_str());
                    self.store.put_off(&pending.order, now.saturating_add(pause_ms(pending.attempts)))?;
                }
            }
        }
        match self.store.next_order()? {
            // What is under way has its time.
            Some(due) => self.store.arm(due.max(now.saturating_add(pause_ms(0)))),
            None => Ok(()),
        }
    }
}
