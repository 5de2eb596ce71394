//! What follows from no log: the directory, keys and secrets, cursors and settings, and what waits for devices. Nobody may write to them
//! meanwhile, but for keys, which may be copied as often as one likes.

use futures_util::future::try_join_all;
use klatch_core::ids::{ConversationId, DeviceId, UserId};
use klatch_ports::directory::{Directory, Item, Part};
use klatch_ports::keys::Key;
use klatch_ports::mailboxes::{LETTERS_MAX, Mailboxes};
use klatch_ports::views::{Own, Views};
use zeroize::Zeroizing;

use super::{Error, Place};

/// Items, keys and rows at a time.
const PAGE: usize = 500;
/// Secrets of the site that go with it, as `Sealer::secret` knows them. (What processes of a cluster tell each other by is their own.)
const SECRETS: [&str; 1] = ["signing"];

/// Whether a directory keeps nothing that a site has.
///
/// # Errors
/// A port failed.
pub async fn is_empty(place: &Place) -> Result<bool, Error> {
    for part in [Part::Site, Part::Accounts] {
        if !place.services.directory.items(part, None, 1).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(place.services.event_log.conversations(None, 1).await?.is_empty())
}

/// Copies the secrets of the site, wrapped anew.
///
/// # Errors
/// [`Error::Foreign`] where the target has others; a port failed.
pub async fn secrets(from: &Place, to: &Place) -> Result<(), Error> {
    for name in SECRETS {
        let mut first = Zeroizing::new([0; 32]);
        from.services.entropy.fill(&mut *first);
        let secret = from.sealer.secret(name, &first).await?;
        if *to.sealer.secret(name, &secret).await? != *secret {
            return Err(Error::Foreign(format!("the target has a secret `{name}` of its own: name empty databases")));
        }
    }
    Ok(())
}

/// Copies the keys of authors, wrapped anew, and destroys there what is destroyed here. Returns how many people have one.
///
/// # Errors
/// [`Error::Differs`] where a key is another there; a port failed.
pub async fn keys(from: &Place, to: &Place) -> Result<u64, Error> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = from.services.directory.items(Part::Accounts, after.as_ref(), PAGE).await?;
        let users: Vec<_> = page.iter().filter_map(account).collect();
        let Some(last) = page.into_iter().next_back() else { break };
        after = Some(last);
        let known = from.services.keys.get(&users).await?;
        let with = |wanted: fn(&Key) -> bool| -> Vec<UserId> {
            let pairs = users.iter().zip(&known);
            pairs.filter(|(_, key)| key.as_ref().is_some_and(wanted)).map(|(user, _)| *user).collect()
        };
        let (held, gone) = (with(|key| matches!(key, Key::Wrapped(_))), with(|key| *key == Key::Destroyed));
        to.services.keys.destroy(&gone).await?;
        if let Some(user) = from.sealer.hand_over(&to.sealer, &held).await? {
            return Err(Error::Differs(format!("the key of {user}"), "there is another".to_owned()));
        }
        count += held.len() as u64;
    }
    // Also of people that the directory does not know.
    let mut after = None;
    loop {
        let gone = from.services.keys.destroyed(after, PAGE).await?;
        let Some(last) = gone.last() else { return Ok(count) };
        after = Some(*last);
        to.services.keys.destroy(&gone).await?;
    }
}

fn account(item: &Item) -> Option<UserId> {
    match item {
        Item::Account { account, .. } => Some(account.id),
        _ => None,
    }
}

/// Copies the whole directory, in place of what was there. Returns how many accounts there are.
///
/// # Errors
/// [`Error::Differs`] where it is not there then as it is here; a port failed.
pub async fn directory(from: &Place, to: &Place) -> Result<u64, Error> {
    let (from, to) = (&*from.services.directory, &*to.services.directory);
    to.empty().await?;
    let mut accounts = 0;
    for part in Part::ALL {
        let mut after: Option<Item> = None;
        loop {
            let page = from.items(part, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            accounts += page.iter().filter_map(account).count() as u64;
            to.take_in(page).await?;
        }
    }
    same_items(from, to).await?;
    Ok(accounts)
}

/// Makes sure that two directories hold the same.
async fn same_items(from: &dyn Directory, to: &dyn Directory) -> Result<(), Error> {
    for part in Part::ALL {
        let mut after: Option<Item> = None;
        loop {
            let (here, there) =
                (from.items(part, after.as_ref(), PAGE).await?, to.items(part, after.as_ref(), PAGE).await?);
            if here != there {
                return Err(Error::Differs(
                    format!("the directory ({part:?})"),
                    "it holds something else there".to_owned(),
                ));
            }
            let Some(last) = here.into_iter().next_back() else { break };
            after = Some(last);
        }
    }
    Ok(())
}

/// Copies cursors and settings of all members. What follows from the log must be there.
///
/// # Errors
/// [`Error::Differs`] where they are not there then as they are here; a port failed.
pub async fn cursors(from: &Place, to: &Place) -> Result<u64, Error> {
    let (from, to) = (&*from.services.views, &*to.services.views);
    let (mut after, mut count) = (None, 0);
    loop {
        let page = from.own(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.conversation, last.user));
        count += page.len() as u64;
        to.take_own(page).await?;
    }
    let (mut here, mut there) = (Owned::of(from), Owned::of(to));
    loop {
        match (here.next().await?, there.next().await?) {
            (None, None) => return Ok(count),
            (one, other) if one == other => {}
            (one, other) => {
                let whose =
                    one.or(other).map(|own| format!("{} in {}", own.user, own.conversation)).unwrap_or_default();
                let how = "another is there".to_owned();
                return Err(Error::Differs(format!("the cursor of {whose}"), how));
            }
        }
    }
}

