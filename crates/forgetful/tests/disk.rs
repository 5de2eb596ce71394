//! What the forgetful disk forgets, tried with small programs: each is an ignored test of this binary that the other tests run
//! as a process of its own.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod world;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use klatch_forgetful::program::{done, root, run};
use klatch_forgetful::{Disk, Loss};
use world::{disk_after, new_disk};

fn sync_dir(dir: &Path) {
    File::open(dir).unwrap().sync_all().unwrap();
}

fn read(disk: &Disk, name: &str) -> Option<Vec<u8>> {
    fs::read(disk.root().join(name)).ok()
}

#[test]
#[ignore = "a program for the other tests"]
fn writes() {
    let root = root();
    let mut file = File::create(root.join("file")).unwrap();
    file.write_all(b"synced ").unwrap();
    file.sync_data().unwrap();
    sync_dir(&root);
    file.write_all(b"not").unwrap();
    file.write_all_at(b"SYNC", 0).unwrap();
    fs::write(root.join("other"), "of which nobody knows").unwrap();
    done();
}

#[test]
fn what_was_not_synced_is_lost() {
    let (disk, _dir) = disk_after("writes");
    assert_eq!(read(&disk, "file").unwrap(), b"SYNCed not", "until then it is there");
    disk.lose_power(Loss::Everything).unwrap();
    assert_eq!(read(&disk, "file").unwrap(), b"synced ");
    assert_eq!(read(&disk, "other"), None);
    assert_eq!(disk.operations().unwrap(), 0);
}

#[test]
fn a_killed_process_loses_nothing() {
    let (disk, _dir) = disk_after("writes");
    assert_eq!(disk.syncs().unwrap(), 2);
    disk.lose_power(Loss::Nothing).unwrap();
    assert_eq!(read(&disk, "file").unwrap(), b"SYNCed not");
}

#[test]
#[ignore = "a program for the other tests"]
fn names() {
    let root = root();
    let write = |name: &str| {
        fs::write(root.join(name), name).unwrap();
        File::open(root.join(name)).unwrap().sync_all().unwrap();
    };
    fs::create_dir(root.join("folder")).unwrap();
    ["old", "new", "gone", "folder/moved"].into_iter().for_each(write);
    sync_dir(&root.join("folder"));
    sync_dir(&root);
    fs::rename(root.join("new"), root.join("old")).unwrap();
    fs::remove_file(root.join("gone")).unwrap();
    fs::rename(root.join("folder/moved"), root.join("moved")).unwrap();
    fs::remove_dir(root.join("folder")).unwrap();
    write("nameless");
    done();
}

#[test]
fn names_last_once_their_folder_is_synced() {
    let (disk, _dir) = disk_after("names");
    assert_eq!(read(&disk, "old").unwrap(), b"new");
    disk.lose_power(Loss::Everything).unwrap();
    let there = ["old", "new", "gone", "folder/moved", "moved", "nameless"].map(|name| read(&disk, name));
    let text = |name: &str| Some(name.as_bytes().to_vec());
    assert_eq!(there, [text("old"), text("new"), text("gone"), text("folder/moved"), None, None]);
}

#[test]
#[ignore = "a program for the other tests"]
fn names_then_sync() {
    let root = root();
    fs::write(root.join("a"), "a").unwrap();
    File::open(root.join("a")).unwrap().sync_all().unwrap();
    // As `tempfile` and so fjall do it: a raw system call, that no library between it and the kernel can see.
    rustix::fs::rename(root.join("a"), root.join("b")).unwrap();
    sync_dir(&root);
    rustix::fs::rename(root.join("b"), root.join("c")).unwrap();
    done();
}

#[test]
fn raw_calls_do_not_escape() {
    let (disk, _dir) = disk_after("names_then_sync");
    assert_eq!(read(&disk, "c").unwrap(), b"a");
    disk.lose_power(Loss::Everything).unwrap();
    assert_eq!(["a", "b", "c"].map(|name| read(&disk, name).is_some()), [false, true, false]);
}

