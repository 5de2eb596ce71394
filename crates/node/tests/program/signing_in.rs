//! `login`, `logout`, and `users reset-password`: who is signed in, and who is no longer.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use klatch_client::{Error, Rest, Tokens};
use klatch_protocol::objects::Slug;
use klatch_protocol::rest::{NewPassword, Page, SessionItem, SignIn};
use reqwest::Method;
use rustix::termios::LocalModes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::world::{PASSWORD, PATIENCE, Shell, Site, eventually, objects};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_from_login_to_logout() {
    let site = Site::start().await;
    let (rest, _) = site.user("ada").await;
    let shell = Shell::at(site.base());
    let advice = format!("klatch login --server {}", site.base());
    for words in [&["users"][..], &["conversations"], &["send", "#tea", "hello"], &["tail"], &["logout"]] {
        shell.run(words).await.failed(3, &["you are not signed in", &advice]);
    }

    shell.login("ada").await;
    let file = shell.credentials();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&file).unwrap().contains(PASSWORD));
    assert!(shell.ok(&["users"]).await.contains("@ada  ada\n"));
    let device = format!("klatch on {}", std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim());
    let sessions: Page<SessionItem> = rest.get("/sessions").await.unwrap();
    assert!(sessions.items.iter().any(|session| session.device == device), "{sessions:?}");

    let kept = std::fs::read(&file).unwrap();
    assert_eq!(shell.ok(&["logout"]).await, format!("Signed out of {}.\n", site.base()));
    shell.run(&["users"]).await.failed(3, &["you are not signed in"]);
    // The tokens are worth nothing any more, not only gone from here.
    std::fs::write(&file, kept).unwrap();
    shell.run(&["users"]).await.failed(3, &["The session has ended", "klatch login"]);
    shell.run(&["logout"]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_revoked_elsewhere_says_so_and_one_can_sign_in_again() {
    let site = Site::start().await;
    let (rest, shell) = site.person("ada").await;
    let sessions: Page<SessionItem> = rest.get("/sessions").await.unwrap();
    let other = sessions.items.iter().find(|session| !session.current).unwrap();
    rest.write::<(), ()>(Method::DELETE, &format!("/sessions/{}", other.id), None).await.unwrap();
    shell.run(&["conversations"]).await.failed(3, &["The session has ended", "Sign in again with `klatch login`"]);
    shell.login("ada").await;
    shell.ok(&["conversations"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_nothing_signs_nobody_in() {
    let site = Site::start().await;
    site.user("ada").await;
    let shell = Shell::at(site.base());
    let wrong = shell.given(&["login", "--name", "ada"], b"not her password\n").await;
    wrong.failed(3, &["Name or password is wrong"]);
    shell.given(&["login", "--name", "nobody"], b"not her password\n").await.failed(3, &["Name or password is wrong"]);
    shell.given(&["login", "--name", "ada"], b"").await.failed(1, &["standard input holds no password"]);
    shell.given(&["login"], b"").await.failed(1, &["standard input holds no name"]);
    assert!(!shell.credentials().exists());
    // Name and password, a line each, whatever ends the lines.
    shell.given(&["login"], format!("ada\r\n{PASSWORD}\r\n").as_bytes()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_one_is_asked_and_the_password_is_not_shown() {
    let site = Site::start().await;
    site.user("ada").await;
    let shell = Shell::at(site.base());
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let terminal = rustix::pty::openpt(flags).unwrap();
    rustix::pty::grantpt(&terminal).unwrap();
    rustix::pty::unlockpt(&terminal).unwrap();
    let name = rustix::pty::ptsname(&terminal, Vec::new()).unwrap();
    let side = || {
        let file = std::fs::OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        Stdio::from(OwnedFd::from(file))
    };
    let mut command = shell.command(&["login"]);
    let mut child = command.env("TERM", "xterm").stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
    drop(command);
    let mut screen = tokio::fs::File::from_std(std::fs::File::from(terminal.try_clone().unwrap()));
    let mut shown = String::new();
    until(&mut screen, &mut shown, "Name: ").await;
    screen.write_all(b"ada\n").await.unwrap();
    until(&mut screen, &mut shown, "Password: ").await;
    // Whoever types before it is hidden is seen typing, at any program.
    eventually("what is typed is hidden", async || {
        let modes = rustix::termios::tcgetattr(&terminal).unwrap().local_modes;
        (!modes.contains(LocalModes::ECHO)).then_some(())
    })
    .await;
    screen.write_all(format!("{PASSWORD}\n").as_bytes()).await.unwrap();
    until(&mut screen, &mut shown, "as @ada.").await;
    assert!(timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
    assert!(!shown.contains(PASSWORD), "{shown}");
    shell.ok(&["users"]).await;
}

/// Reads the screen until it shows this.
async fn until(screen: &mut tokio::fs::File, shown: &mut String, wanted: &str) {
    let mut buffer = [0; 1_024];
    while !shown.contains(wanted) {
        let read = timeout(PATIENCE, screen.read(&mut buffer)).await;
        let count = read.unwrap_or_else(|_| panic!("\"{wanted}\" is not shown: {shown}")).unwrap();
        shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_lets_somebody_in_again_who_forgot_their_password() {
    let site = Site::start().await;
    let (bob, his) = site.person("bob").await;
    his.run(&["users", "reset-password", "bob"]).await.failed(3, &["Not allowed"]);
    let owners = Shell::at(site.base());
    owners.login("owner").await;
    owners.run(&["users", "reset-password", "nobody"]).await.failed(1, &["nobody is called @nobody", "klatch users"]);

    let reset = objects(&owners.ok(&["users", "reset-password", "@bob", "--json"]).await);
    assert!(reset[0]["expires_at"].as_u64().unwrap() > 0);
    let link = owners.ok(&["users", "reset-password", "bob"]).await;
    let (page, token) = link.trim().split_once("#token=").unwrap();
    assert!(page.starts_with(site.base()), "{link}");
    let stranger = Rest::new(site.base(), Tokens::default()).unwrap();
    let new = "a new password that holds";
    let wanted = NewPassword { token: token.to_owned(), password: new.to_owned() };
    stranger.write::<_, ()>(Method::POST, "/password-resets", Some(&wanted)).await.unwrap();

    assert_eq!(bob.me().await.unwrap_err().slug(), Some(Slug::SignedOut));
    his.run(&["conversations"]).await.failed(3, &["The session has ended"]);
    let old = format!("{PASSWORD}\n");
    his.given(&["login", "--name", "bob"], old.as_bytes()).await.failed(3, &["Name or password is wrong"]);
    his.given(&["login", "--name", "bob"], format!("{new}\n").as_bytes()).await.ok();
    his.ok(&["conversations"]).await;
    let again = stranger.write::<_, ()>(Method::POST, "/password-resets", Some(&wanted)).await;
    assert_eq!(again.unwrap_err().slug(), Some(Slug::ResetInvalid), "a link is good once");
    let sign_in = SignIn { name: "bob".to_owned(), password: PASSWORD.to_owned(), device: None, cookie: false };
    assert!(matches!(stranger.sign_in(&sign_in).await, Err(Error::Refused(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_or_is_something_else_is_told_apart() {
    // Kept, so that nobody else gets it, and nobody listens there.
    let silent = tokio::net::TcpSocket::new_v4().unwrap();
    silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let free = silent.local_addr().unwrap();
    let site = Site::start().await;
    let (_, shell) = site.person("ada").await;
    // The same session, as if the server had gone elsewhere.
    let kept = std::fs::read_to_string(shell.credentials()).unwrap();
    let gone = format!("http://{free}");
    std::fs::write(shell.credentials(), kept.replace(site.base(), &gone)).unwrap();
    let advice = ["the server cannot be reached", &free.port().to_string(), "Is it running", "--server"];
    for words in [&["users"][..], &["conversations"], &["send", "#tea", "hello"], &["tail"]] {
        shell.run(&[words, &["--server", &gone]].concat()).await.failed(4, &advice);
    }
    let login = ["login", "--name", "ada", "--server", &gone];
    shell.given(&login, b"some password\n").await.failed(4, &advice);
    let out = ["the tokens were forgotten here", "the server cannot be reached"];
    shell.run(&["logout", "--server", &gone]).await.failed(4, &out);
    shell.run(&["users", "--server", &gone]).await.failed(3, &["you are not signed in"]);

    // Something that speaks HTTP and is no Klatch.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let answers = ["200 OK\r\nContent-Length: 5\r\n\r\nhello", "404 Not Found\r\nContent-Length: 0\r\n\r\n"];
        for answer in answers {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut request = [0; 8_192];
            let _ = client.read(&mut request).await.unwrap();
            client.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await.unwrap();
        }
    });
    for word in ["was not expected", "status 404"] {
        let login = shell.given(&["login", "--name", "ada", "--server", &other], b"some password\n").await;
        login.failed(1, &[word, "Is that a Klatch", "--server"]);
    }
    answering.await.unwrap();
    let clear = ["login", "--name", "ada", "--server", "http://chat.example.org"];
    shell.given(&clear, b"some password\n").await.failed(1, &["in the clear", "use https://"]);
    shell.run(&["login", "--server", "nonsense"]).await.failed(1, &["\"nonsense\" is no address"]);
}
