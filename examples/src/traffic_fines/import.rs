//! Reads the log of the old system, a row at a time: each row is one command.
//!
//! Always true here: each row has a number within its case that does not depend on other cases, nor on whether it can be
//! read, so the same row of the same log always has the same key; a row that can't be read is named with its line and does not end the import; only a file that can't
//! be read does.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use gesta::Timestamp;

use super::domain::{
    AddPenalty, AppealToJudge, CreateFine, EnterPrefectureAppeal, FineCommand, FineId, NotifyOffender, NotifyPrefectureResult,
    ReceivePayment, ReceivePrefectureResult, SendFine, SendPrefectureAppeal, SendToCollection,
};
use super::money::Cents;

/// The first line of the file.
const HEADER: &str = "case,activity,timestamp,amount,expense,payment_amount,total_payment_amount,article,points,vehicle_class,\
                      officer,dismissal,notification_type,last_sent";

/// A longer line is no row of this log; it is not kept in memory either.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// What a line of the log says.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Something that happened to a fine.
    Entry(Entry),
    /// It can't be read.
    Unreadable(Unreadable),
}

/// Something that happened to a fine.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// The number of the row within its case, counted from 1.
    pub ordinal: u32,
    /// The fine.
    pub fine: FineId,
    /// The day on which it happened.
    pub on: Timestamp,
    /// What happened, as the command that makes it happen.
    pub command: FineCommand,
}

/// A line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unreadable {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// The rows of a log, one after the other.
pub struct Log {
    input: Box<dyn BufRead + Send>,
    /// The last line that was read.
    line: u64,
    /// How many rows of each case were read.
    ordinals: HashMap<Box<str>, u32>,
    ended: bool,
}

impl Log {
    /// Opens a file, compressed by gzip or not.
    ///
    /// # Errors
    /// Where the file can't be read or is no such log.
    pub fn open(path: &Path) -> io::Result<Self> {
        Log::new(BufReader::new(File::open(path)?))
    }

    /// Reads from anywhere, compressed by gzip or not.
    ///
    /// # Errors
    /// Where the input can't be read or is no such log.
    pub fn new(mut input: impl BufRead + Send + 'static) -> io::Result<Self> {
        // The first two bytes of every gzip member: RFC 1952, section 2.3.1.
        let compressed = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead + Send> =
            if compressed { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { Box::new(input) };
        let mut log = Log { input, line: 0, ordinals: HashMap::new(), ended: false };
        match log.next_line()? {
            Some(Ok(header)) if header == HEADER => Ok(log),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("not the log of traffic fines: it begins with `{HEADER}`"),
            )),
        }
    }

    /// The next line that is not empty, without its end; `None` after the last one.
    fn next_line(&mut self) -> io::Result<Option<Result<String, Unreadable>>> {
        loop {
            let mut bytes = Vec::new();
            if self.input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let unreadable = |why: String| Ok(Some(Err(Unreadable { line: self.line, why })));
            if bytes.len() as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
                skip_line(&mut self.input)?;
                return unreadable(format!("longer than {LINE_BYTES_MAX} bytes"));
            }
            while matches!(bytes.last(), Some(b'\n' | b'\r')) {
                bytes.pop();
            }
            match String::from_utf8(bytes) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => return Ok(Some(Ok(text))),
                Err(e) => return unreadable(e.utf8_error().to_string()),
            }
        }
    }
}

impl Log {
    /// The number of a row within its case.
    fn ordinal(&mut self, text: &str) -> u32 {
        let case = text.split(',').next().unwrap_or(text);
        if let Some(ordinal) = self.ordinals.get_mut(case) {
            *ordinal += 1;
            *ordinal
        } else {
            self.ordinals.insert(case.into(), 1);
            1
        }
    }
}

impl Iterator for Log {
    type Item = io::Result<Row>;
    /// The next row; an error of the input is the last item.
    fn next(&mut self) -> Option<io::Result<Row>> {
        if self.ended {
            return None;
        }
        let row = match self.next_line() {
            Ok(Some(Ok(text))) => Ok(match read(&text, self.line, self.ordinal(&text)) {
                Ok(entry) => Row::Entry(entry),
                Err(why) => Row::Unreadable(Unreadable { line: self.line, why }),
            }),
            Ok(Some(Err(unreadable))) => Ok(Row::Unreadable(unreadable)),
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Err(e) => {
                self.ended = true;
                Err(io::Error::new(e.kind(), format!("after line {}: {e}", self.line)))
            }
        };
        Some(row)
    }
}

