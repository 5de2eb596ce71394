//! A site moves from a node to the servers of a cluster, and nobody loses anything.

pub mod place;
mod writers;

use klatch_client::{Gateway, Rest, Tokens, new_id};
use klatch_protocol::gateway::{ClientFrame, ReadMove, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, Conversation, ConversationKind, EventBody, NewCommand, Slug};
use klatch_protocol::rest::{Closure, CursorMove, HistoryPage, SignIn};
use reqwest::Method;
use rustix::process::Signal;
use tokio::process::Child;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use self::place::{Doom, Mover, Place};
use self::writers::Writers;
use crate::world::{Ended, PASSWORD, PATIENCE, Server, Site, begin, command, ended, eventually, klatch};

/// What stays to be read of a conversation: where everything happened that a move can lose.
struct Room {
    id: Uuid,
    ada: Rest,
    page: HistoryPage,
    seen: Conversation,
}

/// Messages whose body nobody reads: they were deleted, or their author closed the account.
fn unread(page: &HistoryPage) -> usize {
    let is_unread = |kind: &EventBody| matches!(kind, EventBody::Sent { body: None, .. });
    page.events.iter().filter(|event| is_unread(&event.kind)).count()
}

fn text(text: &str) -> CommandBody {
    let body = Body::Text { text: text.to_owned(), emote: false };
    CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None }
}

impl Room {
    /// Messages, one of them deleted, one edited, one of somebody who closed their account since; a cursor that was set back.
    async fn furnish(site: Site) -> (Site, Self) {
        let ((ada, _), (bob, bob_is), (eve, eve_is)) =
            (site.user("ada").await, site.user("bob").await, site.user("eve").await);
        let id = begin(&ada, ConversationKind::Group, "tea", &[bob_is.id, eve_is.id]).await;
        let first = ada.command(id, text("the kettle is on")).await.unwrap();
        let gone = bob.command(id, text("nobody may read this")).await.unwrap();
        ada.command(id, CommandBody::React { target: first.id, emoji: "☕".to_owned() }).await.unwrap();
        bob.command(id, CommandBody::Delete { target: gone.id }).await.unwrap();
        eve.command(id, text("farewell")).await.unwrap();
        for number in 0..30 {
            ada.command(id, text(&format!("number {number}"))).await.unwrap();
        }
        let cursor = CursorMove { read: Some(ReadMove { seq: 2, version: 500 }), delivered: None };
        let moved = format!("/conversations/{id}/cursor");
        ada.write::<_, serde_json::Value>(Method::PUT, &moved, Some(&cursor)).await.unwrap();
        let closure = Closure { password: PASSWORD.to_owned() };
        eve.write::<_, Option<()>>(Method::POST, "/me/closure", Some(&closure)).await.unwrap();
        // Whoever has read her keeps her key in memory, as long as nobody listens for her.
        let site = site.again(Signal::TERM, &[]).await;
        let ada = Rest::new(site.base(), ada.tokens().await).unwrap();
        let page = ada.history(id, "").await.unwrap();
        assert_eq!(unread(&page), 2);
        let seen = ada.get(&format!("/conversations/{id}")).await.unwrap();
        (site, Self { id, ada, page, seen })
    }

    /// All of it is at this address, for who was signed in before.
    async fn is_at(&self, base: &str) -> Rest {
        let ada = Rest::new(base, self.ada.tokens().await).unwrap();
        assert_eq!(ada.history(self.id, "").await.unwrap(), self.page, "the log and the overlay");
        let seen: Conversation = ada.get(&format!("/conversations/{}", self.id)).await.unwrap();
        assert_eq!(seen, self.seen, "the list, with her cursor");
        let sign_in =
            |name: &str| SignIn { name: name.to_owned(), password: PASSWORD.to_owned(), device: None, cookie: false };
        let stranger = Rest::new(base, Tokens::default()).unwrap();
        stranger.sign_in(&sign_in("bob")).await.expect("passwords are there");
        let refused = stranger.sign_in(&sign_in("eve")).await.expect_err("her account is closed");
        assert_eq!(refused.slug(), Some(Slug::WrongPassword));
        ada
    }
}

/// What a source that moved says to this command.
async fn run(words: &[&str]) -> Ended {
    let mut command = klatch();
    command.args(words);
    ended(command).await
}

