//! `klatch users`: people, and a way back in for those who forgot their password.

use clap::{Args, Subcommand};
use klatch_client::Rest;
use klatch_protocol::objects::{AccountRole, AccountState, User};
use klatch_protocol::rest::PasswordReset;
use reqwest::Method;

use crate::shell::output;
use crate::shell::places::{people, person};
use crate::shell::server::{Server, block_on};

/// List or search people
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  klatch users\n  klatch users lovelace\n  klatch users reset-password ada"
)]
pub struct Users {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Args, Debug)]
struct List {
    /// A part of a name [default: everybody]
    #[arg(value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

#[derive(Subcommand, Debug)]
enum What {
    ResetPassword(Reset),
}

/// Print a link with which somebody sets a new password: good once, for a day (owners only)
#[derive(Args, Debug)]
struct Reset {
    /// Whose
    #[arg(value_name = "NAME")]
    name: String,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

impl Users {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.what {
            None => block_on(self.list.run()),
            Some(What::ResetPassword(reset)) => block_on(reset.run()),
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let rest: Rest = self.server.open()?;
        let mut after: Option<String> = None;
        loop {
            let page = people(&rest, &self.query, after.as_deref()).await?;
            for user in &page.items {
                if self.json { output::json(user)? } else { output::line(&shown(user))? }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

impl Reset {
    async fn run(self) -> anyhow::Result<()> {
        let rest = self.server.open()?;
        let user = person(&rest, &self.name).await?;
        let path = format!("/users/{}/password-reset", user.id);
        let reset: PasswordReset = rest.write(Method::POST, &path, None::<&()>).await?;
        if self.json { output::json(&reset) } else { output::line(&reset.link) }
    }
}

fn shown(user: &User) -> String {
    let what = match (user.state, user.role, &user.origin) {
        (AccountState::Imported, _, Some(origin)) => format!("  (imported from {})", output::plain(&origin.network)),
        (AccountState::Imported, _, None) => "  (imported)".to_owned(),
        (AccountState::Closed, ..) => "  (closed)".to_owned(),
        (AccountState::Active, AccountRole::Owner, _) => "  (owner)".to_owned(),
        (AccountState::Active, AccountRole::Member, _) => String::new(),
    };
    format!("@{}  {}{what}", user.name, output::plain(&user.display_name))
}
