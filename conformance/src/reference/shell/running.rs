//! A port that is served in a thread of its own, for tests and for callers without a runtime.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::{Options, Service, Summary, serve};

/// A served port. Dropping it closes the connections and waits for the thread, two seconds at most.
pub struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: Receiver<Summary>,
    thread: Option<JoinHandle<()>>,
}

/// How long the thread may take to end. The connections have one second of it.
const JOIN_LIMIT: Duration = Duration::from_secs(2);

impl Running {
    /// Binds the address (port 0 for a free one) and serves it on a current-thread runtime in a new thread.
    ///
    /// Fails if the address cannot be bound, or if there is no thread to be had.
    pub fn start<S: Service>(service: S, address: impl ToSocketAddrs, options: Options) -> io::Result<Self> {
        let listener = StdListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };

        let (stop, stopped) = oneshot::channel();
        let (report, ended) = sync_channel(1);
        let thread = thread::Builder::new().name("endpoint".into()).spawn(move || {
            let summary = runtime.block_on(serve(listener, service, options, async {
                // Sent, or dropped with its owner: both mean stop.
                let _ = stopped.await;
            }));
            let _ = report.send(summary);
        })?;
        Ok(Self { address, stop: Some(stop), ended, thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops and tells what happened; `None` if the thread did not end in time or panicked.
    pub fn stop(mut self) -> Option<Summary> {
        self.finish()
    }

    fn finish(&mut self) -> Option<Summary> {
        drop(self.stop.take());
        let summary = self.ended.recv_timeout(JOIN_LIMIT);
        // A thread that hangs in the service is left behind rather than waited for.
        let is_over = !matches!(summary, Err(std::sync::mpsc::RecvTimeoutError::Timeout));
        if let Some(thread) = self.thread.take().filter(|_| is_over) {
            let _ = thread.join();
        }
        summary.ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.finish();
    }
}
