//! Addresses that nobody else uses: 127.0.N.1 and its neighbours, as long as somebody holds the guard's socket.

use std::net::{Ipv4Addr, TcpListener};

/// The port of the guard. Nothing else listens there on 127.0.N.254.
const GUARD_PORT: u16 = 47_470;

/// A net of loopback addresses.
#[derive(Debug)]
pub struct Net {
    number: u8,
}

impl Net {
    /// Takes one that is free. It stays taken until the socket that is returned beside it is closed, by the last process that
    /// has it: the kernel sees to that.
    pub fn take() -> (Self, TcpListener) {
        let taken = (1..=250).find_map(|number| {
            let guard = TcpListener::bind((Ipv4Addr::new(127, 0, number, 254), GUARD_PORT)).ok()?;
            Some((Self { number }, guard))
        });
        taken.expect("one of 250 nets is free; is something left over of earlier tests?")
    }

    /// As the scripts are told.
    pub fn prefix(&self) -> String {
        format!("127.0.{}", self.number)
    }
}
