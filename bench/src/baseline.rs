//! What the bare machine does: the floor under each figure.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::listening;

/// Syncs of 4 KiB appends that the disk does: a second.
pub fn syncs_per_second() -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile()?;
    let block = [1; 4096];
    let (rounds, begun) = (2_000, Instant::now());
    for _ in 0..rounds {
        file.write_all(&block)?;
        file.sync_data()?;
    }
    Ok(f64::from(rounds) / begun.elapsed().as_secs_f64())
}

/// A server that does nothing but send: for each message that comes to it, one bare `send` to every socket.
pub struct RawServer {
    trigger: TcpStream,
    /// Who listens, to be read by whoever measures.
    pub listeners: Vec<TcpStream>,
    cpu_ns: Arc<AtomicU64>,
}

impl RawServer {
    /// Starts one with so many sockets, to each of which it sends a frame that brings a message.
    pub fn start(sockets: usize) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let trigger = TcpStream::connect(address)?;
        trigger.set_nodelay(true)?;
        let mut commands = listener.accept()?.0;
        let (mut senders, mut listeners) = (Vec::new(), Vec::new());
        for _ in 0..sockets {
            listeners.push(TcpStream::connect(address)?);
            let sender = listener.accept()?.0;
            sender.set_nodelay(true)?;
            senders.push(sender);
        }
        let cpu_ns = Arc::new(AtomicU64::new(0));
        let used = cpu_ns.clone();
        std::thread::spawn(move || {
            let payload = listening::frame();
            let mut command = [0];
            // Whoever measures goes away when it is done.
            while commands.read_exact(&mut command).is_ok() {
                if senders.iter_mut().any(|sender| sender.write_all(&payload).is_err()) {
                    return;
                }
                used.store(thread_cpu_ns(), Ordering::Release);
            }
        });
        Ok(Self { trigger, listeners, cpu_ns })
    }

    /// Has it send once to everybody.
    pub fn send(&mut self) -> anyhow::Result<()> {
        Ok(self.trigger.write_all(b"x")?)
    }

    /// CPU that it used so far: seconds.
    pub fn cpu(&self) -> f64 {
        self.cpu_ns.load(Ordering::Acquire) as f64 / 1e9
    }
}

/// CPU that this thread used so far: nanoseconds.
fn thread_cpu_ns() -> u64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as u64 * 1_000_000_000 + used.tv_nsec as u64
}
