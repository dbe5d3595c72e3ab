//! The keys above the data keys, with the real program: where the master key comes from, rotation beside a server that
//! runs, the recovery set, and a server that has only the public key.

use crate::support::{LINE, Server, binary, now, pause, write_config};
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use voicelog_archive::keys::{MasterKey, open_epochs};
use voicelog_src_sim::{CallPlan, place};
use voicelog_store::{FileKeys, durable};

/// Records a call of a second.
pub(crate) fn call(server: &Server) {
    let mut plan = CallPlan::speech(server.sip, LINE);
    plan.duration = Some(Duration::from_secs(1));
    place(&plan).unwrap().finish().unwrap();
}

/// An alarm comes to stand, or to stand no more.
fn wait_for_alarm(server: &Server, word: &str, stands: bool) {
    let deadline = now() + Duration::from_secs(20);
    loop {
        let health = server.health();
        let alarms = health["alarms"].as_array().unwrap();
        if alarms.iter().any(|alarm| alarm["alarm"] == word) == stands {
            return;
        }
        assert!(now() < deadline, "{word}: {health:#}");
        pause(Duration::from_millis(50));
    }
}

/// The program on an archive, with an environment and something typed.
pub(crate) struct Program<'a> {
    pub(crate) config: &'a Path,
    pub(crate) environment: Vec<(&'a str, String)>,
}

impl Program<'_> {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .args(["--lang", "en", "--config", self.config.to_str().unwrap()])
            .envs(self.environment.iter().cloned());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], typed: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who refuses before it reads has closed the pipe.
        let _refused = child.stdin.take().unwrap().write_all(typed.as_bytes());
        child.wait_with_output().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments, "");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// It fails, with this exit status, and says so.
    pub(crate) fn refused(&self, arguments: &[&str], typed: &str, status: i32) -> String {
        let output = self.run(arguments, typed);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {errors}"
        );
        errors
    }

    pub(crate) fn serve(&self) -> Server {
        let mut command = self.command(&["serve"]);
        command.stderr(Stdio::null());
        Server::start_with(command, self.config)
    }

    /// As [`Server::wait_for_closed`], with this environment.
    pub(crate) fn wait_for_sealed(&self, count: usize) {
        let deadline = now() + Duration::from_secs(20);
        loop {
            let rows = self.json(&["list", "--json"]);
            let rows = rows.as_array().unwrap();
            if rows.iter().filter(|row| row["state"] == "sealed").count() >= count {
                return;
            }
            assert!(now() < deadline, "{rows:?}");
            pause(Duration::from_millis(50));
        }
    }

    pub(crate) fn whole(&self) {
        let found = self.json(&["check", "--level", "hash", "--json"]);
        assert_eq!(found["wrong"], Value::Array(vec![]), "{found:#}");
    }
}

fn plain(config: &Path) -> Program<'_> {
    Program {
        config,
        environment: Vec::new(),
    }
}

fn epochs(program: &Program<'_>) -> Vec<(u64, u64)> {
    let listed = program.json(&["keys", "--json"]);
    let epochs = listed["epochs"].as_array().unwrap().iter();
    let number = |value: &Value| value.as_u64().unwrap();
    epochs
        .map(|epoch| (number(&epoch["epoch"]), number(&epoch["data_keys"])))
        .collect()
}

#[test]
fn the_keys_are_rotated_beside_a_server_that_records_and_everything_opens_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let program = plain(&config);
    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(1);
    assert_eq!(epochs(&program), [(1, 1)]);
    assert_eq!(program.json(&["keys", "rotate", "--json"])["epoch"], 2);
    // The server makes use of the new one without a new start.
    call(&server);
    server.wait_for_closed(2);
    assert_eq!(epochs(&program), [(1, 1), (2, 1)]);
    let done = program.json(&["keys", "rewrap", "--json"]);
    assert_eq!(done["destroyed"], serde_json::json!([1]), "{done:#}");
    assert_eq!(epochs(&program), [(2, 2)]);
    assert!(server.terminate().success());
    program.whole();
}

