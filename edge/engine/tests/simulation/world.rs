//! The nodes: shards with their rows and errands, the graph with its orders, and clients that retry.
//!
//! A graph in parts works with the engine's own futures: what they ask of each other are messages like all others.
//!
//! Handling one message is one step: it reads and writes what is durable in one transaction and sends messages. What a
//! node remembers of requests that it waits for is volatile: a crash loses it.

use std::collections::{BTreeMap, BTreeSet};

use endcap_engine::held_id::{Asking, HeldId, Inherited, granted, rest};
use endcap_engine::visit::{Visit, proves_person};
use endcap_events::ingest::Batch;
use endcap_events::ingest::event::Kind;
use endcap_identity::graph::{Alteration, Cut};
use endcap_identity::partition::{PeerAnswer, PeerAsk, answer, of_fragment};
use endcap_identity::possession::{Judgement, Moment};
use endcap_identity::proof::prove;
use endcap_identity::rules::ClaimPolicy;
use endcap_identity::{
    Assertion, Assignment, Evidence, FragmentId, Identifier, LinkStrength, MemoryGraph, Namespace, Possession,
    ProfileRoute, Reassignment, Shown, StatedLink, graph, partitioned_resolve,
};
use endcap_profile::dedupe::Accepted;
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_profile::fragment_rows::{Wanted, load, load_for, save};
use endcap_profile::memory_rows::MemoryRows;
use endcap_profile::resolution::Resolution;
use endcap_profile::row::LatestFragment;
use endcap_profile::{Fragment, ProfileRow, Reassigned};
use endcap_protocol::{AnonymousId, FieldError, ProfileId, UnixMillis, bucket_of};
use endcap_validation::Trust;

use crate::jobs::Jobs;
use crate::ledger::Ledger;
use crate::possession::{IN_FLIGHT_STEPS, PATIENCE_STEPS, Token, apart_from};
use crate::script::{NOW, SECRET, SHOP, Script};

/// Most rows that one request goes through before it is tried again later: two pointers can lead to each other while a
/// fragment is on its way.
const HOPS: u8 = 32;
const SHARDS: u32 = 3;

/// A mistake that the simulation has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    AbsorbWithoutVersion,
    SeatWithoutVersion,
    TellForgottenWhenSent,
    BringForgottenWhenSent,
    BringKeptInMemory,
    OrderForgottenWhenSent,
    OrderForgottenWhateverItsVersion,
    ForwardAcknowledgedAtOnce,
    NothingBrought,
    CopyLeftBehind,
    KnownNotTakenOut,
    NothingInherited,
    NobodyPointed,
    PointForgottenWhenSent,
    PointStaysBehind,
    EarlierPointCounts,
    // About claims.
    BrowserHeardAsServer,
    ProofNotChecked,
    ClaimHeardAsFact,
    TraitsHeardAsProved,
    AnotherBrowserNamed,
    ClaimTakesProvedBrowser,
    ClaimRoutedToPerson,
    ClaimsTrustedEverywhere,
    TrustedClaimHeardAsFact,
    ClaimJoinsInRow,
    ClaimStaysJoined,
    // About who has an anonymous ID.
    PossessionNotAsked,
    AnyTokenCounts,
    ProofKeepsToken,
    SameTokenForAll,
    StateLeftBehind,
    SuccessorBeginsOpen,
    StatedIsFact,
    AnyWordConfirms,
    StatedOfOpenKept,
    NamesInherited,
    LinkJobByMessageAlone,
    LoginBeginsNothing,
    NothingConfirms,
    LogoutBeforeLogin,
    // Of a graph in parts.
    SeatWrittenOverAnother,
    MarkKeptInMemory,
    NothingCopied,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Client(usize),
    Shard(u32),
    Graph(u16),
    /// Who decides about links.
    Admin,
}

/// A fragment on its way.
#[derive(Debug, Clone)]
pub(crate) struct Bring {
    pub(crate) id: FragmentId,
    pub(crate) fragment: Fragment,
    pub(crate) possession: Option<Possession>,
    pub(crate) to: ProfileId,
}

/// A batch on its way to its fragment.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) row: ProfileId,
    pub(crate) wanted: Option<FragmentId>,
    pub(crate) batch: Box<Batch>,
    pub(crate) known: Option<Accepted>,
    /// What it shows of its anonymous ID; None where nobody asks.
    pub(crate) shown: Option<Shown>,
    pub(crate) inherited: Option<Inherited>,
    /// What the shop's server states of the browser.
    pub(crate) links: Vec<StatedLink>,
    pub(crate) hops: u8,
    /// Who sent it, in which step, and whether with a token: for the checks, and for who waits no longer.
    pub(crate) sender: usize,
    pub(crate) sent_at: usize,
    pub(crate) with_token: bool,
}

/// What a row has to see through.
#[derive(Debug, Clone)]
pub(crate) enum Errand {
    Tell { row: ProfileId, assertion: Assertion },
    Bring(Bring),
    Point(Point),
}

/// Which of a browser's fragments is the latest, for the row that it began as.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    browser: AnonymousId,
    latest: LatestFragment,
}

#[derive(Debug, Clone)]
pub(crate) enum Request {
    Batch(Delivery),
    Tell(Assertion),
    Reassignment { row: ProfileId, order: Reassignment, hops: u8 },
    Bring(Box<Bring>),
    Point(Point),
    Change(Cut, Alteration),
    Peer(PeerAsk),
}

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// The batch is kept; the browser's route and token from now on.
    Kept(ProfileId, Option<Token>),
    Assignment(Assignment),
    Done,
    /// Not now.
    Later,
    Peer(PeerAnswer),
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Ask { from: Node, ticket: u64, request: Request },
    Answer { ticket: u64, answer: Answer },
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) to: Node,
    pub(crate) body: Body,
}

