//! Commands that were refused after a queue had accepted them: whoever sends one again hears the same, until the device has confirmed that
//! it knows.

use std::collections::HashMap;

use klatch_core::conversation::{Command, Rejection};
use klatch_core::ids::{CommandId, ConversationId, DeviceId};
use klatch_ports::Error;
use klatch_ports::mailboxes::Letter;
use klatch_protocol::log::{Envelope, Refusal};

use super::states::State;
use crate::services::Services;

/// What is known of refusals while a conversation's part of a batch is decided.
pub struct Refusals {
    /// Whether what is refused now is kept: who was promised no answer need not be told twice.
    keeps: bool,
    before: HashMap<(CommandId, DeviceId), Refusal>,
    /// What is to be put into mailboxes before anybody is answered.
    pub letters: Vec<Letter>,
}

impl Refusals {
    /// What lies in mailboxes of these commands: asked only of those of which the conversation remembers something.
    ///
    /// # Errors
    /// The mailboxes failed.
    pub async fn of(services: &Services, state: &mut State, envelopes: &[Envelope]) -> Result<Self, Error> {
        let asked = envelopes.iter().filter_map(|envelope| Some((envelope.command.id, envelope.device?)));
        let asked: Vec<_> = asked.filter(|(id, _)| state.refused.may_have(*id)).collect();
        let this = Self::look(services, state.conversation.id, asked.clone()).await?;
        for key in asked.iter().filter(|key| !this.before.contains_key(key)) {
            state.refused.remove(key.0);
        }
        Ok(this)
    }

    /// Nothing is known.
    pub fn none(services: &Services) -> Self {
        Self { keeps: services.keeps_commands(), before: HashMap::new(), letters: Vec::new() }
    }

    /// What lies in mailboxes of these commands of a conversation.
    ///
    /// # Errors
    /// The mailboxes failed.
    pub async fn look(
        services: &Services,
        conversation: ConversationId,
        asked: Vec<(CommandId, DeviceId)>,
    ) -> Result<Self, Error> {
        let mut this = Self::none(services);
        if !asked.is_empty() {
            let found = services.mailboxes.find(conversation, &asked).await?;
            for (key, bytes) in asked.into_iter().zip(found) {
                if let Some(bytes) = bytes {
                    this.before.insert(key, Refusal::decode(bytes).map_err(Error::corrupt)?);
                }
            }
        }
        Ok(this)
    }

    /// Why this command was refused before, if it was.
    pub fn before(&self, envelope: &Envelope) -> Option<Rejection> {
        let Command { id, actor, hash, .. } = &envelope.command;
        let Refusal { author, hash: said, rejection } = self.before.get(&(*id, envelope.device?))?;
        let is_same = (author, said) == (actor, hash);
        Some(if is_same { *rejection } else { Rejection::CommandReused })
    }

    /// A command is being refused. `out_of_order` asks for the same command again, and is not remembered.
    pub fn add(&mut self, state: &mut State, envelope: &Envelope, rejection: Rejection) {
        if self.keeps && rejection != Rejection::OutOfOrder && envelope.device.is_some() {
            state.refused.add(envelope.command.id);
            self.note(envelope, rejection);
        }
    }

    /// The same, where the conversation is not in memory.
    pub fn note(&mut self, envelope: &Envelope, rejection: Rejection) {
        let Some(device) = envelope.device.filter(|_| self.keeps) else { return };
        let Command { id, actor, hash, .. } = &envelope.command;
        let refusal = Refusal { author: *actor, hash: *hash, rejection };
        self.before.insert((*id, device), refusal);
        self.letters.push(letter(device, envelope.conversation, *id, refusal));
    }
}

fn letter(device: DeviceId, conversation: ConversationId, id: CommandId, refusal: Refusal) -> Letter {
    Letter { device, conversation, id, payload: refusal.encode() }
}
