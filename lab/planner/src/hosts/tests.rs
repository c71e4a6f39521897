// SPDX-License-Identifier: GPL-2.0

use super::*;

const HOST: &str = concat!(
    r#"{"host":"n1","offers":["0x6030000000140000 0x10003","0x6030000000140002 0x0"],"#,
    r#""offers_ssbs_hidden":["0x6030000000140002 0x3"]}"#
);

#[test]
fn a_host_survives_its_text() {
    let host: HostOffers = serde_json::from_str(HOST).unwrap();
    assert_eq!(serde_json::to_string(&host).unwrap(), HOST);
    assert_ne!(host.offers, host.ssbs_hidden);
}

#[test]
fn bad_hosts_are_refused() {
    let hidden = r#""offers":["0x6030000000140002 0x3"],"offers_ssbs_hidden":["#;
    let cases = [
        (r#""offers": []"#, "host n1 has no offers"),
        (
            r#""offers":["0x6030000000140004 0x1"]"#,
            "no offer: 0x6030000000140004 = 0x1: unknown register",
        ),
        (
            r#""offers":["0x6030000000140003 0x7"]"#,
            "SMCCC_ARCH_WORKAROUND_3 = 7: malformed",
        ),
        (
            r#""offers":["0x6030000000140000 0x1"]"#,
            "PSCI_VERSION = 0.1: wrong vCPU feature",
        ),
        (r#""offers":["140002"]"#, "not of the form"),
        (
            &format!("{hidden}\"0x6030000000140002 0x0\"]"),
            "or offers less, where SSBS is hidden",
        ),
        (
            &format!("{hidden}\"0x6030000000140001 0x0\"]"),
            "does not offer the same registers",
        ),
        (r#""offerz":[]"#, "unknown field `offerz`"),
    ];
    for (keys, message) in cases {
        let line = format!(r#"{{"host":"n1",{keys}}}"#);
        let error = serde_json::from_str::<HostOffers>(&line).unwrap_err();
        assert!(error.to_string().contains(message), "{line}: {error}");
    }
}
