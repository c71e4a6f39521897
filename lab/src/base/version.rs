// SPDX-License-Identifier: GPL-2.0

//! Version numbers: of tools, kernels and packages, as far as they need to be compared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Numbers between dots; what is left out counts as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version([u32; 3]);

impl Version {
    /// The first version number in a text such as `bindgen 0.71.1` or `rustc 1.95.0 (5980…)`.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || c == '-' || c == '+')
            .find_map(|word| word.parse().ok())
    }

    /// Without its third number: the series that a kernel release is of.
    pub fn series(self) -> Self {
        let [major, minor, _] = self.0;
        Self([major, minor, 0])
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = [0; 3];
        // What follows the third number (`7.3.4.1`) does not matter here.
        for (number, part) in numbers.iter_mut().zip(text.split('.')) {
            let parsed = part.parse();
            *number = parsed.map_err(|_| format!("`{text}` is not a version"))?;
        }
        Ok(Self(numbers))
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [major, minor, 0] => write!(f, "{major}.{minor}"),
            [major, minor, patch] => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_in_what_tools_print() {
        let found = |text| Version::find(text).map(|version| version.0);
        assert_eq!(found("bindgen 0.71.1"), Some([0, 71, 1]));
        assert_eq!(
            found("rustc 1.85.0 (4d91de4e4 2025-02-17) (built from a source tarball)"),
            Some([1, 85, 0])
        );
        assert_eq!(found("1.95.0+dfsg1-2~bpo13+1"), Some([1, 95, 0]));
        assert_eq!(found("7.3"), Some([7, 3, 0]));
        assert_eq!(found("no number"), None);
    }

    #[test]
    fn shown_without_a_zero_at_the_end() {
        let shown = |text: &str| text.parse::<Version>().unwrap().to_string();
        assert_eq!(shown("7.3.0"), "7.3");
        assert_eq!(shown("0.71.1"), "0.71.1");
    }

    #[test]
    fn compared_as_numbers() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("7.10") > version("7.9.8"));
        assert!(version("0.71.1") > version("0.71"));
    }
}
