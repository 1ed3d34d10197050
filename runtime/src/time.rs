//! Points in time, and the clock they come from.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Shown and parsed as RFC 3339 in UTC, such as `2026-11-21T09:30:00.000001Z`; a plain date is its first microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }
    /// What the system's clock says now.
    pub fn now() -> Self {
        SystemTime::now().into()
    }
    /// The first microsecond of a date of the Gregorian calendar; `None` where there is no such date.
    pub const fn from_date(year: i32, month: u32, day: u32) -> Option<Self> {
        if month < 1 || month > 12 || day < 1 || day > days_in(year, month) || year < -9999 || year > 9999 {
            return None;
        }
        Some(Timestamp(days_from_civil(year, month, day) * MICROS_A_DAY))
    }
    /// Year, month and day in UTC.
    pub const fn date(self) -> (i32, u32, u32) {
        civil_from_days(self.0.div_euclid(MICROS_A_DAY))
    }
}

const MICROS_A_DAY: i64 = 86_400_000_000;

const fn days_in(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Source: Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `days_from_civil`.
#[allow(clippy::cast_possible_wrap, reason = "month and day are small")]
const fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let year = year as i64 - (month <= 2) as i64;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month as i64 + 9) % 12) + 2) / 5 + day as i64 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Source: Howard Hinnant, as above, `civil_from_days`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a year of an i64 of microseconds fits, and the rest is small and positive"
)]
const fn civil_from_days(days: i64) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    ((year_of_era + era * 400 + (month <= 2) as i64) as i32, month as u32, day as u32)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        Timestamp(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        })
    }
}

/// Cut off to whole microseconds, downwards.
#[cfg(feature = "chrono")]
impl From<chrono::DateTime<chrono::Utc>> for Timestamp {
    fn from(time: chrono::DateTime<chrono::Utc>) -> Self {
        Timestamp(time.timestamp_micros())
    }
}

/// A point in time that is further away than `chrono` counts, which is 262,000 years.
#[cfg(feature = "chrono")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is out of the range of a `chrono::DateTime`")]
pub struct TimestampOutOfRange(Timestamp);

#[cfg(feature = "chrono")]
impl TryFrom<Timestamp> for chrono::DateTime<chrono::Utc> {
    type Error = TimestampOutOfRange;
    fn try_from(time: Timestamp) -> Result<Self, TimestampOutOfRange> {
        chrono::DateTime::from_timestamp_micros(time.0).ok_or(TimestampOutOfRange(time))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let micros = self.0.rem_euclid(MICROS_A_DAY);
        let seconds = micros / 1_000_000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match micros % 1_000_000 {
            0 => f.write_str("Z"),
            fraction => write!(f, ".{fraction:06}Z"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: write it as 2026-11-21T09:30:00Z, or as a date, 2026-11-21")]
pub struct InvalidTimestamp(String);

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidTimestamp(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    fn number(digits: &str, length: usize) -> Option<u32> {
        (digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    }
    let (date, time) = text.split_once(['T', ' ']).map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.splitn(3, '-');
    let year = i32::try_from(number(parts.next()?, 4)?).ok()?;
    let start = Timestamp::from_date(year, number(parts.next()?, 2)?, number(parts.next()?, 2)?)?;
    let Some(time) = time else { return Some(start) };
    let (clock, offset_minutes) = if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else {
        let at = time.rfind(['+', '-'])?;
        let (hours, minutes) = time[at + 1..].split_once(':')?;
        let minutes = i64::from(number(hours, 2)?) * 60 + i64::from(number(minutes, 2)?);
        (&time[..at], if time.as_bytes()[at] == b'-' { -minutes } else { minutes })
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.splitn(3, ':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if hour > 23 || minute > 59 || second > 59 || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros = number(&format!("{fraction:0<6}")[..6], 6)?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second) - offset_minutes * 60;
    Some(Timestamp(start.0 + seconds * 1_000_000 + i64::from(micros)))
}

/// Where the runtime gets the time from.
///
/// The system's clock unless a test sets another; see [`testing::FixedClock`](crate::testing::FixedClock).
pub trait Clock: Send + Sync + 'static {
    /// The time now. It may go back: the store never lets `recorded_at` go back within a stream.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_they_are_parsed() {
        for text in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59.999999Z", "1969-12-31T23:59:59Z", "2026-11-21T03:04:05.000100Z"]
        {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        let zulu = "2026-11-21T01:30:00Z".parse::<Timestamp>().unwrap();
        assert_eq!("2026-11-21T02:30:00+01:00".parse(), Ok(zulu));
        assert_eq!("2026-11-20 23:30:00.0-02:00".parse(), Ok(zulu));
        assert_eq!("2026-11-21".parse::<Timestamp>().unwrap().to_string(), "2026-11-21T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "2026-11-21T24:00:00Z",
            "2026-11-21T00:00:00",
            "2026-11-21T00:00:00.Z",
            "x",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn a_time_of_chrono_is_the_same_time() {
        use chrono::{DateTime, TimeZone as _, Utc};
        for micros in [i64::from(i32::MIN) * 1_000_000, -1, 0, 1_795_253_400_000_001] {
            let time = Timestamp::from_micros(micros);
            let other = DateTime::<Utc>::try_from(time).unwrap();
            assert_eq!(Timestamp::from(other), time);
            assert_eq!(other.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).parse(), Ok(time));
        }
        assert_eq!(Timestamp::from(Utc.timestamp_nanos(1_999)), Timestamp::from_micros(1));
        assert_eq!(Timestamp::from(Utc.timestamp_nanos(-1)), Timestamp::from_micros(-1));
        let far = DateTime::<Utc>::try_from(Timestamp::from_micros(i64::MAX)).unwrap_err();
        assert!(far.to_string().ends_with("is out of the range of a `chrono::DateTime`"), "{far}");
        for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(DateTime::<Utc>::try_from(Timestamp::from(extreme)).is_ok());
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_its_own_date() {
        let mut at = Timestamp::from_date(1800, 1, 1).unwrap();
        for _ in 0..146_097 {
            let (year, month, day) = at.date();
            assert_eq!(Timestamp::from_date(year, month, day), Some(at));
            at = at + Duration::from_hours(24);
        }
        assert_eq!(at, Timestamp::from_date(2200, 1, 1).unwrap());
    }
}
