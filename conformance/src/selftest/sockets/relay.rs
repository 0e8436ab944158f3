//! A link that delays: it takes TCP connections, makes one to the endpoint for each, and passes on what comes, later.
//!
//! Each way of each connection keeps its order, as on TCP. Connections and what is under way are bounded.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::sim::Weather;

/// Connections at once.
const CONNECTIONS_MAX: usize = 512;

/// Pieces under way in one direction of one connection.
const UNDER_WAY_MAX: usize = 64;

/// Bytes of a piece.
const PIECE_MAX: usize = 16 * 1024;

/// Passes on whatever comes, until it is dropped. A connection that fails ends on both sides.
pub(super) async fn relay(listener: TcpListener, to: SocketAddr, weather: Weather) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut number = 0_u64;
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((client, _)) = listener.accept().await else { continue };
        number += 1;
        let own = Weather { seed: weather.seed.wrapping_add(number << 32), ..weather };
        tokio::spawn(async move {
            // Both sides see the end; there is nobody to tell more.
            drop(join(client, to, own).await);
            drop(permit);
        });
    }
}

async fn join(client: TcpStream, to: SocketAddr, weather: Weather) -> io::Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let back = Weather { seed: weather.seed.wrapping_add(1 << 16), ..weather };
    tokio::try_join!(pass(from_client, to_server, weather), pass(from_server, to_client, back)).map(drop)
}

async fn pass(from: OwnedReadHalf, to: OwnedWriteHalf, weather: Weather) -> io::Result<()> {
    let (queue, due) = mpsc::channel(UNDER_WAY_MAX);
    tokio::try_join!(read(from, queue, weather), write(due, to)).map(drop)
}

type Piece = (Instant, Vec<u8>);

async fn read(mut from: OwnedReadHalf, queue: mpsc::Sender<Piece>, weather: Weather) -> io::Result<()> {
    let mut last = Instant::now();
    for count in 0.. {
        let mut piece = vec![0; PIECE_MAX];
        let length = from.read(&mut piece).await?;
        piece.truncate(length);
        last = last.max(Instant::now() + weather.delay(count));
        if length == 0 || queue.send((last, piece)).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn write(mut due: mpsc::Receiver<Piece>, mut to: OwnedWriteHalf) -> io::Result<()> {
    while let Some((at, piece)) = due.recv().await {
        sleep_until(at).await;
        to.write_all(&piece).await?;
    }
    to.shutdown().await
}