/// What a node does with the answer.
#[derive(Debug, Clone)]
enum Then {
    /// A batch by its number, the ID that it named, and the step in which it was sent.
    Batch {
        index: usize,
        named: AnonymousId,
        sent_at: usize,
    },
    /// The same for what a server states with a batch.
    Stated(usize),
    Tell(String),
    /// An errand is done with once the answer is there.
    Errand(String),
    Reassignment(Reassignment),
    Pass(Node, u64),
    /// A job of a part of the graph goes on, with the answer to the question of this number.
    Job(u64, u64),
    Changed,
}

pub(crate) struct Client {
    pub(crate) cookie: Option<ProfileId>,
    /// The anonymous ID that it goes by.
    id: AnonymousId,
    /// The generations of the tokens that it holds.
    tokens: BTreeMap<AnonymousId, u32>,
    pub(crate) done: BTreeSet<usize>,
    /// Batches whose statements arrived.
    stated: BTreeSet<usize>,
}

impl Client {
    fn named(id: &str) -> Self {
        let id = AnonymousId::parse(id).unwrap();
        Self { cookie: None, id, tokens: BTreeMap::new(), done: BTreeSet::new(), stated: BTreeSet::new() }
    }

    /// Takes the token of an answer, to a batch that named an ID. Who goes by another by now takes no new one.
    fn take(&mut self, token: Token, named: &AnonymousId) {
        if token.id != *named && self.id != *named {
            return;
        }
        if token.id != *named {
            self.id = token.id.clone();
        }
        self.tokens.insert(token.id, token.generation);
    }

    pub(crate) fn cookie(&self) -> Option<&ProfileId> {
        self.cookie.as_ref()
    }
}

pub(crate) struct World<'a> {
    pub(crate) script: &'a Script,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) rows: BTreeMap<ProfileId, ProfileRow>,
    /// The same as they are stored, where fragments lie apart.
    stored: MemoryRows,
    pub(crate) errands: BTreeMap<u32, BTreeMap<String, Errand>>,
    /// The parts of the graph; one where it is in one piece.
    pub(crate) parts: Vec<MemoryGraph>,
    jobs: Jobs,
    /// What an administrator wants changed, and is not yet.
    pub(crate) wanted: Option<(Cut, Alteration)>,
    pub(crate) clients: Vec<Client>,
    waiting: BTreeMap<Node, BTreeMap<u64, Then>>,
    tickets: u64,
    pub(crate) sent: Vec<Message>,
    /// Every event that was accepted, for the checks.
    pub(crate) accepted: BTreeMap<(AnonymousId, String), u32>,
    /// Edges that the graph does not hear of.
    pub(crate) deaf: BTreeSet<(FragmentId, Identifier)>,
    /// Senders that never come.
    pub(crate) absent: BTreeSet<usize>,
    /// Whether those come now who come once all is at rest.
    pub(crate) late_come: bool,
    /// Steps so far: the time.
    pub(crate) step: usize,
    /// Who has which anonymous ID, as somebody knows who saw everything.
    pub(crate) ledger: Ledger,
    pub(crate) trace: Option<Vec<String>>,
}

pub(crate) fn shard_of(row: &ProfileId) -> u32 {
    u32::from(bucket_of(row.as_str())) % SHARDS
}

impl<'a> World<'a> {
    pub(crate) fn new(script: &'a Script, partitions: u16, mutation: Option<Mutation>) -> Self {
        let clients = script.senders.iter().map(|sender| Client::named(&sender.named)).collect();
        Self {
            script,
            mutation,
            clients,
            rows: BTreeMap::new(),
            stored: MemoryRows::default(),
            errands: BTreeMap::new(),
            parts: vec![MemoryGraph::default(); usize::from(partitions)],
            jobs: Jobs::default(),
            wanted: None,
            waiting: BTreeMap::new(),
            tickets: 0,
            sent: Vec::new(),
            accepted: BTreeMap::new(),
            deaf: BTreeSet::new(),
            absent: BTreeSet::new(),
            late_come: false,
            step: 0,
            ledger: Ledger::default(),
            trace: None,
        }
    }

    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    pub(crate) fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub(crate) fn partitions(&self) -> u16 {
        self.parts.len() as u16
    }

    /// Whether fragments of one person lie apart from their row: where the graph is in several parts, to have both.
    fn lies_apart(&self) -> bool {
        self.partitions() > 1
    }

    /// A row with what a browser's batch needs of it.
    fn row_for(&self, id: &ProfileId, browser: &AnonymousId, wanted: Option<&FragmentId>) -> ProfileRow {
        let apart = || load_for(&self.stored, id, browser, wanted).unwrap();
        let row = if self.lies_apart() { apart() } else { self.rows.get(id).cloned() };
        row.unwrap_or_else(|| ProfileRow::new(id.clone(), NOW))
    }

    /// A row with one fragment, if it has that.
    fn row_with(&self, id: &ProfileId, fragment: Option<&FragmentId>) -> Option<ProfileRow> {
        let named = fragment.cloned().into_iter().collect();
        let apart = || load(&self.stored, id, Wanted::Named(&named)).unwrap();
        if self.lies_apart() { apart() } else { self.rows.get(id).cloned() }
    }

    /// Stores a row.
    fn put(&mut self, row: ProfileRow) {
        let id = row.id.clone();
        let whole = if self.lies_apart() {
            save(&self.stored, &row, 1).unwrap();
            let read = load(&self.stored, &id, Wanted::All).unwrap();
            ProfileRow { apart: None, ..read.unwrap() }
        } else {
            row
        };
        self.rows.insert(id, whole);
    }

