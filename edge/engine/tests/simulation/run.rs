//! One seed: a world with faults, and others that have to come out the same.

use std::collections::{BTreeMap, BTreeSet};

use endcap_identity::graph::{Alteration, Cut};
use endcap_identity::{FragmentId, Identifier, Namespace, Possession, Verdict};

use crate::check::{Checked, UNPROVED, always, at_rest, hold, people, same, without, without_strangers};
use crate::random::Random;
use crate::script::Script;
use crate::world::{Message, Mutation, Node, World};

/// What goes wrong, in percent of the messages or steps.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    pub(crate) crash: usize,
}

/// Most steps until everything has to be at rest.
const STEPS: usize = 20_000;

/// A network in which messages overtake each other.
struct Network {
    random: Random,
    faults: Faults,
    messages: Vec<Message>,
}

impl Network {
    fn new(seed: u64, faults: Faults) -> Self {
        Self { random: Random::new(seed), faults, messages: Vec::new() }
    }

    fn take(&mut self, world: &mut World<'_>) {
        for message in std::mem::take(&mut world.sent) {
            if self.random.percent(self.faults.twice) {
                self.messages.push(message.clone());
            }
            if !self.random.percent(self.faults.lost) {
                self.messages.push(message);
            }
        }
    }

    /// Steps until nobody has anything left to do. Faults happen only in the first `bad` of them.
    fn settle(&mut self, world: &mut World<'_>, bad: usize) -> Checked {
        let nodes = world.nodes();
        for step in 0..STEPS {
            world.step += 1;
            if step == bad {
                self.faults = Faults::default();
            }
            let busy: Vec<Node> = nodes.iter().copied().filter(|node| chores(world, *node) > 0).collect();
            if busy.is_empty() && self.messages.is_empty() {
                return Ok(());
            }
            // What a graph in parts does takes more messages: who repeats it as often as the rest drowns it.
            let (hurry, calm) = if world.partitions() > 1 { (12, 1) } else { (40, 5) };
            let impatient = self.messages.is_empty() || self.random.percent(if step < bad { hurry } else { calm });
            if impatient && !busy.is_empty() {
                let node = *self.random.pick(&busy);
                let which = self.random.below(world.chores(node));
                world.work(node, which);
            } else if !self.messages.is_empty() {
                let at = self.random.below(self.messages.len());
                let message = self.messages.swap_remove(at);
                let node = message.to;
                if self.random.percent(self.faults.crash) {
                    world.crash(node);
                    continue;
                }
                world.handle(message);
                if self.random.percent(self.faults.crash) {
                    world.sent.clear();
                    world.crash(node);
                }
            }
            self.take(world);
            always(world)?;
        }
        Err("it does not come to rest".to_owned())
    }
}

/// Orders for browsers that never came stay until they come.
fn chores(world: &World<'_>, node: Node) -> usize {
    let begun =
        |id: &FragmentId| world.rows.values().any(|row| row.fragments.contains_key(id) || row.moved.contains_key(id));
    match node {
        Node::Graph(part) => {
            let part = &world.parts[usize::from(part)];
            part.reassignments.keys().filter(|id| begun(id)).count() + part.marks.len()
        }
        _ => world.chores(node),
    }
}

/// A world run to its rest.
fn run<'a>(
    script: &'a Script,
    seed: u64,
    faults: Faults,
    with: &Setting,
) -> Result<World<'a>, Box<(String, World<'a>)>> {
    let mut world = World::new(script, with.partitions, with.mutation);
    world.trace = with.trace.then(Vec::new);
    world.deaf.clone_from(&with.deaf);
    world.absent.clone_from(&with.absent);
    let done = Network::new(seed, faults).settle(&mut world, 400).and_then(|()| at_rest(&world, script));
    match done {
        Ok(()) => Ok(world),
        Err(error) => Err(Box::new((error, world))),
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// Parts of the graph.
    pub(crate) partitions: u16,
    /// Whether others name a browser's anonymous ID.
    pub(crate) contested: bool,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) trace: bool,
    pub(crate) deaf: BTreeSet<(FragmentId, Identifier)>,
    /// Senders that never come.
    pub(crate) absent: BTreeSet<usize>,
}

impl Default for Setting {
    fn default() -> Self {
        let (deaf, absent) = (BTreeSet::new(), BTreeSet::new());
        Self { partitions: 1, contested: false, mutation: None, trace: false, deaf, absent }
    }
}

impl Setting {
    pub(crate) fn script(&self, seed: u64) -> Script {
        if self.contested { Script::contested(seed) } else { Script::of(seed) }
    }
}

/// What went wrong, and the steps that led there where they were noted.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) steps: Vec<String>,
}

pub(crate) fn faults_of(seed: u64) -> Faults {
    let mut random = Random::new(seed ^ 0xfa17);
    Faults { lost: random.below(25), twice: random.below(25), crash: random.below(12) }
}

