//! What keeps a node from starting is said in a sentence that says what to do, and ends it with exit code 1.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::world::{Server, Site, ended, eventually, klatch};

/// A site that was stopped: its folder, and its data.
async fn stopped() -> (TempDir, String) {
    let site = Site::start().await;
    let data = site.data();
    let Site { server, dir, .. } = site;
    server.end(Signal::TERM).await;
    (dir, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let site = Site::start().await;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let address = site.base().strip_prefix("http://").unwrap().to_owned();
    let words = ["--data", data.to_str().unwrap(), "--listen", &address];
    let port = format!("using port {}", address.rsplit(':').next().unwrap());
    Server::refused(&words).await.failed(1, &["cannot listen on", &port, "--listen"]);
    let other = "192.0.2.1:8470";
    let words = ["--data", data.to_str().unwrap(), "--trusted-proxies", "127.0.0.1", "--listen", other];
    Server::refused(&words).await.failed(1, &["cannot listen on 192.0.2.1:8470", "no such address", "--listen"]);
    assert!(!data.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_on_the_same_directory_is_refused_and_harms_nobody() {
    let site = Site::start().await;
    Server::refused(&["--data", &site.data()]).await.failed(1, &["in use by another process", "directory of its own"]);
    let mut check = klatch();
    check.args(["check", "--data", &site.data()]);
    ended(check).await.failed(1, &["only a node that is stopped can be checked"]);
    site.owner.me().await.expect("the first one goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_takes_no_writes_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    let words = ["--data", file.to_str().unwrap()];
    Server::refused(&words).await.failed(1, &["the data directory", file.to_str().unwrap(), "--data"]);

    // One that is there and belongs to somebody else.
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(if is_root { 0o755 } else { 0o555 })).unwrap();
    let mut command = klatch();
    if is_root {
        // Nothing is forbidden to root, so this is done as nobody, by a program that nobody may run.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let program = dir.path().join("klatch");
        std::fs::copy(env!("CARGO_BIN_EXE_klatch"), &program).unwrap();
        command = tokio::process::Command::new(program);
        command.env_clear().uid(65_534).gid(65_534).current_dir("/");
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
    }
    let words = ["--data", data.to_str().unwrap()];
    let refused = Server::refuses(command, &words).await;
    refused.failed(1, &[data.to_str().unwrap(), "cannot be written", "Permission denied", "the user who runs Klatch"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_newer_version_are_left_alone() {
    let (_dir, data) = stopped().await;
    let version = Path::new(&data).join("log/VERSION");
    let known = std::fs::read(&version).unwrap();
    std::fs::write(&version, "99\n").unwrap();
    let advice = ["newer version of Klatch", "run that version again, or restore a backup"];
    Server::refused(&["--data", &data]).await.failed(1, &advice);
    std::fs::write(&version, known).unwrap();
    for name in ["views.db", "directory.db", "keys.db"] {
        let file = Path::new(&data).join(name);
        let known = std::fs::read(&file).unwrap();
        let mut newer = known.clone();
        // `user_version`, as the header of a SQLite file has it.
        newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
        std::fs::write(&file, newer).unwrap();
        Server::refused(&["--data", &data]).await.failed(1, &advice);
        Server::refused(&["--data", &data]).await.failed(1, &[name.trim_end_matches(".db"), "its schema is 99"]);
        std::fs::write(&file, known).unwrap();
    }
    Server::start(&["--data", &data]).await.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_used_says_where_and_what_to_change() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = dir.path().join("klatch.toml");
    let (data, path) = (data.to_str().unwrap(), file.to_str().unwrap());
    for (text, words) in [
        ("[http\nlisten = 1", &["klatch.toml is not valid TOML", "line 1"][..]),
        ("[http]\nlisen = \"127.0.0.1:1\"", &["there is no key `http.lisen`; did you mean `listen`?"]),
        ("nmae = \"x\"", &["there is no key `nmae`; did you mean `name`?"]),
        ("[limits]\nqueue = \"many\"", &["cannot be used", "queue", "invalid type: string \"many\""]),
        ("[limits]\nframes_burst = -1", &["cannot be used", "frames_burst", "invalid value"]),
        ("[limits]\nframes_burst = 0", &["`limits.frames_burst` is 0", "at least 1"]),
        ("[limits]\npartitions = 5000", &["`limits.partitions` must be 1 to 4096"]),
        ("[http]\nlisten = \"everywhere\"", &["cannot be used", "listen", "socket address"]),
        ("[engines]\nevent_log = \"mysql://x\"", &["`engines.event_log`", "mysql://x", "\"fjall:\", \"postgres://\""]),
        ("[engines]\nevent_log = \"postgres://x/y\"", &["the feed follows the log", "kafka://"]),
        ("roles = [\"api\"]", &["must run all roles", "`roles`", "`engines.event_log` a server"]),
        ("[log]\nfilter = \"a=b=c\"", &["`log.filter` is \"a=b=c\""]),
    ] {
        std::fs::write(&file, text).unwrap();
        Server::refused(&["--config", path, "--data", data]).await.failed(1, words);
    }
    let none = dir.path().join("none.toml");
    let none = none.to_str().unwrap();
    Server::refused(&["--config", none]).await.failed(1, &["none.toml cannot be read", "No such file"]);
    std::fs::write(&file, "").unwrap();
    for (name, value, words) in [
        ("KLATCH_HTTP__LISTEN", "everywhere", &["KLATCH_HTTP__LISTEN", "socket address"][..]),
        ("KLATCH_HTTP__LISEN", "127.0.0.1:1", &["KLATCH_HTTP__LISEN", "did you mean `listen`?"]),
        ("KLATCH_NAME__X", "y", &["KLATCH_NAME__X"]),
    ] {
        let mut command = klatch();
        command.env(name, value);
        Server::refuses(command, &["--config", path, "--data", data]).await.failed(1, words);
    }
    assert!(!Path::new(data).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_own_master_key_nothing_is_opened() {
    let (dir, data) = stopped().await;
    let file = Path::new(&data).join("master.key");
    let own = std::fs::read(&file).unwrap();
    let refused = async |words: &[&str]| Server::refused(&["--data", &data]).await.failed(1, words);

    std::fs::remove_file(&file).unwrap();
    refused(&["master.key is missing", "put it back"]).await;
    assert!(!file.exists(), "no other is made in its place");

    let (_other, others) = stopped().await;
    std::fs::copy(Path::new(&others).join("master.key"), &file).unwrap();
    refused(&["this master key does not belong to these data", "the one they were made with"]).await;

    std::fs::write(&file, &own[1..]).unwrap();
    refused(&["master.key is no master key", "31 bytes, not 32"]).await;

    std::fs::write(&file, &own).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(&["can be read by others (mode 644)", "chmod 600"]).await;

    // By a path that the configuration gives, it may lie elsewhere.
    std::fs::remove_file(&file).unwrap();
    let elsewhere = dir.path().join("kept-apart.key");
    std::fs::write(&elsewhere, &own).unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = dir.path().join("klatch.toml");
    std::fs::write(&config, format!("[engines]\nmaster_key = {:?}", elsewhere.to_str().unwrap())).unwrap();
    Server::start(&["--config", config.to_str().unwrap(), "--data", &data]).await.end(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_never_take_the_files_that_the_log_needs() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new("sh");
    let limited = format!("ulimit -n 516; exec {} \"$@\"", env!("CARGO_BIN_EXE_klatch"));
    command.args(["-c", &limited, "sh"]).env_clear().kill_on_drop(true);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let data = dir.path().join("data");
    let server = Server::begin(command, &["--data", data.to_str().unwrap()]).await.expect("it starts");
    eventually("it warns of the limit", async || server.log().contains("the limit of open files (516)").then_some(()))
        .await;
    let address = format!("{}/api/v1/gateway", server.base.replacen("http", "ws", 1));
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(tokio_tungstenite::connect_async(&address).await.expect("there is room"));
    }
    let refused = tokio_tungstenite::connect_async(&address).await.expect_err("there is no more room");
    assert!(refused.to_string().contains("503"), "{refused}");
    server.end(Signal::TERM).await;
}