    /// The whole graph, whatever its parts.
    pub(crate) fn graph(&self) -> MemoryGraph {
        let mut whole = MemoryGraph::default();
        for (part, number) in self.parts.iter().zip(0_u16..) {
            whole.take_over(part, |fragment| of_fragment(fragment, self.partitions()) == number).unwrap();
        }
        whole
    }

    pub(crate) fn nodes(&self) -> Vec<Node> {
        let clients = (0..self.clients.len()).map(Node::Client);
        let parts = (0..self.partitions()).map(Node::Graph);
        clients.chain((0..SHARDS).map(Node::Shard)).chain(parts).chain([Node::Admin]).collect()
    }

    /// The node loses what it had in memory, and reads its rows again.
    pub(crate) fn crash(&mut self, node: Node) {
        self.note(|| format!("  {node:?} crashes"));
        self.waiting.remove(&node);
        if let Node::Graph(part) = node {
            self.jobs.crash(part);
            if self.has(Mutation::MarkKeptInMemory) {
                self.parts[usize::from(part)].marks.clear();
            }
        }
        if let Node::Shard(shard) = node {
            for (id, row) in self.rows.iter_mut().filter(|(id, _)| shard_of(id) == shard) {
                *row = ProfileRow::unpack(&row.pack().unwrap()).unwrap_or_else(|error| panic!("{id:?}: {error}"));
            }
            if self.mutation == Some(Mutation::BringKeptInMemory) {
                self.errands.entry(shard).or_default().retain(|_, errand| !matches!(errand, Errand::Bring(_)));
            }
        }
    }

    fn ask(&mut self, from: Node, to: Node, request: Request, then: Then) {
        self.tickets += 1;
        self.waiting.entry(from).or_default().insert(self.tickets, then);
        self.sent.push(Message { to, body: Body::Ask { from, ticket: self.tickets, request } });
    }

    fn answer(&mut self, to: Node, ticket: u64, answer: Answer) {
        self.sent.push(Message { to, body: Body::Answer { ticket, answer } });
    }

    /// What a node has left to do, as one number per thing.
    pub(crate) fn chores(&self, node: Node) -> usize {
        match node {
            Node::Client(client) => {
                let left = self.left(client).len();
                if self.script.tabs { left.min(2) } else { left.min(1) }
            }
            Node::Shard(shard) => self.errands.get(&shard).map_or(0, BTreeMap::len),
            Node::Graph(part) => {
                self.parts[usize::from(part)].reassignments.len() + self.parts[usize::from(part)].marks.len()
            }
            Node::Admin => usize::from(self.wanted.is_some()),
        }
    }

    /// Whether a sender comes at all, so far.
    pub(crate) fn comes(&self, client: usize) -> bool {
        !self.absent.contains(&client) && (self.late_come || self.script.senders[client].late.is_none())
    }

    /// Those come who come once all is at rest: to the browsers that somebody has, with what they know.
    pub(crate) fn let_in_latecomers(&mut self) {
        self.late_come = true;
        for (index, sender) in self.script.senders.iter().enumerate() {
            let Some(late) = sender.late else { continue };
            let id = AnonymousId::parse(&sender.named).unwrap();
            if !self.ledger.holders.contains_key(&id) {
                self.absent.insert(index);
                continue;
            }
            let holds = |row: &&ProfileRow| row.fragments.keys().any(|fragment| fragment.as_str() == sender.named);
            let row = self.rows.values().find(holds).filter(|_| late.knows_row);
            self.clients[index].cookie = row.map(|row| row.id.clone());
            let generation = Possession::default().granted(index as u32 + 1);
            self.clients[index].tokens.extend(late.has_old_token.then_some((id, generation)));
        }
    }

    /// Batches that a client has not heard of yet.
    fn left(&self, client: usize) -> Vec<usize> {
        let (sender, held) = (&self.script.senders[client], &self.clients[client]);
        let all = (0..sender.batches.len()).filter(|_| self.comes(client));
        let states = |index: usize| sender.states.is_some() && self.script.statement(client, index).is_some();
        let is_left = |index: &usize| !held.done.contains(index) || (!held.stated.contains(index) && states(*index));
        all.filter(is_left).collect()
    }

    /// A node tries one of the things that it has to do, again if need be.
    pub(crate) fn work(&mut self, node: Node, which: usize) {
        match node {
            Node::Client(client) => {
                let Some(index) = self.left(client).get(which).copied() else { return };
                if !self.clients[client].done.contains(&index) {
                    let cookie = self.clients[client].cookie.clone();
                    self.send_batch(client, index, cookie);
                }
                if !self.clients[client].stated.contains(&index) {
                    self.send_statement(client, index);
                }
            }
            Node::Shard(shard) => {
                let errand = self.errands.get(&shard).and_then(|all| all.iter().nth(which));
                let Some((key, errand)) = errand.map(|(key, errand)| (key.clone(), errand.clone())) else { return };
                self.run_errand(shard, &key, errand);
            }
            Node::Graph(part) => {
                let held = &self.parts[usize::from(part)];
                let Some(order) = held.reassignments.values().nth(which).cloned() else {
                    let mark = held.marks.values().nth(which - held.reassignments.len()).cloned();
                    return mark.into_iter().for_each(|mark| {
                        self.note(|| format!("part {part} settles {mark:?}"));
                        let rules = self.script.rules.clone();
                        let peers = self.jobs.peers(self.partitions());
                        self.start(part, None, async move {
                            partitioned_resolve::finish(&peers, &rules, &mark).await.map(|()| Answer::Done)
                        });
                    });
                };
                if self.has(Mutation::OrderForgottenWhenSent) {
                    self.parts[usize::from(part)].reassignments.remove(&order.fragment);
                }
                self.note(|| format!("graph sends {order:?}"));
                let row = order.fragment.home().unwrap();
                let request = Request::Reassignment { row: row.clone(), order: order.clone(), hops: 0 };
                self.ask(node, Node::Shard(shard_of(&row)), request, Then::Reassignment(order));
            }
            Node::Admin => {
                let Some((what, alteration)) = self.wanted.clone() else { return };
                self.ask(node, Node::Graph(0), Request::Change(what, alteration), Then::Changed);
            }
        }
    }

