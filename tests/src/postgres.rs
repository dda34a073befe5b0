//! A PostgreSQL for tests: Debian's own programs, in a temporary folder, on a socket in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Where Debian keeps each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A server takes a second to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the server when whoever started it ends, however that is: its standard input closes then.
const KEEPER: &str = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 & server=$!
    cat >/dev/null; kill -INT $server; wait $server; rm -rf "$folder""#;

/// A server with any number of databases.
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    _keeper: Child,
}

/// The folder with the server's programs: the one that `TRIREME_POSTGRES` names, else the newest of
/// Debian's.
#[must_use]
pub fn postgres_programs() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TRIREME_POSTGRES") {
        return Some(PathBuf::from(named));
    }
    let versions = fs::read_dir(DEBIAN).ok()?.flatten();
    let numbered =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry)));
    let newest = numbered.max_by_key(|(number, _): &(u32, _)| *number);
    newest.map(|(_, entry)| entry.path().join("bin"))
}

impl Postgres {
    /// The server of this process, which begins when it is first asked for.
    ///
    /// # Panics
    /// Where it does not begin: a test that needs it can't do without.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<io::Result<Postgres>> = LazyLock::new(Postgres::start);
        match &*SHARED {
            Ok(server) => server,
            Err(error) => panic!("no PostgreSQL: {error}; run `cargo xtask setup`"),
        }
    }

    fn start() -> io::Result<Self> {
        let programs = postgres_programs()
            .ok_or_else(|| io::Error::other(format!("there is none in {DEBIAN}")))?;
        let folder = std::env::temp_dir().join(format!("trireme-pg-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        // The server refuses to run as root, and to use a folder that is not its own.
        done(Command::new("chown").arg(owner()).arg(&folder))?;
        let data = folder.join("data");
        let mut initdb = as_owner(&programs.join("initdb"), &folder);
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        done(initdb.arg("-D").arg(&data))?;
        let server = as_owner(&programs.join("postgres"), &folder);
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&folder)
            .arg(server.get_program())
            .args(server.get_args())
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", folder.display()))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .spawn()?;
        let server = Self { folder, programs, _keeper: keeper };
        let begun = Instant::now();
        while server.sql("postgres", "SELECT 1").is_err() {
            if begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(server.folder.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("it does not answer:\n{log}")));
            }
        }
        Ok(server)
    }

    /// A new, empty database: its URL.
    ///
    /// # Panics
    /// Where it can't be made.
    #[must_use]
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Relaxed));
        if let Err(error) = self.sql("postgres", &format!("CREATE DATABASE {name}")) {
            panic!("no database: {error}");
        }
        format!("postgresql://postgres@/{name}?host={}", self.folder.display())
    }

    /// Has a database do something; what it answers, a row a line.
    ///
    /// # Errors
    /// Its own words.
    pub fn sql(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-A", "-t", "-q", "-U", "postgres", "-d", database, "-c", sql, "-h"]);
        done(psql.arg(&self.folder))
    }
}

/// Whose the server is: another than root.
fn owner() -> String {
    let user = Command::new("id").arg("-un").output().map(|output| output.stdout);
    let user = String::from_utf8_lossy(&user.unwrap_or_default()).trim().to_owned();
    if user == "root" { "postgres".to_owned() } else { user }
}

/// A program that runs as the server's owner, in its folder.
fn as_owner(program: &Path, folder: &Path) -> Command {
    let owner = owner();
    let mut command = match owner.as_str() {
        "postgres" => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", &owner, "--regid", &owner, "--init-groups"]).arg(program);
            command
        }
        _ => Command::new(program),
    };
    command.current_dir(folder);
    command
}

fn done(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{:?}: {said}", command.get_program())))
}
