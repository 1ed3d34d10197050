//! Money, in whole cents and without floats.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use gesta::prelude::*;

/// An amount of euros in cents; it is read and shown in euros, with a decimal point.
#[value]
#[derive(Copy, Eq, PartialOrd, Ord, Default)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Cents = Cents(0);
    /// Whether it is above 0.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Add for Cents {
    type Output = Cents;
    fn add(self, other: Cents) -> Cents {
        Cents(self.0 + other.0)
    }
}
impl AddAssign for Cents {
    fn add_assign(&mut self, other: Cents) {
        self.0 += other.0;
    }
}
impl Sub for Cents {
    type Output = Cents;
    fn sub(self, other: Cents) -> Cents {
        Cents(self.0 - other.0)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, cents) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// A text that is no amount of whole cents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidAmount(String);

impl fmt::Display for InvalidAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no amount in euros: write it as 62.59", self.0)
    }
}

impl std::error::Error for InvalidAmount {}

impl FromStr for Cents {
    type Err = InvalidAmount;
    /// Reads `62.59`, `31.3` or `18`; zeros may follow the cents. What has more than ten digits before the point is a
    /// mistake, and would not leave room for sums.
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        parse(text).ok_or_else(|| InvalidAmount(text.to_owned()))
    }
}

/// Nine million times the largest amount still is a 64-bit number of cents.
const EURO_DIGITS_MAX: usize = 10;

fn parse(text: &str) -> Option<Cents> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (euros, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(euros) || !are_digits(fraction) || euros.len() > EURO_DIGITS_MAX {
        return None;
    }
    let (cents, below) = fraction.split_at(fraction.len().min(2));
    if below.bytes().any(|b| b != b'0') {
        return None;
    }
    let cents = cents.parse::<i64>().ok()? * if cents.len() == 1 { 10 } else { 1 };
    Some(Cents(sign * (euros.parse::<i64>().ok()? * 100 + cents)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn euros_become_cents_exactly() {
        for (text, cents) in [
            ("62.59", 6_259),
            ("31.3", 3_130),
            ("0.0", 0),
            ("18", 1_800),
            ("0.07", 7),
            ("36.130", 3_613),
            ("-5.0", -500),
            ("-0.01", -1),
            // 4.35 * 100 is 434.99999999999994 in floating point.
            ("4.35", 435),
            ("-9999999999.99", -999_999_999_999),
        ] {
            assert_eq!(text.parse(), Ok(Cents(cents)), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_of_cents_is_refused() {
        for text in ["", ".", "5.", ".5", "1.005", "1,50", "1e2", "+1", "--1", " 1", "NaN", "10000000000", "0x1", "١"] {
            assert_eq!(text.parse::<Cents>(), Err(InvalidAmount(text.to_owned())));
        }
    }

    #[test]
    fn cents_are_shown_in_euros() {
        for (cents, text) in [(6_259, "62.59"), (0, "0.00"), (5, "0.05"), (-130, "-1.30")] {
            assert_eq!(Cents(cents).to_string(), text);
        }
    }
}