    pub(crate) fn send_batch(&mut self, client: usize, index: usize, cookie: Option<ProfileId>) {
        let Some(mut batch) = self.script.batch(client, index) else { return };
        batch.anonymous_id.clone_from(&self.clients[client].id);
        let mut row = cookie.unwrap_or_else(|| ProfileRoute::home(&batch.anonymous_id).unwrap().profile);
        let mut wanted = None;
        let claim = batch.events.iter().find_map(|event| event.user_id.clone().filter(|_| batch.trust == Trust::Claim));
        if let Some(user) = claim.filter(|_| self.has(Mutation::ClaimRoutedToPerson)) {
            let user = Identifier::new(Namespace::UserId, user.as_str()).unwrap();
            let named = graph::find(&self.graph(), &self.script.rules, &user).unwrap();
            if let Some(named) = named.filter(|named| named.trust == Trust::Fact) {
                row = named.profile;
                wanted = self.rows.get(&row).and_then(|row| row.fragments.keys().next().cloned());
            }
        }
        self.note(|| format!("{} sends batch {index} to row {row:?}", batch.anonymous_id.as_str()));
        let delivery = Delivery { wanted, ..self.delivery(client, row, batch) };
        let node = Node::Client(client);
        if self.script.asks {
            // A page that asks again no longer waits for the answer to what it asked before.
            let waiting = self.waiting.entry(node).or_default();
            waiting.retain(|_, then| !matches!(then, Then::Batch { index: waited, .. } if *waited == index));
        }
        let named = delivery.batch.anonymous_id.clone();
        let then = Then::Batch { index, named, sent_at: self.step };
        self.ask(node, Node::Shard(shard_of(&delivery.row)), Request::Batch(delivery), then);
    }

    /// A batch as it leaves its sender.
    fn delivery(&self, client: usize, row: ProfileId, batch: Batch) -> Delivery {
        let generation = self.clients[client].tokens.get(&batch.anonymous_id).copied();
        let asks = self.script.asks && batch.trust == Trust::Claim && !self.has(Mutation::PossessionNotAsked);
        let client_number = if self.has(Mutation::SameTokenForAll) { 0 } else { client as u32 + 1 };
        let shown = Shown { generation, keeps_token: true, client_number, ..Shown::default() };
        Delivery {
            row,
            wanted: None,
            batch: Box::new(batch),
            known: None,
            shown: asks.then_some(shown),
            inherited: None,
            links: Vec::new(),
            hops: 0,
            sender: client,
            sent_at: self.step,
            with_token: generation.is_some(),
        }
    }

    /// What the shop's server states of a browser with one of its batches goes to that browser's history.
    fn send_statement(&mut self, client: usize, index: usize) {
        let Some((batch, links)) = self.script.statement(client, index) else { return };
        let row = ProfileRoute::home(&batch.anonymous_id).unwrap().profile;
        self.note(|| format!("a server states {links:?} of {}", batch.anonymous_id.as_str()));
        let delivery = Delivery { links, ..self.delivery(client, row, batch) };
        let to = Node::Shard(shard_of(&delivery.row));
        self.ask(Node::Client(client), to, Request::Batch(delivery), Then::Stated(index));
    }

    fn run_errand(&mut self, shard: u32, key: &str, errand: Errand) {
        self.note(|| format!("shard {shard} runs {key}"));
        let node = Node::Shard(shard);
        let forgotten = match &errand {
            Errand::Tell { .. } => Mutation::TellForgottenWhenSent,
            Errand::Bring(_) => Mutation::BringForgottenWhenSent,
            Errand::Point(_) => Mutation::PointForgottenWhenSent,
        };
        match errand {
            Errand::Tell { assertion, .. } => {
                let part = Node::Graph(of_fragment(&assertion.fragment, self.partitions()));
                self.ask(node, part, Request::Tell(assertion), Then::Tell(key.to_owned()));
            }
            Errand::Bring(bring) => {
                let to = Node::Shard(shard_of(&bring.to));
                self.ask(node, to, Request::Bring(Box::new(bring)), Then::Errand(key.to_owned()));
            }
            Errand::Point(point) => {
                let home = ProfileRoute::home(&point.browser).unwrap().profile;
                self.ask(node, Node::Shard(shard_of(&home)), Request::Point(point), Then::Errand(key.to_owned()));
            }
        }
        if self.has(forgotten) {
            self.errands.entry(shard).or_default().remove(key);
        }
    }

    /// Aliases as words about fragments of their own, without what the graph is deaf to.
    fn heard_aliases(&self, assertion: &mut Assertion) -> Vec<Assertion> {
        let words = assertion.aliases.split_off(0).into_iter().map(|alias| {
            let (one, other) = (alias.user_id.as_str(), alias.previous_id.as_str());
            let edge = FragmentId::alias(one, other);
            let named = [one, other].map(|user| Identifier::new(Namespace::UserId, user).unwrap());
            let heard = named.into_iter().filter(|user| !self.deaf.contains(&(edge.clone(), user.clone())));
            let said = heard
                .map(|identifier| Evidence { identifier, trust: Trust::Fact, witness: alias.witness.clone() })
                .collect();
            Assertion { said, ..Assertion::new(edge) }
        });
        words.collect()
    }

