//! Bad input gets a clear answer, and nothing is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use klatch_client::{Error, Gateway, new_id};
use klatch_protocol::gateway::{ClientFrame, ClientInfo, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, ConversationKind, MemberRole, NewCommand, Problem, Slug};
use klatch_server::gateway::LIMITS;
use klatch_testkit::{FakeClock, NodeOptions, TestDevice, TestNode, eventually, text};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

async fn refused(device: &mut TestDevice, raw: &str) -> (Problem, Option<String>) {
    device.gateway().send_raw(Message::text(raw)).await.expect("sent");
    let error = device.next_where(|frame| matches!(frame, ServerFrame::Error { .. })).await;
    let ServerFrame::Error { problem, of } = error else { unreachable!("asked for") };
    (problem, of)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_none_is_answered_and_the_connection_goes_on() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let mut hers = ada.device().await;
    let hello = r#"{"type":"hello","protocol":[1],"token":"x"}"#;
    for (raw, slug, of) in [
        ("", Slug::InvalidRequest, None),
        ("{", Slug::InvalidRequest, None),
        ("[]", Slug::InvalidRequest, None),
        (r#"{"type":7}"#, Slug::InvalidRequest, None),
        (r#"{"type":"dance"}"#, Slug::UnknownFrame, Some("dance")),
        (r#"{"type":"typing","on":true}"#, Slug::InvalidRequest, Some("typing")),
        (r#"{"type":"command","conversation":"x"}"#, Slug::InvalidRequest, Some("command")),
        (hello, Slug::SecondHello, Some("hello")),
    ] {
        let (problem, found) = refused(&mut hers, raw).await;
        assert_eq!((problem.slug(), found.as_deref()), (Some(slug), of), "{raw}");
    }
    // What is no UTF-8 is no JSON either.
    let bytes = Frame::message(&b"{\"type\":\"ping\xff\"}"[..], OpCode::Data(Data::Text), true);
    hers.gateway().send_raw(Message::Frame(bytes)).await.expect("sent");
    let error = hers.next_where(|frame| matches!(frame, ServerFrame::Error { .. })).await;
    assert!(matches!(error, ServerFrame::Error { problem, of: None } if problem.slug() == Some(Slug::InvalidRequest)));
    hers.send(&ClientFrame::Ping).await;
    hers.next_where(|frame| matches!(frame, ServerFrame::Pong)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_in_frames_have_their_limits() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let mut hers = ada.device().await;
    let ids = |count: usize| (0..count).map(|_| new_id()).collect::<Vec<_>>();
    let have = |count: usize| ids(count).into_iter().map(|id| (id, 1)).collect::<BTreeMap<_, _>>();
    for (fits, frame) in [
        (true, ClientFrame::Sync { have: have(LIMITS.have), after: None }),
        (false, ClientFrame::Sync { have: have(LIMITS.have + 1), after: None }),
        (true, ClientFrame::Watch { users: ids(LIMITS.watch) }),
        (false, ClientFrame::Watch { users: ids(LIMITS.watch + 1) }),
        (true, ClientFrame::Open { conversations: ids(LIMITS.open) }),
        (false, ClientFrame::Open { conversations: ids(LIMITS.open + 1) }),
    ] {
        hers.send(&frame).await;
        hers.send(&ClientFrame::Ping).await;
        let answer = hers.next_where(|answer| matches!(answer, ServerFrame::Error { .. } | ServerFrame::Pong)).await;
        match answer {
            ServerFrame::Error { problem, .. } => {
                assert!(!fits && problem.slug() == Some(Slug::InvalidRequest), "{frame:?}: {problem:?}");
                hers.next_where(|answer| matches!(answer, ServerFrame::Pong)).await;
            }
            _ => assert!(fits, "{frame:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_come_two_hundred_at_once_and_then_as_fast_as_is_said() {
    let clock = Arc::new(FakeClock::at(1_800_000_000_000));
    let mut options = NodeOptions::default();
    options.overrides.clock = clock.clone();
    let node = TestNode::with(options).await;
    let mut hers = node.user("ada").await.silent_device().await;
    let mut ping = async || {
        hers.send(&ClientFrame::Ping).await;
        match hers.next_where(|frame| matches!(frame, ServerFrame::Error { .. } | ServerFrame::Pong)).await {
            ServerFrame::Error { problem, of } => Err((problem, of)),
            _ => Ok(()),
        }
    };
    for _ in 0..LIMITS.frames_burst {
        ping().await.expect("within the burst");
    }
    let (problem, of) = ping().await.expect_err("one too many");
    assert_eq!((problem.slug(), of.as_deref()), (Some(Slug::RateLimited), Some("ping")));
    let wait = problem.retry_after_ms.expect("it says when");
    assert!(wait <= 1_000 / u64::from(LIMITS.frames_per_second) + 1, "{wait}");
    clock.advance(wait);
    ping().await.expect("it has waited as it was told");
    assert!(ping().await.is_err(), "one came back, not all");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_says_what_is_refused_is_sent_away() {
    let node = TestNode::start().await;
    let mut hers = node.user("ada").await.silent_device().await;
    for _ in 0..501 {
        // The last of them may find the connection closed.
        let _ = hers.gateway().send_raw(Message::text("nonsense")).await;
    }
    assert_eq!(hers.closed().await.code, 4203);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_nothing_is_sent_away() {
    let mut options = NodeOptions::default();
    // Given up at the first look, before there was a ping to answer.
    options.overrides.gateway.ping_every = Duration::from_millis(300);
    options.overrides.gateway.silence_max = Duration::from_millis(100);
    let node = TestNode::with(options).await;
    let ada = node.user("ada").await;
    let mut dead = ada.silent_device().await;
    eventually("it is given up", async || (node.connections() == 0).then_some(())).await;
    assert_eq!(dead.closed().await.code, 4002);

    // Another node: the device that has just said hello would have had as little time for it.
    let mut options = NodeOptions::default();
    options.overrides.gateway.hello_within = Duration::from_millis(200);
    let node = TestNode::with(options).await;
    let address = format!("{}/api/v1/gateway", node.base().replacen("http", "ws", 1));
    let (mut socket, _) = tokio_tungstenite::connect_async(address).await.expect("connected");
    let answer = futures_util::StreamExt::next(&mut socket).await.expect("an answer").expect("a frame");
    assert!(matches!(answer, Message::Close(Some(close)) if u16::from(close.code) == 4101));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_lost_to_its_client() {
    let node = TestNode::start().await;
    let mut hers = node.user("ada").await.silent_device().await;
    eventually("it is there", async || (node.connections() == 1).then_some(())).await;
    hers.gateway().give_up_after(Duration::from_millis(100));
    // It does not close, and its pings are far apart: as where the network between the two is gone.
    assert_eq!(hers.closed().await.code, 1006);
    assert_eq!(node.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_looked_at_on_the_gateway_as_in_rest() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let mut hers = ada.device().await;
    for (id, is_good) in [(0, false), (u128::MAX, false), (0x7000_8000_0000_0000_0001, true)] {
        let id = uuid::Uuid::from_u128(id);
        let new = NewCommand { id, command: text("when?"), seen: None, after: None, claimed_at: None };
        hers.send(&ClientFrame::Command { conversation: tea, new }).await;
        match hers.answer(id).await {
            ServerFrame::Rejected { problem, .. } => {
                assert!(!is_good && problem.slug() == Some(Slug::InvalidRequest), "{id}: {problem:?}");
            }
            _ => assert!(is_good, "{id}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_or_strange_json_harms_nobody() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let mut hers = ada.device().await;
    let deep = format!(r#"{{"type":"sync","have":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(refused(&mut hers, &deep).await.0.slug(), Some(Slug::InvalidRequest));
    let huge = r#"{"type":"cursor","conversation":"00000000-0000-0000-0000-000000000000","delivered":1e300}"#;
    assert_eq!(refused(&mut hers, huge).await.0.slug(), Some(Slug::InvalidRequest));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_frame_must_be_hello_with_a_good_token_and_a_known_version() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let good = ada.rest.tokens().await.access;
    let hello = |protocol: u32, token: &str| ClientFrame::Hello {
        protocol: vec![protocol],
        token: token.to_owned(),
        client: ClientInfo::default(),
        capabilities: Vec::new(),
    };
    for (first, code) in [(hello(1, "x"), 4100), (hello(999, &good), 4202), (ClientFrame::Ping, 4102)] {
        let address = format!("{}/api/v1/gateway", node.base().replacen("http", "ws", 1));
        let (mut socket, _) = tokio_tungstenite::connect_async(address).await.expect("connected");
        let json = serde_json::to_string(&first).expect("JSON");
        futures_util::SinkExt::send(&mut socket, Message::text(json)).await.expect("sent");
        let answer = futures_util::StreamExt::next(&mut socket).await.expect("an answer").expect("a frame");
        let Message::Close(Some(close)) = answer else { panic!("{answer:?}") };
        assert_eq!(u16::from(close.code), code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_ends_the_connection_with_a_code() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    for bad in [Message::text("x".repeat(LIMITS.frame_bytes + 1)), Message::binary(vec![0; 8])] {
        let mut hers = ada.device().await;
        hers.gateway().send_raw(bad).await.expect("sent");
        assert_eq!(hers.closed().await.code, 4203);
    }
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let long = ada.command(tea, text(&"x".repeat(LIMITS.text_bytes + 1))).await.expect_err("too long");
    assert_eq!(long.slug(), Some(Slug::BodyTooLong));
    let fits = ada.command(tea, text(&"x".repeat(LIMITS.text_bytes))).await;
    assert!(fits.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_connect() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let node = TestNode::start().await;
    let address = format!("{}/api/v1/gateway", node.base().replacen("http", "ws", 1));
    let mut request = address.into_client_request().expect("a request");
    request.headers_mut().insert("origin", "https://evil.example".parse().expect("a header"));
    let refused = tokio_tungstenite::connect_async(request).await.expect_err("refused");
    assert!(refused.to_string().contains("403"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_at_once_is_told_when_to_come_again_and_nothing_is_lost() {
    let mut options = NodeOptions::default();
    options.limits.commands_burst = 10;
    options.limits.commands_per_minute = 6_000;
    options.limits.frames_burst = 10_000;
    let node = TestNode::with(options).await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let mut hers = ada.device().await;
    let mut left: Vec<_> = (0..30).map(|n| (new_id(), n)).collect();
    // As the page says: what is refused for its rate is sent again after a while, with the same id.
    while !left.is_empty() {
        let (mut refused, mut wait_ms) = (Vec::new(), 0);
        for (id, n) in &left {
            let new = NewCommand { id: *id, command: text(&n.to_string()), seen: None, after: None, claimed_at: None };
            hers.send(&ClientFrame::Command { conversation: tea, new }).await;
        }
        for (id, n) in &left {
            match hers.answer(*id).await {
                ServerFrame::Rejected { problem, .. } => {
                    assert_eq!(problem.slug(), Some(Slug::RateLimited));
                    let ms = problem.retry_after_ms.expect("it says when");
                    assert!(ms > 0 && ms <= 10_000);
                    wait_ms = wait_ms.max(ms);
                    refused.push((*id, *n));
                }
                answer => assert!(matches!(answer, ServerFrame::Committed { .. })),
            }
        }
        left = refused;
        // No guess: the server said so.
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
    let page = ada.rest.history(tea, "limit=200").await.expect("a page");
    assert_eq!(page.events.len(), 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_by_years_changes_nothing() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let now = ada.rest.history(tea, "").await.expect("a page").events[0].at;
    let year = 365 * 24 * 3_600_000;
    let claims = [0, now - year, now, now + year, now + 2 * year, 4_000_000_000_000, u64::MAX];
    for (n, claimed_at) in claims.into_iter().enumerate() {
        // The id is made by the same clock.
        let id = uuid::Uuid::from_u128(
            u128::from(claimed_at & 0xffff_ffff_ffff) << 80 | 0x7000_8000_0000_0000_0000 | n as u128,
        );
        let new = NewCommand { id, command: text("when?"), seen: None, after: None, claimed_at: Some(claimed_at) };
        ada.submit(tea, &new).await.expect("committed");
    }
    let page = ada.rest.history(tea, "").await.expect("a page");
    assert!(page.events.is_sorted_by_key(|event| event.at), "order is the server's");
    let kept: Vec<_> = page.events[1..].iter().map(|event| event.claimed_at).collect();
    let [epoch, past, same, future, ..] = claims;
    assert_eq!(kept, [Some(epoch), Some(past), Some(same), Some(future), None, None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_answered_with_their_slug() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let sent = ada.command(tea, text("mine")).await.expect("committed").id;
    let delete = CommandBody::Delete { target: sent };
    let refused = bob.command(tea, delete).await.expect_err("not his");
    assert_eq!(refused.slug(), Some(Slug::NotAllowed));
    let other = Body::Text { text: "not mine".to_owned(), emote: false };
    let edit = CommandBody::Edit { target: sent, body: other.clone(), mentions: Vec::new() };
    assert_eq!(bob.command(tea, edit).await.expect_err("not his").slug(), Some(Slug::NotAllowed));
    let reply = |replies, thread| CommandBody::Send { body: other.clone(), mentions: Vec::new(), replies, thread };
    for nowhere in [reply(vec![sent, new_id()], None), reply(Vec::new(), Some(new_id()))] {
        assert_eq!(bob.command(tea, nowhere).await.expect_err("nowhere").slug(), Some(Slug::NoSuchMessage));
    }
    let react = CommandBody::React { target: new_id(), emoji: "👍".to_owned() };
    assert_eq!(bob.command(tea, react).await.expect_err("nothing there").slug(), Some(Slug::NoSuchMessage));
    let nobody = CommandBody::Add { user: new_id() };
    assert_eq!(ada.command(tea, nobody).await.expect_err("nobody").slug(), Some(Slug::NotFound));
    let last = ada.command(tea, CommandBody::Leave).await.expect_err("the last owner");
    assert_eq!(last.slug(), Some(Slug::LastOwner));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_one_is_not_in_is_answered_as_if_there_were_none() {
    let node = TestNode::start().await;
    let (ada, eve) = (node.user("ada").await, node.user("eve").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let sent = ada.command(tea, text("among us")).await.expect("committed").id;
    let body = Body::Text { text: "me too".to_owned(), emote: false };
    let mut hers = eve.device().await;
    for command in [
        text("hello?"),
        CommandBody::Send { body: body.clone(), mentions: Vec::new(), replies: vec![sent], thread: None },
        CommandBody::Edit { target: sent, body, mentions: Vec::new() },
        CommandBody::Delete { target: sent },
        CommandBody::React { target: sent, emoji: "👍".to_owned() },
        CommandBody::Unreact { target: sent, emoji: "👍".to_owned() },
        CommandBody::Pin { target: sent },
        CommandBody::Unpin { target: sent },
        CommandBody::Join,
        CommandBody::Leave,
        CommandBody::Add { user: eve.id() },
        CommandBody::Remove { user: ada.id() },
        CommandBody::SetRole { user: eve.id(), role: MemberRole::Owner },
        CommandBody::Change { name: Some("hers".to_owned()), topic: None, history: None },
    ] {
        let mut answers = Vec::new();
        for conversation in [tea, new_id()] {
            let by_rest = eve.command(conversation, command.clone()).await.expect_err("not hers");
            let Error::Refused(problem) = by_rest else { panic!("{by_rest}") };
            let id = hers.command(conversation, command.clone()).await;
            let ServerFrame::Rejected { problem: by_socket, .. } = hers.answer(id).await else { panic!("{command:?}") };
            answers.push((problem.kind.clone(), problem.detail.clone(), by_socket));
        }
        assert_eq!(answers[0], answers[1], "{command:?}");
        assert_eq!(answers[0].2.slug(), Some(Slug::NotFound), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_person_cannot_write_to_one() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let two = ada.begin(ConversationKind::Direct, "", &[bob.id()]).await.id;
    bob.say(two, "hello").await;
    let path = format!("/me/blocks/{}", bob.id());
    ada.rest.write::<(), ()>(reqwest::Method::PUT, &path, None).await.expect("blocked");
    assert_eq!(bob.command(two, text("please")).await.expect_err("blocked").slug(), Some(Slug::Blocked));
    let mut his = bob.device().await;
    let id = his.command(two, text("please")).await;
    assert!(
        matches!(his.answer(id).await, ServerFrame::Rejected { problem, .. } if problem.slug() == Some(Slug::Blocked))
    );
    ada.rest.write::<(), ()>(reqwest::Method::DELETE, &path, None).await.expect("unblocked");
    bob.say(two, "thanks").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_out_at_once() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let mut hers = ada.device().await;
    let token = ada.rest.tokens().await.access;
    ada.rest.write::<(), ()>(reqwest::Method::DELETE, "/sessions/current", None).await.expect("signed out");
    assert_eq!(hers.closed().await.code, 4200);
    let again = Gateway::connect(&node.base(), &token).await;
    assert!(matches!(again, Err(Error::Closed(closed)) if closed.code == 4200 && closed.is_final()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_told_to_resume_and_the_server_does_not_grow() {
    let node = TestNode::boundless().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let mut deaf = bob.device().await;
    let long = "x".repeat(LIMITS.text_bytes);
    // More than the buffers of both kernels and the outbox hold together. By REST: a device of hers would have to keep up itself.
    for _ in 0..1_500 {
        ada.say(tea, &long).await;
        if node.connections() == 0 {
            break;
        }
    }
    eventually("the deaf one is let go of", async || (node.connections() == 0).then_some(())).await;
    assert!([4001, 1006].contains(&deaf.closed().await.code));
    let mut his = bob.silent_device().await;
    let known = his.sync(BTreeMap::new()).await[0].head.seq;
    let seq = ada.say(tea, "still there?").await;
    assert!(seq > known);
    his.until(tea, seq).await;
}
