//! What stands between gesta and its server, counts what is asked, and cuts the line where a test says so.
//!
//! Always true: bytes are passed on whole and in order, and a line is cut only once the server has answered, so whatever was asked on
//! it has been done.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Which statement is meant.
pub type Which = fn(&str) -> bool;

pub struct Proxy {
    port: u16,
    /// Where the next line goes.
    target: Arc<Mutex<(String, u16)>>,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

#[derive(Default)]
struct Shared {
    /// The statements that were asked for since this was looked at last, one for each round trip that carried any, with its line.
    sent: Mutex<Vec<(u32, String)>>,
    /// So many lines on which such a statement is sent are cut, once the server has answered.
    cut: Mutex<Option<(u32, Which)>>,
    cuts: AtomicU32,
    /// Whoever connects gets no answer.
    silent: AtomicBool,
    /// On lines with a lower number nothing is answered any more.
    mute_below: AtomicU32,
    lines: AtomicU32,
}

impl Proxy {
    /// In front of the server that this URL names.
    pub async fn new(server: &str) -> Self {
        let options: sqlx::postgres::PgConnectOptions = server.parse().expect("it is the URL of a server");
        let target = Arc::new(Mutex::new((options.get_host().to_owned(), options.get_port())));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::<Shared>::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&target), Arc::clone(&shared)));
        Proxy { port, target, shared, accepting: task.abort_handle() }
    }

    /// The same URL, by way of this.
    pub fn url(&self, server: &str) -> String {
        let options: sqlx::postgres::PgConnectOptions = server.parse().expect("it is the URL of a server");
        let port = format!(":{}/", options.get_port());
        assert!(server.contains(&port), "the URL names its port: {server}");
        server.replacen(&port, &format!(":{}/", self.port), 1).replacen(options.get_host(), "127.0.0.1", 1)
    }

    /// What was asked since this was called last: a line for each round trip. Without what tells others of an append, which no
    /// command waits for.
    pub fn asked(&self) -> Vec<String> {
        self.sent().into_iter().map(|(_, sql)| sql).filter(|sql| !sql.contains("pg_notify")).collect()
    }

    /// The same with all there is, each with the number of the line it was sent on.
    pub fn sent(&self) -> Vec<(u32, String)> {
        std::mem::take(&mut *lock(&self.shared.sent))
    }

    /// Cuts the next so many lines on which such a statement is sent, after it was carried out and before the answer is back.
    pub fn cut(&self, times: u32, which: Which) {
        *lock(&self.shared.cut) = Some((times, which));
    }

    pub fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// On the lines that are there, nothing is answered any more, nor are they cut; whatever is asked on them is done.
    pub fn mute(&self) {
        self.shared.mute_below.store(self.shared.lines.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// From now on, whoever connects gets to another server.
    pub fn turn_to(&self, server: &str) {
        let options: sqlx::postgres::PgConnectOptions = server.parse().expect("it is the URL of a server");
        *lock(&self.target) = (options.get_host().to_owned(), options.get_port());
    }

    /// From now on, whoever connects gets no answer.
    pub fn fall_silent(&self) {
        self.shared.silent.store(true, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, target: Arc<Mutex<(String, u16)>>, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let (target, shared) = (lock(&target).clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            if shared.silent.load(Ordering::SeqCst) {
                // Held open, and never answered.
                let _ = client.readable().await;
                std::future::pending::<()>().await;
            }
            if let Ok(server) = TcpStream::connect(target).await {
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                let cutting = Arc::<AtomicBool>::default();
                let number = shared.lines.fetch_add(1, Ordering::SeqCst);
                let mute = || number < shared.mute_below.load(Ordering::SeqCst);
                // Whichever ends takes the other with it, and with both the line.
                tokio::select! {
                    () = requests(from_client, to_server, number, &shared, &cutting) => {}
                    () = answers(from_server, to_client, &cutting, mute) => {}
                }
            }
        });
    }
}

async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, cutting: &AtomicBool, mute: impl Fn() -> bool) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = server.read(&mut bytes).await {
        // The server has answered, and its answer is lost on the way.
        if cutting.load(Ordering::SeqCst) && ends_ready(&bytes[..count]) {
            return;
        }
        if !cutting.load(Ordering::SeqCst) && !mute() && client.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// Whether an answer ends in `ReadyForQuery`: the statement is over, and so is its transaction, if it has no other.
fn ends_ready(answer: &[u8]) -> bool {
    matches!(answer, [.., b'Z', 0, 0, 0, 5, _])
}

async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, line: u32, shared: &Shared, cutting: &AtomicBool) {
    let (mut bytes, mut parser) = (vec![0; 64 << 10], Parser::default());
    while let Ok(count @ 1..) = client.read(&mut bytes).await {
        for sql in parser.take(&bytes[..count]) {
            let mut cut = lock(&shared.cut);
            if let Some((times @ 1.., which)) = &mut *cut
                && which(&sql)
            {
                *times -= 1;
                cutting.store(true, Ordering::SeqCst);
                shared.cuts.fetch_add(1, Ordering::SeqCst);
            }
            drop(cut);
            lock(&shared.sent).push((line, sql));
        }
        if server.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// Stands for a round trip that only asks whether the line is still there.
pub const LOOK: &str = "nothing";

/// Understands as much of the protocol as is needed to say which statement a round trip runs.
#[derive(Default)]
struct Parser {
    bytes: Vec<u8>,
    started: bool,
    prepared: HashMap<Vec<u8>, String>,
    /// Parsed or bound since the last `Sync`.
    current: Option<String>,
}

impl Parser {
    /// The statements of the round trips that end in these bytes.
    fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        self.bytes.extend_from_slice(bytes);
        let mut asked = Vec::new();
        loop {
            let head = usize::from(self.started);
            let Some(len) = self.bytes.get(head..head + 4) else { return asked };
            let len = head + u32::from_be_bytes(len.try_into().expect("four bytes")) as usize;
            if self.bytes.len() < len {
                return asked;
            }
            let message: Vec<u8> = self.bytes.drain(..len).collect();
            if !self.started {
                // The first is a request for encryption, or says who this is; what comes after the latter has a letter.
                self.started = message.get(4..8) != Some(&80_877_103_u32.to_be_bytes());
                continue;
            }
            let body = &message[5..];
            let mut texts = body.split(|byte| *byte == 0);
            let mut text = || texts.next().unwrap_or_default().to_vec();
            match message[0] {
                b'P' => {
                    let (name, sql) = (text(), String::from_utf8_lossy(&text()).into_owned());
                    self.current = Some(format!("prepare: {sql}"));
                    self.prepared.insert(name, sql);
                }
                b'B' => {
                    text();
                    self.current = self.prepared.get(&text()).cloned();
                }
                b'Q' => asked.push(String::from_utf8_lossy(&text()).into_owned()),
                // Without a statement before it, the driver's look whether the line is still there.
                b'S' => asked.push(self.current.take().unwrap_or_else(|| LOOK.to_owned())),
                _ => {}
            }
        }
    }
}
