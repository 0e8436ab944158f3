//! Wires that break: a TCP relay between clients and the endpoint.
//!
//! ```text
//!   Session ──> relay ──> endpoint      forwards for a while, then one of
//!                                         cut     both sides are reset
//!                                         vanish  the client is reset, the endpoint hears nothing more
//!                                         stall   nothing moves for a while, then it goes on
//! ```
//!
//! Nothing breaks any more once the load is over. A relay holds no more than two buffers of the copier.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::child::PING_AFTER;
use crate::world::{Phase, World, reach, rest};

/// How long a wire that vanished is held: longer than the endpoint may take to notice.
const VANISHED: Duration = Duration::from_secs(PING_AFTER.as_secs() * 8);

#[derive(Clone, Copy)]
enum Fate {
    Cut,
    Vanish,
    Stall,
}

/// Relays until the load is over and every wire has ended by itself.
pub(crate) async fn relay(
    listener: TcpListener,
    world: Arc<World>,
    mut rng: fastrand::Rng,
    phase: watch::Receiver<Phase>,
) {
    let mut wires = JoinSet::new();
    let mut closing = phase.clone();
    loop {
        tokio::select! {
            () = reach(&mut closing, Phase::Close) => break,
            Some(_) = wires.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    let (world, phase) = (Arc::clone(&world), phase.clone());
                    wires.spawn(carry(client, world, rng.fork(), phase));
                }
                Err(error) => {
                    world.complain(format!("the relay cannot accept: {error}"));
                    sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    while wires.join_next().await.is_some() {}
}

async fn carry(mut client: TcpStream, world: Arc<World>, mut rng: fastrand::Rng, mut phase: watch::Receiver<Phase>) {
    let Ok(mut server) = TcpStream::connect(world.url.host.as_str()).await else { return };
    // Failing leaves small messages late, not wrong.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let fate = {
        let copying = copy_bidirectional(&mut client, &mut server);
        tokio::pin!(copying);
        loop {
            tokio::select! {
                _ = &mut copying => return,
                () = sleep(Duration::from_millis(rng.u64(1_000..30_000))) => {}
                () = reach(&mut phase, Phase::Drain) => {
                    let _ = copying.await;
                    return;
                }
            }
            match [Fate::Cut, Fate::Vanish, Fate::Stall][rng.usize(..3)] {
                Fate::Stall => {
                    world.count("wire stalled");
                    rest(&mut phase, Duration::from_millis(rng.u64(500..4_000))).await;
                }
                fate @ (Fate::Cut | Fate::Vanish) => break fate,
            }
        }
    };
    let _ = client.set_zero_linger();
    match fate {
        Fate::Cut | Fate::Stall => {
            world.count("wire cut");
            let _ = server.set_zero_linger();
        }
        Fate::Vanish => {
            world.count("wire vanished");
            drop(client);
            rest(&mut phase, VANISHED).await;
        }
    }
}
