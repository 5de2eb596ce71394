//! Builds the library that is preloaded into the process under test. It is written in C, since it runs inside a signal handler
//! with nothing but raw system calls, on whatever thread makes one.

use std::path::{Path, PathBuf};

const SOURCES: [&str; 4] = ["preload/main.c", "preload/calls.c", "preload/undo.c", "preload/raw.c"];

fn main() {
    println!("cargo::rerun-if-changed=preload");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("libforgetful.so");
    println!("cargo::rustc-env=FORGETFUL_LIBRARY={}", out.display());
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        build(&out);
    }
}

fn build(out: &Path) {
    let compiler = cc::Build::new().opt_level(2).warnings(true).flag("-std=gnu11").get_compiler();
    let mut command = compiler.to_command();
    command.args(["-shared", "-fPIC", "-fvisibility=hidden", "-Wextra", "-Werror"]).args(SOURCES).arg("-o").arg(out);
    let status = command.status().expect("a C compiler is there: SQLite needs one, too");
    assert!(status.success(), "the library does not compile");
}
