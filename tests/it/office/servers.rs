//! Servers of one test each, on ports of loopback, below a temporary folder; ended by their process's id.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backchannel::connect::mail::{Security, Server};
use tempfile::TempDir;

use super::{peers, template};
use crate::ports::free_port;

pub const PASSWORD: &str = "open-sesame";

/// A process that ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Dovecot has children, which its master ends when asked to.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start(command: &mut Command, port: u16) -> Running {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut running = Running(child.expect("it starts"));
    let until = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(matches!(running.0.try_wait(), Ok(None)), "{command:?} ended at once");
        assert!(Instant::now() < until, "{command:?} doesn't listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

/// A folder that servers running as other users can reach.
pub fn folder() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    dir
}

/// A template with its names filled in.
pub fn filled(name: &str, values: &[(&str, String)], to: &Path) {
    let mut text = fs::read_to_string(template(name)).expect(name);
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    fs::write(to, text).expect("written");
}

/// A certificate for this machine that nobody knows.
pub fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("certificate.pem"))
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl").success(), "a certificate");
}

/// A mailbox of the user `ada`.
pub struct Dovecot {
    pub dir: TempDir,
    imap_port: u16,
    imaps_port: u16,
    _running: Running,
}

impl Dovecot {
    pub fn start() -> Self {
        let dir = folder();
        certificate(dir.path());
        let me = fs::metadata(dir.path()).expect("ours").uid();
        // Started by root it wants others to do the work, and was installed with them.
        let users = match me {
            0 => ["dovecot", "dovenull", "dovecot", "dovecot"].map(str::to_owned),
            _ => [id("-un"), id("-un"), id("-un"), id("-gn")],
        };
        let mail = dir.path().join("mail");
        fs::create_dir(&mail).expect("a folder");
        if me == 0 {
            let owned = Command::new("chown").arg("dovecot:dovecot").arg(&mail).status();
            assert!(owned.expect("chown").success(), "Dovecot's folder");
        }
        let (imap_port, imaps_port) = (free_port(), free_port());
        let [internal_user, login_user, mail_user, mail_group] = users;
        let values = [
            ("dir", dir.path().display().to_string()),
            ("imap_port", imap_port.to_string()),
            ("imaps_port", imaps_port.to_string()),
            ("internal_user", internal_user),
            ("login_user", login_user),
            ("mail_user", mail_user),
            ("mail_group", mail_group),
        ];
        let config = dir.path().join("dovecot.conf");
        filled("dovecot.conf", &values, &config);
        let running =
            start(Command::new(program("dovecot")).arg("-F").arg("-c").arg(&config), imap_port);
        Self { dir, imap_port, imaps_port, _running: running }
    }

    pub fn plain(&self) -> Server {
        self.at(self.imap_port, Security::Plain)
    }
    pub fn starttls(&self) -> Server {
        self.at(self.imap_port, Security::StartTls)
    }
    pub fn implicit(&self) -> Server {
        self.at(self.imaps_port, Security::Implicit)
    }

    fn at(&self, port: u16, security: Security) -> Server {
        let ca_file = Some(self.dir.path().join("certificate.pem"));
        Server { host: "127.0.0.1".to_owned(), port, security, ca_file }
    }

    /// Messages of a folder as the server keeps them.
    pub fn messages(&self, folder: &str) -> Vec<String> {
        let found =
            self.doveadm(&["fetch", "-u", "ada", "text", "mailbox", folder, "UNDELETED"], b"");
        let all: Vec<String> = found.split("text:\n").skip(1).map(str::to_owned).collect();
        all
    }

    /// Flags of a folder's messages.
    pub fn flags(&self, folder: &str) -> String {
        self.doveadm(&["fetch", "-u", "ada", "flags", "mailbox", folder, "all"], b"")
    }

    /// Puts a message into a folder, as its delivery would.
    pub fn deliver(&self, folder: &str, message: &[u8]) {
        self.doveadm(&["save", "-u", "ada", "-m", folder], message);
    }

    /// What the mailbox's owner does, by the server's own tool.
    pub fn doveadm(&self, words: &[&str], input: &[u8]) -> String {
        let mut child = Command::new(program("doveadm"))
            .arg("-c")
            .arg(self.dir.path().join("dovecot.conf"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("doveadm");
        child.stdin.take().expect("piped").write_all(input).expect("written");
        let done = child.wait_with_output().expect("it ends");
        assert!(
            done.status.success(),
            "doveadm {words:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).replace("\r\n", "\n")
    }
}

fn program(name: &str) -> PathBuf {
    // Not on every user's path.
    let places = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing: run .ci/office-peers"))
}

fn id(what: &str) -> String {
    let said = Command::new("id").arg(what).output().expect("id");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

/// A submission server and what it took.
pub struct Submission {
    pub dir: TempDir,
    pub port: u16,
    _running: Running,
}

impl Submission {
    pub fn start() -> Self {
        let dir = folder();
        certificate(dir.path());
        let port = free_port();
        let mut command = Command::new(peers("peers-office").join("bin/python"));
        command.arg(template("submission.py")).arg(port.to_string()).arg(dir.path());
        command.arg(dir.path().join("certificate.pem")).arg(dir.path().join("key.pem"));
        let running = start(&mut command, port);
        Self { dir, port, _running: running }
    }

    pub fn server(&self, security: Security) -> Server {
        let ca_file = Some(self.dir.path().join("certificate.pem"));
        Server { host: "127.0.0.1".to_owned(), port: self.port, security, ca_file }
    }

    /// Envelope and text of every mail that was taken.
    pub fn taken(&self) -> Vec<(String, String)> {
        (1..)
            .map(|n| {
                let file = |kind: &str| {
                    fs::read_to_string(self.dir.path().join(format!("{n}.{kind}"))).ok()
                };
                Some((file("to")?, file("eml")?))
            })
            .map_while(|taken| taken)
            .collect()
    }
}