    fn hear(&mut self, part: u16, from: Node, ticket: u64, mut assertion: Assertion) {
        let fragment = assertion.fragment.clone();
        assertion.said.retain(|evidence| !self.deaf.contains(&(fragment.clone(), evidence.identifier.clone())));
        self.note(|| format!("graph hears {assertion:?}"));
        let mut words = if self.deaf.is_empty() { Vec::new() } else { self.heard_aliases(&mut assertion) };
        words.push(assertion);
        let mut rules = self.script.rules.clone();
        if self.has(Mutation::ClaimsTrustedEverywhere) {
            rules.claims.insert(SHOP.to_owned(), ClaimPolicy::Trust);
        }
        if let [graph] = self.parts.as_mut_slice() {
            let assignments = words.iter().map(|word| graph::take(graph, &rules, word, b"").unwrap());
            let assignment = assignments.last().unwrap();
            self.note(|| format!("  graph answers {assignment:?}"));
            return self.answer(from, ticket, Answer::Assignment(assignment));
        }
        let peers = self.jobs.peers(self.partitions());
        self.start(part, Some((from, ticket)), async move {
            let mut assignment = None;
            for word in &words {
                assignment = Some(partitioned_resolve::tell(&peers, &rules, word, b"").await?);
            }
            Ok(assignment.map_or(Answer::Later, Answer::Assignment))
        });
    }

    fn change(&mut self, part: u16, from: Node, ticket: u64, what: Cut, alteration: Alteration) {
        let rules = self.script.rules.clone();
        if let [graph] = self.parts.as_mut_slice() {
            graph::change(graph, &rules, &what, alteration, NOW).unwrap();
            return self.answer(from, ticket, Answer::Done);
        }
        let peers = self.jobs.peers(self.partitions());
        self.start(part, Some((from, ticket)), async move {
            partitioned_resolve::change(&peers, &rules, &what, alteration, NOW).await.map(|_| Answer::Done)
        });
    }

    fn peer(&mut self, part: u16, ask: PeerAsk) -> PeerAnswer {
        let held = &mut self.parts[usize::from(part)];
        match &ask {
            PeerAsk::Copy(_) if self.mutation == Some(Mutation::NothingCopied) => return PeerAnswer::Done,
            PeerAsk::Write { assignments, .. } if self.mutation == Some(Mutation::SeatWrittenOverAnother) => {
                for write in assignments {
                    let held =
                        held.assignments.entry(write.fragment.clone()).or_insert_with(|| write.assignment.clone());
                    held.version = write.assignment.version - 1;
                }
            }
            _ => {}
        }
        answer(held, &self.script.rules, ask).unwrap()
    }

    /// A part of the graph begins a job; `then` is who waits for it.
    fn start(
        &mut self,
        part: u16,
        then: Option<(Node, u64)>,
        work: impl Future<Output = Result<Answer, FieldError>> + 'static,
    ) {
        let job = self.jobs.start(part, then, Box::pin(work));
        self.go_on_with(part, job);
    }

    /// A job runs until it waits for answers.
    fn go_on_with(&mut self, part: u16, job: u64) {
        let Some((asked, done)) = self.jobs.run(part, job) else { return };
        for (number, to, ask) in asked {
            self.note(|| format!("  part {part} asks part {to} {ask:?}"));
            self.ask(Node::Graph(part), Node::Graph(to), Request::Peer(ask), Then::Job(job, number));
        }
        if let Some((Some((from, ticket)), Ok(answer))) = done {
            self.answer(from, ticket, answer);
        }
    }

    /// One step: a node handles a message.
    pub(crate) fn handle(&mut self, message: Message) {
        match (message.to, message.body) {
            (Node::Shard(shard), Body::Ask { from, ticket, request }) => self.serve(shard, from, ticket, request),
            (Node::Graph(part), Body::Ask { from, ticket, request }) => match request {
                Request::Tell(assertion) => self.hear(part, from, ticket, assertion),
                Request::Change(what, alteration) => self.change(part, from, ticket, what, alteration),
                Request::Peer(ask) => {
                    let answer = self.peer(part, ask);
                    self.answer(from, ticket, Answer::Peer(answer));
                }
                _ => {}
            },
            (_, Body::Ask { .. }) => {}
            (node, Body::Answer { ticket, answer }) => {
                let then = self.waiting.get_mut(&node).and_then(|waiting| waiting.remove(&ticket));
                if let Some(then) = then {
                    self.go_on(node, then, answer);
                }
            }
        }
    }

    fn serve(&mut self, shard: u32, from: Node, ticket: u64, request: Request) {
        match request {
            // Who asked has given up: a page asks again after 20 s.
            Request::Batch(delivery) if self.script.asks && self.step > delivery.sent_at + PATIENCE_STEPS => {}
            Request::Batch(delivery) => {
                let passed = self.batch(shard, delivery);
                self.reply_or_pass(shard, from, ticket, passed);
            }
            Request::Reassignment { row, order, hops } => {
                let passed = self.carry_out(&row, &order, hops);
                let at_once = self.has(Mutation::ForwardAcknowledgedAtOnce) && passed.is_err();
                self.reply_or_pass(shard, from, ticket, passed);
                if at_once {
                    self.answer(from, ticket, Answer::Done);
                }
            }
            Request::Bring(bring) => {
                self.absorb(*bring);
                self.answer(from, ticket, Answer::Done);
            }
            Request::Point(point) => {
                let home = ProfileRoute::home(&point.browser).unwrap().profile;
                let careless = self.has(Mutation::EarlierPointCounts);
                if let Some(mut row) = self.row_with(&home, None) {
                    row.latest.take_if(|_| careless);
                    row.note_latest(&point.latest);
                    self.put(row);
                }
                self.answer(from, ticket, Answer::Done);
            }
            Request::Tell(_) | Request::Change(..) | Request::Peer(_) => {}
        }
    }