/// What is members' own, one after the other, but for those with nothing.
struct Owned<'a> {
    views: &'a dyn Views,
    page: std::vec::IntoIter<Own>,
    after: Option<(ConversationId, UserId)>,
}

impl<'a> Owned<'a> {
    fn of(views: &'a dyn Views) -> Self {
        Self { views, page: Vec::new().into_iter(), after: None }
    }

    async fn next(&mut self) -> Result<Option<Own>, Error> {
        loop {
            match self.page.next() {
                Some(own) if (own.cursor, own.settings) == Default::default() => {}
                Some(own) => return Ok(Some(own)),
                None => {
                    let page = self.views.own(self.after, PAGE).await?;
                    let Some(last) = page.last() else { return Ok(None) };
                    self.after = Some((last.conversation, last.user));
                    self.page = page.into_iter();
                }
            }
        }
    }
}

/// Devices whose letters are copied side by side: people wait meanwhile.
const DEVICES_AT_ONCE: usize = 32;

/// Copies what waits for devices, in place of what was there. Returns how many answers that are.
///
/// # Errors
/// [`Error::Differs`] where they are not there then as they are here; a port failed.
pub async fn mailboxes(from: &Place, to: &Place) -> Result<u64, Error> {
    copy_letters(&*from.services.mailboxes, &*to.services.mailboxes).await
}

async fn copy_letters(from: &dyn Mailboxes, to: &dyn Mailboxes) -> Result<u64, Error> {
    // What was copied before, and confirmed here since.
    of_devices(to, |device| forget_others(from, to, device)).await?;
    of_devices(from, |device| copy_letters_of(from, to, device)).await
}

/// Does something for each device that something waits for, and returns the sum.
async fn of_devices<F: Future<Output = Result<u64, Error>>>(
    mailboxes: &dyn Mailboxes,
    mut job: impl FnMut(DeviceId) -> F,
) -> Result<u64, Error> {
    let (mut after, mut sum) = (None, 0);
    loop {
        let page = mailboxes.devices(after, DEVICES_AT_ONCE).await?;
        let Some(last) = page.last() else { return Ok(sum) };
        after = Some(*last);
        sum += try_join_all(page.into_iter().map(&mut job)).await?.into_iter().sum::<u64>();
    }
}

async fn forget_others(from: &dyn Mailboxes, to: &dyn Mailboxes, device: DeviceId) -> Result<u64, Error> {
    let (here, there) = (from.waiting(device, LETTERS_MAX).await?, to.waiting(device, LETTERS_MAX).await?);
    let others = there.iter().filter(|letter| !here.contains(letter));
    let others: Vec<_> = others.map(|letter| (letter.conversation, letter.id)).collect();
    to.confirm(device, &others).await?;
    Ok(others.len() as u64)
}

async fn copy_letters_of(from: &dyn Mailboxes, to: &dyn Mailboxes, device: DeviceId) -> Result<u64, Error> {
    let here = from.waiting(device, LETTERS_MAX).await?;
    to.put(here.clone()).await?;
    if to.waiting(device, LETTERS_MAX).await? != here {
        let how = "something else waits there".to_owned();
        return Err(Error::Differs(format!("what waits for the device {device}"), how));
    }
    Ok(here.len() as u64)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use klatch_core::ids::CommandId;
    use klatch_ports::mailboxes::Letter;
    use klatch_ports::mailboxes::memory::Memory;

    use super::*;

    fn letter(device: u8, id: u8, payload: &'static [u8]) -> Letter {
        let (device, conversation) = (DeviceId::from_bytes([device; 16]), ConversationId::from_bytes([1; 16]));
        Letter { device, conversation, id: CommandId::from_bytes([id; 16]), payload: Bytes::from_static(payload) }
    }

    #[tokio::test]
    async fn letters_take_the_place_of_what_an_earlier_copy_left() {
        let (from, to) = (Memory::default(), Memory::default());
        let devices = 2 * DEVICES_AT_ONCE as u8 + 1;
        from.put((0..devices).map(|device| letter(device, 7, b"no")).collect()).await.unwrap();
        // Of one device another answer was confirmed since, of one the answer is another now, and one has confirmed all.
        to.put(vec![letter(0, 6, b"no"), letter(1, 7, b"yes"), letter(devices, 7, b"no")]).await.unwrap();
        for _ in 0..2 {
            assert_eq!(copy_letters(&from, &to).await.unwrap(), u64::from(devices));
            let told = to.devices(None, usize::MAX).await.unwrap();
            assert_eq!(told, from.devices(None, usize::MAX).await.unwrap());
            for device in told {
                assert_eq!(to.waiting(device, 9).await.unwrap(), from.waiting(device, 9).await.unwrap());
            }
        }
    }
}
