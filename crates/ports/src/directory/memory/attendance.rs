//! Who works for the site.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;

use super::super::{Attendance, Standing};
use super::Memory;
use crate::Error;

#[async_trait]
impl Attendance for Memory {
    async fn attend(&self, process: &str, now: Timestamp) -> Result<bool, Error> {
        let mut world = self.world();
        let is_here = world.standing == Standing::Here;
        if is_here {
            world.attending.insert(process.to_owned(), now);
        }
        Ok(is_here)
    }

    async fn leave(&self, process: &str) -> Result<(), Error> {
        self.world().attending.remove(process);
        Ok(())
    }

    async fn attending(&self) -> Result<Vec<(String, Timestamp)>, Error> {
        Ok(self.world().attending.iter().map(|(process, at)| (process.clone(), *at)).collect())
    }
}