    /// A fragment that is a browser's latest has to be known where that began.
    fn point(&mut self, shard: u32, found: Option<(AnonymousId, LatestFragment)>) {
        let Some((browser, latest)) = found.filter(|_| !self.has(Mutation::NobodyPointed)) else { return };
        let key = format!("point {} {}", latest.fragment.as_str(), latest.version);
        self.errands.entry(shard).or_default().entry(key).or_insert(Errand::Point(Point { browser, latest }));
    }

    fn reply_or_pass(&mut self, shard: u32, from: Node, ticket: u64, passed: Result<Answer, (ProfileId, Request)>) {
        match passed {
            Ok(answer) => self.answer(from, ticket, answer),
            Err((row, request)) => {
                self.ask(Node::Shard(shard), Node::Shard(shard_of(&row)), request, Then::Pass(from, ticket));
            }
        }
    }

    /// A batch at a row: the answer, or where it goes on.
    fn batch(&mut self, shard: u32, mut delivery: Delivery) -> Result<Answer, (ProfileId, Request)> {
        let (id, now) = (delivery.row.clone(), self.now());
        let mut row = self.row_for(&id, &delivery.batch.anonymous_id, delivery.wanted.as_ref());
        let lead = row.resolve(&delivery.batch.anonymous_id, delivery.wanted.as_ref()).unwrap();
        self.note(|| format!("  row {id:?}, wanted {:?}: {lead:?}", delivery.wanted));
        let at = match lead {
            _ if delivery.hops > HOPS => return Ok(Answer::Later),
            Resolution::Coming => return Ok(Answer::Later),
            Resolution::Begins(_) if !delivery.links.is_empty() => return Ok(Answer::Kept(id, None)),
            Resolution::Next { profile: to, fragment: next, passed } => {
                let mut heritage = delivery.known.take();
                delivery.inherited = asking(&delivery).passed_on(&row, &passed, &next);
                if row.fragments.contains_key(&passed) {
                    if !self.has(Mutation::KnownNotTakenOut) {
                        let before = row.known_before_succession(&passed, &mut delivery.batch, &[]);
                        // The whole batch is the previous person's.
                        if self.script.asks && !before.is_empty() && delivery.batch.events.is_empty() {
                            return Ok(Answer::Kept(id, None));
                        }
                    }
                    heritage = row.inherited_dedupe(&passed, &[]);
                }
                if self.has(Mutation::NothingInherited) || self.has(Mutation::KnownNotTakenOut) {
                    heritage = None;
                }
                return on(Delivery { row: to, wanted: Some(next), known: heritage, ..delivery });
            }
            Resolution::Here(at) | Resolution::Begins(at) => at,
        };
        let begins = !row.fragments.contains_key(&at);
        if self.has(Mutation::SuccessorBeginsOpen) {
            delivery.inherited = None;
        }
        let (trust, source) = (delivery.batch.trust, delivery.batch.source.clone());
        let secrets = [SECRET.to_vec()];
        let trust = if self.has(Mutation::BrowserHeardAsServer) { Trust::Fact } else { trust };
        let rules = &self.script.rules;
        let policy = EvidencePolicy { secrets: &secrets, now, trust, source: source.as_str(), rules, stated: None };
        self.forge(&mut row, &at, &mut delivery.batch);
        self.forge_token(&row, &at, &mut delivery);
        let mutation = self.mutation;
        let proves = || match mutation {
            Some(Mutation::LoginBeginsNothing) => proves_person(&row, &delivery.batch, &policy),
            _ => asking(&delivery).proves(&row, &at, &delivery.batch, &policy),
        };
        let moment = Moment { at: now, in_flight_ms: IN_FLIGHT_STEPS };
        self.note(|| format!("    {:?} shows {:?}", row.possessions.get(&at), delivery.shown));
        let possession = match asking(&delivery).judge(&row, &at, proves, moment) {
            Judgement::Holds(possession) => possession,
            Judgement::InFlight => return Ok(Answer::Later),
            Judgement::Unverified => return self.set_apart(delivery),
        };
        if let Some(known) = delivery.known.take() {
            row.inherit(&at, &delivery.batch.anonymous_id, known, NOW);
        }
        let mut batch = delivery.batch.clone();
        let browser = batch.anonymous_id.clone();
        let held = HeldId { asking: asking(&delivery), possession };
        let (mut visit, possession) = held.apply(&mut row, &at, &mut batch, &policy, now, &[]);
        let possession = self.misjudge_possession(&delivery, held.possession.clone(), possession, &visit);
        row.note_possession(&at, &possession);
        self.misjudge(&mut visit, &delivery);
        self.ledger.take(self.script, &delivery, (&browser, &at), &visit.accepted);
        for message in &visit.accepted {
            *self.accepted.entry((browser.clone(), message.clone())).or_default() += 1;
        }
        self.note(|| format!("    {at:?} accepts {:?}, knows {:?}", visit.accepted, visit.duplicate));
        if let (Some(key), Some(assertion)) = (visit.link_job(), visit.assertion) {
            // As in the outbox: a job that is there stays.
            let errand = Errand::Tell { row: id.clone(), assertion };
            let short = key.split('\t').next().filter(|_| self.has(Mutation::LinkJobByMessageAlone));
            let key = short.unwrap_or(&key).to_owned();
            self.errands.entry(shard).or_default().entry(key).or_insert(errand);
        }
        let heritage = row
            .inherited_dedupe(&at, &[])
            .filter(|_| !self.has(Mutation::NothingInherited) && !self.has(Mutation::KnownNotTakenOut));
        let latest = row.latest_of(&at).filter(|_| begins);
        self.put(row);
        self.point(shard, latest);
        let grant = delivery.shown.as_ref().and_then(|shown| granted(&possession, shown));
        match visit.succession {
            Some((next, events)) => {
                batch.events = events;
                batch.handovers += 1;
                let shown = delivery.shown.map(|shown| rest(&possession, shown));
                let inherited = Some(Inherited { possession, follows: Some(at) });
                let (row, wanted) = (next.home().unwrap(), Some(next));
                on(Delivery { row, wanted, batch, known: heritage, shown, inherited, ..delivery })
            }
            None => Ok(Answer::Kept(id, grant.map(|generation| Token { id: browser, generation }))),
        }
    }

