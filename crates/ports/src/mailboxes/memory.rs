//! [`Mailboxes`] in memory, for tests, and for a log on this disk whose directory is on a server: since it is not durable, nobody is
//! promised an answer, and nothing is put here. **Embedded**.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, DeviceId};

use super::{LETTERS_MAX, Letter, Mailboxes};
use crate::Error;

/// By device, older commands first.
type Letters = BTreeMap<(DeviceId, CommandId, ConversationId), Bytes>;

/// The engine.
#[derive(Default)]
pub struct Memory(Mutex<Letters>);

impl Memory {
    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(letters: &Letters, device: DeviceId) -> impl Iterator<Item = Letter> + '_ {
    let of_device = letters.iter().filter(move |((owner, ..), _)| *owner == device);
    of_device.map(|((device, id, conversation), payload)| Letter {
        device: *device,
        conversation: *conversation,
        id: *id,
        payload: payload.clone(),
    })
}

#[async_trait]
impl Mailboxes for Memory {
    fn is_durable(&self) -> bool {
        false
    }

    async fn put(&self, new: Vec<Letter>) -> Result<(), Error> {
        let mut letters = self.letters();
        for Letter { device, conversation, id, payload } in new {
            letters.insert((device, id, conversation), payload);
            let surplus = of(&letters, device).count().saturating_sub(LETTERS_MAX);
            let oldest: Vec<_> = of(&letters, device).take(surplus).collect();
            for letter in oldest {
                letters.remove(&(device, letter.id, letter.conversation));
            }
        }
        Ok(())
    }

    async fn waiting(&self, device: DeviceId, limit: usize) -> Result<Vec<Letter>, Error> {
        Ok(of(&self.letters(), device).take(limit).collect())
    }

    async fn devices(&self, after: Option<DeviceId>, limit: usize) -> Result<Vec<DeviceId>, Error> {
        let letters = self.letters();
        let mut devices: Vec<_> = letters.keys().map(|(device, ..)| *device).collect();
        devices.dedup();
        Ok(devices.into_iter().filter(|device| Some(*device) > after).take(limit).collect())
    }

    async fn confirm(&self, device: DeviceId, commands: &[(ConversationId, CommandId)]) -> Result<(), Error> {
        let mut letters = self.letters();
        for (conversation, id) in commands {
            letters.remove(&(device, *id, *conversation));
        }
        Ok(())
    }

    async fn commands(&self, conversation: ConversationId, limit: usize) -> Result<Vec<CommandId>, Error> {
        let letters = self.letters();
        let here = letters.keys().filter(|(.., there)| *there == conversation);
        Ok(here.map(|(_, id, _)| *id).take(limit).collect())
    }

    async fn find(
        &self,
        conversation: ConversationId,
        asked: &[(CommandId, DeviceId)],
    ) -> Result<Vec<Option<Bytes>>, Error> {
        let letters = self.letters();
        Ok(asked.iter().map(|(id, device)| letters.get(&(*device, *id, conversation)).cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    crate::mailboxes_contract!({
        let mailboxes = Arc::new(Memory::default());
        async move || mailboxes.clone()
    });
}
