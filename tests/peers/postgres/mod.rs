//! A PostgreSQL server for tests: a cluster in a temporary folder, with a socket there and no port. It ends with the
//! process that started it, however that ends.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

use sqlx::{ConnectOptions, Connection};

static SHARED: OnceLock<Cluster> = OnceLock::new();
static DATABASES: AtomicUsize = AtomicUsize::new(0);

/// The address of a new, empty database on the server that all tests of this process share.
pub async fn database() -> String {
    let cluster = tokio::task::spawn_blocking(|| SHARED.get_or_init(Cluster::start));
    cluster.await.expect("a server").database().await
}

pub struct Cluster {
    folder: PathBuf,
    /// Who runs it: PostgreSQL refuses to be root.
    user: Option<(u32, u32)>,
    /// When this is closed, the guard stops the server and removes the folder.
    _alive: ChildStdin,
    _guard: Child,
}

impl Cluster {
    /// # Panics
    /// PostgreSQL isn't installed (Debian: postgresql), or doesn't start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("backchannel-pg").tempdir_in("/tmp");
        let folder = folder.expect("a folder").keep();
        let user = other_user(&folder);
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).expect("mine");
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).expect("root may");
        }
        let (programs, data) = (programs(), folder.join("data"));
        let script = "trap '' INT TERM; read _; \"$0/pg_ctl\" stop -m immediate -D \"$1/data\"; rm -rf \"$1\"";
        let mut guard = as_user(user, Path::new("/bin/sh"))
            .args(["-c", script])
            .args([&programs, &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let alive = guard.stdin.take().expect("piped");
        let this = Self { folder, user, _alive: alive, _guard: guard };
        this.run("initdb", |command| {
            command.args(["-U", "backchannel", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
            command.arg("-N").arg("-D").arg(&data);
        });
        this.begin();
        this
    }

    /// Starts the server on what is there.
    pub fn begin(&self) {
        let settings = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c max_connections=100 -c shared_buffers=64MB",
            self.folder.display()
        );
        let log = self.folder.join("log");
        self.run("pg_ctl", |command| {
            command.args(["start", "-w", "-t", "120", "-D"]).arg(self.folder.join("data"));
            command.arg("-l").arg(&log).args(["-o", &settings]);
        });
    }

    /// Stops the server as a power cut would.
    #[allow(dead_code, reason = "not every test binary that has this file stops a server")]
    pub fn cut(&self) {
        self.run("pg_ctl", |command| {
            command.args(["stop", "-m", "immediate", "-D"]).arg(self.folder.join("data"));
        });
    }

    /// The address of a new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("log_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let options: sqlx::postgres::PgConnectOptions =
            self.address("postgres").parse().expect("an address");
        let mut admin = options.connect().await.expect("the server answers");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut admin).await.expect("a database");
        admin.close().await.expect("closed");
        self.address(&name)
    }

    fn address(&self, database: &str) -> String {
        format!("postgres://backchannel@localhost/{database}?host={}", self.folder.display())
    }

    fn run(&self, program: &str, arguments: impl FnOnce(&mut Command)) {
        let mut command = as_user(self.user, &programs().join(program));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        arguments(&mut command);
        // The server must not keep the pipe of whoever starts it open.
        let errors = self.folder.join("errors");
        command.stderr(std::fs::File::create(&errors).expect("a file"));
        let status = command.status().unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = std::fs::read_to_string(&errors).unwrap_or_default();
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "{program}: {said}\n{log}");
    }
}

fn as_user(user: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// For root: the server's own user, or nobody.
fn other_user(mine: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata(mine).expect("it is there").uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("a list of users");
    let find = |wanted: &str| {
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let mut found = fields.filter(|fields| fields.len() > 3 && fields[0] == wanted);
        let fields = found.next()?;
        Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("somebody else than root"))
}

/// Where this machine's newest PostgreSQL has its programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| number(path));
    if let Some(newest) = newest {
        return newest.join("bin");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here = std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    here.expect("PostgreSQL is installed (Debian: apt-get install postgresql)")
}