/// Everything that is asked of one seed.
pub(crate) fn judge(script: &Script, seed: u64, faults: Faults, with: &Setting) -> Result<(), Failure> {
    let fail = |(what, world): (String, World<'_>)| Failure { what, steps: world.trace.unwrap_or_default() };
    let mut world = run(script, seed, faults, with).map_err(|failed| fail(*failed))?;
    match afterwards(&mut world, script, seed, faults, with) {
        Ok(()) => Ok(()),
        Err(what) => Err(fail((what, world))),
    }
}

/// Once all is at rest and IDs are bound, those come who only know names. Nobody is another than before, and nobody's token is
/// another.
fn latecomers(world: &mut World<'_>, script: &Script, seed: u64) -> Checked {
    let uncontested = script.senders.iter().all(|sender| sender.named == sender.name || sender.late.is_some());
    if uncontested && !script.tabs && !script.has_unproved_login_after_another() {
        let apart = &world.ledger.apart;
        hold(apart.is_empty(), || format!("{apart:?} are apart, though nobody else named these browsers"))?;
    }
    let (before, bound) = (people(world), possessions(world));
    world.let_in_latecomers();
    Network::new(seed ^ 4, faults_of(seed)).settle(world, 200)?;
    at_rest(world, script)?;
    let is_late = |index: &usize| script.senders[*index].late.is_some();
    let theirs: BTreeSet<_> = world.ledger.apart.iter().filter(|(_, index)| is_late(index)).map(|(id, _)| id).collect();
    let is_theirs = |fragment: &str| {
        let browser = FragmentId::parse(fragment).ok().and_then(|id| world.ledger.browser_of(&id).cloned());
        browser.is_some_and(|browser| theirs.contains(&browser))
    };
    let after = without(&people(world), is_theirs);
    same(&format!("{UNPROVED}, once latecomers came"), &before, &after)?;
    let still = possessions(world);
    let changed = bound.iter().find(|(id, held)| still.get(*id) != Some(held));
    hold(changed.is_none(), || format!("{UNPROVED}: latecomers changed who has {changed:?}"))
}

fn possessions(world: &World<'_>) -> BTreeMap<FragmentId, Possession> {
    world.rows.values().flat_map(|row| row.possessions.clone()).collect()
}

fn afterwards(world: &mut World<'_>, script: &Script, seed: u64, faults: Faults, with: &Setting) -> Checked {
    if script.asks {
        return latecomers(world, script, seed);
    }
    let linked = people(world);
    let calm = |deaf: BTreeSet<_>| {
        let setting = Setting { deaf, trace: false, ..with.clone() };
        run(script, seed ^ 0x5eed, Faults::default(), &setting)
            .map_err(|failed| format!("in another order: {}", failed.0))
    };
    if !script.tabs {
        same("in another order", &linked, &people(&calm(BTreeSet::new())?))?;
    }
    let strangers = script.strangers();
    if !script.tabs && !strangers.is_empty() {
        let setting = Setting { absent: strangers, trace: false, ..with.clone() };
        let alone = run(script, seed ^ 0xab5e, Faults::default(), &setting)
            .map_err(|failed| format!("without strangers: {}", failed.0))?;
        same(&format!("{UNPROVED}, without strangers"), &without_strangers(&linked, script), &people(&alone))?;
    }
    replay(world, script, seed)?;
    let mut random = Random::new(seed ^ 0xc07);
    let Some(what) = some_cut(world, &mut random) else { return Ok(()) };
    world.note(|| format!("an administrator cuts {what:?}"));
    let deaf = cut_edges(world, &what);
    world.wanted = Some((what.clone(), Alteration::Cut));
    Network::new(seed ^ 1, faults).settle(world, 200)?;
    at_rest(world, script)?;
    if !script.tabs {
        same("cut and never heard", &people(world), &people(&calm(deaf)?))?;
    }
    world.wanted = Some((what, Alteration::Restore));
    Network::new(seed ^ 2, faults).settle(world, 200)?;
    at_rest(world, script)?;
    same("restored", &linked, &people(world))
}

/// All batches once more, by the way they went at first and by the way that is known now.
fn replay(world: &mut World<'_>, script: &Script, seed: u64) -> Checked {
    let before = (world.rows.clone(), world.graph());
    for (client, sender) in script.senders.iter().enumerate() {
        for index in 0..sender.batches.len() {
            let lately = world.clients[client].cookie().cloned();
            world.send_batch(client, index, None);
            world.send_batch(client, index, lately);
        }
    }
    let mut network = Network::new(seed ^ 3, Faults::default());
    network.take(world);
    network.settle(world, 0)?;
    let differs = |(id, row): (&endcap_protocol::ProfileId, _)| before.0.get(id) != Some(row);
    if let Some((id, _)) = world.rows.iter().find(|(id, row)| differs((id, *row))) {
        return Err(format!("replayed, {id:?} is another: {:#?} {:#?}", before.0.get(id), world.rows.get(id)));
    }
    if before.1 == world.graph() { Ok(()) } else { Err("replayed, the graph is another".to_owned()) }
}

fn some_cut(world: &World<'_>, random: &mut Random) -> Option<Cut> {
    let graph = world.graph();
    let joined = |edge: &&endcap_identity::Edge| {
        let verdict = graph.verdicts.get(&(edge.fragment.clone(), edge.identifier.clone()));
        verdict == Some(&Verdict::Joined) && !edge.fragment.is_alias()
    };
    let edges: Vec<_> = graph.edges().filter(joined).collect();
    if edges.is_empty() {
        return None;
    }
    let edge = *random.pick(&edges);
    Some(match random.below(3) {
        0 => Cut::Fragment(edge.fragment.clone()),
        1 => Cut::Identifier(edge.identifier.clone()),
        _ => Cut::Edge(edge.fragment.clone(), edge.identifier.clone()),
    })
}

fn cut_edges(world: &World<'_>, what: &Cut) -> BTreeSet<(FragmentId, Identifier)> {
    let graph = world.graph();
    let edges = graph.edges().filter(|edge| match what {
        Cut::Fragment(fragment) => {
            let names = edge.identifier.namespace == Namespace::AnonymousId;
            edge.fragment == *fragment || (names && edge.identifier.value == fragment.as_str())
        }
        Cut::Identifier(identifier) => edge.identifier == *identifier,
        Cut::Edge(fragment, identifier) => edge.fragment == *fragment && edge.identifier == *identifier,
    });
    edges.map(|edge| (edge.fragment.clone(), edge.identifier.clone())).collect()
}
