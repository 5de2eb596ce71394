//! The contract on SQLite, and what is left in its files.

use std::sync::Arc;

use klatch_core::ids::{DeviceId, UserId, Uuid, WorkspaceId};
use klatch_ports::directory::{
    Accounts, Admission, Admissions, Created, Digest, NewAccount, NewSession, PasswordHash, Profile, Registration,
    Rotation, Sessions, Sites,
};
use tempfile::TempDir;

use super::*;
use crate::drivers::sqlite::as_if_it_died;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Opens the same file each time.
fn file() -> impl AsyncFn() -> Arc<Sqlite> {
    let folder = TempDir::new().unwrap();
    async move || Arc::new(Sqlite::open(&folder.path().join("directory.db")).unwrap())
}

klatch_ports::directory_contract!(file());

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn newcomer(n: u128) -> NewAccount {
    NewAccount {
        id: user(n),
        name: format!("user{n}"),
        display_name: format!("User {n}"),
        password: PasswordHash(format!("$argon2id$hash-of-{n}$")),
        request: None,
        at: NOW,
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_dying() {
    let folder = TempDir::new().unwrap();
    let directory = Sqlite::open(&folder.path().join("directory.db")).unwrap();
    directory.open_site(WorkspaceId(Uuid::from_u128(1)), "Klatch", Registration::Open).await.unwrap();
    let (device, secret) = (DeviceId(Uuid::from_u128(9)), Digest([9; 32]));
    for n in 0..10 {
        assert!(matches!(directory.create(newcomer(n), Admission::Open).await.unwrap(), Created::Now(_)));
        if n == 0 {
            let new = NewSession { device, user: user(0), name: String::new(), secret, at: NOW };
            directory.open_session(new).await.unwrap();
        }
        let generation = n as u32 + 1;
        let rotated = directory.rotate(device, secret, generation, NOW).await.unwrap();
        assert!(matches!(rotated, Rotation::Current { generation: next, .. } if next == generation + 1));

        let dead = as_if_it_died(folder.path());
        let again = Sqlite::open(&dead.path().join("directory.db")).unwrap();
        again.check().await.unwrap();
        assert_eq!(again.named(&format!("user{n}")).await.unwrap().unwrap().id, user(n));
        assert_eq!(again.site().await.unwrap().name, "Klatch");
        // The server was killed between rotation and answer: who asks again gets the same successor.
        assert_eq!(again.rotate(device, secret, generation, NOW).await.unwrap(), rotated);
    }
}

#[tokio::test]
async fn nothing_that_was_secret_or_private_is_left_of_a_closed_account() {
    let folder = TempDir::new().unwrap();
    let directory = Sqlite::open(&folder.path().join("directory.db")).unwrap();
    for n in 0..200 {
        directory.create(newcomer(n), Admission::Open).await.unwrap();
        let about = Some(format!("secret-about-{n}-"));
        directory.set_profile(user(n), Profile { display_name: None, about }).await.unwrap();
    }
    let left = |text: &str| {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.filter(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())).count()
    };
    assert!(left("hash-of-7$") > 0 && left("secret-about-7-") > 0, "the search finds them");
    directory.close(user(7)).await.unwrap();
    directory.0.empty_log().await.unwrap();
    assert_eq!((left("hash-of-7$"), left("secret-about-7-")), (0, 0));
    assert!(left("hash-of-8$") > 0);
}

#[tokio::test]
async fn a_backup_signs_nobody_out() {
    let folder = TempDir::new().unwrap();
    let directory = Sqlite::open(&folder.path().join("directory.db")).unwrap();
    directory.create(newcomer(1), Admission::Open).await.unwrap();
    let (device, secret) = (DeviceId(Uuid::from_u128(9)), Digest([9; 32]));
    directory.open_session(NewSession { device, user: user(1), name: String::new(), secret, at: NOW }).await.unwrap();
    let copy = folder.path().join("copy.db");
    directory.backup(copy.clone()).await.unwrap();
    for generation in 1..=5 {
        directory.rotate(device, secret, generation, NOW).await.unwrap();
    }
    let restored = Sqlite::open(&copy).unwrap();
    let rotated = restored.rotate(device, secret, 6, NOW.plus_ms(1)).await.unwrap();
    assert!(matches!(rotated, Rotation::Current { generation: 7, .. }));
    restored.set_reset(user(1), Digest([1; 32]), NOW.plus_ms(1)).await.unwrap();
}
