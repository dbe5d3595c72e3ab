//! A master key in a token: SoftHSM's, with the key made by OpenSC's own tool.

use crate::keys::{Program, call};
use crate::support::write_config;
use std::path::{Path, PathBuf};
use std::process::Command;
use voicelog_store::durable;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "918273";

/// A token of its own in a folder.
struct Token {
    conf: PathBuf,
    pin: PathBuf,
}

impl Token {
    fn new(folder: &Path) -> Self {
        let tokens = folder.join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let (conf, pin) = (folder.join("softhsm2.conf"), folder.join("pin"));
        durable::create(
            &conf,
            format!("directories.tokendir = {}\n", tokens.display()).as_bytes(),
        )
        .unwrap();
        durable::create(&pin, format!("{PIN}\n").as_bytes()).unwrap();
        let token = Self { conf, pin };
        token.run(
            "softhsm2-util",
            &[
                "--init-token",
                "--free",
                "--label",
                "archief",
                "--pin",
                PIN,
                "--so-pin",
                "1122334455",
            ],
        );
        token.make_key("master", &["--sensitive"]);
        token
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(program)
            .args(arguments)
            .env("SOFTHSM2_CONF", &self.conf)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {errors}");
    }

    fn make_key(&self, label: &str, more: &[&str]) {
        self.make_key_of("AES:32", label, more);
    }

    fn make_key_of(&self, kind: &str, label: &str, more: &[&str]) {
        let arguments = [
            "--module",
            MODULE,
            "--token-label",
            "archief",
            "--login",
            "--pin",
            PIN,
            "--keygen",
            "--key-type",
            kind,
            "--label",
            label,
        ];
        self.run("pkcs11-tool", &[&arguments, more].concat());
    }

    /// The serial number, as the token tells it.
    fn serial(&self) -> String {
        let output = Command::new("pkcs11-tool")
            .args(["--module", MODULE, "--list-token-slots"])
            .env("SOFTHSM2_CONF", &self.conf)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.contains("serial num"));
        line.unwrap().split(':').nth(1).unwrap().trim().to_owned()
    }

    fn place(&self, key: &str) -> String {
        let pin = self.pin.display();
        format!(
            "pkcs11:token=archief;object={key};type=secret-key?module-path={MODULE}&pin-source=file:{pin}"
        )
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("SOFTHSM2_CONF", self.conf.to_str().unwrap().to_owned())]
    }
}

fn with_config<'a>(config: &'a Path, token: &Token) -> Program<'a> {
    Program {
        config,
        environment: token.environment(),
    }
}

#[test]
fn a_key_that_never_leaves_its_token_wraps_the_epochs_and_what_is_wrong_with_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let token = Token::new(folder.path());
    let config = write_config(
        folder.path(),
        &format!("[keys]\nmaster = \"{}\"", token.place("master")),
    );
    let program = with_config(&config, &token);
    let mut server = program.serve();
    call(&server);
    program.wait_for_sealed(1);
    // An epoch is made while the server runs; the token is not asked in a call.
    program.json(&["keys", "rotate", "--json"]);
    call(&server);
    program.wait_for_sealed(2);
    assert!(server.terminate().success());
    program.json(&["keys", "rewrap", "--json"]);
    program.whole();

    // A wrong PIN: said, and the file is what is wrong; nothing is changed.
    durable::replace(&token.pin, b"000000").unwrap();
    let told = program.refused(&["keys", "rotate"], "", 1);
    assert!(
        told.contains("refuses the PIN") && !told.contains("000000"),
        "{told}"
    );
    durable::replace(&token.pin, PIN.as_bytes()).unwrap();
    // The token is taken out: the server starts and records, and says that it opens nothing.
    let tokens = folder.path().join("tokens");
    let out = folder.path().join("out");
    std::fs::rename(&tokens, &out).unwrap();
    std::fs::create_dir(&tokens).unwrap();
    let told = program.refused(&["keys", "rotate"], "", 1);
    assert!(told.contains("is not there"), "{told}");
    let mut server = program.serve();
    call(&server);
    program.wait_for_sealed(3);
    assert!(server.terminate().success());
    std::fs::remove_dir(&tokens).unwrap();
    std::fs::rename(&out, &tokens).unwrap();
    program.whole();
    assert_eq!(
        program.json(&["keys", "--json"])["epochs"][0]["data_keys"],
        3
    );
}

#[test]
fn an_archive_moves_from_a_file_into_a_token_and_keys_that_could_leave_it_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let token = Token::new(folder.path());
    token.make_key("loose", &["--extractable"]);
    let config = write_config(folder.path(), "");
    let program = with_config(&config, &token);
    let mut server = program.serve();
    call(&server);
    program.wait_for_sealed(1);
    assert!(server.terminate().success());
    let told = program.refused(
        &["keys", "rotate", "--master", &token.place("loose")],
        "",
        1,
    );
    assert!(told.contains("can be taken out"), "{told}");
    token.make_key_of("AES:16", "short", &["--sensitive"]);
    let short = token.place("short");
    let told = program.refused(&["keys", "rotate", "--master", &short], "", 1);
    assert!(told.contains("no AES key of 32 bytes"), "{told}");
    let told = program.refused(
        &["keys", "rotate", "--master", &token.place("absent")],
        "",
        1,
    );
    assert!(told.contains("0 AES keys"), "{told}");
    program.whole();
    program.json(&[
        "keys",
        "rotate",
        "--json",
        "--master",
        &token.place("master"),
    ]);
    let text = std::fs::read_to_string(&config).unwrap();
    let text = format!("[keys]\nmaster = \"{}\"\n{text}", token.place("master"));
    durable::replace(&config, text.as_bytes()).unwrap();
    std::fs::remove_file(folder.path().join("data/secrets/master-key")).unwrap();
    program.whole();
    // An address that is written in another way names the same key, by the same name.
    let masters = || program.json(&["keys", "--json"])["epochs"][0]["masters"].clone();
    let before = masters();
    let serial = token.serial();
    let text = text.replace("token=archief", &format!("serial={serial}"));
    durable::replace(&config, text.as_bytes()).unwrap();
    program.json(&["keys", "rotate", "--rewrap", "--json"]);
    assert_eq!(masters(), before);
    program.whole();
    // Another key under its label does not open what it wrapped: that is said of the key, and not of the token.
    token.make_key("other", &["--sensitive"]);
    let other = text.replace("object=master", "object=other");
    durable::replace(&config, other.as_bytes()).unwrap();
    let told = program.refused(&["keys", "rotate"], "", 1);
    assert!(told.contains("is not wrapped by the master key"), "{told}");
}
