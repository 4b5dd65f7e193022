//! Putting one customer into the groups of a shop's own model.

use endcap_models::lifecycle::{Config, next_change_at, stage_at};
use endcap_profile::Person;
use endcap_protocol::UnixMillis;
use endcap_targeting::evaluate::evaluate_of;
use endcap_targeting::next_change::next_change;
use endcap_targeting::{Behaviour, PageFacts};

use super::customer_orders::{CustomerOrders, Moment};
use super::model::Group;
use super::own_model::OwnModel;
use crate::person_facts::{NoFragments, PersonFacts};

/// A group, and until when it stays so if nothing is ordered.
struct Held {
    group: Group,
    orders: usize,
    until: Option<UnixMillis>,
}

/// The group of a customer at each moment. Between two orders it is worked out again only where time changes it.
pub(super) fn groups(
    model: &OwnModel,
    orders: &CustomerOrders<'_>,
    moments: &[Moment],
    (lifecycle, cycle_ms): (&Config, i64),
) -> Vec<Group> {
    let nothing = NoFragments::default();
    let mut held: Option<Held> = None;
    let group = |moment: &Moment| {
        let count = orders.count_by(moment);
        let is_same = |held: &&Held| held.orders == count && held.until.is_none_or(|until| moment.at < until);
        if let Some(held) = held.as_ref().filter(is_same) {
            return held.group;
        }
        let found = work_out(model, orders, moment, (lifecycle, cycle_ms), &nothing);
        let group = found.group;
        held = Some(found);
        group
    };
    moments.iter().map(group).collect()
}

fn work_out(
    model: &OwnModel,
    orders: &CustomerOrders<'_>,
    moment: &Moment,
    (lifecycle, cycle_ms): (&Config, i64),
    nothing: &NoFragments,
) -> Held {
    let placed = orders.by(moment);
    if placed.is_empty() {
        return Held { group: Group::PROSPECT, orders: 0, until: None };
    }
    let summary = orders.summary_by(moment);
    let bounds = lifecycle.bounds_of(&summary, cycle_ms);
    let behaviour = Behaviour {
        orders: u32::try_from(placed.len()).unwrap_or(u32::MAX),
        last_order: placed.last().map(|order| order.at),
        stage: stage_at(&summary, &bounds, moment.at),
        ..Behaviour::default()
    };
    let person = Person { behaviour, orders: placed.to_vec(), ..Person::default() };
    let facts = PersonFacts::of_orders(nothing, &person, orders.shop());
    let page = PageFacts { path: "", now: moment.at };
    let conditions = || model.groups.iter().map(|group| group.condition.read());
    let holds = |condition: &_| evaluate_of(condition, &person.behaviour, &page, &facts).holds;
    let first = conditions().position(|condition| condition.is_some_and(holds));
    let changes =
        conditions().flatten().filter_map(|condition| next_change(condition, &person.behaviour, &facts, moment.at));
    let until = changes.chain(next_change_at(&summary, &bounds, moment.at)).min();
    Held { group: Group::numbered(first.unwrap_or(model.groups.len())), orders: placed.len(), until }
}
