//! What the bare machine does: the floor under each figure.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

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

/// CPU of the sender for one bare `send` of `bytes` to each of `sockets` with a live reader: seconds a send.
pub fn cpu_per_send(sockets: usize, bytes: usize, rounds: usize) -> anyhow::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let received = Arc::new(AtomicUsize::new(0));
    let mut senders = Vec::new();
    let mut readers = Vec::new();
    for _ in 0..sockets {
        readers.push(TcpStream::connect(address)?);
        senders.push(listener.accept()?.0);
    }
    for readers in split(readers, 2) {
        let received = received.clone();
        std::thread::spawn(move || read_all(readers, &received));
    }
    let payload = vec![b'x'; bytes];
    let mut cpu = 0.0;
    for round in 0..rounds {
        let before = thread_cpu();
        for sender in &mut senders {
            sender.write_all(&payload)?;
        }
        cpu += thread_cpu() - before;
        // One message is out before the next comes, as with a sender that waits for its acknowledgement.
        while received.load(Ordering::Relaxed) < (round + 1) * sockets * bytes {
            std::thread::yield_now();
        }
    }
    Ok(cpu / (rounds * sockets) as f64)
}

fn split(mut sockets: Vec<TcpStream>, parts: usize) -> Vec<Vec<TcpStream>> {
    let size = sockets.len().div_ceil(parts).max(1);
    let mut all = Vec::new();
    while !sockets.is_empty() {
        let rest = sockets.split_off(size.min(sockets.len()));
        all.push(std::mem::replace(&mut sockets, rest));
    }
    all
}

/// Reads from sockets in turn until they are closed.
fn read_all(mut sockets: Vec<TcpStream>, received: &AtomicUsize) {
    let mut buffer = [0; 4096];
    loop {
        for socket in &mut sockets {
            match socket.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(bytes) => received.fetch_add(bytes, Ordering::Relaxed),
            };
        }
    }
}

/// CPU that this thread used so far: seconds.
fn thread_cpu() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}
