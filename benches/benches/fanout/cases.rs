//! What is measured: how many listen, how much is published, and what came of it.

use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::thread;

use appsync_protocol::dialect::Dialect;
use serde::Serialize;
use syncspec_benches::floor::Failure;
use syncspec_benches::floor::audience::{Audience, Heard};
use syncspec_benches::floor::press::{self, Schedule};
use syncspec_benches::floor::wire::{Place, Publish, Speech, now};

use crate::SIZE;
use crate::child::{Server, Trips, trips};
use crate::peers::Peer;

/// One publisher to some subscribers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) dialect: Dialect,
    pub(crate) subscribers: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// At a rate that everybody keeps up with: how long an event takes.
    Latency,
    /// More than most servers manage: deliveries a second.
    Overload,
    /// As fast as the publisher can: deliveries a second.
    Ceiling,
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    /// What everything is put in relation to.
    Floor,
    /// What is ours.
    Reference,
    /// What somebody would have instead.
    Peer(Peer),
}

impl Contender {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Reference => "reference",
            Self::Peer(peer) => peer.name(),
        }
    }

    fn start(self) -> Result<Server, Failure> {
        match self {
            Self::Floor => Server::start(&["floor"]),
            Self::Reference => Server::start(&["reference"]),
            Self::Peer(peer) => peer.start(),
        }
    }
}

/// Deliveries a second at which latencies are taken.
pub(crate) const CALM: f64 = 20_000.0;
/// Most publishes a second at which they are.
const CALM_PUBLISHES: f64 = 1_000.0;
/// Publishes a second before anything counts.
const WARM_PUBLISHES: f64 = 200.0;

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Latency, Self::Overload, Self::Ceiling];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Overload => "overload",
            Self::Ceiling => "ceiling",
        }
    }

    pub(crate) const fn takes(self, subscribers: usize) -> bool {
        match self {
            Self::Latency => true,
            Self::Overload | Self::Ceiling => subscribers == 100 || subscribers == 1_000,
        }
    }
}

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    /// Deliveries a second, from the start to the last one.
    pub(crate) rate: f64,
    /// Microseconds: 50, 90, 99 percent and the longest.
    pub(crate) latency_us: [f64; 4],
    /// Microseconds of the server's processor time for each delivery.
    pub(crate) cpu_us: f64,
    /// Resident memory of the server for each subscriber.
    pub(crate) kb_each: f64,
    /// Events that did not come.
    pub(crate) lost: u64,
    /// Events out of order or more than once, and connections lost.
    pub(crate) wrong: u64,
}

impl Run {
    pub(crate) fn text(&self) -> String {
        let [p50, p90, p99, max] = self.latency_us;
        let bad = match (self.lost, self.wrong) {
            (0, 0) => String::new(),
            (lost, wrong) => format!(", LOST {lost}, WRONG {wrong}"),
        };
        format!(
            "{:.0}/s, p50 {p50:.0} p90 {p90:.0} p99 {p99:.0} max {max:.0} us, cpu {:.2} us, {:.1} KB{bad}",
            self.rate, self.cpu_us, self.kb_each
        )
    }
}

impl Case {
    pub(crate) fn name(&self) -> String {
        format!("{} {} 1 to {}", self.kind.word(), self.dialect, self.subscribers)
    }

    /// Publishes a second.
    pub(crate) fn rate(&self) -> Option<f64> {
        let each = self.subscribers as f64 * self.events() as f64;
        match self.kind {
            Kind::Latency => Some((CALM / each).min(CALM_PUBLISHES)),
            Kind::Overload => Some(self.offered() / each),
            Kind::Ceiling => None,
        }
    }

    /// Deliveries a second that are asked for in overload.
    pub(crate) const fn offered(&self) -> f64 {
        if self.subscribers <= 100 { 2e6 } else { 1e6 }
    }

    /// Events in one publish.
    pub(crate) const fn events(&self) -> usize {
        match (self.kind, self.dialect) {
            (Kind::Latency, _) | (_, Dialect::Graphql) => 1,
            (Kind::Overload | Kind::Ceiling, Dialect::Events) => 5,
        }
    }

    pub(crate) fn run(&self, contender: Contender, seconds: f64) -> Result<Run, Failure> {
        let server = contender.start()?;
        let place = Place { dialect: self.dialect, address: server.address };
        let speech: Box<dyn Speech> = match contender {
            Contender::Floor | Contender::Reference => Box::new(place),
            Contender::Peer(peer) => peer.speech(server.address),
        };
        // What is paid for once does not count as memory of a subscriber.
        drop(Audience::gather(&*speech, 32)?);
        let before = server.resident_kb()?;
        let mut audience = Audience::gather(&*speech, self.subscribers)?;
        let kb_each = server.resident_kb()?.saturating_sub(before) as f64 / self.subscribers as f64;
        let stream = speech.publisher()?;
        audience.ignore(&stream)?;
        let publish = speech.publish(self.events(), SIZE);
        let slowly = self.rate().unwrap_or(WARM_PUBLISHES).min(WARM_PUBLISHES);
        let warm = Schedule { start: now(), rate: Some(slowly), duration: 200_000_000 };
        play(&mut audience, &stream, &publish, warm)?;
        audience.rewind();

        let cpu = server.cpu()?;
        let schedule = Schedule { start: now() + 20_000_000, rate: self.rate(), duration: (seconds * 1e9) as u64 };
        let (heard, published) = play(&mut audience, &stream, &publish, schedule)?;
        let cpu = server.cpu()? - cpu;
        let at = |quantile| heard.latency.value_at_quantile(quantile) as f64 / 1e3;
        Ok(Run {
            rate: heard.deliveries as f64 * 1e9 / heard.last.saturating_sub(schedule.start).max(1) as f64,
            latency_us: [at(0.5), at(0.9), at(0.99), heard.latency.max() as f64 / 1e3],
            cpu_us: cpu as f64 / 1e3 / heard.deliveries.max(1) as f64,
            kb_each,
            lost: (u64::from(published) * self.subscribers as u64).saturating_sub(heard.deliveries),
            wrong: heard.wrong + heard.lost,
        })
    }
}

fn play(
    audience: &mut Audience,
    stream: &TcpStream,
    publish: &Publish,
    schedule: Schedule,
) -> Result<(Heard, u32), Failure> {
    let (tell, told) = channel();
    let stream = stream.try_clone()?;
    thread::scope(|scope| {
        let press = scope.spawn(move || {
            let published = press::publish(stream, publish, schedule);
            // Whoever listens has to come to an end, also if nothing was published.
            let _ = tell.send(published.as_ref().map_or(0, |count| *count));
            published
        });
        let heard = audience.listen(&told)?;
        let published = press.join().map_err(|_| "the publisher panicked")??;
        Ok((heard, published))
    })
}

/// Raw client and engine of `syncspec bench` against one floor server.
pub(crate) fn closed(is_turned: bool, seconds: f64) -> Result<(Trips, Trips), Failure> {
    let server = Server::start(&["floor"])?;
    let raw = || trips(&["raw-client"], server.address, seconds);
    let bench = || trips(&["bench-client", Dialect::Events.word()], server.address, seconds);
    if is_turned {
        let bench = bench()?;
        return Ok((raw()?, bench));
    }
    Ok((raw()?, bench()?))
}

/// The same engine with mutations over HTTP: there is no raw client to compare with.
pub(crate) fn closed_in_graphql(seconds: f64) -> Result<Trips, Failure> {
    let server = Server::start(&["floor"])?;
    trips(&["bench-client", Dialect::Graphql.word()], server.address, seconds)
}