#[test]
fn an_archive_whose_key_lay_in_the_open_opens_as_it_is_and_moves_with_its_first_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let program = plain(&config);
    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(1);
    assert!(server.terminate().success());
    let data = folder.path().join("data");
    to_the_old_form(&data);
    program.whole();
    assert_eq!(epochs(&program), [(1, 1)]);

    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(2);
    let told = program.refused(&["keys", "rotate"], "", 1);
    assert!(told.contains("is running"), "{told}");
    assert!(server.terminate().success());
    let done = program.json(&["keys", "rotate", "--rewrap", "--json"]);
    assert_eq!(done["destroyed"], serde_json::json!([1]), "{done:#}");
    assert!(!data.join("secrets/key-encryption-key-0001").exists());
    assert_eq!(epochs(&program), [(2, 2)]);
    program.whole();
    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(3);
    assert!(server.terminate().success());
    program.whole();
}

/// One raw key among the secrets, no master key, no records.
fn to_the_old_form(data: &Path) {
    let master = data.join("secrets/master-key");
    let key = MasterKey::from_random(std::fs::read(&master).unwrap().try_into().unwrap());
    let keys = FileKeys::open(&data.join("keys")).unwrap();
    let epoch = &open_epochs(&keys, &key).unwrap()[0];
    durable::create(
        &data.join("secrets/key-encryption-key-0001"),
        epoch.expose(),
    )
    .unwrap();
    std::fs::remove_dir_all(data.join("keys/records")).unwrap();
    std::fs::remove_file(master).unwrap();
}

#[test]
fn a_master_key_from_systemd_serves_and_without_it_nothing_starts_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(
        folder.path(),
        "[keys]\nmaster = \"credential:voicelog-master\"",
    );
    // As systemd does for LoadCredential=: a folder of the service's own, and its name in the environment.
    let credentials = folder.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let credential = credentials.join("voicelog-master");
    durable::create(&credential, &[0x5a; 32]).unwrap();
    std::fs::set_permissions(&credential, std::fs::Permissions::from_mode(0o440)).unwrap();
    let with = Program {
        config: &config,
        environment: vec![(
            "CREDENTIALS_DIRECTORY",
            credentials.to_str().unwrap().to_owned(),
        )],
    };
    let mut server = with.serve();
    assert!(!folder.path().join("data/secrets/master-key").exists());
    call(&server);
    with.wait_for_sealed(1);
    assert!(server.terminate().success());
    with.whole();

    let without = plain(&config);
    for arguments in [&["serve"][..], &["list"], &["keys", "rotate"]] {
        let told = without.refused(arguments, "", 1);
        assert!(
            told.contains("LoadCredentialEncrypted=voicelog-master"),
            "{told}"
        );
    }
    std::fs::set_permissions(&credential, std::fs::Permissions::from_mode(0o444)).unwrap();
    assert!(with.refused(&["list"], "", 1).contains("chmod 600"));
    std::fs::set_permissions(&credential, std::fs::Permissions::from_mode(0o400)).unwrap();
    // Another key by the same name.
    std::fs::remove_file(&credential).unwrap();
    durable::create(&credential, &[0xa5; 32]).unwrap();
    let told = with.refused(&["keys", "rotate", "--rewrap"], "", 1);
    assert!(
        told.contains("nothing was changed") && told.contains("not wrapped by the master key"),
        "{told}"
    );
    std::fs::remove_file(&credential).unwrap();
    durable::create(&credential, &[0x5a; 32]).unwrap();
    with.whole();
}

#[test]
fn the_master_key_is_changed_for_another_and_the_former_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let program = plain(&config);
    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(1);
    let (backup, secrets) = (folder.path().join("backup"), folder.path().join("safe"));
    let (backup, secrets) = (backup.to_str().unwrap(), secrets.to_str().unwrap());
    let back_up = [
        "backup",
        "create",
        backup,
        "--with-secrets",
        secrets,
        "--json",
    ];
    program.json(&back_up);
    let verify = ["backup", "verify", backup, "--secrets", secrets];
    assert!(program.run(&verify, "").status.success());
    let new = folder.path().join("new-master");
    let place = format!("file:{}", new.display());
    let done = program.json(&["keys", "rotate", "--master", &place, "--json"]);
    assert_eq!(done["epochs"], 1);
    // The server that runs goes on with what it has.
    call(&server);
    server.wait_for_closed(2);
    assert!(server.terminate().success());
    let found = program.run(&["check", "--level", "hash", "--json"], "");
    assert!(
        !found.status.success(),
        "the former master key opens nothing"
    );
    let text = std::fs::read_to_string(&config).unwrap();
    durable::replace(
        &config,
        format!("[keys]\nmaster = \"{place}\"\n{text}").as_bytes(),
    )
    .unwrap();
    program.whole();
    // What was put in the safe is of before, and that is said until it is written again.
    let output = program.run(&verify, "");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("was changed after these secrets were written"),
        "{told}"
    );
    let mut server = program.serve();
    wait_for_alarm(&server, "secrets_file_old", true);
    assert!(server.terminate().success());
    program.json(&back_up);
    // The former master key lies among the secrets still, and goes along no more.
    assert!(folder.path().join("data/secrets/master-key").exists());
    let output = program.run(&verify, "");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    let packed = std::fs::read_to_string(secrets).unwrap();
    assert!(!packed.contains("master-key") && packed.contains("backup-key-"));
    let mut server = program.serve();
    wait_for_alarm(&server, "secrets_file_old", false);
    // And nothing of the memory in which keys are can be written into a file.
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
    assert!(server.terminate().success());
}

