//! Other people's CRMs on loopback: started once for all tests of this process, in a temporary folder, on a free
//! port. Each ends with the process, however it ends, because its standard input does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use backchannel::connect::crm::conformance::{Look, Person, REGION, Record, Way};
use backchannel::connect::crm::{Access, Crm, bottlecrm, rt};
use reqwest::{Method, Url};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::ports::free_port;

/// The slowest machine that this is meant for needs a third of it.
const START_PATIENCE: Duration = Duration::from_secs(45);

/// A service that a script of `tests/peers` runs.
struct Peer {
    script: Child,
    stdin: Option<ChildStdin>,
    port: u16,
    /// Whatever its services print, in files that end with `.log`.
    folder: PathBuf,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.script.wait();
    }
}

impl Peer {
    /// `probe` is a path that answers when it is ready.
    fn start(name: &str, probe: &str) -> Self {
        let prepared = cache().join("peers-crm").join(name);
        assert!(
            prepared.join("prepared").is_file(),
            "run .ci/crm-peers first: {name} isn't prepared"
        );
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name).join("run");
        let port = free_port();
        let mut script = Command::new(&run)
            .arg(&prepared)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", run.display()));
        let stdin = script.stdin.take();
        let mut folder = String::new();
        let stdout = script.stdout.take().expect("it was asked for");
        BufReader::new(stdout).read_line(&mut folder).expect("the script tells its folder");
        assert!(!folder.trim().is_empty(), "{name} didn't start");
        let mut peer = Self { script, stdin, port, folder: PathBuf::from(folder.trim()) };
        let begun = Instant::now();
        while !answers(port, probe) {
            let ended = peer.script.try_wait().expect("it can be asked");
            if ended.is_some() || begun.elapsed() > START_PATIENCE {
                panic!("{name} doesn't answer: {}", peer.printed());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        peer
    }

    fn url(&self) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}/", self.port)).expect("an address")
    }

    /// The end of what its services printed.
    fn printed(&self) -> String {
        let mut all = String::new();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "log") {
                let text = std::fs::read(entry.path()).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let end: Vec<&str> = text.lines().rev().take(20).collect();
                let end: Vec<&str> = end.into_iter().rev().collect();
                all.push_str(&format!("\n{}:\n{}", entry.path().display(), end.join("\n")));
            }
        }
        all
    }
}