#[test]
#[ignore = "a program for the other tests"]
fn sizes() {
    let root = root();
    let sync = |name: &str| {
        let file = File::create(root.join(name)).unwrap();
        file.write_all_at(&vec![7; 100_000], 0).unwrap();
        file.sync_all().unwrap();
        file
    };
    let [cut, _emptied, grown] = ["cut", "emptied", "grown"].map(sync);
    sync_dir(&root);
    cut.set_len(10).unwrap();
    cut.set_len(200_000).unwrap();
    File::create(root.join("emptied")).unwrap();
    grown.set_len(300_000).unwrap();
    grown.write_all_at(b"far", 299_000).unwrap();
    done();
}

#[test]
fn sizes_come_back() {
    let (disk, _dir) = disk_after("sizes");
    disk.lose_power(Loss::Everything).unwrap();
    for name in ["cut", "emptied", "grown"] {
        assert!(read(&disk, name).unwrap() == vec![7; 100_000], "{name}");
    }
}

#[test]
#[ignore = "a program for the other tests"]
fn overwrites() {
    let root = root();
    let file = File::create(root.join("file")).unwrap();
    file.write_all_at(&[1; 65_536], 0).unwrap();
    file.sync_all().unwrap();
    sync_dir(&root);
    for version in 2..=4 {
        file.write_all_at(&[version; 65_536], 0).unwrap();
    }
    done();
}

#[test]
fn writes_are_torn() {
    let (mut torn, mut whole) = (0, 0);
    for seed in 0..12 {
        let (disk, _dir) = disk_after("overwrites");
        disk.lose_power(Loss::Some { seed }).unwrap();
        let sectors: Vec<_> = read(&disk, "file").unwrap().chunks(512).map(|sector| sector.to_vec()).collect();
        assert_eq!(sectors.len(), 128);
        for sector in &sectors {
            assert!((1..=4).contains(&sector[0]) && sector.iter().all(|byte| *byte == sector[0]));
        }
        if sectors.iter().all(|sector| sector[0] == sectors[0][0]) { whole += 1 } else { torn += 1 }
    }
    assert!(torn >= 3 && whole >= 1, "{torn} torn, {whole} whole");
}

#[test]
#[ignore = "a program for the other tests"]
fn fails_then_syncs() {
    let root = root();
    let file = File::options().write(true).open(root.join("file")).unwrap();
    file.write_all_at(b"first", 0).unwrap();
    println!("first {}", file.sync_all().is_ok());
    file.write_all_at(b"second", 4_096).unwrap();
    println!("second {}", file.sync_all().is_ok());
    done();
}

#[test]
fn a_later_sync_does_not_save_what_an_earlier_one_lost() {
    let (disk, _dir) = new_disk();
    fs::write(disk.root().join("file"), [0; 8_192]).unwrap();
    disk.fail_syncs(1).unwrap();
    let said = run(&disk, "fails_then_syncs");
    assert!(said.contains(&"first false".to_owned()) && said.contains(&"second true".to_owned()), "{said:?}");
    disk.lose_power(Loss::Everything).unwrap();
    let file = read(&disk, "file").unwrap();
    assert_eq!((&file[..5], &file[4_096..4_102]), (&[0; 5][..], &b"second"[..]));
}

#[test]
fn syncs_can_be_left_out() {
    let (disk, _dir) = new_disk();
    fs::write(disk.root().join("file"), "").unwrap();
    disk.ignore_syncs().unwrap();
    disk.only_syncs_of("/file").unwrap();
    let said = run(&disk, "fails_then_syncs");
    assert!(said.contains(&"first true".to_owned()) && said.contains(&"second true".to_owned()), "{said:?}");
    disk.lose_power(Loss::Everything).unwrap();
    assert_eq!(read(&disk, "file"), Some(Vec::new()), "it was there before, with nothing in it");
    disk.ignore_syncs().unwrap();
    disk.only_syncs_of("another").unwrap();
    run(&disk, "fails_then_syncs");
    let changed = disk.lose_power(Loss::Everything).unwrap();
    assert_eq!((read(&disk, "file").unwrap().len(), changed), (4_102, Vec::new()));
}

