//! A link that delays: it takes TCP connections, makes one to the endpoint for each, and passes on what comes, later.
//!
//! Each way of each connection keeps its order, as on TCP. Connections and what is under way are bounded.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use super::manners::{Manner, Rewriter};
use crate::sim::Weather;

/// Connections at once.
const CONNECTIONS_MAX: usize = 512;

/// Pieces under way in one direction of one connection.
const UNDER_WAY_MAX: usize = 64;

/// How long a connection stays open where its end is not told.
const STAYS_OPEN: Duration = Duration::from_millis(500);

/// Bytes of a piece.
const PIECE_MAX: usize = 16 * 1024;

/// Passes on whatever comes, until it is dropped. A connection that fails ends on both sides.
pub(super) async fn relay(listener: TcpListener, to: SocketAddr, weather: Weather, manner: Manner) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut number = 0_u64;
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((client, _)) = listener.accept().await else { continue };
        number += 1;
        let own = Weather { seed: weather.seed.wrapping_add(number << 32), ..weather };
        tokio::spawn(async move {
            // Both sides see the end; there is nobody to tell more.
            drop(join(client, to, own, manner).await);
            drop(permit);
        });
    }
}

async fn join(client: TcpStream, to: SocketAddr, weather: Weather, manner: Manner) -> io::Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let back = Weather { seed: weather.seed.wrapping_add(1 << 16), ..weather };
    let forth = async {
        let (queue, due) = mpsc::channel(UNDER_WAY_MAX);
        tokio::try_join!(read(from_client, queue, weather, Rewriter::new(Manner::Plain)), write(due, to_server, false))
    };
    let forth_and_back = async {
        let (queue, due) = mpsc::channel(UNDER_WAY_MAX);
        let rewriter = Rewriter::new(manner);
        tokio::try_join!(read(from_server, queue, back, rewriter), write(due, to_client, manner == Manner::Pieces))
    };
    tokio::try_join!(forth, forth_and_back).map(drop)
}

type Piece = (Instant, Vec<u8>);

async fn read(
    mut from: OwnedReadHalf,
    queue: mpsc::Sender<Piece>,
    weather: Weather,
    mut rewriter: Rewriter,
) -> io::Result<()> {
    let mut last = Instant::now();
    let mut piece = vec![0; PIECE_MAX];
    for count in 0.. {
        let length = from.read(&mut piece).await?;
        last = last.max(Instant::now() + weather.delay(count));
        let over = length == 0;
        let sent = if over { rewriter.end() } else { rewriter.take(&piece[..length]) };
        if queue.send((last, sent)).await.is_err() {
            break;
        }
        if over {
            if !rewriter.tells_the_end() {
                // Open for longer than anybody needs who looks for the end of the answer where it is.
                sleep_until(Instant::now() + STAYS_OPEN).await;
            }
            break;
        }
    }
    Ok(())
}

async fn write(mut due: mpsc::Receiver<Piece>, mut to: OwnedWriteHalf, in_pieces: bool) -> io::Result<()> {
    while let Some((at, piece)) = due.recv().await {
        sleep_until(at).await;
        // One byte each, as long as that ends some day.
        let size = if in_pieces { piece.len() / 512 + 1 } else { piece.len().max(1) };
        for part in piece.chunks(size) {
            to.write_all(part).await?;
        }
    }
    to.shutdown().await
}
