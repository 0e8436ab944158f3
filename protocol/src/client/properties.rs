//! Any list of operations, against an honest server and against one that says anything.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::dialect::decode;
use crate::requirement::Requirement;

#[derive(Clone, Debug)]
enum Op {
    Connect,
    Subscribe(u8),
    Unsubscribe(u8),
    Publish(u8),
    Close,
    Supply,
    Dialled(bool),
    Deliver,
    Emit(u8),
    KeepAlive,
    ServerClose,
    Cut,
    Advance(u64),
    Sleep,
    /// Only a dishonest server.
    Say(String),
}

fn honest_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => Just(Op::Connect),
        4 => (0u8..4).prop_map(Op::Subscribe),
        2 => (0u8..4).prop_map(Op::Unsubscribe),
        2 => (0u8..4).prop_map(Op::Publish),
        1 => Just(Op::Close),
        6 => Just(Op::Supply),
        4 => prop_oneof![4 => Just(true), 1 => Just(false)].prop_map(Op::Dialled),
        8 => Just(Op::Deliver),
        3 => (0u8..4).prop_map(Op::Emit),
        1 => Just(Op::KeepAlive),
        1 => Just(Op::ServerClose),
        1 => Just(Op::Cut),
        2 => (0u64..20_000).prop_map(Op::Advance),
        1 => Just(Op::Sleep),
    ]
}

const WORDS: [&str; 17] = [
    "connection_ack",
    "connection_error",
    "ka",
    "start_ack",
    "complete",
    "error",
    "data",
    "subscribe_success",
    "subscribe_error",
    "unsubscribe_success",
    "unsubscribe_error",
    "publish_success",
    "publish_error",
    "broadcast_error",
    "start",
    "stop",
    "future",
];

