// SPDX-License-Identifier: GPL-2.0

//! Why the kernel refuses a write.

use fw_regs_policy as policy;
use serde::{Deserialize, Serialize};

/// Why a write is refused: the policy's reasons, in the order in which the kernel checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Reason {
    BadAddress,
    UnknownRegister,
    Malformed,
    WrongFeature,
    ExceedsOffer,
    Frozen,
}

impl Reason {
    pub const ALL: [Self; 6] = [
        Self::BadAddress,
        Self::UnknownRegister,
        Self::Malformed,
        Self::WrongFeature,
        Self::ExceedsOffer,
        Self::Frozen,
    ];

    /// As the trace event tells it.
    pub fn text(self) -> &'static str {
        match self {
            Self::BadAddress => "bad address",
            Self::UnknownRegister => "unknown register",
            Self::Malformed => "malformed",
            Self::WrongFeature => "wrong vCPU feature",
            Self::ExceedsOffer => "exceeds the offer",
            Self::Frozen => "frozen",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.text() == text)
    }
}

impl From<policy::Reason> for Reason {
    fn from(reason: policy::Reason) -> Self {
        match reason {
            policy::Reason::BadAddress => Self::BadAddress,
            policy::Reason::UnknownRegister => Self::UnknownRegister,
            policy::Reason::Malformed => Self::Malformed,
            policy::Reason::WrongFeature => Self::WrongFeature,
            policy::Reason::ExceedsOffer => Self::ExceedsOffer,
            policy::Reason::Frozen => Self::Frozen,
        }
    }
}

impl From<Reason> for &'static str {
    fn from(reason: Reason) -> Self {
        reason.text()
    }
}

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_text(&text).ok_or_else(|| format!("`{text}` is no reason"))
    }
}