/// The four lines of a sheet, as somebody reads them from the paper.
fn read_from_paper(page: &Path) -> String {
    let text = std::fs::read_to_string(page).unwrap();
    let lines = text
        .split("<li>")
        .skip(1)
        .map(|rest| rest.split("</li>").next().unwrap());
    lines.map(|line| format!("{line}\n")).collect()
}

/// Has a set of sheets made, and reads them.
fn printed(program: &Program<'_>, papers: &Path) -> Vec<String> {
    let papers = papers.to_str().unwrap();
    let made = program.json(&["keys", "recovery", "create", "--json", "-o", papers]);
    let files = made["files"].as_array().unwrap().iter();
    let files: Vec<_> = files
        .map(|file| Path::new(file.as_str().unwrap()))
        .collect();
    let mode = std::fs::metadata(files[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "for its owner alone");
    files.into_iter().map(read_from_paper).collect()
}

#[test]
fn two_of_three_sheets_open_the_archive_on_a_machine_that_has_none_of_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let program = plain(&config);
    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(1);
    assert_eq!(
        program.json(&["keys", "--json"])["recovery"]["state"],
        "none"
    );
    let sheets = printed(&program, &folder.path().join("papers"));
    let state = || program.json(&["keys", "--json"])["recovery"]["state"].clone();
    assert_eq!(state(), "not_confirmed");

    let confirm = ["keys", "recovery", "confirm"];
    let mistyped = sheets[2].replacen(|letter: char| letter.is_ascii_alphabetic(), "7", 1);
    let told = program.refused(&confirm, &[sheets[0].as_str(), &mistyped].concat(), 2);
    assert!(
        told.contains("second sheet") && told.contains("line "),
        "{told}"
    );
    let told = program.refused(&confirm, &[sheets[0].as_str(), &sheets[0]].concat(), 2);
    assert!(told.contains("twice the same"), "{told}");
    assert_eq!(state(), "not_confirmed");
    let output = program.run(&confirm, &[sheets[2].as_str(), &sheets[0]].concat());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(state(), "confirmed");
    program.json(&["keys", "rotate", "--rewrap", "--json"]);
    call(&server);
    server.wait_for_closed(2);
    assert!(server.terminate().success());

    // The disk with the secrets is gone.
    std::fs::remove_dir_all(folder.path().join("data/secrets")).unwrap();
    let told = program.refused(&["list"], "", 2);
    assert!(told.contains("no voicelog archive"), "{told}");
    let output = program.run(
        &["keys", "recovery", "use"],
        &[sheets[1].to_lowercase().as_str(), &sheets[2]].concat(),
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    program.whole();
    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(3);
    assert!(server.terminate().success());
    program.whole();
}

#[test]
fn sheets_need_nothing_more_where_the_other_secrets_are_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let program = plain(&config);
    let mut server = program.serve();
    call(&server);
    server.wait_for_closed(1);
    assert!(server.terminate().success());
    let sheets = printed(&program, &folder.path().join("papers"));
    let typed = [sheets[0].as_str(), &sheets[1]].concat();
    let confirmed = program.run(&["keys", "recovery", "confirm"], &typed);
    assert!(confirmed.status.success());
    let data = folder.path().join("data");
    std::fs::remove_file(data.join("secrets/master-key")).unwrap();
    std::fs::remove_file(data.join("keys/records/recovery-secrets")).unwrap();
    let used = program.run(&["keys", "recovery", "use"], &typed);
    let told = String::from_utf8_lossy(&used.stderr);
    assert!(used.status.success(), "{told}");
    program.whole();
    // The set goes on counting, under the new master key.
    program.json(&["keys", "rotate", "--rewrap", "--json"]);
    assert_eq!(
        program.json(&["keys", "--json"])["recovery"]["state"],
        "confirmed"
    );
}

