//! Points in time, and the clock they come from.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Shown and parsed as RFC 3339 in UTC, such as `2026-11-21T09:30:00.000001Z`; a plain date is its first microsecond. Years before 0
/// and after 9999 have a sign, as in ISO 8601: `-0043-03-15`, `+10000-01-01`. A leap second is parsed as the second after it.
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
    /// The first microsecond of a date of the Gregorian calendar; `None` where there is no such date, or where a timestamp does not
    /// reach as far, which is 290,000 years.
    pub const fn from_date(year: i32, month: u32, day: u32) -> Option<Self> {
        if !is_date(year, month, day) {
            return None;
        }
        match days_from_civil(year, month, day).checked_mul(MICROS_A_DAY) {
            Some(micros) => Some(Timestamp(micros)),
            None => None,
        }
    }
    /// Year, month and day in UTC.
    pub const fn date(self) -> (i32, u32, u32) {
        civil_from_days(self.0.div_euclid(MICROS_A_DAY))
    }
}

const MICROS_A_DAY: i64 = 86_400_000_000;

const fn is_date(year: i32, month: u32, day: u32) -> bool {
    month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month)
}

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
        // 2^64 seconds are far less than an `i128` holds in microseconds.
        let micros = i128::try_from(duration.as_micros()).unwrap_or(i128::from(i64::MAX));
        Timestamp(i64::try_from(i128::from(self.0) + micros).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let micros = self.0.rem_euclid(MICROS_A_DAY);
        let seconds = micros / 1_000_000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match year {
            ..0 => write!(f, "-{:04}", year.unsigned_abs())?,
            0..=9999 => write!(f, "{year:04}")?,
            _ => write!(f, "+{year}")?,
        }
        write!(f, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
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
    let (date, time) = text.split_once(['T', ' ']).map_or((text, None), |(date, time)| (date, Some(time)));
    let micros = time.map_or(Some(0), parse_time)?;
    // The first microsecond of the first day is before what a timestamp holds, and its last is not.
    let micros = i128::from(parse_date(date)?) * i128::from(MICROS_A_DAY) + i128::from(micros);
    i64::try_from(micros).ok().map(Timestamp)
}

fn number(digits: &str, length: usize) -> Option<u32> {
    (digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// A date as days since 1970-01-01.
fn parse_date(date: &str) -> Option<i64> {
    let (sign, unsigned) = date.strip_prefix(['-', '+']).map_or(("", date), |unsigned| (&date[..1], unsigned));
    let mut parts = unsigned.splitn(3, '-');
    let digits = parts.next()?;
    let year = i32::try_from(number(digits, digits.len().clamp(4, 6))?).ok()?;
    let year = match sign {
        "" if digits.len() == 4 => year,
        "-" if year > 9999 || (digits.len() == 4 && year > 0) => -year,
        "+" if year > 9999 => year,
        _ => return None,
    };
    let (month, day) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    is_date(year, month, day).then(|| days_from_civil(year, month, day))
}

/// A time of day, with its offset from UTC, as microseconds since midnight in UTC.
fn parse_time(time: &str) -> Option<i64> {
    let (clock, offset_minutes) = if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else {
        let at = time.rfind(['+', '-'])?;
        let (hours, minutes) = time[at + 1..].split_once(':')?;
        let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
        if hours > 23 || minutes > 59 {
            return None;
        }
        let minutes = i64::from(hours) * 60 + i64::from(minutes);
        (&time[..at], if time.as_bytes()[at] == b'-' { -minutes } else { minutes })
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.splitn(3, ':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if hour > 23 || minute > 59 || second > 60 || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros = number(&format!("{fraction:0<6}")[..6], 6)?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second) - offset_minutes * 60;
    // Leap seconds end a day of UTC.
    if second == 60 && seconds.rem_euclid(86_400) != 0 {
        return None;
    }
    Some(seconds * 1_000_000 + i64::from(micros))
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

    /// R26: `Display` writes what `FromStr` reads, for each value there is.
    #[test]
    fn any_time_is_parsed_as_it_is_shown() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        let random = (0..20_000).map(|n| {
            // xorshift64, Marsaglia 2003.
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            bits.cast_signed() >> (n % 40)
        });
        let days = [-106_751_991, -719_529, -719_528, -719_162, 2_932_896, 2_932_897, 106_751_991];
        let edges = days.into_iter().flat_map(|day| [day * MICROS_A_DAY - 1, day * MICROS_A_DAY, day * MICROS_A_DAY + 1]);
        for micros in edges.chain([i64::MIN, i64::MIN + 1, i64::MAX]).chain(random) {
            let time = Timestamp::from_micros(micros);
            assert_eq!(time.to_string().parse(), Ok(time), "{micros}");
        }
        for (text, micros) in [
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("-0001-12-31T23:59:59.999999Z", -62_167_219_200_000_001),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("+10000-01-01T00:00:00Z", 253_402_300_800_000_000),
            ("-290308-12-21T19:59:05.224192Z", i64::MIN),
            ("+294247-01-10T04:00:54.775807Z", i64::MAX),
        ] {
            assert_eq!((Timestamp::from_micros(micros).to_string().as_str(), text.parse()), (text, Ok(Timestamp(micros))));
        }
    }

    /// R26: every date that a timestamp holds is one that it is made of.
    #[test]
    fn any_date_of_a_timestamp_makes_one() {
        for micros in [i64::MIN + MICROS_A_DAY, -377_705_116_800_000_001, 253_402_300_800_000_000, i64::MAX] {
            let (year, month, day) = Timestamp::from_micros(micros).date();
            let start = Timestamp::from_date(year, month, day).unwrap();
            assert_eq!(start.as_micros(), micros.div_euclid(MICROS_A_DAY) * MICROS_A_DAY);
        }
        for (year, month, day) in [(-290_308, 12, 21), (294_247, 1, 11), (i32::MIN, 1, 1), (i32::MAX, 12, 31), (-290_309, 1, 1)] {
            assert_eq!(Timestamp::from_date(year, month, day), None, "its first microsecond is beyond what a timestamp holds");
        }
    }

    /// R26: a leap second is the first second of the next day, as POSIX and Postgres count.
    #[test]
    fn a_leap_second_is_the_second_after_it() {
        for (leap, next) in [
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500000Z"),
            ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
            ("2016-12-31 15:59:60.999999-08:00", "2017-01-01T00:00:00.999999Z"),
        ] {
            assert_eq!(leap.parse::<Timestamp>().unwrap().to_string(), next, "{leap}");
        }
        for no_leap in ["2016-12-31T23:58:60Z", "2016-12-31T12:59:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z"] {
            assert!(no_leap.parse::<Timestamp>().is_err(), "{no_leap}");
        }
    }

    #[test]
    fn a_sum_beyond_all_times_is_the_last_one() {
        assert_eq!(Timestamp(0) + Duration::MAX, Timestamp(i64::MAX));
        assert_eq!(Timestamp(i64::MIN) + Duration::MAX, Timestamp(i64::MAX));
        assert_eq!(Timestamp(i64::MIN) + Duration::from_micros(u64::MAX), Timestamp(i64::MAX));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "10000-01-01",
            "1-01-01",
            "+2026-1-1",
            "-0000-01-01",
            "+0026-01-01",
            "+294247-01-10T04:00:54.775808Z",
            "-290308-12-21T19:59:05.224191Z",
            "-290308-12-21",
            "+999999-01-01",
            "+1000000-01-01",
            "-",
            "+",
            "--001-01-01",
            "2026-11-21T00:00:00+24:00",
            "2026-11-21T00:00:00+01:60",
            "2026-11-21T00:00:00+1:00",
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
