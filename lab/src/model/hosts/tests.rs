// SPDX-License-Identifier: GPL-2.0

use super::*;

#[test]
fn the_file_of_the_project_covers_what_can_be() {
    let hosts = load(&Project::here()).unwrap();
    assert!(hosts.len() >= 16);

    // The end of the file tells why there are no others.
    let without_ssbs = [
        "0/0/0", "0/3/0", "1/0/0", "1/0/1", "1/3/0", "1/3/1", "2/0/0", "2/0/1", "2/3/0", "2/3/1",
        "2/3/2",
    ];
    let with_ssbs = ["2/0/0", "2/0/1", "2/0/2"];
    let offered = |ssbs| -> BTreeSet<String> {
        let hosts = hosts.iter().filter(|host| host.ssbs == ssbs);
        let offers = hosts.filter_map(|host| host.offers.first());
        offers.map(Offer::to_string).collect()
    };
    assert_eq!(offered(false), without_ssbs.map(str::to_owned).into());
    assert_eq!(offered(true), with_ssbs.map(str::to_owned).into());
    assert!(hosts.iter().any(|host| host.kernel == Handlers::C.into()));
}

const HOST: &str = "[[host]]\nname = 'a'\ncpu = 'max'\noffers = ['1/3/0']\n";

#[test]
fn defaults_fill_what_is_not_said() {
    let hosts = parse(HOST).unwrap();
    assert_eq!(hosts[0].memory, 512);
    assert_eq!(hosts[0].cpus, 1);
    assert_eq!(hosts[0].cmdline, "");
    assert_eq!(hosts[0].firmware, None);
    assert_eq!(hosts[0].offers, [Offer([1, 3, 0])]);
    assert!(hosts[0].has_both_kernels() && hosts[0].selftests);
}

#[test]
fn a_host_with_the_c_kernel_has_no_other() {
    let hosts = parse(&format!("{HOST}kernel = 'c'\ncmdline = 'a=b c'")).unwrap();
    assert!(!hosts[0].has_both_kernels());
    assert_eq!(
        Handlers::ALL.map(|it| hosts[0].runs(it)),
        [Handlers::C.into(); 2]
    );
    assert_eq!(hosts[0].about(), "max a=b c, handlers in C");
}

#[test]
fn a_host_with_a_kernel_of_debian_has_no_other() {
    let hosts = parse(&format!("{HOST}kernel = 'debian-6.12'")).unwrap();
    let kernel = Kernel::Debian("6.12".parse().unwrap());
    assert!(!hosts[0].has_both_kernels());
    assert_eq!(Handlers::ALL.map(|it| hosts[0].runs(it)), [kernel; 2]);
    assert_eq!(hosts[0].about(), "max, Debian's Linux 6.12");
}

#[test]
fn a_firmware_has_three_answers() {
    let firmware = |one, two, three| {
        format!(
            "{HOST}firmware = {{ workaround-1 = {one}, workaround-2 = {two}, \
             workaround-3 = {three} }}\n"
        )
    };
    let hosts = parse(&firmware(0, -2, -1)).unwrap();
    assert_eq!(hosts[0].about(), "max, firmware 0/-2/-1");
    assert_eq!(hosts[0].firmware.unwrap().all(), [0, -2, -1]);

    let unknown = "a firmware answers 0, 1 or -1";
    for (text, message) in [
        (firmware(-2, 0, 0), unknown),
        (firmware(0, 2, 0), unknown),
        (firmware(0, 0, -2), unknown),
        (firmware(0, 0, 0) + "cpus = 9", "it can have 8 CPUs"),
        (firmware(0, 0, 0) + "memory = 128", "needs 256 MiB"),
        (format!("{HOST}firmware = {{}}"), "missing field"),
    ] {
        let error = format!("{:#}", parse(&text).unwrap_err());
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn bad_files_are_refused() {
    let bad_offer = "is not of the form 1/3/0";
    let cases = [
        ("", "missing field `host`"),
        ("host = []", "no hosts"),
        (&format!("{HOST}cpuz = 1"), "unknown field `cpuz`"),
        (&format!("{HOST}{HOST}"), "two hosts named `a`"),
        ("[[host]]\nname = 'a'", "missing field `cpu`"),
        (
            "[[host]]\nname = 'a'\ncpu = 'max'",
            "missing field `offers`",
        ),
        (&HOST.replace("'a'", "'a b'"), "letters, digits"),
        (
            &HOST.replace("'1/3/0'", ""),
            "`offers` is for hosts with KVM, and must be there",
        ),
        (&HOST.replace("1/3/0", "1/3"), bad_offer),
        (&HOST.replace("1/3/0", "1/x/3/0"), bad_offer),
        (&HOST.replace("1/3/0", "1/3/-1"), bad_offer),
        (
            &format!("{HOST}kernel = 'C'"),
            "`C` is not `rust`, `c` or like",
        ),
    ];

    for (text, message) in cases {
        let error = format!("{:#}", parse(text).unwrap_err());
        assert!(error.contains(message), "{text:?}: {error}");
    }
}
