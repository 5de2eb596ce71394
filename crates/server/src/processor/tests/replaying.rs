//! An operator has dead letters delivered.

use klatch_core::conversation::{EventKind, Origin};
use klatch_protocol::log::{DeadLetter, Envelope};

use super::refusals::{EVE, HERS, Site, lasting, send};
use super::*;
use crate::processor::event_of;
use crate::replaying::{Replayed, replay};
use crate::sealing::{MasterKey, Place, Sealer};

const ID: CommandId = CommandId::from_bytes([6; 16]);
/// Of the form that ids of direct conversations have.
const OURS: ConversationId = ConversationId::from_bytes([0x80; 16]);

async fn sealer(services: &Services) -> Sealer {
    let (keys, master) = (services.keys.clone(), MasterKey::new([1; 32]));
    Sealer::open_store(services.workspace, keys, Arc::new(Still), &master).await.unwrap()
}

/// What Ada wrote, sealed as it is where it comes in.
async fn sealed(sealer: &Sealer, conversation: ConversationId) -> Command {
    let key = sealer.author_key(ADA).await.unwrap();
    let CommandKind::Send { mentions, replies, thread, expires_at, .. } = send() else { panic!("it sends") };
    let body = sealer.seal(&key, Place { conversation, author: ADA, id: ID }, b"hello");
    command(6, ADA, CommandKind::Send { body, mentions, replies, thread, expires_at })
}

fn letter(conversation: ConversationId, command: Command) -> DeadLetter {
    let (reply_to, device) = (Uuid::from_u128(9), Some(HERS));
    let after = Some(CommandId::from_bytes([5; 16]));
    let command = Command { after, ..command };
    let envelope = Envelope { reply_to, correlation: 1, conversation, blocked: Some(false), device, command };
    let (conversation, payload) = (Some(conversation), envelope.encode());
    DeadLetter { partition: 0, conversation, at: Timestamp(1), reason: String::new(), payload }
}

#[tokio::test]
async fn one_that_is_delivered_twice_takes_effect_once_and_can_be_opened() {
    let site = Site::start(lasting()).await;
    let sealer = sealer(&site.services).await;
    let letter = letter(TEA, sealed(&sealer, TEA).await);
    let Replayed::Submitted(id) = replay(&site.services, &sealer, &letter).await.unwrap() else { panic!("not kept") };
    assert_ne!(id, ID);
    assert_eq!(replay(&site.services, &sealer, &letter).await.unwrap(), Replayed::Submitted(id));
    // What is decided after it.
    site.outcome(command(7, ADA, send())).await;
    let records = site.services.event_log.read(TEA, Seq(2), 9).await.unwrap();
    assert_eq!(records.iter().map(|record| record.id).collect::<Vec<_>>(), [id, CommandId::from_bytes([7; 16])]);
    let event = event_of(&records[0]).unwrap();
    let EventKind::Sent(message) = event.kind else { panic!("it was sent") };
    let place = Place { conversation: TEA, author: ADA, id };
    let opened = sealer.open(place, &message.body.unwrap()).await.unwrap();
    assert_eq!((event.author, opened.as_deref()), (ADA, Some(&b"hello"[..])));
    assert_eq!(site.waiting().await, [], "nobody waits for it");
    site.stop().await;
}

#[tokio::test]
async fn one_that_took_effect_meanwhile_is_not_delivered() {
    let site = Site::start(lasting()).await;
    let sealer = sealer(&site.services).await;
    let hello = sealed(&sealer, TEA).await;
    site.outcome(hello.clone()).await;
    let replayed = replay(&site.services, &sealer, &letter(TEA, hello.clone())).await.unwrap();
    assert_eq!(replayed, Replayed::TookEffect(Seq(2)));
    let other = Command { hash: [1; 16], ..hello };
    let replayed = replay(&site.services, &sealer, &letter(TEA, other)).await.unwrap();
    assert!(matches!(replayed, Replayed::Submitted(_)), "that was something else: {replayed:?}");
    site.stop().await;
}

#[tokio::test]
async fn what_cannot_become_a_command_is_kept_with_the_reason() {
    let services = Arc::new(world());
    let sealer = sealer(&services).await;
    let hello = sealed(&sealer, TEA).await;
    let kept = async |letter: &DeadLetter| match replay(&services, &sealer, letter).await.unwrap() {
        Replayed::Kept(why) => why,
        replayed => panic!("{replayed:?}"),
    };
    let nonsense = DeadLetter { payload: Bytes::from_static(b"\xff"), ..letter(TEA, hello.clone()) };
    assert!(kept(&nonsense).await.contains("cannot be read"));
    let elsewhere = kept(&letter(OURS, hello.clone())).await;
    assert!(elsewhere.contains("cannot be opened"), "{elsewhere}");
    let (body, origin) = (Bytes::new(), Origin { network: "irc".to_owned(), name: "ada".to_owned() });
    let import = CommandKind::Import { author: EVE, body, replies: Vec::new(), origin, quiet: false };
    assert!(kept(&letter(TEA, command(6, ADA, import))).await.contains("import the same again"));
    services.keys.destroy(&[ADA]).await.unwrap();
    sealer.forget_destroyed().await.unwrap();
    let closed = kept(&letter(TEA, hello)).await;
    assert!(closed.contains("is closed"), "{closed}");
}

#[tokio::test]
async fn whoever_was_blocked_meanwhile_does_not_get_through() {
    let site = Site::start(lasting()).await;
    let (services, sealer) = (&site.services, sealer(&site.services).await);
    let direct = Founding {
        kind: Kind::Direct,
        name: String::new(),
        topic: String::new(),
        history: History::All,
        members: vec![EVE],
    };
    let begun =
        site.conversations.command(OURS, command(8, ADA, CommandKind::Create(direct)), Some(false)).await.unwrap();
    assert!(matches!(begun, Outcome::Committed { .. }), "{begun:?}");
    services.directory.block(EVE, ADA, Timestamp(1)).await.unwrap();
    let replayed = replay(services, &sealer, &letter(OURS, sealed(&sealer, OURS).await)).await.unwrap();
    assert!(matches!(replayed, Replayed::Submitted(_)), "{replayed:?}");
    site.outcome(command(7, ADA, send())).await;
    assert_eq!(services.event_log.tails(&[OURS]).await.unwrap(), [Seq(1)], "it is refused as any other");
    site.stop().await;
}
