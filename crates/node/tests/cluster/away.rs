//! PostgreSQL is away, which knows who is in which conversation and who has blocked whom: people who are connected go on sending all the
//! same, also to one another.

use std::time::Duration;

use klatch_client::{Gateway, Rest, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, ConversationKind, NewCommand, Problem, Slug};
use klatch_protocol::rest::{InviteItem, NewConversation, NewInvite};
use reqwest::Method;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::ALONE;
use crate::people::{in_the_end, sign_up};
use crate::site::Site;

/// More than any answer may take, servers' return included.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn while_postgresql_is_away_people_go_on_writing_to_one_another() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let (owner, _) = sign_up(&site.base(), "owner", &site.claim).await;
    let invite: InviteItem = owner
        .write(Method::POST, "/invites", Some(&NewInvite { uses: Some(3), ..NewInvite::default() }))
        .await
        .unwrap();
    let invite = invite.token.unwrap();
    let (ada, ada_id) = sign_up(&site.base(), "ada", &invite).await;
    let (_, ben) = sign_up(&site.base(), "ben", &invite).await;
    let (eve, eve_id) = sign_up(&site.base(), "eve", &invite).await;
    let (to_ben, to_eve) = (begin(&ada, ben).await, begin(&ada, eve_id).await);
    let (mut hers, _) = Gateway::connect(ada.base(), &ada.tokens().await.access).await.unwrap();
    for conversation in [to_ben, to_eve] {
        say(&mut hers, conversation).await;
        let answer = answer(&mut hers).await;
        assert!(matches!(answer, ServerFrame::Committed { .. }), "{answer:?}");
    }
    let _: () = eve.write(Method::PUT, &format!("/me/blocks/{ada_id}"), None::<&()>).await.unwrap();

    site.kill("postgresql/1");
    site.is_over("postgresql/1").await;
    let (accepted, refused) = (say(&mut hers, to_ben).await, say(&mut hers, to_eve).await);
    are_accepted(&mut hers, vec![accepted, refused]).await;
    let problem = sync(&mut hers).await.expect_err("her list lies there");
    assert!(problem.slug() == Some(Slug::Unavailable) && problem.retry_after_ms.is_some(), "{problem:?}");
    site.revive().await;
    let answers = [answer(&mut hers).await, answer(&mut hers).await];
    let is_committed = |answer: &ServerFrame| matches!(answer, ServerFrame::Committed { id, .. } if *id == accepted);
    let is_refused = |answer: &ServerFrame| {
        matches!(answer, ServerFrame::Rejected { id, problem, .. }
            if *id == refused && problem.slug() == Some(Slug::Blocked))
    };
    assert!(answers.iter().any(is_committed), "{answers:?}");
    assert!(answers.iter().any(is_refused), "the block that was acknowledged holds: {answers:?}");
    // Who was told to come again does so, on the same connection.
    let syncing = async {
        loop {
            match sync(&mut hers).await {
                Ok(count) => return count,
                Err(problem) => sleep(Duration::from_millis(problem.retry_after_ms.expect("when to come again"))).await,
            }
        }
    };
    assert_eq!(timeout(PATIENCE, syncing).await.expect("her list is back"), 2);
}

/// How many conversations a device is told of, or why it is not.
async fn sync(gateway: &mut Gateway) -> Result<usize, Problem> {
    gateway.send(&ClientFrame::Sync { have: Default::default(), after: None }).await.unwrap();
    loop {
        match next(gateway).await {
            ServerFrame::Conversations { items, .. } => return Ok(items.len()),
            ServerFrame::Error { problem, of: Some(of) } if of == "sync" => return Err(problem),
            _ => {}
        }
    }
}

async fn begin(rest: &Rest, with: Uuid) -> Uuid {
    let (id, kind) = (new_id(), ConversationKind::Direct);
    let wanted = NewConversation {
        id,
        kind,
        name: String::new(),
        topic: String::new(),
        history: None,
        members: Vec::new(),
        with: Some(with),
    };
    in_the_end(|| rest.create(&wanted)).await.id
}

async fn say(gateway: &mut Gateway, conversation: Uuid) -> Uuid {
    let body = Body::Text { text: "hello".to_owned(), emote: false };
    let command = CommandBody::Send { body, mentions: Vec::new(), replies: Vec::new(), thread: None };
    let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
    let id = new.id;
    gateway.send(&ClientFrame::Command { conversation, new }).await.unwrap();
    id
}

async fn next(gateway: &mut Gateway) -> ServerFrame {
    timeout(PATIENCE, gateway.next()).await.expect("a frame").unwrap().unwrap()
}

/// Each waits in a partition of its own: which one is accepted first, nobody says.
async fn are_accepted(gateway: &mut Gateway, mut wanted: Vec<Uuid>) {
    while !wanted.is_empty() {
        match next(gateway).await {
            ServerFrame::Accepted { id, .. } => wanted.retain(|one| *one != id),
            answer @ (ServerFrame::Committed { .. } | ServerFrame::Rejected { .. }) => panic!("{answer:?}"),
            _ => {}
        }
    }
}

/// What became of a command.
async fn answer(gateway: &mut Gateway) -> ServerFrame {
    loop {
        if let answer @ (ServerFrame::Committed { .. } | ServerFrame::Rejected { .. }) = next(gateway).await {
            return answer;
        }
    }
}
