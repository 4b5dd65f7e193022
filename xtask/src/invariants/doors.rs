//! The rooms of the worker and the doors between them. Each door opens one way.

use super::circle::Graph;

/// The crate that has these rooms.
pub(super) const ROOMS_OF: &str = "edge/src";

/// A room, and the rooms that its files may name besides itself.
struct Room {
    name: &'static str,
    may_name: &'static [&'static str],
    reason: &'static str,
}

const ROOMS: [Room; 7] = [
    Room { name: "lib.rs", may_name: &["http"], reason: "the worker's entry hands requests to the router" },
    Room { name: "http", may_name: &["rpc", "platform"], reason: "a route asks an object through `rpc` only" },
    Room { name: "objects/shard", may_name: &["rpc", "platform"], reason: OBJECT },
    Room { name: "objects/graph", may_name: &["rpc", "platform"], reason: OBJECT },
    Room { name: "objects/shop", may_name: &["rpc", "platform"], reason: OBJECT },
    Room { name: "rpc", may_name: &["platform"], reason: "messages know neither who sends nor who answers them" },
    Room { name: "platform", may_name: &[], reason: "adapters of the platform know nothing of the product" },
];

const OBJECT: &str = "an object knows no route and no other object's inside";

/// Arrows that go against the doors.
pub(super) fn broken(graph: &Graph) -> Vec<String> {
    let mut broken = Vec::new();
    for (from, targets) in graph {
        let Some(room) = room_of(from) else {
            broken.push(format!("{ROOMS_OF}/{from} lies in no room"));
            continue;
        };
        for to in targets {
            let Some(target) = room_of(to) else { continue };
            if target.name != room.name && !room.may_name.contains(&target.name) {
                broken.push(format!("{ROOMS_OF}: {from} → {to}: {}", room.reason));
            }
        }
    }
    broken
}

fn room_of(file: &str) -> Option<&'static Room> {
    let within = |room: &&Room| {
        let rest = file.strip_prefix(room.name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs")
    };
    ROOMS.iter().find(within)
}