/// Reads up to the end of the line, and keeps nothing.
fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let read = input.fill_buf()?;
        let end = read.iter().position(|b| *b == b'\n');
        let used = end.map_or(read.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() || used == 0 {
            return Ok(());
        }
    }
}

fn read(text: &str, line: u64, ordinal: u32) -> Result<Entry, String> {
    if text.contains('"') {
        return Err("it holds a quotation mark, which this log does not use".to_owned());
    }
    let fields: Vec<&str> = text.split(',').collect();
    let [case, activity, timestamp, amount, expense, payment, _total, article, points, vehicle, officer, dismissal, kind, last] =
        fields[..]
    else {
        return Err(format!("{} fields in place of {}", fields.len(), HEADER.split(',').count()));
    };
    let fine = FineId::new(case).map_err(|e| format!("case: {e}"))?;
    let on = timestamp.parse().map_err(|e| format!("timestamp: {e}"))?;
    let command = match activity {
        "Create Fine" => CreateFine {
            amount: cents("amount", amount)?,
            article: article.to_owned(),
            points: points.parse().map_err(|e| format!("points: `{points}`: {e}"))?,
            vehicle_class: vehicle.to_owned(),
            officer: officer.to_owned(),
        }
        .into(),
        "Send Fine" => SendFine { expense: cents("expense", expense)? }.into(),
        "Insert Fine Notification" => {
            let last_sent = (!last.is_empty()).then(|| last.to_owned());
            NotifyOffender { notification_type: kind.to_owned(), last_sent }.into()
        }
        "Add penalty" => AddPenalty { amount: cents("amount", amount)? }.into(),
        "Payment" => ReceivePayment { amount: cents("payment_amount", payment)? }.into(),
        "Insert Date Appeal to Prefecture" => EnterPrefectureAppeal.into(),
        "Send Appeal to Prefecture" => SendPrefectureAppeal { dismissal: dismissal.to_owned() }.into(),
        "Receive Result Appeal from Prefecture" => ReceivePrefectureResult.into(),
        "Notify Result Appeal to Offender" => NotifyPrefectureResult.into(),
        "Appeal to Judge" => AppealToJudge { dismissal: dismissal.to_owned() }.into(),
        "Send for Credit Collection" => SendToCollection.into(),
        unknown => return Err(format!("activity: there is no `{unknown}`")),
    };
    Ok(Entry { line, ordinal, fine, on, command })
}