#[test]
fn a_program_can_be_killed_between_a_write_and_its_sync() {
    let (disk, _dir) = new_disk();
    fs::write(disk.root().join("file"), [0; 8_192]).unwrap();
    disk.only_syncs_of("/file").unwrap();
    disk.die_at_sync(2).unwrap();
    let said = run(&disk, "fails_then_syncs");
    assert!(said.contains(&"first true".to_owned()) && !said.contains(&"second true".to_owned()), "{said:?}");
    assert_eq!(&read(&disk, "file").unwrap()[4_096..4_102], b"second");
    disk.lose_power(Loss::Everything).unwrap();
    let file = read(&disk, "file").unwrap();
    assert_eq!((&file[..5], &file[4_096..4_102]), (&b"first"[..], &[0; 6][..]));
}

#[test]
fn the_last_write_can_be_torn() {
    let (disk, _dir) = disk_after("overwrites");
    let changed = disk.lose_power(Loss::Torn).unwrap();
    assert_eq!(changed, [disk.root().join("file")]);
    let file = read(&disk, "file").unwrap();
    assert!(file[..32_768].iter().all(|byte| *byte == 4) && file[32_768..].iter().all(|byte| *byte == 3));
    let (disk, _dir) = disk_after("names_then_sync");
    assert_eq!(disk.lose_power(Loss::Torn).unwrap(), Vec::<std::path::PathBuf>::new(), "all of it was synced");
}

#[test]
#[ignore = "a program for the other tests"]
fn asks() {
    let free = rustix::fs::statvfs(root()).unwrap();
    println!("free {}", free.f_bavail * free.f_frsize);
    done();
}

#[test]
fn a_disk_can_say_that_little_is_free() {
    let (disk, _dir) = new_disk();
    disk.show_free(Some(1 << 20)).unwrap();
    assert!(run(&disk, "asks").contains(&"free 1048576".to_owned()));
    disk.show_free(None).unwrap();
    assert!(!run(&disk, "asks").contains(&"free 1048576".to_owned()));
}

#[test]
#[ignore = "a program for the other tests"]
fn fills() {
    let mut file = File::create(root().join("file")).unwrap();
    let written = (0..1_000).take_while(|_| file.write_all(&[7; 1_000]).is_ok()).count();
    println!("wrote {written}");
    done();
}

#[test]
fn a_disk_can_be_full() {
    let (disk, _dir) = new_disk();
    disk.set_space(Some(12_345)).unwrap();
    let said = run(&disk, "fills");
    assert!(said.contains(&"wrote 12".to_owned()), "{said:?}");
    assert_eq!(read(&disk, "file").unwrap().len(), 12_345);
}

#[test]
fn a_program_can_be_killed_before_any_operation() {
    let (disk, _dir) = disk_after("writes");
    let operations = disk.operations().unwrap();
    assert_eq!(operations, 8, "two new files, four writes, two syncs");
    for after in 0..operations {
        let (disk, _dir) = new_disk();
        disk.die_after(after).unwrap();
        run(&disk, "writes");
        assert_eq!(disk.operations().unwrap(), after);
        disk.lose_power(Loss::Everything).unwrap();
        let expected = if after < 4 { None } else { Some(b"synced ".to_vec()) };
        assert_eq!(read(&disk, "file"), expected, "killed before operation {after}");
    }
}

#[test]
#[ignore = "a program for the other tests"]
fn maps() {
    use rustix::mm::{MapFlags, ProtFlags};
    let map = |name: &str, flags| {
        let file = File::options().create(true).truncate(true).read(true).write(true).open(root().join(name)).unwrap();
        file.set_len(4_096).unwrap();
        #[expect(unsafe_code, reason = "nothing else maps memory, and nobody looks at it")]
        let mapped = unsafe { rustix::mm::mmap(std::ptr::null_mut(), 4_096, ProtFlags::all(), flags, &file, 0) };
        mapped.unwrap();
    };
    map("private", MapFlags::PRIVATE);
    map("db-shm", MapFlags::SHARED);
    map("shared", MapFlags::SHARED);
    done();
}

#[test]
fn what_cannot_be_seen_is_counted() {
    let (disk, _dir) = new_disk();
    run(&disk, "maps");
    assert_eq!(disk.escapes().unwrap(), 1, "but for SQLite's index of its log, which is made anew");
}
