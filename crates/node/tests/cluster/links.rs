//! The links between the parts of a site, each of which can be cut or slow.

use std::collections::HashSet;
use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use klatch_backing::{Flow, Link};

/// Klatch's processes, and the last number of their addresses, as `deploy/local/cluster.sh` has them.
pub const PROCESSES: [(&str, u8); 6] =
    [("front1", 11), ("front2", 12), ("processor1", 13), ("processor2", 14), ("worker1", 15), ("worker2", 16)];
/// The links of a process are at its own address and this.
pub const LINKS: u8 = 100;
/// How much later things arrive on a slow link, each way.
const DELAY: Duration = Duration::from_millis(50);

/// What is wrong with a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing arrives, and nobody is told.
    Cut,
    /// What was asked does not arrive; what was answered before does.
    CutThere,
    /// What was asked arrives, and what is answered does not.
    CutBack,
    /// All of it arrives, later.
    Slow,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Cut, Self::CutThere, Self::CutBack, Self::Slow];

    const fn flows(self) -> (Flow, Flow) {
        match self {
            Self::Cut => (Flow::Held, Flow::Held),
            Self::CutThere => (Flow::Held, Flow::Open),
            Self::CutBack => (Flow::Open, Flow::Held),
            Self::Slow => (Flow::Slow(DELAY), Flow::Slow(DELAY)),
        }
    }
}

/// All connections from one part to another.
#[derive(Debug)]
pub struct Way {
    /// From whom, to whom.
    pub name: String,
    links: Vec<Link>,
}

impl Way {
    /// Has the fault from now on.
    pub fn suffers(&self, fault: Fault) {
        let (there, back) = fault.flows();
        self.links.iter().for_each(|link| link.set(there, back));
    }

    /// How often something on its way met a fault.
    pub fn met(&self) -> u64 {
        self.links.iter().map(Link::met).sum()
    }

    /// Is as it should be.
    pub fn is_mended(&self) {
        self.links.iter().for_each(|link| link.set(Flow::Open, Flow::Open));
    }
}

/// Where clients of Kafka and of Cassandra are told to go, in this net, whichever way they came: all of them are told the same.
pub fn known_as(net: &str) -> String {
    format!("{net}.{}", LINKS + 1)
}

/// The ports that one of Klatch's processes is connected to at the servers' own address, past every link.
pub fn past_links(net: &str, pid: i32) -> Vec<u16> {
    let server: Ipv4Addr = format!("{net}.1").parse().unwrap();
    let files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let names = files.filter_map(|file| fs::read_link(file.path()).ok()?.into_os_string().into_string().ok());
    let sockets: HashSet<_> = names.filter_map(|name| Some(name.strip_prefix("socket:[")?.replace(']', ""))).collect();
    let connections = fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap();
    let past = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (host, port) = fields[2].split_once(':')?;
        let host = Ipv4Addr::from(u32::from_str_radix(host, 16).ok()?.to_ne_bytes());
        (host == server && sockets.contains(fields[9])).then(|| u16::from_str_radix(port, 16).unwrap())
    };
    connections.lines().skip(1).filter_map(past).collect()
}

/// All links of a site in this net, on this stack. They must be there before the site is.
pub async fn all(net: &str, stack: &str) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut servers = vec![("PostgreSQL", 5432), ("Redis", 6379)];
    servers.extend(stack.contains("rabbitmq").then_some(("RabbitMQ", 5672)));
    for (process, number) in PROCESSES {
        let own = format!("{net}.{}", LINKS + number);
        for (server, port) in &servers {
            let link = Link::at(&format!("{own}:{port}"), format!("{net}.1:{port}")).await;
            ways.push(Way { name: format!("{process} to {server}"), links: vec![link] });
        }
        if process.starts_with("front") {
            let mut links = Vec::new();
            for port in [8470, 9470] {
                links.push(Link::at(&format!("{own}:{port}"), format!("{net}.{number}:{port}")).await);
            }
            ways.push(Way { name: format!("HAProxy to {process}"), links });
        }
    }
    let mut links = Vec::new();
    for (_, number) in PROCESSES.iter().filter(|(process, _)| process.starts_with("processor")) {
        links.push(Link::at(&format!("{net}.{}:7470", LINKS + number), format!("{net}.{number}:7470")).await);
    }
    ways.push(Way { name: "fronts to processors".to_owned(), links });
    let all = [("kafka", "Kafka", 9092), ("cassandra", "Cassandra", 9042)];
    for (_, server, port) in all.into_iter().filter(|(name, ..)| stack.contains(name)) {
        let mut links = vec![Link::at(&format!("{}:{port}", known_as(net)), format!("{net}.1:{port}")).await];
        for (_, number) in PROCESSES {
            links.push(Link::at(&format!("{net}.{}:{port}", LINKS + number), format!("{net}.1:{port}")).await);
        }
        ways.push(Way { name: format!("everybody to {server}"), links });
    }
    ways
}
