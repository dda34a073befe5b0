//! Load: so many clients, each of whom asks again as soon as it is answered, or at a given rate.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::error::{Error, Result};

/// What became of the requests of one run.
pub struct Load {
    /// Answers with status 200.
    pub good: usize,
    /// Any other answers.
    pub refused: usize,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Seconds of every good answer, in order.
    pub seconds: Vec<f64>,
}

impl Load {
    /// Good answers a second.
    pub fn rate(&self) -> f64 {
        self.good as f64 / self.took.as_secs_f64()
    }

    /// The time that this share of the good answers took at most, in milliseconds.
    pub fn within(&self, share: f64) -> f64 {
        let last = self.seconds.len().saturating_sub(1);
        let at = (share * last as f64).round() as usize;
        self.seconds.get(at).copied().unwrap_or(f64::NAN) * 1e3
    }
}

/// Who asks, and how often.
#[derive(Clone, Copy)]
pub struct Clients {
    pub number: usize,
    /// Requests a second of all of them, whatever becomes of those before; otherwise each asks as
    /// soon as it is answered.
    pub rate: Option<f64>,
}

/// Asks for so long. Each request's body is the next of `bodies`.
pub fn load(address: &str, bodies: &[String], clients: Clients, time: Duration) -> Result<Load> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Error::Host(format!("no runtime: {e}")))?;
    let requests: Rc<Vec<Vec<u8>>> = Rc::new(bodies.iter().map(|body| request(body)).collect());
    let (next, seen) = (Rc::new(Cell::new(0u32)), Rc::new(RefCell::new(Vec::new())));
    let refused = Rc::new(Cell::new(0));
    let begun = Instant::now();
    let until = begun + time;
    let local = LocalSet::new();
    let mut asking = Vec::new();
    for _client in 0..clients.number {
        let (requests, next) = (Rc::clone(&requests), Rc::clone(&next));
        let (seen, refused) = (Rc::clone(&seen), Rc::clone(&refused));
        let address = address.to_owned();
        asking.push(local.spawn_local(async move {
            let mut stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            let mut buffer = Vec::with_capacity(16 << 10);
            while Instant::now() < until {
                let number = next.replace(next.get() + 1);
                if let Some(rate) = clients.rate {
                    let due = begun + Duration::from_secs_f64(f64::from(number) / rate);
                    tokio::time::sleep_until(due.into()).await;
                }
                let asked = Instant::now();
                stream.write_all(&requests[number as usize % requests.len()]).await?;
                match answer(&mut stream, &mut buffer).await? {
                    200 => seen.borrow_mut().push(asked.elapsed().as_secs_f64()),
                    _ => refused.set(refused.get() + 1),
                }
            }
            std::io::Result::Ok(())
        }));
    }
    local.block_on(&runtime, async {
        for client in asking {
            let failed = |e: &dyn std::fmt::Display| Error::Host(format!("{address}: {e}"));
            client.await.map_err(|e| failed(&e))?.map_err(|e| failed(&e))?;
        }
        Ok::<(), Error>(())
    })?;
    let took = begun.elapsed();
    let mut seconds = seen.take();
    seconds.sort_by(f64::total_cmp);
    Ok(Load { good: seconds.len(), refused: refused.get(), took, seconds })
}

fn request(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /encode HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Reads one answer, and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<u16> {
    let broken = |what| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    buffer.clear();
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let status = head.get(9..12).and_then(|status| status.parse().ok());
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length
                .and_then(|length| length.trim().parse().ok())
                .ok_or_else(|| broken("an answer without a length"))?;
            while buffer.len() < end + 4 + length {
                more(stream, buffer).await?;
            }
            return status.ok_or_else(|| broken("an answer without a status"));
        }
        more(stream, buffer).await?;
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