async fn records(data: &str) -> u64 {
    let checked = run(&["check", "--json", "--data", data]).await.ok();
    let summary: serde_json::Value = serde_json::from_str(checked.lines().last().unwrap()).unwrap();
    assert_eq!(summary["findings"], 0, "{checked}");
    summary["records"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_moves_and_is_a_gateway_from_then_on() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let (data, place) = (site.data(), Place::make().await);
    let Site { server, dir, .. } = site;
    server.end(Signal::TERM).await;
    let before = records(&data).await;

    let said = Mover::begin(&data, &place).ends().await;
    let moved: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    assert_eq!((moved["conversations"].as_u64(), moved["records"].as_u64()), (Some(1), Some(before)));
    assert_eq!((moved["accounts"].as_u64(), moved["keys"].as_u64()), (Some(4), Some(2)), "{moved}");

    // The source takes no writes: whoever starts it starts a gateway, and what is written goes to the target.
    let gateway = Server::start(&["--data", &data]).await;
    let cluster = place.start().await;
    let ada = room.is_at(&gateway.base).await;
    let repeated = command(&ada, room.id, text("and it goes on")).await.unwrap();
    ada.refresh().await.expect("the chain of her tokens goes on there");
    let direct = Rest::new(&cluster.base, ada.tokens().await).unwrap();
    let page = direct.history(room.id, "").await.unwrap();
    assert_eq!(page.events.last().unwrap().id, repeated.id);
    gateway.end(Signal::TERM).await;
    let again = Server::start(&["--data", &data]).await;
    let later = Rest::new(&again.base, direct.tokens().await).unwrap();
    command(&later, room.id, text("after another start")).await.unwrap();
    again.end(Signal::TERM).await;
    assert_eq!(records(&data).await, before, "its data are as they were");

    let refused = Mover::begin(&data, &place).ends().await;
    refused.failed(1, &["has moved to", "cluster.toml"]);
    let refused = run(&["move", "--abort", "--data", &data, "--to", &place.file()]).await;
    refused.failed(1, &["open for writing", "Move the site back"]);
    cluster.end(Signal::TERM).await;
    drop(dir);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_kills_the_mover_the_site_is_at_one_place_and_the_move_goes_on() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let (data, place) = (site.data(), Place::make().await);
    let Site { server, dir, .. } = site;
    server.end(Signal::TERM).await;
    let file = place.file();
    let words = ["--data", &data, "--to", &file];
    for point in [
        "between_overlay_and_lists",
        "before_copying_the_rest",
        "before_copying_accounts",
        "before_copying_cursors",
        "before_comparing_both",
        "before_switching",
    ] {
        Mover::dies(&words, point).await;
        // The site is where it was, and whoever runs the target does not find it there.
        let here = Server::start(&["--data", &data]).await;
        Rest::new(&here.base, room.ada.tokens().await).unwrap().me().await.unwrap();
        here.end(Signal::KILL).await;
    }
    // From here on it has moved, though the target was not told.
    Mover::dies(&words, "between_source_and_target").await;
    let gateway = Server::start(&["--data", &data]).await;
    let cluster = place.start().await;
    let ada = room.is_at(&gateway.base).await;
    command(&ada, room.id, text("and it goes on")).await.unwrap();
    gateway.end(Signal::TERM).await;
    cluster.end(Signal::TERM).await;
    drop(dir);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_kills_the_node_while_it_moves_it_starts_again_as_what_it_is() {
    let (mut site, room) = Room::furnish(Site::start().await).await;
    let (data, place, doom) = (site.data(), Place::make().await, Doom::new());
    site.server.signal(Signal::TERM);
    site = site.after_its_end(doom.command(), &[]).await;
    let points = [
        "before_copying_the_log",
        "before_comparing_the_log",
        "while_the_node_has_stopped",
        "before_copying_the_rest",
        "before_copying_cursors",
        "before_comparing_both",
        "before_switching",
        "between_source_and_target",
    ];
    for point in points {
        doom.comes_at(point);
        Mover::begin(&data, &place).ends().await.failed(1, &["the node ended"]);
        doom.is_over();
        site = site.after_its_end(doom.command(), &[]).await;
        Rest::new(site.base(), room.ada.tokens().await).unwrap().me().await.expect("nobody is signed out");
    }
    let cluster = place.start().await;
    let ada = room.is_at(site.base()).await;
    command(&ada, room.id, text("and it goes on")).await.unwrap();
    site.server.end(Signal::TERM).await;
    cluster.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_dies_leaves_the_node_at_work_and_the_move_goes_on_later() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let (data, place, doom) = (site.data(), Place::mortal().await, Doom::new());
    // One that was killed has left the target's tables behind, so that they can be held.
    site.server.signal(Signal::TERM);
    let site = site.after_its_end(doom.command(), &[]).await;
    doom.comes_at("before_copying_the_log");
    Mover::begin(&data, &place).ends().await.failed(1, &["the node ended"]);
    let site = site.after_its_end(klatch(), &[]).await;
    let base = site.base().to_owned();
    for step in ["copying the log", "this node stops"] {
        // Or it might be done before its target dies.
        place.holds_accounts().await;
        let mut mover = Mover::begin(&data, &place);
        assert!(mover.says(step).await, "{step}");
        place.dies();
        let ended = mover.ends().await;
        assert_eq!((ended.code, &*ended.out), (Some(1), ""), "{step}: {ended:?}");
        let ada = Rest::new(&base, room.ada.tokens().await).unwrap();
        ada.history(room.id, "").await.expect("the node works");
        place.comes_back().await;
    }
    room.is_at(&base).await;
    let said = Mover::begin(&data, &place).ends().await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let cluster = place.start().await;
    let ada = room.is_at(&base).await;
    command(&ada, room.id, text("and it goes on")).await.unwrap();
    site.server.end(Signal::TERM).await;
    cluster.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_given_up_leaves_the_site_where_it_was_and_can_be_begun_again() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let (data, place) = (site.data(), Place::make().await);
    let Site { server, dir, .. } = site;
    server.end(Signal::TERM).await;
    Mover::dies(&["--data", &data, "--to", &place.file()], "before_comparing_both").await;
    run(&["move", "--abort", "--data", &data, "--to", &place.file()]).await.ok();
    run(&["move", "--abort", "--data", &data, "--to", &place.file()]).await.ok();
    let refused = Server::refused(&["--config", &place.file()]).await;
    refused.failed(1, &["no site is here"]);

    let here = Server::start(&["--data", &data]).await;
    let ada = room.is_at(&here.base).await;
    command(&ada, room.id, text("still here")).await.unwrap();
    here.end(Signal::TERM).await;
    let before = records(&data).await;
    let said = Mover::begin(&data, &place).ends().await;
    let moved: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    assert_eq!(moved["records"].as_u64(), Some(before));
    drop(dir);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_cannot_be_one_is_refused_with_a_sentence() {
    let site = Site::start().await;
    let (data, place) = (site.data(), Place::make().await);
    let refused = async |to: &str, words: &[&str]| {
        run(&["move", "--data", &data, "--to", to]).await.failed(1, words);
    };
    refused("/nowhere.toml", &["/nowhere.toml"]).await;
    let laptop = place.laptop();
    refused(&laptop, &["`engines.event_log`", "is embedded"]).await;
    let text = std::fs::read_to_string(place.file()).unwrap();
    let relative =
        place.write("relative.toml", &text.replacen("data = \"", "data = \"x", 1).replacen("\"x/", "\"x", 1));
    refused(&relative, &["`data`", "must begin with /"]).await;
    // A site of its own, even if nobody is there yet.
    run(&["migrate", "--config", &place.file()]).await.ok();
    let node_says = run(&["move", "--data", &data, "--to", &place.file()]).await;
    assert!(node_says.err.contains("another site is at the target"), "{node_says:?}");
    // And the node works.
    site.owner.me().await.unwrap();
    site.server.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_moves_while_people_chat() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let writers = Writers::begin(&site).await;
    let (data, place) = (site.data(), Place::make().await);
    let base = site.base().to_owned();
    writers.have_said(50).await;
    let mut mover = Mover::begin(&data, &place);
    mover.says("copying the log").await;
    // Processes of the cluster may be started before: they wait for the site.
    let cluster = tokio::spawn({
        let file = place.file();
        async move { Server::start(&["--config", &file]).await }
    });
    let said = mover.ends().await;
    let moved: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    let cluster = cluster.await.unwrap();
    writers.have_said(50).await;
    let ada = room.is_at(&base).await;
    ada.refresh().await.expect("she is not signed out");
    let longest = writers.stop_and_check(&ada, &base).await;
    println!("the node stopped for {} ms; a sender waited {longest:?} at most", moved["paused_ms"]);
    let direct = Rest::new(&cluster.base, ada.tokens().await).unwrap();
    direct.history(room.id, "").await.expect("the same site from another process");
    site.server.end(Signal::TERM).await;
    cluster.end(Signal::TERM).await;
}

/// The configuration of a node at this address.
fn at(base: &str) -> &str {
    base.strip_prefix("http://").unwrap()
}

/// A node where another was: as soon as that has ended.
async fn in_place_of(base: &str, file: &str) -> Server {
    eventually("that the address is free", async || {
        Server::begin(klatch(), &["--config", file, "--listen", at(base)]).await.ok()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_moves_back_while_people_chat() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let place = Place::make().await;
    let (base, laptop) = (site.base().to_owned(), place.laptop());
    assert_eq!(Mover::begin(&site.data(), &place).ends().await.code, Some(0));
    let cluster = place.start().await;
    let writers = Writers::begin(&site).await;
    writers.have_said(30).await;
    let said = Mover::back(&place, &laptop).ends().await;
    let moved: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    // The node that was a gateway to the cluster ends by itself, as do the processes of that.
    let node = in_place_of(&base, &laptop).await;
    writers.have_said(30).await;
    let ada = room.is_at(&base).await;
    ada.refresh().await.expect("she is not signed out");
    let longest = writers.stop_and_check(&ada, &base).await;
    println!("the processes stopped for {} ms; a sender waited {longest:?} at most", moved["paused_ms"]);
    node.end(Signal::TERM).await;
    assert!(records(&place.laptop_data()).await > moved["records"].as_u64().unwrap());
    assert!(cluster.ended().await.contains("has moved"));
    assert!(site.server.ended().await.contains("has moved"));
    let refused = Server::refused(&["--config", &place.file()]).await;
    refused.failed(1, &["has moved", "laptop.toml"]);
    let refused = Mover::back(&place, &laptop).ends().await;
    refused.failed(1, &["has moved to"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_back_that_is_killed_is_given_up_or_goes_on() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let (data, place) = (site.data(), Place::make().await);
    let laptop = place.laptop();
    site.server.end(Signal::TERM).await;
    assert_eq!(Mover::begin(&data, &place).ends().await.code, Some(0));
    let cluster = place.start().await;
    let file = place.file();
    let words = ["--config", &file, "--to", &laptop];
    for point in [
        "before_copying_the_log",
        "while_all_hold_back",
        "while_processes_stop",
        "before_copying_accounts",
        "before_comparing_both",
    ] {
        Mover::dies(&words, point).await;
        run(&["move", "--abort", "--config", &place.file(), "--to", &laptop]).await.ok();
        room.is_at(&cluster.base).await;
    }
    // One that is begun after it takes over.
    for point in ["while_processes_stop", "before_comparing_both"] {
        Mover::dies(&words, point).await;
    }
    run(&["move", "--abort", "--config", &place.file(), "--to", &laptop]).await.ok();
    let ada = room.is_at(&cluster.base).await;
    command(&ada, room.id, text("and it goes on")).await.unwrap();
    // A worker sends nothing, so that it need not hold back; that it lives is noticed all the same.
    let others = place.attending().await;
    let mut worker = klatch().args(["run", "--config", &file, "--roles", "worker"]).spawn().unwrap();
    let worker_is = async || place.attending().await.into_iter().find(|process| !others.contains(process));
    let worker_is = eventually("a worker works", worker_is).await;
    let refused = Mover::with(&["--config", &file, "--to", &laptop, "--gone", &worker_is]).ends().await;
    refused.failed(1, &["the site is where it was", "not dead", &worker_is, "leave them out of `--gone`"]);
    command(&ada, room.id, text("and on")).await.expect("nobody was stopped");
    worker.kill().await.unwrap();
    // A process that is killed cannot say that it stopped; an operator can.
    let other = place.start().await;
    other.end(Signal::KILL).await;
    let refused = Mover::back(&place, &laptop).ends().await;
    refused.failed(1, &["--gone"]);
    // It did not hold back; or, if it was dead for long enough by then, it did not answer.
    let named = ["not all of those who send held back in time: ", "some of those who send do not answer: "];
    let named = named.into_iter().find_map(|words| refused.err.rsplit_once(words));
    let (_, named) = named.unwrap_or_else(|| panic!("{refused:?}"));
    let name = named.split(';').next().unwrap();
    command(&ada, room.id, text("and on")).await.expect("the other process works again");
    let moved = Mover::with(&["--config", &file, "--to", &laptop, "--gone", name, "--gone", &worker_is]).ends().await;
    assert_eq!(moved.code, Some(0), "{moved:?}");
    let node = Server::start(&["--config", &laptop]).await;
    let ada = Rest::new(&node.base, ada.tokens().await).unwrap();
    command(&ada, room.id, text("and on")).await.unwrap();
    node.end(Signal::TERM).await;
    records(&place.laptop_data()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_queue_has_accepted_is_decided_before_its_site_moves_back() {
    let (site, room) = Room::furnish(Site::start().await).await;
    let (place, data) = (Place::make().await, site.data());
    let laptop = place.laptop();
    site.server.end(Signal::TERM).await;
    assert_eq!(Mover::begin(&data, &place).ends().await.code, Some(0));
    let front = Server::start(&["--config", &place.file(), "--roles", "api,gateway"]).await;
    let ada = room.is_at(&front.base).await;
    // Nobody decides yet.
    let (mut gateway, _) = Gateway::connect(&front.base, &ada.tokens().await.access).await.unwrap();
    let new = |command| NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
    let (message, in_vain) = (new(text("it waits")), new(CommandBody::Delete { target: new_id() }));
    for new in [&message, &in_vain] {
        gateway.send(&ClientFrame::Command { conversation: room.id, new: new.clone() }).await.unwrap();
        let is_accepted = async {
            while !matches!(gateway.next().await.unwrap(), Ok(ServerFrame::Accepted { id, .. }) if id == new.id) {}
        };
        timeout(PATIENCE, is_accepted).await.expect("the queue has it");
    }
    // Nobody hears what becomes of them.
    drop(gateway);
    let refused = Mover::back(&place, &laptop).ends().await;
    refused.failed(1, &["the site is where it was", "was not decided in time", "whether processors run"]);

    let mut mover = Mover::back(&place, &laptop);
    assert!(mover.says("what waits in the queue").await);
    let processor = klatch().args(["run", "--config", &place.file(), "--roles", "processor"]).spawn().unwrap();
    let (mut moved, deadline) = (mover.ends().await, Instant::now() + PATIENCE);
    // As docs/operating/moving.md says, where the processor took too long to begin.
    while moved.err.contains("was not decided in time") && Instant::now() < deadline {
        moved = Mover::back(&place, &laptop).ends().await;
    }
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert!(front.ended().await.contains("has moved"));
    assert!(ended_by_itself(processor).await.err.contains("has moved"));
    let node = Server::start(&["--config", &laptop]).await;
    let ada = Rest::new(&node.base, ada.tokens().await).unwrap();
    let page = ada.history(room.id, "").await.unwrap();
    assert!(page.events.iter().any(|event| event.id == message.id), "what was accepted is lost: {page:?}");
    // The answer has moved with the site: her device is told of it, and told the same again.
    let answers: serde_json::Value = serde_json::from_str(&moved.out).unwrap_or_else(|_| panic!("{moved:?}"));
    assert_eq!(answers["answers"], 1, "{moved:?}");
    let (mut gateway, _) = Gateway::connect(&node.base, &ada.tokens().await.access).await.unwrap();
    let refused = async |gateway: &mut Gateway, frame| {
        gateway.send(&frame).await.unwrap();
        let refused = async {
            loop {
                match gateway.next().await.unwrap().unwrap() {
                    ServerFrame::Rejected { id, problem, .. } if id == in_vain.id => return problem.slug(),
                    _ => {}
                }
            }
        };
        timeout(PATIENCE, refused).await.expect("it was refused")
    };
    let told = refused(&mut gateway, ClientFrame::Sync { have: Default::default(), after: None }).await;
    let again = ClientFrame::Command { conversation: room.id, new: in_vain.clone() };
    let again = refused(&mut gateway, again).await;
    assert_eq!((told, again), (Some(Slug::NoSuchMessage), Some(Slug::NoSuchMessage)));
    node.end(Signal::TERM).await;
}

/// How a process ends that nobody ends.
async fn ended_by_itself(process: Child) -> Ended {
    timeout(PATIENCE, process.wait_with_output()).await.expect("it ends").unwrap().into()
}