fn cache() -> PathBuf {
    let variable =
        |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("BACKCHANNEL_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("backchannel")))
        .or_else(|| Some(variable("HOME")?.join(".cache/backchannel")))
        .expect("there is a home")
}

/// Whether anything comes back on HTTP. Without a runtime, because a peer is shared by the runtimes of all tests.
fn answers(port: u16, path: &str) -> bool {
    let Ok(mut socket) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
    let _ = socket.set_read_timeout(Some(START_PATIENCE));
    let mut first = [0; 4];
    socket.write_all(request.as_bytes()).is_ok()
        && socket.read_exact(&mut first).is_ok()
        && &first == b"HTTP"
}

fn access(name: &str, url: Url) -> Access {
    let patience = Duration::from_secs(20);
    Access { name: name.to_owned(), url, patience, region: REGION.to_owned() }
}

/// What somebody at a screen does, through the CRM's own interface. An HTTP client belongs to a test's runtime, so
/// each request has its own.
async fn ask(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("the peer answers");
    let (status, text) = (answer.status(), answer.text().await.expect("whole"));
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn id_of(answer: &Value, pointer: &str) -> String {
    let id = answer.pointer(pointer).unwrap_or_else(|| panic!("an identifier in {answer}"));
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// Rows of a database, each an object.
fn rows(program: &mut Command) -> Vec<Value> {
    let output = program.stdin(Stdio::null()).output().expect("the database's own program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    match text.trim() {
        "" => Vec::new(),
        text => serde_json::from_str(text).expect("JSON"),
    }
}

fn text_of(row: &Value, column: &str) -> String {
    row[column].as_str().unwrap_or_default().to_owned()
}

/// BottleCRM with a database of its own.
pub struct BottleCrm {
    peer: Peer,
    /// Of the integration.
    pub token: String,
    colleague: String,
}

impl BottleCrm {
    /// Ends when it is dropped.
    pub fn start() -> Self {
        let tokens = std::fs::read_to_string(cache().join("peers-crm/bottlecrm/tokens"));
        let tokens = tokens.expect("run .ci/crm-peers first");
        let mut tokens = tokens.lines().map(str::to_owned);
        let (token, colleague) = (tokens.next().expect("one"), tokens.next().expect("two"));
        Self { peer: Peer::start("bottlecrm", "/schema/"), token, colleague }
    }

    /// One for all tests of this process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<BottleCrm> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn settings(&self) -> bottlecrm::Settings {
        let access = access("bottlecrm", self.peer.url());
        bottlecrm::Settings::new(access, SecretString::from(self.token.clone()))
    }

    /// A request of the colleague's.
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = self.peer.url().join(path).expect("a path");
        let request = reqwest::Client::new().request(method, url).bearer_auth(&self.colleague);
        ask(if body.is_null() { request } else { request.json(body) }).await
    }

    /// What stands in the database, each row as an object.
    pub fn rows(&self, select: &str) -> Vec<Value> {
        let sql = format!("select coalesce(json_agg(row), '[]') from ({select}) row");
        rows(Command::new("psql").arg("-h").arg(&self.peer.folder).args([
            "-U",
            "crm_owner",
            "-d",
            "crm",
            "-qtAc",
            &sql,
        ]))
    }

    /// Changes the database behind the CRM's back.
    pub fn change(&self, sql: &str) {
        let arguments = ["-U", "crm_owner", "-d", "crm", "-v", "ON_ERROR_STOP=1", "-qtAc", sql];
        let mut psql = Command::new("psql");
        psql.arg("-h")
            .arg(&self.peer.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        assert!(psql.status().expect("psql").success(), "the database takes it");
    }

    fn update_case(&self, case_id: &str, body: &Value) -> impl Future<Output = Value> {
        let path = format!("api/cases/{case_id}/");
        let body = body.clone();
        async move { self.ask(Method::PATCH, &path, &body).await }
    }
}

#[async_trait]
impl Look for BottleCrm {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let mut settings = self.settings();
        match way {
            Way::Right => (),
            Way::At(url) => settings.access.url = url.clone(),
            Way::WrongToken => settings.token = SecretString::from("bcrm_pat_wrong"),
        }
        Box::new(bottlecrm::BottleCrm::new(settings).expect("settings"))
    }

    fn url(&self) -> Url {
        self.peer.url()
    }

    /// Two contacts with one address it refuses.
    fn shared(&self) -> &'static [&'static str] {
        &["phone"]
    }

    async fn add_contact(&self, person: &Person) -> String {
        let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, "Doe"));
        let body = json!({"first_name": first, "last_name": last, "phone": person.phone, "email": person.email});
        id_of(&self.ask(Method::POST, "api/contacts/", &body).await, "/id")
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let body = json!({
            "name": subject, "status": "New", "priority": "Normal", "case_type": "Problem", "description": "By hand.",
            "contacts": [contact_id],
        });
        id_of(&self.ask(Method::POST, "api/cases/", &body).await, "/id")
    }

    async fn close_case(&self, case_id: &str) {
        self.update_case(case_id, &json!({"status": "Closed"})).await;
    }

    async fn touch_case(&self, case_id: &str) {
        self.update_case(case_id, &json!({"priority": "Urgent"})).await;
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let (table, title, body, more) = match operation {
            "create_case" => ("\"case\"", "name", "description", ""),
            "add_note" => ("comment", "''", "comment", "and commented_by_id is not null"),
            "log_call" => ("interaction", "subject", "body", "and kind = 'call'"),
            "create_task" => ("task", "title", "description", ""),
            "push_article" => ("solution", "title", "description", ""),
            other => panic!("no records of {other}"),
        };
        // Nobody but this suite writes the text.
        let text = text.replace('\'', "''");
        let found = self.rows(&format!(
            "select * from {table} where position('{text}' in {title} || {body}) > 0 {more}"
        ));
        let record = |row: &Value| Record {
            text: format!("{}\n{}", text_of(row, title), text_of(row, body)),
            // A contact's comments are shown to colleagues only, a case's to its customer unless they are internal.
            is_public: row["is_internal"] == json!(false)
                && row["content_type_id"] == self.case_type(),
            is_published: row["is_published"] == json!(true),
        };
        found.iter().map(record).collect()
    }
}

impl BottleCrm {
    fn case_type(&self) -> Value {
        let sql = "select id from django_content_type where app_label = 'cases' and model = 'case'";
        self.rows(sql)[0]["id"].clone()
    }
}

/// Request Tracker with a database of its own.
pub struct RequestTracker {
    peer: Peer,
    /// Of the integration.
    pub token: String,
}

impl RequestTracker {
    /// Ends when it is dropped.
    pub fn start() -> Self {
        let token = std::fs::read_to_string(cache().join("peers-crm/rt/token"));
        let token = token.expect("run .ci/crm-peers first").trim().to_owned();
        Self { peer: Peer::start("rt", "/REST/2.0/rt"), token }
    }