    /// A batch that lacks the token of the ID that it names is that of a new browser.
    fn set_apart(&mut self, mut delivery: Delivery) -> Result<Answer, (ProfileId, Request)> {
        let shown = delivery.shown.take().unwrap_or_default();
        // Nothing is taken of what has not even the ID that it was given: the check of what was sent sees what is lost so.
        let Some(id) = apart_from(&delivery).filter(|_| !shown.apart) else {
            return Ok(Answer::Kept(delivery.row, None));
        };
        self.note(|| format!("    apart, as {}", id.as_str()));
        self.ledger.apart.insert(id.clone(), delivery.sender);
        delivery.batch.anonymous_id = id.clone();
        let row = ProfileRoute::home(&id).unwrap().profile;
        let shown = Some(Shown { apart: true, generation: None, ..shown });
        on(Delivery { row, wanted: None, known: None, shown, inherited: None, with_token: false, ..delivery })
    }

    /// The time, which goes on where somebody asks how old something is.
    fn now(&self) -> UnixMillis {
        if self.script.asks { NOW + self.step as UnixMillis } else { NOW }
    }

    /// Mistakes about what a batch says, before it is applied.
    fn forge(&self, row: &mut ProfileRow, at: &FragmentId, batch: &mut Batch) {
        for event in &mut batch.events {
            if let (Kind::Identify { proof, .. }, Some(user)) = (&mut event.kind, &event.user_id)
                && self.has(Mutation::ProofNotChecked)
            {
                *proof = Some(prove(SECRET, user));
            }
        }
        let user = row.fragments.get_mut(at).and_then(|fragment| fragment.user.as_mut());
        if let Some(user) = user.filter(|_| self.has(Mutation::ClaimTakesProvedBrowser)) {
            user.trust = Trust::Claim;
        }
    }

    /// Mistakes about the evidence of a batch, after it was applied.
    fn misjudge(&self, visit: &mut Visit, delivery: &Delivery) {
        let Some(assertion) = &mut visit.assertion else { return };
        let proves = assertion.said.iter().any(|evidence| evidence.trust == Trust::Fact);
        for evidence in &mut assertion.said {
            let trusted = self.script.rules.trusts_claims(&evidence.witness.source);
            let fact = self.has(Mutation::ClaimHeardAsFact)
                || (self.has(Mutation::StatedIsFact) && !delivery.links.is_empty())
                || (self.has(Mutation::TraitsHeardAsProved) && proves)
                || (self.has(Mutation::TrustedClaimHeardAsFact) && trusted);
            if fact {
                evidence.trust = Trust::Fact;
            }
        }
        if let Some(first) = assertion.said.first().filter(|_| self.has(Mutation::AnotherBrowserNamed)).cloned() {
            let identifier = Identifier { namespace: Namespace::AnonymousId, value: "b0".to_owned() };
            assertion.said.push(Evidence { identifier, trust: Trust::Fact, ..first });
        }
    }

    /// Where the mistakes of shards put what only claims to be somebody.
    fn misplaced(&self, fragment: &FragmentId, assertion: &Assertion, assignment: Assignment) -> Assignment {
        let claim = assertion.said.iter().find(|evidence| evidence.trust == Trust::Claim);
        let Some(claim) = claim.filter(|_| assignment.link_strength == LinkStrength::Own) else { return assignment };
        let link_strength = match self.mutation {
            Some(Mutation::ClaimJoinsInRow) => LinkStrength::Proved,
            Some(Mutation::ClaimStaysJoined) => LinkStrength::Claimed,
            _ => return assignment,
        };
        let named = graph::find(&self.graph(), &self.script.rules, &claim.identifier).unwrap();
        let profile = named.map_or(fragment.home().unwrap(), |named| named.profile);
        Assignment { profile, link_strength, version: assignment.version + 1 }
    }

    /// The graph's word at a row.
    fn carry_out(&mut self, id: &ProfileId, order: &Reassignment, hops: u8) -> Result<Answer, (ProfileId, Request)> {
        let reassigned = self.reassign(id, &order.fragment, &order.assignment);
        match reassigned {
            Reassigned::Follow(to) if hops <= HOPS => {
                let request = Request::Reassignment { row: to.clone(), order: order.clone(), hops: hops + 1 };
                Err((to, request))
            }
            Reassigned::Follow(_) | Reassigned::Unknown => Ok(Answer::Later),
            Reassigned::Done | Reassigned::Stays | Reassigned::Leaves(_) => Ok(Answer::Done),
        }
    }

