//! The whole directory, item by item.

use async_trait::async_trait;

use super::super::{Item, Moving, Part, Standing};
use super::{Answer, Memory, Row, World};
use crate::Error;

#[async_trait]
impl Moving for Memory {
    async fn items(&self, part: Part, after: Option<&Item>, limit: usize) -> Result<Vec<Item>, Error> {
        let mut items = self.world().items(part);
        items.sort_by_key(Item::key);
        items.retain(|item| after.is_none_or(|after| item.key() > after.key()));
        items.truncate(limit);
        Ok(items)
    }

    async fn take_in(&self, items: Vec<Item>) -> Result<(), Error> {
        let mut world = self.world();
        world.expect_arriving()?;
        items.into_iter().for_each(|item| world.take_in(item));
        Ok(())
    }

    async fn empty(&self) -> Result<(), Error> {
        let mut world = self.world();
        world.expect_arriving()?;
        let attending = std::mem::take(&mut world.attending);
        *world = World { standing: Standing::Arriving, attending, ..World::default() };
        Ok(())
    }
}

impl World {
    fn expect_arriving(&self) -> Result<(), Error> {
        let is_arriving = self.standing == Standing::Arriving;
        if is_arriving { Ok(()) } else { Err(Error::conflict("the site is not arriving here")) }
    }

    fn items(&self, part: Part) -> Vec<Item> {
        match part {
            Part::Site => self
                .site
                .iter()
                .map(|(workspace, name, registration)| Item::Site {
                    workspace: *workspace,
                    name: name.clone(),
                    registration: *registration,
                })
                .collect(),
            Part::Accounts => self.accounts.values().map(|row| self.account(row)).collect(),
            Part::Sessions => {
                self.sessions.values().map(|(session, chain)| Item::Session(session.clone(), *chain)).collect()
            }
            Part::Invites => self.invites.values().cloned().map(Item::Invite).collect(),
            Part::Claims => self.claim.iter().map(|(token, until)| Item::Claim(*token, *until)).collect(),
            Part::Resets => {
                self.resets.iter().map(|(user, (token, until))| Item::Reset(*user, *token, *until)).collect()
            }
            Part::Blocks => self.blocks.iter().map(|((user, other), at)| Item::Block(*user, *other, *at)).collect(),
            Part::Answers => self
                .answers
                .iter()
                .map(|((user, key), answer)| Item::Answer {
                    user: *user,
                    key: *key,
                    request: answer.request,
                    begun_at: answer.begun_at,
                    kept: answer.kept.clone(),
                })
                .collect(),
        }
    }

    fn account(&self, row: &Row) -> Item {
        Item::Account {
            account: row.account.clone(),
            password: row.password.clone(),
            request: row.request,
            closing: self.closures.contains(&row.account.id),
        }
    }

    fn take_in(&mut self, item: Item) {
        match item {
            Item::Site { workspace, name, registration } => self.site = Some((workspace, name, registration)),
            Item::Account { account, password, request, closing } => {
                if closing {
                    self.closures.insert(account.id);
                } else {
                    self.closures.remove(&account.id);
                }
                self.insert(Row { account, password, request });
            }
            Item::Session(session, chain) => drop(self.sessions.insert(session.device, (session, chain))),
            Item::Invite(invite) => drop(self.invites.insert(invite.id, invite)),
            Item::Claim(token, until) => self.claim = Some((token, until)),
            Item::Reset(user, token, until) => drop(self.resets.insert(user, (token, until))),
            Item::Block(user, other, at) => drop(self.blocks.insert((user, other), at)),
            Item::Answer { user, key, request, begun_at, kept } => {
                self.answers.insert((user, key), Answer { request, begun_at, kept });
            }
        }
    }
}
