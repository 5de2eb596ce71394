//! `--help`, what is not understood, and completions.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::world::{ended, klatch};

const COMMANDS: [&str; 14] = [
    "run",
    "login",
    "logout",
    "send",
    "tail",
    "conversations",
    "users",
    "import",
    "backup",
    "restore",
    "check",
    "rebuild",
    "dead-letters",
    "completions",
];

async fn said(words: &[&str]) -> String {
    let mut command = klatch();
    command.args(words);
    ended(command).await.ok()
}

#[tokio::test]
async fn the_help_names_every_command_and_how_they_end() {
    let help = said(&["--help"]).await;
    assert!(help.contains("real-time chat") && help.contains("http://127.0.0.1:8470"), "{help}");
    for command in COMMANDS {
        let line = help.lines().find(|line| line.trim_start().starts_with(command));
        assert!(line.is_some_and(|line| line.trim().len() > command.len() + 5), "{command} is not explained: {help}");
    }
    for code in 0..=4 {
        assert!(help.contains(&format!("{code} ")), "{help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
    assert!(said(&["--version"]).await.starts_with("klatch 0."));
}

#[tokio::test]
async fn every_command_explains_itself_with_an_example() {
    for command in COMMANDS.iter().filter(|command| **command != "import") {
        let help = said(&[command, "--help"]).await;
        assert!(help.contains("Example"), "{help}");
        assert!(help.lines().filter(|line| line.starts_with("  -")).all(|line| line.contains("--")), "{help}");
    }
    assert!(said(&["import", "irc", "--help"]).await.contains("Example"));
    assert!(said(&["users", "reset-password", "--help"]).await.contains("--json"));
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_the_nearest_that_is() {
    for (words, expected) in [
        (&["taill"][..], "'tail'"),
        (&["tail", "--jsno"], "'--json'"),
        (&["send", "#tea"], "<TEXT>"),
        (&["tail", "-n", "many"], "invalid value 'many'"),
        (&["run", "--listen", "everywhere"], "invalid value 'everywhere'"),
        (&["completions", "powershell"], "[possible values: bash, zsh, fish]"),
        (&[], "Usage: klatch"),
    ] {
        let mut command = klatch();
        command.args(words);
        ended(command).await.failed(2, &[expected]);
    }
}

#[tokio::test]
async fn completions_are_scripts_that_their_shells_can_read() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&["completions", shell]).await;
        for word in COMMANDS.iter().chain(&["reset-password", "until-now", "trusted-proxies"]) {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        // The other two need not be installed; bash is wherever this is tried.
        let Ok(child) = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
            assert_ne!(shell, "bash");
            continue;
        };
        let mut stdin = child.stdin.as_ref().unwrap();
        stdin.write_all(script.as_bytes()).unwrap();
        let output = { child }.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
    }
    let bash = said(&["completions", "bash"]).await
        + "\nCOMP_WORDS=(klatch ta); COMP_CWORD=1; _klatch klatch ta klatch; \
        echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", &bash]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "tail", "{output:?}");
}