    /// Carries the graph's word out; a fragment that leaves is an errand in the same transaction.
    fn reassign(&mut self, id: &ProfileId, fragment: &FragmentId, assignment: &Assignment) -> Reassigned {
        let careless = self.has(Mutation::SeatWithoutVersion);
        let Some(mut row) = self.row_with(id, Some(fragment)) else { return Reassigned::Unknown };
        if let Some(held) = row.fragments.get_mut(fragment).filter(|_| careless) {
            held.assignment_version = 0;
        }
        let before =
            self.mutation.filter(|m| *m == Mutation::CopyLeftBehind).and_then(|_| row.fragments.get(fragment).cloned());
        let possession = row.possessions.get(fragment).cloned();
        let reassigned = row.reassign(fragment, assignment);
        if let Reassigned::Leaves(leaving) = &reassigned {
            if let Some(copy) = before {
                row.fragments.insert(fragment.clone(), copy);
            }
            let assigned = (&assignment.profile, assignment.version);
            let latest = LatestFragment::of(fragment, leaving, possession.as_ref(), assigned);
            let latest = latest.filter(|(browser, latest)| row.tells_of(browser, latest));
            let possession = possession.filter(|_| self.mutation != Some(Mutation::StateLeftBehind));
            let to = assignment.profile.clone();
            let mut bring = Bring { id: fragment.clone(), fragment: (**leaving).clone(), possession, to };
            if self.has(Mutation::NothingBrought) {
                let Fragment { browser, user, assignment_version, link_strength, .. } = bring.fragment;
                bring.fragment = Fragment { browser, user, assignment_version, link_strength, ..Fragment::default() };
            }
            let key = format!("bring {} {}", fragment.as_str(), assignment.version);
            self.errands.entry(shard_of(id)).or_default().insert(key, Errand::Bring(bring));
            self.point(shard_of(id), latest.filter(|_| !self.has(Mutation::PointStaysBehind)));
        }
        self.put(row);
        self.note(|| format!("  row {id:?} reassigns {fragment:?} {assignment:?}: {}", word(&reassigned)));
        reassigned
    }

    fn absorb(&mut self, bring: Bring) {
        let careless = self.has(Mutation::AbsorbWithoutVersion);
        let held = self.row_with(&bring.to, Some(&bring.id));
        let mut row = held.unwrap_or_else(|| ProfileRow::new(bring.to.clone(), NOW));
        if careless {
            row.moved.remove(&bring.id);
            row.fragments.insert(bring.id.clone(), bring.fragment);
            return self.put(row);
        }
        let version = bring.fragment.assignment_version;
        let taken = row.absorb(&bring.id, bring.fragment);
        if taken {
            row.possessions.extend(bring.possession.map(|held| (bring.id.clone(), held)));
        }
        self.put(row);
        self.note(|| format!("  row {:?} takes {:?} in, version {version}: {taken}", bring.to, bring.id));
    }

    fn go_on(&mut self, node: Node, then: Then, answer: Answer) {
        match (node, then, answer) {
            (Node::Client(_), Then::Batch { sent_at, .. }, _)
                if self.script.asks && self.step > sent_at + PATIENCE_STEPS => {}
            (Node::Client(client), Then::Batch { index, named, .. }, Answer::Kept(route, token)) => {
                let client = &mut self.clients[client];
                client.done.insert(index);
                client.cookie = Some(route);
                if let Some(token) = token {
                    client.take(token, &named);
                }
            }
            (Node::Client(client), Then::Stated(index), Answer::Kept(..)) => {
                self.clients[client].stated.insert(index);
            }
            (Node::Shard(shard), Then::Tell(key), Answer::Assignment(assignment)) => self.told(shard, &key, assignment),
            (Node::Shard(shard), Then::Errand(key), Answer::Done) => {
                self.errands.entry(shard).or_default().remove(&key);
            }
            (Node::Graph(part), Then::Reassignment(order), Answer::Done) => {
                if self.has(Mutation::OrderForgottenWhateverItsVersion) {
                    self.parts[usize::from(part)].reassignments.remove(&order.fragment);
                }
                self.parts[usize::from(part)].delivered(&order);
            }
            (Node::Graph(part), Then::Job(job, number), Answer::Peer(answer)) => {
                self.jobs.answered(job, number, answer);
                self.go_on_with(part, job);
            }
            (Node::Admin, Then::Changed, Answer::Done) => self.wanted = None,
            (_, Then::Pass(from, ticket), answer) => self.answer(from, ticket, answer),
            _ => {}
        }
    }

    /// The graph answered where a fragment belongs.
    fn told(&mut self, shard: u32, key: &str, assignment: Assignment) {
        let Some(Errand::Tell { row, assertion }) = self.errands.get(&shard).and_then(|all| all.get(key)).cloned()
        else {
            return;
        };
        let assignment = self.misplaced(&assertion.fragment, &assertion, assignment);
        let fragment = assertion.fragment;
        match self.reassign(&row, &fragment, &assignment) {
            Reassigned::Done | Reassigned::Stays | Reassigned::Leaves(_) => {
                self.errands.entry(shard).or_default().remove(key);
            }
            Reassigned::Follow(to) => {
                let request =
                    Request::Reassignment { row: to.clone(), order: Reassignment { fragment, assignment }, hops: 1 };
                self.ask(Node::Shard(shard), Node::Shard(shard_of(&to)), request, Then::Errand(key.to_owned()));
            }
            Reassigned::Unknown => {}
        }
    }
}

/// What a batch brings along that may have the anonymous ID.
fn asking(delivery: &Delivery) -> Asking<'_> {
    Asking { shown: delivery.shown.as_ref(), inherited: delivery.inherited.as_ref(), links: &delivery.links }
}

/// Where a batch goes on.
fn on(delivery: Delivery) -> Result<Answer, (ProfileId, Request)> {
    let hops = delivery.hops + 1;
    Err((delivery.row.clone(), Request::Batch(Delivery { hops, ..delivery })))
}

fn word(reassigned: &Reassigned) -> String {
    match reassigned {
        Reassigned::Leaves(_) => "Leaves".to_owned(),
        other => format!("{other:?}"),
    }
}