/// The configuration of a server that records without being able to listen, and where its master key is at its first start.
fn with_only_the_public_key(folder: &Path) -> (PathBuf, PathBuf) {
    let master = folder.join("usb-stick");
    let keys = format!(
        "[keys]\nmaster = \"file:{}\"\nrecorder = \"public\"",
        master.display()
    );
    (write_config(folder, &keys), master)
}

#[test]
fn what_a_stranger_puts_into_the_key_store_and_a_master_key_beside_a_recorder_are_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let (config, master) = with_only_the_public_key(folder.path());
    let program = plain(&config);
    let mut server = program.serve();
    wait_for_alarm(&server, "master_key_beside_recorder", true);
    assert!(server.terminate().success());
    std::fs::rename(&master, folder.path().join("in-the-safe")).unwrap();
    // Whoever can write in the key store would have the calls sealed to himself.
    let records = folder.path().join("data/keys/records");
    let record = std::fs::read_to_string(records.join("epoch-0001")).unwrap();
    let forged = record.replace("\"epoch\":1", "\"epoch\":99");
    assert_ne!(record, forged);
    durable::create(&records.join("epoch-0099"), forged.as_bytes()).unwrap();

    let mut server = program.serve();
    wait_for_alarm(&server, "key_record_foreign", true);
    wait_for_alarm(&server, "master_key_beside_recorder", false);
    call(&server);
    server.wait_for_closed(1);
    let output = program.run(&["keys", "--json"], "");
    assert_eq!(output.status.code(), Some(1));
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed["epochs"][0]["data_keys"], 1, "{listed:#}");
    let told = program.refused(&["keys"], "", 1);
    assert!(told.contains("keys/records/epoch-0099"), "{told}");
    assert!(server.terminate().success());

    // A master key that is there and cannot be used is named; what needs none goes on.
    durable::create(&master, &[1; 32]).unwrap();
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o644)).unwrap();
    let listed = program.run(&["list"], "");
    let told = String::from_utf8_lossy(&listed.stderr);
    assert!(
        listed.status.success() && told.contains("chmod 600"),
        "{told}"
    );
}

#[test]
fn a_server_with_only_the_public_key_records_and_what_a_crash_cuts_off_waits_for_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let (config, master) = with_only_the_public_key(folder.path());
    let program = plain(&config);
    // The first start makes the archive, and so the master key; then that key is taken away.
    let mut server = program.serve();
    assert!(server.terminate().success());
    let away = folder.path().join("in-the-safe");
    std::fs::rename(&master, &away).unwrap();

    let mut server = program.serve();
    call(&server);
    let rows = server.wait_for_closed(1);
    assert_eq!(rows[0]["state"], "sealed", "{}", rows[0]);
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    let wav = folder.path().join("out.wav");
    let play = [
        "play",
        &id,
        "--reason",
        "klacht",
        "-o",
        wav.to_str().unwrap(),
    ];
    let told = program.refused(&play, "", 1);
    assert!(told.contains("only the public key"), "{told}");
    // A call is cut off by a crash.
    let mut plan = CallPlan::speech(server.sip, LINE);
    plan.duration = Some(Duration::from_secs(30));
    let running = place(&plan).unwrap();
    pause(Duration::from_secs(3));
    server.kill();
    drop(running);
    let mut server = program.serve();
    call(&server);
    let rows = server.wait_for_closed(2);
    let states: Vec<_> = rows
        .iter()
        .map(|row| row["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["sealed", "recording", "sealed"], "it waits");
    let health = server.health();
    assert_eq!(health["waitingForKey"], 1, "{health:#}");
    assert_eq!(health["recoverySet"], "none", "{health:#}");
    assert!(server.terminate().success());
    let told = program.refused(&["keys", "finish"], "", 1);
    assert!(told.contains("usb-stick"), "{told}");

    std::fs::rename(&away, &master).unwrap();
    let done = program.json(&["keys", "finish", "--json"]);
    assert_eq!(done["finished"].as_array().unwrap().len(), 1, "{done:#}");
    program.whole();
    let played = program.run(&play, "");
    assert!(
        played.status.success(),
        "{}",
        String::from_utf8_lossy(&played.stderr)
    );
    assert_eq!(epochs(&program), [(1, 3)]);
}