fn cents(column: &str, text: &str) -> Result<Cents, String> {
    text.parse().map_err(|e| format!("{column}: {e}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const CREATED: &str = "X1,Create Fine,2000-01-31,62.59,,,0.0,158,0,A,18,NIL,,";

    fn rows(text: impl Into<Vec<u8>>) -> Vec<Row> {
        Log::new(Cursor::new(text.into())).unwrap().collect::<io::Result<_>>().unwrap()
    }
    fn created(line: u64, ordinal: u32) -> Row {
        let command = CreateFine {
            amount: Cents(6_259),
            article: "158".to_owned(),
            points: 0,
            vehicle_class: "A".to_owned(),
            officer: "18".to_owned(),
        };
        let on = Timestamp::from_date(2000, 1, 31).unwrap();
        Row::Entry(Entry { line, ordinal, fine: FineId::new("X1").unwrap(), on, command: command.into() })
    }
    #[track_caller]
    fn unreadable(row: &str, why: &str) {
        let expected = Row::Unreadable(Unreadable { line: 2, why: why.to_owned() });
        // The number counts the rows of the case, read or not.
        let ordinal = 1 + u32::from(row.starts_with("X1,"));
        assert_eq!(rows(format!("{HEADER}\n{row}\n{CREATED}\n")), [expected, created(3, ordinal)]);
    }

    #[test]
    fn every_activity_is_a_command() {
        let line = |row: &str| match &rows(format!("{HEADER}\n{row}"))[..] {
            [Row::Entry(entry)] => entry.command.clone(),
            other => panic!("{other:?}"),
        };
        let commands: [(&str, FineCommand); 10] = [
            ("X1,Send Fine,2000-01-04,,13.5,,,,,,,,,", SendFine { expense: Cents(1_350) }.into()),
            (
                "X1,Insert Fine Notification,2000-01-04,,,,,,,,,,P,N",
                NotifyOffender { notification_type: "P".to_owned(), last_sent: Some("N".to_owned()) }.into(),
            ),
            ("X1,Add penalty,2000-03-04,62.59,,,,,,,,,,", AddPenalty { amount: Cents(6_259) }.into()),
            ("X1,Payment,2000-01-03,,,31.3,31.3,,,,,,,", ReceivePayment { amount: Cents(3_130) }.into()),
            ("X1,Insert Date Appeal to Prefecture,2000-03-14,,,,,,,,,,,", EnterPrefectureAppeal.into()),
            (
                "X1,Send Appeal to Prefecture,2000-03-21,,,,,,,,,NIL,,",
                SendPrefectureAppeal { dismissal: "NIL".to_owned() }.into(),
            ),
            ("X1,Receive Result Appeal from Prefecture,2000-04-21,,,,,,,,,,,", ReceivePrefectureResult.into()),
            ("X1,Notify Result Appeal to Offender,2000-04-23,,,,,,,,,,,", NotifyPrefectureResult.into()),
            ("X1,Appeal to Judge,2000-09-20,,,,,,,,0,G,,", AppealToJudge { dismissal: "G".to_owned() }.into()),
            ("X1,Send for Credit Collection,2001-04-10,,,,,,,,,,,", SendToCollection.into()),
        ];
        for (row, command) in commands {
            assert_eq!(line(row), command);
        }
    }

    #[test]
    fn rows_are_read_whether_compressed_or_not() {
        let text = format!("{HEADER}\r\n{CREATED}\r\n\r\n{CREATED}");
        assert_eq!(rows(&*text), [created(2, 1), created(4, 2)]);
        // Two members, as `cat a.gz b.gz` makes them.
        let (first, second) = text.as_bytes().split_at(40);
        let mut compressed = Vec::new();
        for part in [first, second] {
            let mut encoder = GzEncoder::new(&mut compressed, Compression::fast());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap();
        }
        assert_eq!(rows(compressed), [created(2, 1), created(4, 2)]);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named_and_the_next_one_read() {
        unreadable("X1,Create Fine,2000-01-01", "3 fields in place of 14");
        unreadable(&format!("{CREATED},"), "15 fields in place of 14");
        unreadable(",Payment,2000-01-03,,,31.3,31.3,,,,,,,", "case: an id can't be empty");
        unreadable("X1,Payment,2000-01-03,,,31;3,31.3,,,,,,,", "payment_amount: `31;3` is no amount in euros: write it as 62.59");
        unreadable("X1,Send Fine,2000-01-03,,,,,,,,,,,", "expense: `` is no amount in euros: write it as 62.59");
        unreadable("X1,Paid,2000-01-03,,,31.3,31.3,,,,,,,", "activity: there is no `Paid`");
        unreadable("\"X1\",Payment,2000-01-03,,,31.3,31.3,,,,,,,", "it holds a quotation mark, which this log does not use");
        unreadable(&CREATED.replace("158,0", "158,no"), "points: `no`: invalid digit found in string");
        let why = "timestamp: `2000-02-30` is no time: write it as 2026-11-21T09:30:00Z, or as a date, 2026-11-21";
        unreadable("X1,Payment,2000-02-30,,,31.3,31.3,,,,,,,", why);
        unreadable(&"x".repeat(100_000), "longer than 16384 bytes");
        unreadable(&"x".repeat(16_384), "longer than 16384 bytes");
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let bytes = [HEADER.as_bytes(), b"\nX\xff1,Payment\n", CREATED.as_bytes()].concat();
        let why = "invalid utf-8 sequence of 1 bytes from index 1".to_owned();
        assert_eq!(rows(bytes), [Row::Unreadable(Unreadable { line: 2, why }), created(3, 1)]);
    }

    #[test]
    fn what_is_not_the_log_is_refused() {
        for text in ["", "case,activity\n", CREATED] {
            assert_eq!(Log::new(Cursor::new(text)).err().map(|e| e.kind()), Some(io::ErrorKind::InvalidData));
        }
    }

    #[test]
    fn a_stream_that_breaks_off_ends_the_import_with_an_error() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(format!("{HEADER}\n{CREATED}\n").as_bytes()).unwrap();
        let mut bytes = encoder.finish().unwrap();
        bytes.truncate(bytes.len() - 8);
        let mut log = Log::new(Cursor::new(bytes)).unwrap();
        assert_eq!(log.next().unwrap().unwrap(), created(2, 1));
        let error = log.next().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.to_string().starts_with("after line 2: ")), (io::ErrorKind::UnexpectedEof, true));
        assert!(log.next().is_none());
    }
}
