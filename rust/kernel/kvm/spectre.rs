// SPDX-License-Identifier: GPL-2.0

//! The host's state of the Spectre vulnerabilities.
//!
//! A state is final once the system has booted: update_mitigation_state() ignores a CPU that comes
//! online later and would make it worse, with a warning.
//!
//! C header: [`arch/arm64/include/asm/spectre.h`](srctree/arch/arm64/include/asm/spectre.h).

use crate::bindings;

/// The host's state of one vulnerability (`enum mitigation_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not affected.
    Unaffected,
    /// Affected, and something is done about it.
    Mitigated,
    /// Affected, and nothing is done about it.
    Vulnerable,
}

impl State {
    /// The C side's value. One that is not known here counts as vulnerable: nothing must be
    /// promised on the ground of it.
    #[inline]
    const fn from_raw(state: bindings::mitigation_state) -> Self {
        match state {
            bindings::mitigation_state_SPECTRE_UNAFFECTED => Self::Unaffected,
            bindings::mitigation_state_SPECTRE_MITIGATED => Self::Mitigated,
            _ => Self::Vulnerable,
        }
    }
}

/// Branch target injection (Spectre-v2).
#[inline]
pub fn v2() -> State {
    // SAFETY: The function only reads a variable, and can always be called.
    State::from_raw(unsafe { bindings::arm64_get_spectre_v2_state() })
}

/// Speculative store bypass (Spectre-v4).
#[inline]
pub fn v4() -> State {
    // SAFETY: The function only reads a variable, and can always be called.
    State::from_raw(unsafe { bindings::arm64_get_spectre_v4_state() })
}

/// Branch history injection (Spectre-BHB).
#[inline]
pub fn bhb() -> State {
    // SAFETY: The function only reads a variable, and can always be called.
    State::from_raw(unsafe { bindings::arm64_get_spectre_bhb_state() })
}