    /// One for all tests of this process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RequestTracker> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn settings(&self) -> rt::Settings {
        let access = access("rt", self.peer.url());
        let mut settings = rt::Settings::new(access, SecretString::from(self.token.clone()));
        settings.article_class = Some("General".to_owned());
        settings
    }

    /// A request of the administrator's.
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = self.peer.url().join(&format!("REST/2.0/{path}")).expect("a path");
        let request =
            reqwest::Client::new().request(method, url).basic_auth("root", Some("password"));
        ask(if body.is_null() { request } else { request.json(body) }).await
    }

    /// What stands in the database, each row as an object.
    pub fn rows(&self, select: &str) -> Vec<Value> {
        let file = self.peer.folder.join("rt.sqlite");
        rows(
            Command::new("sqlite3")
                .arg("-json")
                .arg("-readonly")
                .args(["-cmd", ".timeout 10000"])
                .arg(file)
                .arg(select),
        )
    }

    /// All mails that it sent, as they were sent.
    pub fn mails(&self) -> String {
        let bytes = std::fs::read(self.peer.folder.join("mail")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[async_trait]
impl Look for RequestTracker {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let mut settings = self.settings();
        match way {
            Way::Right => (),
            Way::At(url) => settings.access.url = url.clone(),
            Way::WrongToken => settings.token = SecretString::from("1-27-wrong"),
        }
        Box::new(rt::RequestTracker::new(settings).expect("settings"))
    }

    fn url(&self) -> Url {
        self.peer.url()
    }

    /// Notes are searched by their key: there are no pages to be turned.
    fn later(&self) -> usize {
        2
    }

    /// Two users with one address it refuses.
    fn shared(&self) -> &'static [&'static str] {
        &["phone"]
    }

    async fn add_contact(&self, person: &Person) -> String {
        // As RT does by itself for whoever writes to it.
        let name = person.email.clone().unwrap_or_else(|| person.name.replace(' ', "."));
        let body = json!({
            "Name": name, "RealName": person.name, "EmailAddress": person.email, "MobilePhone": person.phone,
        });
        let made = self.ask(Method::POST, "user", &body).await;
        id_of(&made, "/id")
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let body = json!({
            "Queue": "General", "Subject": subject, "Requestor": contact_id, "Content": "By hand.",
            "ContentType": "text/plain",
        });
        id_of(&self.ask(Method::POST, "ticket", &body).await, "/id")
    }

    async fn close_case(&self, case_id: &str) {
        self.ask(Method::PUT, &format!("ticket/{case_id}"), &json!({"Status": "resolved"})).await;
    }

    async fn touch_case(&self, case_id: &str) {
        self.ask(Method::PUT, &format!("ticket/{case_id}"), &json!({"Priority": "100"})).await;
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let text = text.replace('\'', "''");
        let found = match operation {
            "push_article" => self.rows(&format!(
                "select a.Name as title, group_concat(coalesce(v.LargeContent, v.Content, ''), ' ') as body, \
                 '' as coded, '' as type from Articles a left join ObjectCustomFieldValues v \
                 on v.ObjectType = 'RT::Article' and v.ObjectId = a.id and v.Disabled = 0 \
                 where instr(a.Summary, '{text}') > 0 group by a.id"
            )),
            "add_note" | "log_call" => self.rows(&format!(
                "select a.Subject as title, cast(a.Content as text) as body, a.ContentEncoding as coded, t.Type as type from Transactions t \
                 join Attachments a on a.TransactionId = t.id where t.Type in ('Comment', 'Correspond') \
                 and instr(t.Data, '{text}') > 0 union all {}",
                ticket_with(&text)
            )),
            _ => self.rows(&ticket_with(&text)),
        };
        let mails = self.mails();
        let record = |row: &Value| Record {
            text: format!("{}\n{}", text_of(row, "title"), decoded(row)),
            is_public: text_of(row, "type") == "Correspond" || mails.contains(&text),
            is_published: false,
        };
        found.iter().map(record).collect()
    }
}

/// RT keeps what isn't ASCII as mail does, depending on the database.
fn decoded(row: &Value) -> String {
    let body = text_of(row, "body");
    if text_of(row, "coded") != "quoted-printable" {
        return body;
    }
    let body = body.replace("=\n", "");
    let mut pieces = body.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two hexadecimal digits"));
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Tickets with a key in the field for it, with what they were opened with.
fn ticket_with(key: &str) -> String {
    format!(
        "select k.Subject as title, cast(a.Content as text) as body, a.ContentEncoding as coded, t.Type as type from Tickets k \
         join ObjectCustomFieldValues v on v.ObjectType = 'RT::Ticket' and v.ObjectId = k.id and v.Disabled = 0 \
         join CustomFields f on f.id = v.CustomField and f.Name = 'BackchannelKey' \
         join Transactions t on t.ObjectType = 'RT::Ticket' and t.ObjectId = k.id and t.Type = 'Create' \
         join Attachments a on a.TransactionId = t.id where v.Content = '{key}'"
    )
}
