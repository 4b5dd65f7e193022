//! Futures of the engine that wait for messages: what the parts of a graph are about.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use endcap_identity::partition::{PeerAnswer, PeerAsk};
use endcap_identity::partitioned_resolve::Peers;
use endcap_protocol::FieldError;

use crate::world::{Answer, Node};

type Work = Pin<Box<dyn Future<Output = Result<Answer, FieldError>>>>;

/// Who waits for a job: the node, and the ticket of its request.
type Waiting = Option<(Node, u64)>;

/// What a job asked: number, part, and question.
type Asked = Vec<(u64, u16, PeerAsk)>;

/// Questions and answers, by number.
#[derive(Default)]
struct Post {
    asked: Asked,
    answers: BTreeMap<u64, PeerAnswer>,
    numbers: u64,
}

/// How the engine's functions reach the parts here.
#[derive(Clone)]
pub(crate) struct MessagePeers {
    partitions: u16,
    post: Rc<RefCell<Post>>,
}

impl Peers for MessagePeers {
    type Error = FieldError;

    fn partitions(&self) -> u16 {
        self.partitions
    }

    async fn ask(&self, to: u16, ask: PeerAsk) -> Result<PeerAnswer, FieldError> {
        let number = {
            let mut post = self.post.borrow_mut();
            post.numbers += 1;
            let number = post.numbers;
            post.asked.push((number, to, ask));
            number
        };
        let answered = |_: &mut Context<'_>| match self.post.borrow_mut().answers.remove(&number) {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        };
        Ok(poll_fn(answered).await)
    }

    fn busy(&self) -> FieldError {
        FieldError::new("", "others change the same people")
    }
}

/// All jobs that are going on.
#[derive(Default)]
pub(crate) struct Jobs {
    going: BTreeMap<u64, (u16, Waiting, Work)>,
    post: Rc<RefCell<Post>>,
    numbers: u64,
}

impl Jobs {
    pub(crate) fn peers(&self, partitions: u16) -> MessagePeers {
        MessagePeers { partitions, post: Rc::clone(&self.post) }
    }

    pub(crate) fn start(&mut self, part: u16, waiting: Waiting, work: Work) -> u64 {
        self.numbers += 1;
        self.going.insert(self.numbers, (part, waiting, work));
        self.numbers
    }

    /// Runs a job until it waits. What it asked, and its end where that came.
    #[allow(clippy::type_complexity, reason = "read in one place")]
    pub(crate) fn run(
        &mut self,
        part: u16,
        job: u64,
    ) -> Option<(Asked, Option<(Waiting, Result<Answer, FieldError>)>)> {
        let (_, _, work) = self.going.get_mut(&job).filter(|(at, ..)| *at == part)?;
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let asked = std::mem::take(&mut self.post.borrow_mut().asked);
        let done = match polled {
            Poll::Ready(result) => self.going.remove(&job).map(|(_, waiting, _)| (waiting, result)),
            Poll::Pending => None,
        };
        Some((asked, done))
    }

    pub(crate) fn answered(&mut self, job: u64, number: u64, answer: PeerAnswer) {
        if self.going.contains_key(&job) {
            self.post.borrow_mut().answers.insert(number, answer);
        }
    }

    /// What a part was about is gone.
    pub(crate) fn crash(&mut self, part: u16) {
        self.going.retain(|_, (at, ..)| *at != part);
    }
}