fn any_op() -> impl Strategy<Value = Op> {
    let say = (prop::sample::select(&WORDS[..]), 0u8..5).prop_map(|(word, id)| {
        let id = if id == 4 { String::new() } else { format!(r#","id":"s{id}""#) };
        let more =
            r#","connectionTimeoutMs":9000,"event":"1","errors":[],"payload":{"connectionTimeoutMs":9000,"data":{}}"#;
        format!(r#"{{"type":"{word}"{id}{more}}}"#)
    });
    prop_oneof![2 => honest_op(), 1 => say.prop_map(Op::Say), 1 => ".{0,8}".prop_map(Op::Say)]
}

struct World {
    client: Client,
    dialect: Dialect,
    /// Answers everything; a dishonest server acknowledges and then only says what it is told to.
    honest: bool,
    now: Moment,
    needs: VecDeque<Purpose>,
    dialling: bool,
    up: bool,
    live: BTreeSet<String>,
    towards_client: VecDeque<OwnedFrame>,
    findings: Vec<Finding>,
}

impl World {
    fn new(dialect: Dialect, ids: ResubscribeIds) -> Self {
        let client = Client::new(ClientConfig { ids, ..ClientConfig::new(dialect) });
        Self {
            client,
            dialect,
            honest: true,
            now: Moment::START,
            needs: VecDeque::new(),
            dialling: false,
            up: false,
            live: BTreeSet::new(),
            towards_client: VecDeque::new(),
            findings: Vec::new(),
        }
    }

    fn act(&mut self, op: Op, random: u64) {
        let now = self.now;
        let name = |n: u8| format!("s{n}");
        match op {
            Op::Connect => drop(self.client.connect(now)),
            Op::Subscribe(n) => drop(self.client.subscribe(now, &name(n), "/default/a")),
            Op::Unsubscribe(n) => drop(self.client.unsubscribe(now, &name(n))),
            Op::Publish(n) => drop(self.client.publish(now, &name(n), "/default/a", &["1"])),
            Op::Close => drop(self.client.close(now)),
            Op::Supply => {
                if let Some(purpose) = self.needs.pop_front() {
                    let _ = self.client.supply(now, &purpose, &Credentials::api_key("h", "k"));
                }
            }
            Op::Dialled(succeeds) if self.dialling => {
                self.dialling = false;
                self.up = succeeds;
                let failed = Input::ConnectFailed(now, DialFailure::Network);
                self.client.handle_input(if succeeds { Input::Connected(now) } else { failed }, random);
            }
            Op::Dialled(_) => {}
            Op::Deliver => {
                if let Some(frame) = self.towards_client.pop_front() {
                    self.client.handle_input(Input::Frame(now, frame.borrow()), random);
                }
            }
            Op::Emit(n) if self.live.contains(&name(n)) => {
                let body = match self.dialect {
                    Dialect::Graphql => r#""payload":{"data":{}}"#,
                    Dialect::Events => r#""event":"1""#,
                };
                self.send(format!(r#"{{"type":"data","id":"s{n}",{body}}}"#));
            }
            Op::Emit(_) => {}
            Op::KeepAlive => self.send(r#"{"type":"ka"}"#.into()),
            Op::ServerClose if self.up => {
                self.towards_client.push_back(OwnedFrame::Close { code: None, reason: String::new() });
                self.up = false;
            }
            Op::ServerClose => {}
            Op::Cut => {
                self.up = false;
                self.towards_client.clear();
                self.client.handle_input(Input::Frame(now, Frame::Lost), random);
            }
            Op::Advance(millis) => self.sleep_until(now + core::time::Duration::from_millis(millis), random),
            Op::Sleep => {
                if let Some(deadline) = self.client.deadline() {
                    self.sleep_until(deadline.at, random);
                }
            }
            Op::Say(text) => {
                if self.up {
                    self.client.handle_input(Input::Frame(now, Frame::text(&text)), random);
                }
            }
        }
        self.settle();
    }

    /// As the faithful driver does: no deadline is slept through.
    fn sleep_until(&mut self, until: Moment, random: u64) {
        for _ in 0..100 {
            match self.client.deadline() {
                Some(deadline) if deadline.at <= until => {
                    self.now = deadline.at;
                    self.client.handle_input(Input::Timeout(self.now), random);
                    self.settle();
                }
                Some(_) | None => break,
            }
        }
        self.now = self.now.max(until);
    }

    /// Polls until idle, and checks what holds of every pause.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            match self.client.poll_output() {
                Output::Dial { .. } => {
                    self.dialling = true;
                    self.forget_transport();
                }
                Output::Transmit(OwnedFrame::Lost) => {
                    self.dialling = false;
                    self.forget_transport();
                }
                Output::Transmit(frame) => self.serve(&frame),
                Output::Event(ClientEvent::Needs(request)) => self.needs.push_back(request.purpose),
                Output::Event(ClientEvent::Finding(finding)) => self.findings.push(finding),
                Output::Event(_) => {}
                Output::Idle(deadline) => {
                    assert!(deadline.is_none_or(|deadline| deadline.at >= self.now));
                    return;
                }
            }
        }
        panic!("polling never came to an end");
    }

    fn forget_transport(&mut self) {
        self.up = false;
        self.live.clear();
        self.towards_client.clear();
    }

    fn send(&mut self, text: String) {
        if self.up {
            self.towards_client.push_back(OwnedFrame::text(text));
        }
    }

    /// The honest server.
    fn serve(&mut self, frame: &OwnedFrame) {
        let OwnedFrame::Text { text, .. } = frame else {
            if self.up {
                self.towards_client.push_back(frame.clone());
            }
            self.up = false;
            return;
        };
        let message = decode(self.dialect, text).unwrap().message;
        if !self.honest && !matches!(message, Message::Init) {
            return;
        }
        let id = message.id().unwrap_or_default().to_string();
        let is_new = |live: &mut BTreeSet<String>| live.insert(id.clone());
        let answer = match (&message, self.dialect) {
            (Message::Init, Dialect::Graphql) => {
                r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":60000}}"#.into()
            }
            (Message::Init, Dialect::Events) => r#"{"type":"connection_ack","connectionTimeoutMs":60000}"#.into(),
            (Message::Subscribe { .. }, dialect) => {
                assert!(is_new(&mut self.live), "an honest client uses no id twice");
                let word = if dialect == Dialect::Graphql { "start_ack" } else { "subscribe_success" };
                format!(r#"{{"type":"{word}","id":"{id}"}}"#)
            }
            (Message::Unsubscribe { .. }, dialect) => {
                assert!(self.live.remove(&id), "an honest client stops what is live");
                let word = if dialect == Dialect::Graphql { "complete" } else { "unsubscribe_success" };
                format!(r#"{{"type":"{word}","id":"{id}"}}"#)
            }
            (Message::Publish { .. }, _) => format!(
                r#"{{"type":"publish_success","id":"{id}","successful":[{{"identifier":"i","index":0}}],"failed":[]}}"#
            ),
            (other, _) => panic!("no client says {other:?}"),
        };
        self.send(answer);
    }
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop::sample::select(&Dialect::ALL[..])
}

fn ids() -> impl Strategy<Value = ResubscribeIds> {
    prop_oneof![Just(ResubscribeIds::Same), Just(ResubscribeIds::Fresh { prefix: "s".into() })]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_honest_client_and_an_honest_server_give_no_finding_but_silence(
        dialect in dialects(), ids in ids(), ops in prop::collection::vec((honest_op(), any::<u64>()), 0..80),
    ) {
        let mut world = World::new(dialect, ids);
        for (op, random) in ops {
            world.act(op, random);
        }

        let silence = [Requirement::GqlKa001, Requirement::EvtKa001];
        prop_assert!(world.findings.iter().all(|f| silence.contains(&f.requirement)), "{:?}", world.findings);
    }

    #[test]
    fn whatever_a_server_says_the_client_breaks_no_rule(
        dialect in dialects(), ids in ids(), ops in prop::collection::vec((any_op(), any::<u64>()), 0..80),
    ) {
        let mut world = World { honest: false, ..World::new(dialect, ids) };
        for (op, random) in ops {
            world.act(op, random);
        }

        prop_assert!(world.findings.iter().all(|f| f.by == Side::Server), "{:?}", world.findings);
    }

    #[test]
    fn any_inputs_in_any_order_at_any_time_are_taken(
        dialect in dialects(),
        inputs in prop::collection::vec((0u8..9, any::<u32>(), prop::sample::select(&WORDS[..]), ".{0,3}"), 0..60),
    ) {
        let mut client = Client::new(ClientConfig::new(dialect));
        for (kind, at, word, id) in inputs {
            let at = Moment::from_micros(u64::from(at));
            let text = format!(r#"{{"type":"{word}","id":"{id}","payload":{{}},"event":"1","channel":"/a"}}"#);
            match kind {
                0 => client.handle_input(Input::Connected(at), 1),
                1 => client.handle_input(Input::ConnectFailed(at, DialFailure::Refused { status: 500 }), u64::MAX),
                2 => client.handle_input(Input::Timeout(at), 1),
                3 => client.handle_input(Input::Frame(at, Frame::text(&text)), 1),
                4 => drop(client.subscribe(at, &id, &text)),
                5 => drop(client.supply(at, &Purpose::Connect, &Credentials::new())),
                6 => drop(client.supply(at, &Purpose::Subscribe { id }, &Credentials::new())),
                7 => drop(client.send_raw(at, &text)),
                _ => drop(client.close(at)),
            }
            let outputs = (0..10_000).find(|_| matches!(client.poll_output(), Output::Idle(_)));
            prop_assert!(outputs.is_some());
            // A verb that fails does not even move the clock.
            prop_assert!(kind > 3 || client.deadline().is_none_or(|deadline| deadline.at >= at));
        }
    }

    #[test]
    fn a_closed_client_is_idle_within_the_drain_bound(
        dialect in dialects(), ops in prop::collection::vec((honest_op(), any::<u64>()), 0..40),
    ) {
        let mut world = World::new(dialect, ResubscribeIds::Same);
        for (op, random) in ops {
            world.act(op, random);
        }

        let _ = world.client.close(world.now);
        world.settle();
        world.sleep_until(world.now + world.client.config.timers.drain, 0);

        let state = world.client.snapshot().connection;
        prop_assert!(matches!(state, ConnectionState::Idle | ConnectionState::Failed { .. }), "{state}");
        prop_assert_eq!(world.client.deadline(), None);
    }
}
