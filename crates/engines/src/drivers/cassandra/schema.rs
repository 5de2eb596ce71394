//! The keyspace and the tables in it: made by `klatch migrate`, and looked at when an engine opens.

use klatch_ports::{Error, ErrorKind};

use super::{Database, Level};

/// What an engine keeps in a keyspace: tables of its own.
pub struct Schema {
    /// What it is called.
    pub name: &'static str,
    /// The steps that lead to it, each of which may be repeated, with `KS.` before the names of tables. Steps that were released
    /// never change.
    pub migrations: &'static [&'static str],
}

impl Database {
    /// What will be made as the keyspace, where there is none: a sentence for an operator, who may want other copies.
    ///
    /// # Errors
    /// As [`super::error`] says.
    pub async fn lacking_keyspace(&self) -> Result<Option<String>, Error> {
        let statement = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
        let look = self.prepare(statement, Level::Majority).await?;
        let is_there = !self.rows::<(String,)>(&look, (&*self.keyspace,)).await?.is_empty();
        Ok((!is_there).then(|| format!("the keyspace {}, with {}", self.keyspace, self.replication)))
    }

    /// The step that a schema is at; 0 where there is no keyspace.
    ///
    /// # Errors
    /// As [`super::error`] says.
    pub async fn version(&self, schema: &Schema) -> Result<usize, Error> {
        let statement =
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'klatch_schemas'";
        let look = self.prepare(statement, Level::Majority).await?;
        if self.rows::<(String,)>(&look, (&*self.keyspace,)).await?.is_empty() {
            return Ok(0);
        }
        let ask = self.prepare("SELECT version FROM KS.klatch_schemas WHERE name = ?", Level::Majority).await?;
        let version = self.rows::<(i32,)>(&ask, (schema.name,)).await?.first().map_or(0, |(version,)| *version);
        usize::try_from(version).map_err(Error::corrupt)
    }

    /// Makes the keyspace if it is missing, takes the steps that a schema lacks, and returns their numbers. May be repeated; two at
    /// once are not for Cassandra, which does not order changes of tables.
    ///
    /// # Errors
    /// `Broken`: a later version of Klatch was here. Otherwise as
    /// [`super::error`] says.
    pub async fn migrate(&self, schema: &Schema) -> Result<Vec<usize>, Error> {
        let keyspace = &self.keyspace;
        // A node that does not know yet what an earlier attempt made would make it once more, and otherwise.
        self.agreed().await?;
        self.define(format!("CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {}", self.replication))
            .await?;
        let table =
            format!("CREATE TABLE IF NOT EXISTS {keyspace}.klatch_schemas (name text PRIMARY KEY, version int)");
        self.define(table).await?;
        let version = self.version(schema).await?;
        self.refuse_newer(schema, version)?;
        for step in &schema.migrations[version..] {
            self.define(step.replace("KS.", &format!("{keyspace}."))).await?;
        }
        let reached = schema.migrations.len();
        if version < reached {
            let note = "INSERT INTO KS.klatch_schemas (name, version) VALUES (?, ?)";
            let note = self.prepare(note, Level::Repeatable).await?;
            self.write(&note, (schema.name, i32::try_from(reached).map_err(Error::corrupt)?)).await?;
        }
        Ok((version + 1..=reached).collect())
    }

    /// Makes sure that a schema is what this version of Klatch knows.
    ///
    /// # Errors
    /// `Broken` with a sentence, where it is not. Otherwise as [`super::error`] says.
    pub async fn expect(&self, schema: &Schema) -> Result<(), Error> {
        let version = self.version(schema).await?;
        self.refuse_newer(schema, version)?;
        if version < schema.migrations.len() {
            let sentence =
                format!("the tables of `{}` in {} are not prepared: run `klatch migrate`", schema.name, self.name);
            return Err(Error::new(ErrorKind::Broken, sentence));
        }
        Ok(())
    }

    fn refuse_newer(&self, schema: &Schema, version: usize) -> Result<(), Error> {
        if version <= schema.migrations.len() {
            return Ok(());
        }
        let sentence = format!(
            "the tables of `{}` in {} are those of a later version of Klatch: run that, or restore a backup",
            schema.name, self.name
        );
        Err(Error::new(ErrorKind::Broken, sentence))
    }
}

/// The replication of a keyspace as CQL says it: from `3`, for each datacenter that there is, or `dc1:3,dc2:3`.
pub fn replication(option: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "`replication` is `{option}`; it is a number of copies (`3`), or one for each datacenter (`dc1:3,dc2:3`)"
        )
    };
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let part = |part: &str| {
        let (name, copies) = part.split_once(':').unwrap_or(("replication_factor", part));
        let copies = copies.parse::<u8>().ok().filter(|copies| *copies > 0 && is_name(name));
        copies.map(|copies| format!(", '{name}': {copies}")).ok_or_else(wrong)
    };
    let parts = option.split(',').map(part).collect::<Result<String, _>>()?;
    Ok(format!("{{'class': 'NetworkTopologyStrategy'{parts}}}"))
}
